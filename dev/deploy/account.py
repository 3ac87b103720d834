"""One stack in one account, asked by boto3 with your credentials; or the stack of `make dev`."""

import sys
from dataclasses import dataclass, field
from typing import Callable

import keys
from api import Api
from clock import Clock
from options import Options
from samconfig import stack_of
from screen import Screen
from stack import NO_STACK, Stack
from trouble import Trouble

SECONDS = 30


@dataclass
class Account:
    """A stack's name, and clients of the services around it."""

    stack: str
    region: str
    # What a further command needs to find the same stack.
    again: str
    session: object = field(repr=False)
    endpoint: str | None = None
    # Of the local stack, whose address is none that a resolver knows.
    local_url: str | None = None
    clients: dict = field(default_factory=dict, repr=False)
    listed: list | None = field(default=None, repr=False)

    def client(self, service: str):
        """A client, made once."""
        if service not in self.clients:
            from botocore.config import Config

            settings = Config(
                retries={"mode": "standard", "max_attempts": 8}, connect_timeout=SECONDS,
                read_timeout=SECONDS, max_pool_connections=20, s3={"addressing_style": "path"} if self.endpoint else None,
            )
            self.clients[service] = self.session.client(
                service, region_name=self.region, endpoint_url=self.endpoint, config=settings
            )
        return self.clients[service]

    def number(self) -> str:
        """The account's number."""
        return self.client("sts").get_caller_identity()["Account"]

    def described(self) -> dict | None:
        """What CloudFormation says of the stack; nothing if there is none."""
        from botocore.exceptions import ClientError

        try:
            return self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def outputs(self) -> dict:
        """The stack's outputs by name."""
        described = self.described()
        if described is None:
            raise Trouble(f"There is no stack {self.stack} in {self.region}. Another account? Set AWS_PROFILE or AWS_REGION.")
        return {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs") or []}

    def resources(self) -> list:
        """The stack's resources, as CloudFormation listed them when first asked."""
        if self.listed is None:
            self.listed = self._list()
        return self.listed

    def _list(self) -> list:
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.stack)
        return [one for page in pages for one in page["StackResourceSummaries"]]

    def physical(self, logical: str) -> str | None:
        """The name in AWS of one of the stack's resources."""
        return next((one.get("PhysicalResourceId") for one in self.resources() if one["LogicalResourceId"] == logical), None)

    def api(self, scopes: set, command: str, clock: Clock, progress) -> Api:
        """The stack's HTTP API, with a key that has the scopes."""
        outputs = self.outputs()
        missing = [name for name in ("ApiUrl", "ApiKeySecretArn") if not outputs.get(name)]
        if missing:
            raise Trouble(f"The stack {self.stack} has no output {' and '.join(missing)}.")
        secret = self.client("secretsmanager").get_secret_value(SecretId=outputs["ApiKeySecretArn"])["SecretString"]
        key, source = keys.pick(secret, scopes, f"the secret {outputs['ApiKeySecretArn'].rsplit(':', 1)[-1]}")
        url = self.local_url or outputs["ApiUrl"].rstrip("/")
        found = Stack(self.stack, url, key, source, self.again, local=self.local_url is not None)
        return Api(found, clock, command, progress)

    def make(self, command: str, **variables) -> str:
        """A command for people to copy that is about this same stack."""
        words = [f"{name}={value}" for name, value in variables.items() if value]
        return " ".join(filter(None, ["make", command, *words, self.again]))


@dataclass
class Desk:
    """What each command works with."""

    account: Account
    screen: Screen
    clock: Clock
    options: Options
    ask: Callable

    def confirm(self, what: str) -> None:
        """Goes on only if somebody gives the stack's name: in CONFIRM, or by typing it."""
        name = self.account.stack
        given = self.options.text("CONFIRM") or self.ask(f"{what}\nType the stack's name ({name}) to go on: ")
        if given is None:
            raise Trouble(f"{what} Nobody is there to ask, so nothing was done: give CONFIRM={name}.")
        if given.strip() != name:
            raise Trouble(f"That is not {name}: nothing was done.")

    def finish(self, steps: list) -> int:
        """Says what people are to do next. Answers the exit code: 1 when there is something."""
        if steps:
            self.screen.say()
            self.screen.say("What to do next:")
        for step in dict.fromkeys(steps):
            self.screen.say(f"  - {step}")
        return 1 if steps else 0


def ask(question: str) -> str | None:
    """What somebody types; nothing where nobody is there."""
    if not sys.stdin or not sys.stdin.isatty():
        return None
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()


def find(command: str, environ: dict, root) -> Account:
    """The stack that STAGE names in samconfig.toml, or that of `make dev`."""
    import boto3

    stage = environ.get("STAGE")
    if not stage:
        return _local(command, environ, root)
    stack, region = stack_of(stage, root / "samconfig.toml")
    session = boto3.Session(region_name=region or environ.get("AWS_REGION") or None)
    if not session.region_name:
        raise Trouble("Which region? Set AWS_REGION, or a region in your AWS profile.")
    return Account(stack, session.region_name, f"STAGE={stage}", session)


def _local(command: str, environ: dict, root) -> Account:
    import boto3

    folder = environ.get("LOCAL_DIR") or ".local"
    try:
        lines = (root / folder / "dev.env").read_text(encoding="utf-8").splitlines()
    except OSError:
        raise Trouble(f"No stack runs here. {NO_STACK.format(command=command)}") from None
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    session = boto3.Session(
        aws_access_key_id=values["AWS_ACCESS_KEY_ID"], aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
        region_name=values["AWS_REGION"],
    )
    stack = values["WEBHOOK_LOG_GROUP"].removeprefix("/aws/lambda/").removesuffix("-webhook")
    again = f"LOCAL_DIR={folder}" if environ.get("LOCAL_DIR") else ""
    endpoint = values["AWS_ENDPOINT_URL"]
    return Account(stack, values["AWS_REGION"], again, session, endpoint, local_url=values["BASE_URL"])


def told(error: Exception) -> str:
    """What AWS refused, with the next step."""
    said = str(error)
    if "AccessDenied" in said or "not authorized" in said:
        return f"{said}\n  Use credentials that may do this (AWS_PROFILE=…); docs/deployment.md has the policies."
    if "credentials" in said.lower() or "token" in said.lower():
        return f"{said}\n  Log in (aws sso login, or aws configure), or name a profile: AWS_PROFILE=…."
    return said
