"""Looks before a deploy: at the account, the stack, the quotas and the names, and asks before prod.

    preflight.py prod [--region …] [--profile …]      the options are those of `sam deploy`

`make deploy` runs it first. It changes nothing. What would fail for certain stops it, with what to do; what
may surprise is said. It asks for little: what these credentials may not look at is told, and left out.
"""

import argparse
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import stages
import venv
from stages import Stage

# `<stack>-webhook` has to fit into the 80 characters of a queue's name: template.yaml names that one.
LONGEST_STACK_NAME = 72
# What a new account has, and what AWS keeps for functions without a reserve.
KEPT_UNRESERVED = 100
# Functions that take what the worker and the sync leave: webhook, oauth and api, and one tick of the sync.
BESIDE = 4
# One call of each kind that a first deploy makes, for the simulation.
NEEDED = (
    "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "cloudformation:SetStackPolicy",
    "s3:PutObject", "lambda:CreateFunction", "lambda:PublishVersion", "lambda:CreateAlias",
    "lambda:PutFunctionRecursionConfig", "iam:CreateRole", "iam:PassRole", "dynamodb:CreateTable",
    "dynamodb:UpdateTable", "sqs:CreateQueue", "secretsmanager:CreateSecret", "secretsmanager:GetRandomPassword",
    "apigateway:POST", "logs:CreateLogGroup", "logs:CreateLogDelivery", "logs:PutResourcePolicy",
    "logs:PutQueryDefinition", "sns:CreateTopic", "cloudwatch:PutMetricAlarm", "codedeploy:CreateDeployment",
    "scheduler:CreateSchedule",
)
# States in which a stack takes no update, and the way out of each.
STUCK = {
    "ROLLBACK_COMPLETE": (
        "Its first deploy failed, and CloudFormation updates no such stack. Nothing in it is in use. Delete it and "
        "deploy again: aws cloudformation delete-stack --stack-name {stack}"
    ),
    "ROLLBACK_FAILED": (
        "Its first deploy failed, and so did the way back. Look at its events, mend what stands in the way, and delete "
        "it: aws cloudformation delete-stack --stack-name {stack}"
    ),
    "UPDATE_ROLLBACK_FAILED": (
        "An update failed, and so did the way back; the stack still serves. Mend what its events name, then: "
        "aws cloudformation continue-update-rollback --stack-name {stack}"
    ),
    "DELETE_FAILED": (
        "Somebody is deleting it, and something stayed. Delete it to the end, then deploy: "
        "aws cloudformation delete-stack --stack-name {stack}"
    ),
}


@dataclass
class Report:
    """What was seen: facts, what may surprise, and what would fail."""

    facts: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


class Look:
    """One stage against one account. `client` makes a client of an AWS service, by its name."""

    def __init__(self, stage: Stage, template: dict, client, region: str, services_role: bool = False):
        self.stage, self.template, self.client, self.region = stage, template, client, region
        self.services_role = services_role
        self.report = Report()
        # The stack as it is, if it is there.
        self.stack: dict | None = None

    def look(self) -> Report:
        """Looks at everything, in the order in which people ask."""
        from botocore.exceptions import ClientError

        for part in (self._account, self._stack, self._name, self._concurrency, self._parameters, self._permissions):
            try:
                part()
            except ClientError as error:
                if part is self._account:
                    raise
                what = part.__name__.strip("_")
                self.report.warnings.append(f"{what}: not looked at ({error.response['Error']['Code']} on {error.operation_name})")
        return self.report

    def value(self, name: str) -> str:
        """What a parameter will be: samconfig.toml's word, or what the stack has, or the default."""
        if name not in self.stage.parameters and name in self._before():
            return self._before()[name]
        return self.stage.value(self.template, name)

    def _before(self) -> dict[str, str]:
        pairs = (self.stack or {}).get("Parameters", [])
        return {one["ParameterKey"]: one["ParameterValue"] for one in pairs}

    # ------------------------------------------------------------------- parts

    def _account(self) -> None:
        caller = self.client("sts").get_caller_identity()
        self.arn = caller["Arn"]
        self.report.facts += [
            ("account", caller["Account"]), ("region", self.region), ("as", self.arn),
            ("stage", self.stage.name), ("stack", self.stage.stack),
        ]

    def _stack(self) -> None:
        from botocore.exceptions import ClientError

        name = self.stage.stack
        try:
            self.stack = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
        if self.stack is None or self.stack["StackStatus"] == "REVIEW_IN_PROGRESS":
            self.stack = None
            self.report.facts.append(("does", "makes a new stack"))
            self._left_over()
            return
        status = self.stack["StackStatus"]
        self.report.facts.append(("does", f"updates the stack, which is {status}"))
        troubles = self.report.troubles
        if status in STUCK:
            troubles.append(f"The stack {name} is {status}. {STUCK[status].format(stack=name)}")
        elif status.endswith("_IN_PROGRESS"):
            troubles.append(f"The stack {name} is {status}: somebody else is at it. Wait until that has ended.")
        theirs = self._before().get("Stage")
        if "Stage" not in self._before():
            troubles.append(f"The stack {name} is another service's: it has no parameter Stage. Name another in samconfig.toml.")
        elif theirs != self.stage.value(self.template, "Stage"):
            troubles.append(f"The stack {name} is that of stage {theirs}: see stack_name in samconfig.toml, and AWS_PROFILE.")

    def _left_over(self) -> None:
        """What an earlier stack of this name left behind stops a new one."""
        from botocore.exceptions import ClientError

        name = self.stage.stack
        try:
            self.client("sqs").get_queue_url(QueueName=f"{name}-webhook")
            self.report.troubles.append(
                f"A queue {name}-webhook is there already, of another stack or one that was deleted less than a minute "
                "ago. Delete it, or name another stack_name in samconfig.toml."
            )
        except ClientError as error:
            if "NonExistentQueue" not in error.response["Error"]["Code"] and "QueueDoesNotExist" not in error.response["Error"]["Code"]:
                raise
        groups = self.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}-")["logGroups"]
        ours = {f"/aws/lambda/{name}-{word}" for word in ("webhook", "worker", "oauth", "sync", "api")}
        for group in sorted(ours & {group["logGroupName"] for group in groups}):
            self.report.troubles.append(
                f"The log group {group} is there already. Keep what you need of it, then: "
                f"aws logs delete-log-group --log-group-name {group}"
            )

    def _name(self) -> None:
        name = self.stage.stack
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name) or len(name) > LONGEST_STACK_NAME:
            self.report.troubles.append(
                f"stack_name {name!r} in samconfig.toml must begin with a letter and have letters, digits and hyphens "
                f"alone, {LONGEST_STACK_NAME} at most."
            )

    def _concurrency(self) -> None:
        limits = self.client("lambda").get_account_settings()["AccountLimit"]
        limit, free = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
        self.report.facts.append(("concurrency", f"{limit} for all functions of the account"))
        fed = int(self.value("WorkerMaximumConcurrency")) + int(self.value("SyncMaximumConcurrency"))
        if fed + BESIDE > limit:
            self.report.warnings.append(
                f"Worker and sync may take {fed} of the account's {limit} concurrent invocations, and leave fewer than "
                f"{BESIDE} for webhooks. Lower WorkerMaximumConcurrency and SyncMaximumConcurrency in samconfig.toml, or "
                "ask Service Quotas for more (Lambda, Concurrent executions)."
            )
        burst = int(self.value("ThrottleBurst"))
        if burst > 10 * limit:
            self.report.warnings.append(
                f"ThrottleBurst lets {burst} requests in at once, the account runs {limit}: lower it, or Lambda refuses the rest."
            )
        wanted = reserved(self.value)
        before = reserved(lambda name: self._before().get(name, "0"))
        if wanted and free + before - wanted < KEPT_UNRESERVED:
            self.report.troubles.append(
                f"WebhookReservedConcurrency and ApiReservedConcurrency ask for {wanted}; AWS keeps {KEPT_UNRESERVED} of the "
                f"account's {limit} unreserved, so {max(0, free + before - KEPT_UNRESERVED)} can be had. Lower them, or ask for more."
            )

    def _parameters(self) -> None:
        defaults = {name: str(one["Default"]) for name, one in self.template["Parameters"].items()}
        for name, value in sorted(self._before().items()):
            if name in defaults and name not in self.stage.parameters and value != defaults[name]:
                self.report.warnings.append(
                    f"{name} stays {value}, as the stack has it: samconfig.toml doesn't name it (its default is {defaults[name] or 'empty'})."
                )
        if self.value("KmsKeyArn"):
            self._key(self.value("KmsKeyArn"))
        if self.value("CertificateArn"):
            self._certificate(self.value("CertificateArn"), self.value("DomainName"))

    def _key(self, arn: str) -> None:
        if arn.split(":")[3] != self.region:
            self.report.troubles.append(f"KmsKeyArn is a key of {arn.split(':')[3]}; the stack is in {self.region}.")
            return
        state = self.client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]
        if state != "Enabled":
            self.report.troubles.append(f"The key KmsKeyArn is {state}: enable it, or name another.")

    def _certificate(self, arn: str, domain: str) -> None:
        if arn.split(":")[3] != self.region:
            self.report.troubles.append(f"CertificateArn is a certificate of {arn.split(':')[3]}; it must be in {self.region}.")
            return
        certificate = self.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
        if certificate["Status"] != "ISSUED":
            self.report.troubles.append(f"The certificate CertificateArn is {certificate['Status']}: finish its validation first.")
        names = {certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])}
        if domain not in names and f"*.{domain.partition('.')[2]}" not in names:
            self.report.troubles.append(f"The certificate CertificateArn is for {', '.join(sorted(names))}, not for {domain}.")

    def _permissions(self) -> None:
        if self.services_role:
            return
        found = re.fullmatch(r"arn:([^:]+):sts::(\d+):assumed-role/([^/]+)/.*", self.arn)
        iam = self.client("iam")
        source = iam.get_role(RoleName=found[3])["Role"]["Arn"] if found else self.arn
        if source.endswith(":root"):
            self.report.warnings.append("These are the root user's credentials. Deploy with a role of your own instead.")
            return
        missing, marker = [], {}
        while True:
            page = iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=list(NEEDED), **marker)
            missing += [one["EvalActionName"] for one in page["EvaluationResults"] if one["EvalDecision"] != "allowed"]
            if not page.get("IsTruncated"):
                break
            marker = {"Marker": page["Marker"]}
        if missing:
            self.report.warnings.append(
                "These credentials seem not to be allowed to do, at least not to everything: "
                f"{', '.join(missing)}. If the deploy is refused, that is why; docs/deployment.md says what is needed."
            )


def reserved(value) -> int:
    """Invocations that are kept for single functions."""
    return int(value("WebhookReservedConcurrency")) + int(value("ApiReservedConcurrency"))


def agreed(stage: Stage, template: dict, environ: dict, ask) -> str | None:
    """Why not, where somebody has to agree and hasn't. `ask` asks a person, and is None where there is none."""
    matters = stage.name == "prod" or stage.value(template, "DeletionProtection") == "true"
    if not matters or environ.get("YES") == "1":
        return None
    if ask is None:
        return f"{stage.name} is deployed by a person who agrees, or with YES=1 where somebody has agreed before (a pipeline)."
    if ask(f"Type the stack's name to deploy it ({stage.stack}): ").strip() == stage.stack:
        return None
    return "That is not its name. Nothing was done."


def options(words: list[str]) -> argparse.Namespace:
    """The stage, and of sam deploy's options those that change where and as whom."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("stage")
    for name in ("--region", "--profile", "--role-arn", "--parameter-overrides", "--stack-name"):
        parser.add_argument(name)
    known, _ = parser.parse_known_args(words)
    for name in ("parameter_overrides", "stack_name"):
        if getattr(known, name):
            sys.exit(
                f"Set {name} in samconfig.toml, not by --{name.replace('_', '-')}: it is read in several places, and what one of "
                "them doesn't know doesn't go live."
            )
    return known


def session(known: argparse.Namespace, stage: Stage):
    """A session as `sam deploy` would make one, and its region; ends the program where there is none."""
    import boto3
    from botocore.exceptions import ProfileNotFound

    try:
        made = boto3.Session(profile_name=known.profile, region_name=known.region or stage.region)
    except ProfileNotFound as error:
        sys.exit(f"{error}: look at AWS_PROFILE, and at `aws configure list-profiles`.")
    if not made.region_name:
        sys.exit("No region is set: set AWS_REGION, or a region in your AWS profile.")
    return made


def main() -> None:
    bin_dir = venv.ensure("venv-sam", "requirements-sam.txt")
    # Compared unresolved: the interpreter of an environment is a link to the one outside.
    if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
        os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])
    from botocore.exceptions import BotoCoreError, ClientError
    from samcli.yamlhelper import yaml_parse

    known = options(sys.argv[1:])
    try:
        stage = stages.read(known.stage)
    except stages.Unknown as error:
        sys.exit(str(error))
    template = yaml_parse((venv.ROOT / "template.yaml").read_text(encoding="utf-8"))
    made = session(known, stage)
    look = Look(stage, template, made.client, made.region_name, services_role=bool(known.role_arn))
    try:
        report = look.look()
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"AWS could not be asked ({error}).\n"
            "Check the network. Log in (aws sso login, or aws configure), or name a profile: AWS_PROFILE=…. Nothing was done."
        )
    report.facts += [("architecture", look.value("Architecture")), ("new versions", look.value("DeploymentType"))]
    for name, value in report.facts:
        print(f"  {name:<13} {value}")
    for text in report.warnings:
        print(f"\nNote: {text}")
    for text in report.troubles:
        print(f"\nStop: {text}", file=sys.stderr)
    if report.troubles:
        sys.exit("\nNothing was done.")
    refused = agreed(stage, template, dict(os.environ), input if sys.stdin.isatty() else None)
    if refused:
        sys.exit(refused)


if __name__ == "__main__":
    main()
