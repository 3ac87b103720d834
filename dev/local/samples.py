"""What invoke.py, sam_local.py and make_events.py share: the functions, the keys the samples are
made with, and how a sample is made to fit a running stack.

The signatures in events/ are fixed in time and made with a made-up key, so that a sample is the
same file for everybody. A running stack has a key and a clock of its own: `prepare` signs the same
body again for it, or spoils the signature in the way that the sample is about.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "events"
# The folder of the running stack; `LOCAL_DIR` moves it, here as in dev.py.
LOCAL = ROOT / (os.environ.get("LOCAL_DIR") or ".local")

# The one path below /v1/webhooks/ that takes an API key in place of a signature.
TEST_PATH = "/v1/webhooks/calendly/test"
SIGNATURE_HEADER = "calendly-webhook-signature"
SAMPLE_SIGNING_KEY = "test-signing-key-made-up-0123456789abcdef"
SAMPLE_API_KEY = "test-api-key-made-up-0123456789abcdef"
SAMPLE_TIME = 1795166101
# Outside any tolerance, also the ten years of events/local.env.
LONG_AGO = 946684800  # 2000-01-01
FAR_AHEAD = 32503680000  # 3000-01-01


@dataclass(frozen=True)
class Function:
    """A function as template.yaml has it; check_template.py compares the two."""

    logical_id: str
    timeout: int
    memory: int
    variables: tuple[str, ...]


FUNCTIONS = {
    "webhook": Function(
        "WebhookFunction", 10, 512,
        ("STACK_NAME", "LOG_LEVEL", "DELIVERIES_TABLE", "LIMITS_TABLE", "WEBHOOK_QUEUE_URL", "CALENDLY_SECRET_ID",
         "SIGNATURE_TOLERANCE_SECONDS", "SIGNING_KEY_CACHE_SECONDS", "DELIVERY_RETENTION_DAYS",
         "TEST_ENDPOINT", "BOOKINGS_TABLE", "SYNC_QUEUE_URL", "API_KEY_SECRET_ID"),
    ),
    "worker": Function(
        "WorkerFunction", 60, 512,
        ("STACK_NAME", "LOG_LEVEL", "DELIVERIES_TABLE", "BOOKINGS_TABLE", "WEBHOOK_QUEUE_URL",
         "WEBHOOK_DLQ_URL", "SYNC_QUEUE_URL", "RETRY_SCHEDULE"),
    ),
    "oauth": Function(
        "OauthFunction", 29, 256,
        ("STACK_NAME", "LOG_LEVEL", "CONNECTIONS_TABLE", "SYNC_QUEUE_URL", "TOKEN_SECRET_PREFIX", "TOKEN_SECRET_KEY_ARN",
         "TOKEN_SECRET_TAGS", "CALENDLY_SECRET_ID", "API_KEY_SECRET_ID", "READ_KEY_SECRET_ID", "CALENDLY_API_URL", "CALENDLY_AUTH_URL", "CALENDLY_SCOPES",
         "PUBLIC_URL", "CORS_ALLOW_ORIGINS"),
    ),
    "sync": Function(
        "SyncFunction", 60, 512,
        ("STACK_NAME", "LOG_LEVEL", "CONNECTIONS_TABLE", "BOOKINGS_TABLE", "DELIVERIES_TABLE",
         "SYNC_QUEUE_URL", "WEBHOOK_QUEUE_URL", "TOKEN_SECRET_PREFIX", "CALENDLY_SECRET_ID",
         "CALENDLY_API_URL", "CALENDLY_AUTH_URL", "LIMITS_TABLE", "SYNC_OVERDUE_HOURS", "QUIET_HOURS",
         "WATCHING"),
    ),
    "api": Function(
        "ApiFunction", 29, 512,
        ("STACK_NAME", "LOG_LEVEL", "DELIVERIES_TABLE", "BOOKINGS_TABLE", "WEBHOOK_QUEUE_URL",
         "WEBHOOK_DLQ_URL", "CONNECTIONS_TABLE", "SYNC_QUEUE_URL", "API_KEY_SECRET_ID",
         "READ_KEY_SECRET_ID", "DELIVERY_RETENTION_DAYS", "CORS_ALLOW_ORIGINS", "LIMITS_TABLE", "SYNC_OVERDUE_HOURS",
         "QUIET_HOURS"),
    ),
}

# Variables whose name in .local/dev.env (a stack output) is another one.
FROM_OUTPUT = {
    "CALENDLY_SECRET_ID": "CALENDLY_SECRET_ARN",
    "API_KEY_SECRET_ID": "API_KEY_SECRET_ARN",
    "READ_KEY_SECRET_ID": "READ_KEY_SECRET_ARN",
    "CALENDLY_API_URL": "SANDBOX_URL",
    "CALENDLY_AUTH_URL": "SANDBOX_URL",
    "PUBLIC_URL": "BASE_URL",
}


# ------------------------------------------------------------------- signatures


def signature_header(how: str, key: str, now: int, body: bytes) -> str | None:
    """The signature header of a sample; `how` names what is right or wrong with it."""
    if how == "missing":
        return None
    if how == "malformed":
        return "t=yesterday,v1=not-hex"
    if how == "wrong":
        return _header(now, [_v1(key + "-another", now, body)])
    if how == "two-values":
        return _header(now, [_v1(key + "-another", now, body), _v1(key, now, body)])
    at = {"valid": now, "stale": LONG_AGO, "future": FAR_AHEAD}[how]
    return _header(at, [_v1(key, at, body)])


def _header(at: int, values: list[str]) -> str:
    return ",".join([f"t={at}", *(f"v1={value}" for value in values)])


def _v1(key: str, at: int, body: bytes) -> str:
    return hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def prepare(event: dict, how: str, signing_key: str, api_key: str, now: int) -> dict:
    """The same event, signed with `signing_key` at `now` and with `api_key` for the sample's key."""
    if "headers" not in event:
        return event
    headers = dict(event["headers"])
    path = event.get("rawPath", "")
    if path.startswith("/v1/webhooks/") and path != TEST_PATH:
        body = event.get("body") or ""
        raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
        headers.pop(SIGNATURE_HEADER, None)
        header = signature_header(how, signing_key, now, raw)
        if header is not None:
            headers[SIGNATURE_HEADER] = header
    for name, value in headers.items():
        if name in ("authorization", "x-api-key"):
            headers[name] = value.replace(SAMPLE_API_KEY, api_key)
    return {**event, "headers": headers}


def how_signed(path: Path) -> str:
    """How a sample is signed: from events/expected.json, `valid` for a file that isn't there."""
    try:
        name = path.resolve().relative_to(EVENTS).as_posix()
    except ValueError:
        return "valid"
    return read_expected().get(name, {}).get("sign", "valid")


def read_expected() -> dict[str, dict]:
    return json.loads((EVENTS / "expected.json").read_text(encoding="utf-8"))


# ---------------------------------------------------------------- environments


def read_env(path: Path) -> dict[str, str]:
    """KEY=value, one a line; `#` starts a comment line. A value may hold any `=`."""
    values = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, found, value = line.strip().partition("=")
        if found and not name.startswith("#"):
            values[name.strip()] = value.strip()
    return values


def running_stack() -> dict[str, str]:
    """What .local/dev.env says, or our environment, where run_with_stack.py put the same.

    Ends the program when no stack runs.
    """
    import urllib.error
    import urllib.request

    try:
        given = all(os.environ.get(name) for name in ("BASE_URL", "API_KEY", "CALENDLY_SIGNING_KEY"))
        stack = dict(os.environ) if given else read_env(LOCAL / "dev.env")
        with urllib.request.urlopen(stack["AWS_ENDPOINT_URL"], timeout=5):
            pass
    except urllib.error.HTTPError:
        pass  # It answers.
    except (OSError, KeyError):
        sys.exit("No local stack answers: run `make dev` in another terminal first.")
    return stack


def function_environment(function: str, stack: dict[str, str]) -> dict[str, str]:
    """The variables of template.yaml for one function: events/local.env, then what the stack says."""
    defaults = read_env(EVENTS / "local.env")
    environment = {}
    for name in FUNCTIONS[function].variables:
        value = stack.get(FROM_OUTPUT.get(name, name), defaults.get(name))
        if value is None:
            sys.exit(
                f"{name} is neither in .local/dev.env nor in events/local.env: stop the local stack "
                "and run `make dev` again."
            )
        environment[name] = value
    return environment


def aws_environment(stack: dict[str, str]) -> dict[str, str]:
    """What the AWS SDK reads: where the local AWS is, and the credentials of this start."""
    region = stack.get("AWS_REGION", "us-east-1")
    return {
        "AWS_ENDPOINT_URL": stack["AWS_ENDPOINT_URL"],
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # Never the caller's own: nothing local may reach a real account.
        "AWS_ACCESS_KEY_ID": stack["AWS_ACCESS_KEY_ID"],
        "AWS_SECRET_ACCESS_KEY": stack["AWS_SECRET_ACCESS_KEY"],
    }
