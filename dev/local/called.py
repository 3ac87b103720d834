"""The gate between the functions and the emulator: it says no where AWS says no, and notes what was called.

The emulator takes more than AWS does, and looks at no role. So each request of a function is held against
AWS's models (strict/models.py), against limits that those lack (strict/limits.py), and against the role of
the function that sends it (strict/iam.py). What is refused is answered as AWS does and told in refused.jsonl,
which fails the run. What passes is noted: function, action and ARN, a JSON line each, once (check_calls.py).

A call says whose it is by the application id in its user agent, which the SDK takes from AWS_SDK_UA_APP_ID.
Requests without one are people's and tests': they pass.
"""

import json
import re
import threading
import traceback
from pathlib import Path

from strict import iam, limits, models
from strict.actions import FILE, Action, NotKnown, actions, service_of
from strict.refusals import Book, Refusal

NAMESPACES = {
    "dynamodb": "com.amazon.coral.validate",
    "sqs": "com.amazonaws.sqs",
    "secretsmanager": "com.amazonaws.secretsmanager",
}
INVALID = {"dynamodb": "ValidationException", "sqs": "InvalidParameterValue", "secretsmanager": "ValidationException"}
# The emulator's own refusals that only faulty code brings about. It has many checks that the gate hasn't.
FAULTY = re.compile(
    r"ValidationException|SerializationException|InvalidParameter\w*|MissingParameter\w*|MissingAction|"
    r"InvalidAttribute(Name|Value)|InvalidMessageContents|UnknownOperationException|UnsupportedOperation|"
    r"AccessDenied\w*|InvalidRequestContent\w*|\w*Batch\w*"
)


class Gate:
    """Judges the functions' calls, and those that Lambda makes with their roles."""

    def __init__(self, cloud, log_dir: Path, functions_key: str = "", judges_roles: bool = True):
        self.cloud, self.log_dir = cloud, log_dir
        self.book = Book(log_dir)
        self.functions_key = functions_key
        # Or else the emulator does, by its own reading of IAM.
        self.judges_roles = judges_roles
        self._seen: set[tuple] = set()
        self._lock = threading.Lock()

    # ------------------------------------------------------------- requests

    def front(self, emulator):
        """An ASGI application: the emulator, behind the gate."""

        async def application(scope, receive, send):
            headers = dict(scope.get("headers", ()))
            caller = re.search(rb"\bapp/([\w-]+)", headers.get(b"user-agent", b""))
            nameless = not caller and self._is_functions(headers.get(b"authorization", b"").decode("latin-1"))
            if scope["type"] != "http" or not (caller or nameless):
                await emulator(scope, receive, send)
                return
            function = caller[1].decode() if caller else "a function"
            body, again = await _read(receive)
            target = headers.get(b"x-amz-target", b"").decode("latin-1")
            try:
                service, wanted, refusal = self.judge(function, target, body, nameless)
            except Exception as fault:  # a gate that fails is shut, and says so
                traceback.print_exc()
                why = f"the gate failed, see cloud.log: {type(fault).__name__}"
                service, refusal = "", Refusal(function, target, "InternalFailure", why)
            if refusal is not None:
                self.book.add(refusal)
                await _refuse(send, service, refusal)
                return
            await emulator(scope, again, self._watch(send, function, target, wanted))

        return application

    def _is_functions(self, authorization: str) -> bool:
        return bool(self.functions_key) and f"Credential={self.functions_key}/" in authorization

    def judge(self, function: str, target: str, body: bytes, nameless: bool = False):
        """The service that a request is for, what it asks of IAM, and why AWS would refuse it, if it would."""
        service, call, wanted = "", target or "a call", []

        def refused(code: str, message: str, elsewhere: bool = False) -> tuple[str, list[Action], Refusal]:
            return service, wanted, Refusal(function, call, code, message, elsewhere)

        if nameless:
            return refused("UnrecognizedClientException", "it doesn't say whose it is, by AWS_SDK_UA_APP_ID")
        try:
            service, operation = service_of(target)
            call = f"{service}:{operation}"
            asked = json.loads(body)
        except NotKnown as unknown:
            return refused("UnknownOperationException", f"the gate doesn't know {unknown}: add it to dev/local/strict")
        except ValueError:
            return refused("SerializationException", "the request is no JSON")
        if wrong := models.wrong(service, operation, asked):
            return refused(INVALID[service], "; ".join(wrong[:5]))
        if broken := limits.broken(service, operation, asked, self.cloud.place.keys_of):
            return refused(*broken)
        config = self.cloud.function(function)
        if config is None:
            return refused("UnrecognizedClientException", "the stack has no such function")
        try:
            wanted = actions(service, operation, asked, self.cloud.place)
            for action in wanted:
                if (why := self._not_permitted(function, config, action)) is not None:
                    return refused("AccessDeniedException", why, elsewhere=not self.cloud.is_there(action))
        except NotKnown as unknown:
            return refused("UnknownOperationException", f"the gate doesn't know {unknown}: add it to dev/local/strict")
        return service, wanted, None

    def _not_permitted(self, function: str, config: dict, action: Action) -> str | None:
        """Notes what is asked for. In AWS's words why it is not permitted, or None."""
        self._note(function, action)
        if not self.judges_roles:
            return None
        role = config["Role"]
        try:
            decision = iam.decide(self.cloud.statements(role), action.name, action.resource, action.context)
            if own := self.cloud.resource_policy(action.resource):
                decision = iam.with_resources_policy(decision, own, role, action.name, action.resource)
            boundary = self.cloud.boundary(role)
            if decision is iam.Decision.ALLOWED and boundary is not None:
                if iam.decide(boundary, action.name, action.resource, action.context) is not iam.Decision.ALLOWED:
                    return _denial(config, action, "no permissions boundary allows it")
        except iam.Unknown as unknown:
            return _denial(config, action, f"the gate can't read its policies: {unknown}")
        return None if decision is iam.Decision.ALLOWED else _denial(config, action, decision.value)

    def _watch(self, send, function: str, target: str, wanted: list[Action]):
        """Hands an answer on, and tells of it where the emulator refused what AWS refuses, too."""
        status, parts = 0, []

        async def watched(event):
            nonlocal status
            if event["type"] == "http.response.start":
                status = event["status"]
            elif status >= 400:
                parts.append(event.get("body", b""))
                if not event.get("more_body"):
                    self._tell(function, target, wanted, b"".join(parts))
            await send(event)

        return watched

    def _tell(self, function: str, target: str, wanted: list[Action], answer: bytes) -> None:
        try:
            told = json.loads(answer)
        except ValueError:
            told = {}
        code = str(told.get("__type", "")).rsplit("#", 1)[-1]
        reasons = [one.get("Code") for one in told.get("CancellationReasons") or ()]
        if "ValidationError" in reasons:
            code = "ValidationException"
        if FAULTY.fullmatch(code):
            # The emulator's words may hold values of the request, which may be somebody's.
            words = re.sub(r"(['\"]).*\1|\{.*\}", "…", str(told.get("message") or told.get("Message") or ""))
            elsewhere = code.startswith("AccessDenied") and not all(map(self.cloud.is_there, wanted))
            call = ":".join(service_of(target))
            self.book.add(Refusal(function, call, code, f"{words} (by the emulator)", elsewhere))

    # ------------------------------------------------------- Lambda's own calls

    def starts(self, config: dict, short: str) -> None:
        """A function's environment starts: Lambda will write its logs and traces with its role."""
        from strict.running import lambdas_calls

        for action in lambdas_calls(config, self.cloud.place):
            self._lambda_may(config, short, action)

    def polls(self, config: dict, short: str, queue_arn: str) -> bool:
        """Whether Lambda's poller may take a queue's messages with the function's role."""
        from strict.running import pollers_calls

        # All of them are asked for, so that each that is missing is told.
        return all([self._lambda_may(config, short, action) for action in pollers_calls(queue_arn)])

    def _lambda_may(self, config: dict, short: str, action: Action) -> bool:
        why = self._not_permitted(short, config, action)
        if why is not None:
            self.book.add(Refusal(short, f"Lambda's own {action.name}", "AccessDeniedException", why))
        return why is None

    # ---------------------------------------------------------------- notes

    def _note(self, function: str, action: Action) -> None:
        call = (function, action.name, action.resource)
        with self._lock:
            if call in self._seen:
                return
            self._seen.add(call)
            with open(self.log_dir / FILE, "a", encoding="utf-8") as file:
                file.write(json.dumps(dict(zip(("function", "action", "resource"), call))) + "\n")


def _denial(config: dict, action: Action, because: str) -> str:
    account, role = config["Role"].split(":")[4], config["Role"].rsplit("/", 1)[-1]
    return (
        f"User: arn:aws:sts::{account}:assumed-role/{role}/{config['FunctionName']} is not authorized to perform: "
        f"{action.name} on resource: {action.resource} because {because}"
    )


async def _read(receive):
    """A request's body, and what gives it to the next that reads it."""
    events = []
    while True:
        events.append(await receive())
        if events[-1]["type"] != "http.request" or not events[-1].get("more_body"):
            break

    async def again():
        return events.pop(0) if events else await receive()

    return b"".join(event.get("body", b"") for event in events), again


async def _refuse(send, service: str, refusal: Refusal) -> None:
    code = refusal.code
    namespace = NAMESPACES.get(service, "com.amazon.coral.service")
    if code in ("AccessDeniedException", "SerializationException", "UnknownOperationException"):
        namespace = "com.amazon.coral.service"
    body = json.dumps({"__type": f"{namespace}#{code}", "message": refusal.message}).encode()
    version = b"1.1" if service == "secretsmanager" else b"1.0"
    headers = [
        (b"content-type", b"application/x-amz-json-" + version),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", b"refused-by-the-local-gate"),
    ]
    if service == "sqs":
        headers.append((b"x-amzn-query-error", f"{code.removesuffix('Exception')};Sender".encode()))
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})
