"""Finds the stack to talk to: named by address, by stage, or the local one."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import keys
from deployed import Aws
from samconfig import stack_of
from trouble import Trouble

ROOT = Path(__file__).resolve().parents[2]
NO_STACK = "Run `make dev` in another terminal, or name a deployed stack: make {command} STAGE=prod"
THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Stack:
    """Where a stack is, and the key to talk to it."""

    name: str
    url: str
    key: str = field(repr=False)
    # How to speak of the key: where it comes from.
    key_source: str
    # What a further command needs to find the same stack.
    again: str = ""
    local: bool = False

    def make(self, command: str, **variables) -> str:
        """A command for people to copy that talks to this same stack."""
        words = [f"{name}={shlex.quote(str(value))}" for name, value in variables.items() if value]
        return " ".join(filter(None, ["make", command, *words, self.again]))


def find(command: str, scopes: set, environ: dict, root: Path = ROOT) -> Stack:
    """The stack that the environment names, with a key that has the scopes."""
    if environ.get("API_URL"):
        return _named(environ)
    if environ.get("STAGE"):
        return _deployed(environ["STAGE"], scopes, environ, root)
    return _local(command, environ, root)


def _named(environ: dict) -> Stack:
    url = environ["API_URL"].rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Trouble("API_URL must be the stack's address: https://…, its output ApiUrl.")
    if parts.scheme == "http" and parts.hostname not in THIS_MACHINE:
        raise Trouble("API_URL must begin with https://: else the key could be read on its way.")
    if not environ.get("API_KEY"):
        raise Trouble("API_URL is set, but API_KEY isn't: set both, or neither and STAGE=….")
    return Stack("the stack", url, environ["API_KEY"], "the key in API_KEY")


def _deployed(stage: str, scopes: set, environ: dict, root: Path) -> Stack:
    name, region = stack_of(stage, root / "samconfig.toml")
    # Version 1 of the CLI doesn't read AWS_REGION, which people set for all else.
    aws = Aws(stage, name, region or environ.get("AWS_REGION"), environ)
    outputs = aws.outputs()
    # Who only looks is asked for no more than the key that may only look.
    secret_output = "ReadKeySecretArn" if scopes <= {"read"} else "ApiKeySecretArn"
    missing = [key for key in ("ApiUrl", secret_output) if not outputs.get(key)]
    if missing:
        raise Trouble(
            f"The stack {name} has no output {' and '.join(missing)}: its deployment has not ended, or "
            f"it is another one. Deploy it: make deploy STAGE={stage}."
        )
    secret = aws.secret(outputs[secret_output])
    source = f"the secret {outputs[secret_output].rsplit(':', 1)[-1]}"
    key, key_source = keys.pick(secret, scopes, source)
    return Stack(name, outputs["ApiUrl"].rstrip("/"), key, key_source, f"STAGE={shlex.quote(stage)}")


def _local(command: str, environ: dict, root: Path) -> Stack:
    folder = environ.get("LOCAL_DIR") or ".local"
    try:
        lines = (root / folder / "dev.env").read_text(encoding="utf-8").splitlines()
    except OSError:
        raise Trouble(f"No stack runs here. {NO_STACK.format(command=command)}") from None
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    if not values.get("BASE_URL") or not values.get("API_KEY"):
        raise Trouble(f"{folder}/dev.env has no BASE_URL or no API_KEY: start `make dev` again.")
    again = f"LOCAL_DIR={shlex.quote(folder)}" if environ.get("LOCAL_DIR") else ""
    url, source = values["BASE_URL"].rstrip("/"), f"the key in {folder}/dev.env"
    return Stack("the local stack", url, values["API_KEY"], source, again, local=True)
