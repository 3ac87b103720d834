"""Checks template.yaml and samconfig.toml: cfn-lint, `sam validate --lint`, checkov, and rules of our own.

The rules of our own are those that a linter can't know: what a role may do at most, what a function
is told, and what must stay true between parts of the template, the code and the samples. Those of
check_deployable.py look at what CloudFormation would get for each of some combinations of parameters
(expand.py), and cfn-lint reads each of these, too. It needs no
AWS account and no network, but for the packages of requirements-sam.txt and requirements-checkov.txt
the first time.
"""

import copy
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import check_deployable
import check_watching
import expand
import stamp_release
import venv
from samples import EVENTS, FUNCTIONS, ROOT
from stages import command

ENVIRONMENTS = ("default", "dev", "staging", "prod")
# Read by the code where they are set, for tests; deployments keep the default.
OPTIONAL_VARIABLES = {"RECORD_TIMEOUT_SECONDS"}
# SDK calls, as the code has them, and the action that a role needs for each.
ACTIONS = {
    ".get_item()": "dynamodb:GetItem",
    ".batch_get_item()": "dynamodb:BatchGetItem",
    ".put_item()": "dynamodb:PutItem",
    "Put::builder()": "dynamodb:PutItem",
    ".update_item()": "dynamodb:UpdateItem",
    "Update::builder()": "dynamodb:UpdateItem",
    ".delete_item()": "dynamodb:DeleteItem",
    "Delete::builder()": "dynamodb:DeleteItem",
    ".batch_write_item()": "dynamodb:BatchWriteItem",
    "ConditionCheck::builder()": "dynamodb:ConditionCheckItem",
    ".query()": "dynamodb:Query",
    ".scan()": "dynamodb:Scan",
    ".send_message()": "sqs:SendMessage",
    ".send_message_batch()": "sqs:SendMessage",
    ".receive_message()": "sqs:ReceiveMessage",
    ".delete_message()": "sqs:DeleteMessage",
    ".delete_message_batch()": "sqs:DeleteMessage",
    ".change_message_visibility()": "sqs:ChangeMessageVisibility",
    ".change_message_visibility_batch()": "sqs:ChangeMessageVisibility",
    ".get_queue_attributes()": "sqs:GetQueueAttributes",
    ".get_secret_value()": "secretsmanager:GetSecretValue",
    ".put_secret_value()": "secretsmanager:PutSecretValue",
    ".create_secret()": "secretsmanager:CreateSecret",
    ".delete_secret()": "secretsmanager:DeleteSecret",
    # Of a secret that is made.
    ".set_tags(": "secretsmanager:TagResource",
}
# Their names end in the ids of connections, which nobody knows before they are made.
TOKEN_SECRETS = ":secret:${AWS::StackName}/connections/*"
# Tables that go with their stack, and why nobody misses them.
NOT_KEPT = {"LimitsTable": "counts of refused requests: nobody's data, and worth nothing after minutes"}
# Where others send to. A replaced one is another address, which nobody has.
ADDRESSES = {
    "HttpApi": "its address is in every subscription at Calendly",
    "HttpApiDomain": "as HttpApi",
    "HttpApiMapping": "as HttpApi",
    "WebhookQueue": "its name can be used again only after a minute, and its messages would be gone",
    "WebhookDlq": "dead letters would be gone",
}
LOG_ACTIONS = {"logs:CreateLogStream", "logs:PutLogEvents"}
# Calls that take "*" as their resource and nothing else, so a role can't be narrower.
NEED_EVERYTHING = {
    "xray:PutTraceSegments": "a trace is no resource",
    "xray:PutTelemetryRecords": "a trace is no resource",
    "cloudwatch:DescribeAlarms": "CodeDeploy asks for the states of several alarms at once",
}
# Granted for what AWS does in a function's name: no code of ours calls it.
NOT_CALLED = LOG_ACTIONS | NEED_EVERYTHING.keys() | {"kms:Decrypt", "kms:GenerateDataKey"}
# What CodeDeploy does with a function, for DeployRole.
DEPLOY_ACTIONS = {"lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"}


class Template:
    """The template, and what was found wrong with it."""

    def __init__(self, text: str) -> None:
        from samcli.yamlhelper import yaml_parse

        self.all = yaml_parse(text)
        self.resources: dict = self.all["Resources"]
        self.parameters: dict = self.all["Parameters"]
        self.wrong: list[str] = []

    def must(self, true: object, otherwise: str) -> None:
        if not true:
            self.wrong.append(otherwise)

    def of_type(self, kind: str):
        for logical_id, resource in self.resources.items():
            if resource["Type"] == kind:
                yield logical_id, resource

    def properties(self, logical_id: str) -> dict:
        return self.resources[logical_id].get("Properties", {})


def ref(value: object) -> str | None:
    """The logical id that a !Ref or !GetAtt points to."""
    if isinstance(value, dict) and len(value) == 1:
        (kind, target), = value.items()
        if kind == "Ref":
            return target
        if kind == "Fn::GetAtt":
            return target[0] if isinstance(target, list) else target.split(".")[0]
    return None


def listed(value: object) -> list:
    return value if isinstance(value, list) else [value]


# ----------------------------------------------------------------------- rules


def functions(template: Template) -> None:
    """Each function is what samples.py says, has its own log group, and is told what it reads."""
    common = template.all["Globals"]["Function"]
    shared_variables = common["Environment"]["Variables"]
    ours = {function.logical_id: (name, function) for name, function in FUNCTIONS.items()}
    deployed = dict(template.of_type("AWS::Serverless::Function"))
    template.must(deployed.keys() == ours.keys(), f"functions: {sorted(deployed)} here, {sorted(ours)} in dev/local/samples.py")
    log_groups = []
    for logical_id in deployed.keys() & ours.keys():
        name, function = ours[logical_id]
        resource = deployed[logical_id]
        properties = {**common, **resource["Properties"]}
        metadata = resource.get("Metadata", {})
        template.must(
            metadata.get("BuildMethod") == "rust-cargolambda" and metadata.get("BuildProperties", {}).get("Binary") == name,
            f"{logical_id}: Metadata must build the program {name} with rust-cargolambda",
        )
        template.must(properties["Timeout"] == function.timeout, f"{logical_id}: Timeout is {properties['Timeout']}, in dev/local/samples.py {function.timeout}")
        template.must(properties["MemorySize"] == function.memory, f"{logical_id}: MemorySize is {properties['MemorySize']}, in dev/local/samples.py {function.memory}")

        variables = {**shared_variables, **properties.get("Environment", {}).get("Variables", {})}
        difference = sorted(variables.keys() ^ set(function.variables))
        template.must(not difference, f"{logical_id}: environment variables differ from dev/local/samples.py: {', '.join(difference)}")
        for variable in sorted(variables_read(name) - variables.keys() - OPTIONAL_VARIABLES):
            template.wrong.append(f"{logical_id}: functions/{name} reads {variable}, which it is not told")

        group = ref(properties.get("LoggingConfig", {}).get("LogGroup"))
        template.must(group, f"{logical_id}: LoggingConfig.LogGroup must be a log group of this template")
        log_groups.append(group)
        role = ref(properties.get("Role"))
        template.must(role and "Policies" not in properties, f"{logical_id}: must have a Role of its own and no Policies, for which SAM makes a wide role")
        if role and group:
            written = {
                ref(resource)
                for statement in statements(template.properties(role))
                if LOG_ACTIONS & set(listed(statement.get("Action")))
                for resource in listed(statement.get("Resource"))
            }
            template.must(written == {group}, f"{role}: may write to {written or 'no log group'}, not to {group} alone")
    template.must(len(set(log_groups)) == len(log_groups), "two functions share a log group")
    for logical_id, resource in template.of_type("AWS::Logs::LogGroup"):
        template.must("RetentionInDays" in resource.get("Properties", {}), f"{logical_id}: has no RetentionInDays, so it would grow for ever")


def variables_read(function: str) -> set[str]:
    """The names that a function's config.rs asks for."""
    source = ROOT / "functions" / function / "src" / "config.rs"
    return set(re.findall(r'env\s*\.\w+\(\s*"([A-Z_]+)"', source.read_text(encoding="utf-8")))


def branches(values: list):
    """The values of a list, of a Fn::If among them both."""
    for value in values:
        if isinstance(value, dict) and value.keys() == {"Fn::If"}:
            yield from branches(value["Fn::If"][1:])
        elif value != {"Ref": "AWS::NoValue"}:
            yield value


def statements(role: dict):
    """Every statement that a role has, or has under a condition."""
    for policy in branches(role.get("Policies", [])):
        yield from branches(listed(policy["PolicyDocument"]["Statement"]))


def roles(template: Template) -> None:
    """No role may do anything to everything, or anything that no code does."""
    granted = set()
    all_roles = [(logical_id, resource) for logical_id, resource in expand.translated(template.all)["Resources"].items() if resource["Type"] == "AWS::IAM::Role"]
    for logical_id, resource in all_roles:
        properties = resource["Properties"]
        by_sam = logical_id not in template.resources
        template.must("ManagedPolicyArns" not in properties, f"{logical_id}: managed policies have wide resources")
        for statement in statements(properties):
            name = f"{logical_id}, {statement.get('Sid', 'a statement without Sid')}"
            template.must("NotAction" not in statement and "NotResource" not in statement, f"{name}: names what is left out, not what is allowed")
            allowed = json.dumps([statement.get("Action"), statement.get("Resource")])
            unbounded = set(listed(statement.get("Action"))) <= NEED_EVERYTHING.keys() and statement.get("Resource") == "*"
            template.must(unbounded or "*" not in allowed.replace(TOKEN_SECRETS, ""), f"{name}: holds a *")
            if logical_id == "DeployRole":
                beyond = set(listed(statement["Action"])) - DEPLOY_ACTIONS - NEED_EVERYTHING.keys()
                template.must(not beyond, f"{name}: CodeDeploy does not need {', '.join(sorted(beyond))}")
            elif not by_sam:
                granted.update(listed(statement.get("Action")))
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for logical_id, _ in template.of_type(kind):
            template.wrong.append(f"{logical_id}: write the policy into the role, where it is read and checked")

    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "shared" / "platform" / "src").rglob("*.rs"))
    code = re.sub(r"\s+", "", code)
    used = {action for call, action in ACTIONS.items() if call in code}
    for action in sorted(used - granted):
        template.wrong.append(f"the code in shared/platform calls {action}, which no role may do")
    for action in sorted(granted - used - NOT_CALLED):
        template.wrong.append(f"{action} is granted, and no code in shared/platform calls it")


def test_endpoint(template: Template) -> None:
    """What tests need is granted only where they are taken, and they are taken nowhere by default."""
    template.must(template.parameters["TestEndpoint"]["Default"] == "false", "parameter TestEndpoint: its default must be false")
    template.must(
        template.all["Conditions"]["TestEndpointOn"] == {"Fn::Equals": [{"Ref": "TestEndpoint"}, "true"]},
        "condition TestEndpointOn: must hold where TestEndpoint is true, and nowhere else",
    )
    for policy in template.properties("WebhookRole")["Policies"]:
        if policy.keys() == {"Fn::If"} and policy["Fn::If"][0] == "TestEndpointOn":
            policy = policy["Fn::If"][2]
        for name in ("BookingsTable", "SyncQueue", "ApiKeySecret"):
            template.must(f'"{name}"' not in json.dumps(policy), f"WebhookRole: may use {name} whether or not TestEndpointOn holds")


def queues(template: Template) -> None:
    queue, dlq = template.properties("WebhookQueue"), template.properties("WebhookDlq")
    timeout = template.properties("WorkerFunction")["Timeout"]
    template.must(queue["VisibilityTimeout"] >= 6 * timeout, f"WebhookQueue: VisibilityTimeout must be at least 6 times the worker's Timeout ({6 * timeout})")
    template.must(dlq["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"], "WebhookDlq: must keep messages for longer than WebhookQueue")
    waits = template.parameters["RetrySchedule"]["Default"].count(",") + 1
    receives = queue["RedrivePolicy"]["maxReceiveCount"]
    template.must(receives == waits + 1, f"WebhookQueue: maxReceiveCount must be {waits + 1}, the first try and {waits} retries")
    days = template.parameters["DeliveryRetentionDays"]["MinValue"]
    needed = (dlq["MessageRetentionPeriod"] + waits * 43200) / 86400
    template.must(days >= needed, f"DeliveryRetentionDays: MinValue must be at least {needed}, or dead letters outlive their deliveries")


def kept(template: Template) -> None:
    """What holds people's data outlives a stack, and can be restored."""
    for kind in ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"):
        for logical_id, resource in template.of_type(kind):
            if logical_id in NOT_KEPT:
                continue
            template.must(resource.get("DeletionPolicy") == "RetainExceptOnCreate", f"{logical_id}: DeletionPolicy must be RetainExceptOnCreate")
            template.must(resource.get("UpdateReplacePolicy") == "Retain", f"{logical_id}: UpdateReplacePolicy must be Retain")
    for logical_id, resource in template.of_type("AWS::DynamoDB::Table"):
        table = resource["Properties"]
        if logical_id in NOT_KEPT:
            policies = resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")
            template.must(policies == ("Delete", "Delete"), f"{logical_id}: DeletionPolicy and UpdateReplacePolicy must be Delete, for it holds {NOT_KEPT[logical_id]}")
            continue
        template.must(table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") is True, f"{logical_id}: has no point-in-time recovery")


def stack_policy(template: Template) -> None:
    """stack-policy.json refuses updates that replace or delete what is kept or where others send, and names nothing else."""
    policy = json.loads((ROOT / "stack-policy.json").read_text(encoding="utf-8"))
    denied = {
        resource.removeprefix("LogicalResourceId/")
        for statement in policy["Statement"]
        if statement["Effect"] == "Deny" and set(statement["Action"]) == {"Update:Replace", "Update:Delete"}
        for resource in statement["Resource"]
    }
    kept = {
        logical_id
        for kind in ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret")
        for logical_id, _ in template.of_type(kind)
        if logical_id not in NOT_KEPT
    }
    difference = sorted(denied ^ (kept | ADDRESSES.keys()))
    template.must(not difference, f"stack-policy.json: differs from the tables and secrets that are kept, and the addresses: {', '.join(difference)}")
    for gone in sorted(ADDRESSES.keys() - template.resources.keys()):
        template.wrong.append(f"dev/local/check_template.py: ADDRESSES names {gone}, which is not in the template")


def deployment(template: Template) -> None:
    """A new version of each function takes over by steps, watched by an alarm of that function."""
    everywhere = template.all["Globals"]["Function"]
    template.must(everywhere.get("AutoPublishAlias") == "live", "Globals: AutoPublishAlias must be live")
    template.must(everywhere.get("Tracing") == "Active", "Globals: Tracing must be Active")
    versions = []
    for overrides in (["SignatureToleranceSeconds=180"], ["SignatureToleranceSeconds=300"]):
        marked = copy.deepcopy(template.all)
        stamp_release.stamp(marked, overrides)
        versions.append({logical_id for logical_id, resource in expand.translated(marked)["Resources"].items() if resource["Type"] == "AWS::Lambda::Version"})
    template.must(not versions[0] & versions[1], f"another parameter must make other versions, and leaves {sorted(versions[0] & versions[1])}")
    moved = {
        check_watching.substituted(arn)
        for statement in statements(template.properties("DeployRole"))
        for arn in listed(statement["Resource"])
    }
    for logical_id, resource in template.of_type("AWS::Serverless::Function"):
        preference = resource["Properties"].get("DeploymentPreference", {})
        template.must(preference.get("Type") == {"Ref": "DeploymentType"}, f"{logical_id}: DeploymentPreference.Type must be the parameter DeploymentType")
        template.must(ref(preference.get("Role")) == "DeployRole", f"{logical_id}: DeploymentPreference must have DeployRole, or SAM makes a role that may change every function")
        # A shift at once has no alarms: one that is red must not keep out what mends it.
        condition, gradually, at_once = preference.get("Alarms", {}).get("Fn::If", ("", [], None))
        template.must(condition == "ShiftsGradually" and at_once == [], f"{logical_id}: DeploymentPreference.Alarms must be there when traffic is shifted gradually, and only then")
        watched = {ref(alarm) for alarm in gradually}
        template.must(logical_id.replace("Function", "ErrorsAlarm") in watched, f"{logical_id}: its errors alarm must stop a deployment")
        for unknown in watched - {name for name, _ in template.of_type("AWS::CloudWatch::Alarm")}:
            template.wrong.append(f"{logical_id}: DeploymentPreference.Alarms: {unknown} is no alarm")
        needed = {f"${{{logical_id}.Arn}}", f"${{{logical_id}.Arn}}:live"}
        template.must(needed <= moved, f"DeployRole: may not move the alias of {logical_id}")


def suppressions(template: Template) -> None:
    """What checkov is told to skip has a reason."""
    for logical_id, resource in template.resources.items():
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
            template.must(re.fullmatch(r"CKV2?_AWS_\d+", skip.get("id", "")) and len(skip.get("comment", "")) > 20, f"{logical_id}: Metadata.checkov.skip must have an id and, as its comment, the reason")


def parameters(template: Template) -> None:
    groups = template.all["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    template.must(sorted(grouped) == sorted(template.parameters), "Metadata: ParameterGroups must name each parameter once")
    for name, parameter in template.parameters.items():
        for attribute in ("Description", "ConstraintDescription"):
            template.must(parameter.get(attribute), f"parameter {name}: has no {attribute}")
        problem = unfit(parameter, str(parameter["Default"]))
        template.must(not problem, f"parameter {name}: its default {problem}")
    for name, output in template.all["Outputs"].items():
        template.must(output.get("Description"), f"output {name}: has no Description")
    schedule = template.parameters["RetrySchedule"]
    for text in ("1,1,2,2,3", "43200,43199,9999,10000,1"):
        template.must(not unfit(schedule, text), f"RetrySchedule: {text} must be allowed")
    for text in ("1,2,3,4", "1,2,3,4,5,6", "0,1,2,3,4", "1,2,3,4,43201", "1, 2, 3, 4, 5", "1,2,3,4,5,", "01,2,3,4,5", "1,2,3,4,-5", ""):
        template.must(unfit(schedule, text), f"RetrySchedule: {text!r} must be refused")


def unfit(parameter: dict, value: str) -> str | None:
    """Why a parameter doesn't take a value."""
    allowed = parameter.get("AllowedValues")
    if allowed is not None and value not in map(str, allowed):
        return f"{value!r} is none of {', '.join(map(str, allowed))}"
    pattern = parameter.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, value):
        return f"{value!r} does not match {pattern}"
    if parameter["Type"] == "Number":
        if not re.fullmatch(r"-?\d+", value):
            return f"{value!r} is no whole number"
        if not parameter.get("MinValue", int(value)) <= int(value) <= parameter.get("MaxValue", int(value)):
            return f"{value} is not from {parameter['MinValue']} to {parameter['MaxValue']}"
    return None


def samconfig(template: Template) -> None:
    import tomlkit

    config = tomlkit.parse((ROOT / "samconfig.toml").read_text(encoding="utf-8")).unwrap()
    stacks = {}
    for environment in ENVIRONMENTS:
        deploy = command(config, environment, "deploy")
        if not deploy:
            template.wrong.append(f"samconfig.toml: has no [{environment}.deploy.parameters]")
            continue
        values = dict(item.split("=", 1) for item in deploy.get("parameter_overrides", []))
        for name, value in values.items():
            parameter = template.parameters.get(name)
            problem = unfit(parameter, value) if parameter else "is no parameter of template.yaml"
            template.must(not problem, f"samconfig.toml, {environment}: {name}: {problem}")
        built = command(config, environment, "build").get("parameter_overrides")
        template.must(built == deploy.get("parameter_overrides"), f"samconfig.toml, {environment}: parameter_overrides must be in [{environment}.global.parameters], where build and deploy read the same")
        # The stack keeps what is not named: the build would have the default, and the deploy the value of before.
        template.must("Architecture" in values, f"samconfig.toml, {environment}: must name Architecture, or a stack that has another keeps it")
        stage = values.get("Stage")
        template.must(environment in (stage, "default"), f"samconfig.toml, {environment}: Stage is {stage}")
        stacks[environment] = deploy.get("stack_name")
        template.must(deploy.get("capabilities") == "CAPABILITY_IAM", f"samconfig.toml, {environment}: capabilities must be CAPABILITY_IAM")
        if environment == "prod":
            template.must(values.get("DeletionProtection") == "true", "samconfig.toml, prod: DeletionProtection must be true")
            template.must(values.get("TestEndpoint") == "false", "samconfig.toml, prod: TestEndpoint must be false")
            template.must(deploy.get("confirm_changeset") is True, "samconfig.toml, prod: confirm_changeset must be true")
            template.must(values.get("DeploymentType", "AllAtOnce") != "AllAtOnce", "samconfig.toml, prod: DeploymentType must move traffic in steps")
    if len(stacks) == len(ENVIRONMENTS):
        template.must(stacks["default"] == stacks["dev"] and len(set(stacks.values())) == len(stacks) - 1, "samconfig.toml: dev (which is the default), staging and prod must be three stacks")
        template.must(config["default"] == config["dev"], "samconfig.toml: [default] and [dev] must be the same")


def sample_variables(template: Template) -> None:
    """events/env.json names each function's variables, for `sam local invoke --env-vars`."""
    environment = json.loads((EVENTS / "env.json").read_text(encoding="utf-8"))
    for function in FUNCTIONS.values():
        difference = sorted(environment.get(function.logical_id, {}).keys() ^ set(function.variables))
        template.must(not difference, f"events/env.json, {function.logical_id}: differs from template.yaml: {', '.join(difference)}")


def main() -> None:
    bin_dir = venv.ensure("venv-sam", "requirements-sam.txt")
    # Compared unresolved: the interpreter of an environment is a link to the one outside.
    if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
        os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])

    checkov = venv.ensure("venv-checkov", "requirements-checkov.txt") / "checkov"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}",
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    # SAM's translator, which runs in this process, asks for a region too.
    os.environ["AWS_DEFAULT_REGION"] = environment["AWS_DEFAULT_REGION"]
    commands = [
        # In every region that it knows: CloudFormation refuses a template with a type that a region lacks, also
        # where a condition leaves it out.
        ["cfn-lint", "--regions", "ALL_REGIONS", "--", "template.yaml"],
        ["sam", "validate", "--lint", "--template", "template.yaml"],
        # Without asking its maker's server for guidelines.
        [str(checkov), "--file", "template.yaml", "--framework", "cloudformation", "--compact", "--quiet", "--skip-download"],
        [sys.executable, "dev/local/make_events.py", "--check"],
        [sys.executable, "dev/local/policy_table.py", "--check"],
        [sys.executable, "dev/local/cost.py", "--check"],
        [sys.executable, "dev/local/check_docs.py"],
    ]
    template = Template((ROOT / "template.yaml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        expanded = combined(template, Path(folder))
        files = sorted(str(path) for path in Path(folder).iterdir())
        # CloudFormation's own limits, on what it would get; W: what is only odd in a generated template.
        commands.append(["cfn-lint", "--ignore-checks", "W", "--", *files])
        sys.exit(1 if checked(template, expanded, commands, environment) else 0)


def combined(template: Template, folder: Path) -> list[expand.Expanded]:
    """The template for each combination of parameters; a file of each in the folder."""
    made = expand.translated(template.all)
    combinations = expand.combinations(template.all)
    expanded = [expand.Expanded(template.all, given, made=made) for given in [*combinations, *check_deployable.extremes(template.all)]]
    for number, one in enumerate(expanded[: len(combinations)]):
        (folder / f"{number:02}.json").write_text(expand.dumped(one), encoding="utf-8")
    return expanded


def checked(template: Template, expanded: list[expand.Expanded], commands: list[list[str]], environment: dict) -> bool:
    """Runs it all; answers whether something is wrong."""
    running = [
        subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for command in commands
    ]
    failed = 0
    rules = (
        functions, roles, test_endpoint, queues, kept, stack_policy, deployment, suppressions, parameters, samconfig, sample_variables,
        *check_watching.RULES,
    )
    for rule in rules:
        try:
            rule(template)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            template.wrong.append(f"{rule.__name__}: not checked to the end, something is missing: {error!r}")
    template.wrong += check_deployable.both_sides(expanded)
    for rule in check_deployable.RULES:
        found: dict[str, str] = {}
        for one in expanded:
            for text in rule(one):
                found.setdefault(text, expand.shown(one.given))
        template.wrong += [f"{text} (with {given})" for text, given in found.items()]
    for command, process in zip(commands, running):
        output, _ = process.communicate()
        name = " ".join(Path(word).name if word.startswith("/") else word for word in command)
        print(f"{'ok    ' if process.returncode == 0 else 'FAILED'} {name}")
        if process.returncode != 0:
            failed += 1
            print(output.rstrip())
    for text in template.wrong:
        print(f"  {text}")
    print(f"{'FAILED' if template.wrong else 'ok    '} our own rules for template.yaml, samconfig.toml and events/env.json, and for {len(expanded)} expanded templates")
    return bool(failed or template.wrong)


if __name__ == "__main__":
    main()
