"""Notes which function calls what of AWS: function, action and resource, a JSON line each, once.

The emulator refuses nothing, whatever the roles allow. check_calls.py compares these notes of a run with
the roles instead. A call says whose it is by the application id in its user agent, which the SDK takes from
AWS_SDK_UA_APP_ID.
"""

import json
import re
import threading
from pathlib import Path

FILE = "calls.jsonl"
SERVICES = {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs", "secretsmanager": "secretsmanager"}
IN_TRANSACTION = {
    "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem",
}


def noting(emulator, log_dir: Path):
    """An ASGI application: the emulator, with its functions' calls noted on the way."""
    seen: set[tuple] = set()
    lock = threading.Lock()

    def note(function: str, target: str, body: bytes) -> None:
        for action, resource in actions(target, body):
            call = (function, action, resource)
            with lock:
                if call in seen:
                    continue
                seen.add(call)
                with open(log_dir / FILE, "a", encoding="utf-8") as file:
                    file.write(json.dumps(dict(zip(("function", "action", "resource"), call))) + "\n")

    async def application(scope, receive, send):
        headers = dict(scope.get("headers", ()))
        caller = re.search(rb"\bapp/([\w-]+)", headers.get(b"user-agent", b""))
        target = headers.get(b"x-amz-target")
        if scope["type"] != "http" or not caller or not target:
            await emulator(scope, receive, send)
            return
        events = []
        while True:
            events.append(await receive())
            if events[-1]["type"] != "http.request" or not events[-1].get("more_body"):
                break
        body = b"".join(event.get("body", b"") for event in events)
        note(caller[1].decode(), target.decode("latin-1"), body)

        async def again():
            return events.pop(0) if events else await receive()

        await emulator(scope, again, send)

    return application


def actions(target: str, body: bytes) -> list[tuple[str, str]]:
    """The actions that IAM would ask for, with what each is on."""
    prefix, _, operation = target.partition(".")
    service = SERVICES.get(prefix)
    try:
        asked = json.loads(body)
    except ValueError:
        return []
    if service == "dynamodb" and operation == "TransactWriteItems":
        return [
            (f"dynamodb:{IN_TRANSACTION[kind]}", write["TableName"])
            for item in asked["TransactItems"]
            for kind, write in item.items()
        ]
    if service == "dynamodb" and operation == "BatchGetItem":
        return [("dynamodb:BatchGetItem", table) for table in asked["RequestItems"]]
    if service == "dynamodb":
        index = asked.get("IndexName")
        return [(f"dynamodb:{operation}", asked["TableName"] + (f"/index/{index}" if index else ""))]
    if service == "sqs":
        return [(f"sqs:{operation}", asked["QueueUrl"])]
    if service == "secretsmanager":
        return [(f"secretsmanager:{operation}", asked.get("SecretId") or asked.get("Name", ""))]
    return []
