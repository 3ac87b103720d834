"""What schemathesis can't read from the document: schemathesis.toml names this file.

A request that fits its schema should be taken. A few rules aren't a schema's to say: a cursor is one
that a list gave, `to` lies after `from`, a named connection is there, a webhook is signed.
Requests that are meant to fit are made to keep these rules, with ids of things that are in the stack
(FUZZ_IDS, as fuzz_api.py leaves them), so that their good answers are held against the document too.
Requests that are meant to be wrong are left alone.
"""

import itertools
import json
import os
import zlib
from datetime import datetime
from pathlib import Path

import requests
import schemathesis
from bench_sync import Bench
from demo_webhooks import sign
from schemathesis import GenerationMode
from schemathesis.generation.meta import TestPhase

IDS = json.loads(Path(os.environ["FUZZ_IDS"]).read_text(encoding="utf-8"))
# These stay connected, for requests that need one.
STAY = IDS["connection"][:-1]
# The one personal access token that the sandbox Calendly takes.
SANDBOX_TOKEN = "sandbox-personal-access-token"
SIGNATURE = "Calendly-Webhook-Signature"
DYNAMODB = "DynamoDB_20120810"
# Of 100 refused webhooks in 15 minutes, which then answer 429. The checks add requests of their own.
REFUSED_AT_MOST = 40
webhooks = itertools.count(1)


@schemathesis.hook
def before_call(context, case, **kwargs):
    webhook = case.path.startswith("/v1/webhooks/calendly")
    if webhook and next(webhooks) % REFUSED_AT_MOST == 0:
        forget_refusals()
    if operation(case) == "disconnect" and case.path_parameters.get("id") in STAY:
        case.path_parameters["id"] = IDS["connection"][-1]
    if meant_to_fit(case):
        name_what_is_there(case)
        keep_rules(case)
        if webhook:
            sign_body(case)


def meant_to_fit(case) -> bool:
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


def name_what_is_there(case) -> None:
    """Every other id becomes one of the stack's; not where another answer gave it."""
    path = case.path_parameters
    given = case.meta.phase.name is TestPhase.STATEFUL
    if not path or given or not one_of([True, False], path):
        return
    match case.path.split("/")[2]:
        case "events":
            path["id"], invitee = one_of(IDS["invitee"], path)
            if "inviteeId" in path:
                path["inviteeId"] = invitee
        case "deliveries" | "dead-letters":
            path["id"] = one_of(IDS["delivery"], path)
        case "sync":
            path["id"] = one_of(IDS["sync"], path)
        case "docs":
            path["asset"] = one_of(IDS["asset"], path)


def keep_rules(case) -> None:
    """What holds across parameters, and for what only the stack knows."""
    query, body = case.query or {}, case.body
    if "cursor" in query:
        query.pop("cursor")
        if cursor := IDS["cursor"].get(case.path):
            query["cursor"] = cursor
            query.pop("sort", None)
    in_order(query)
    match operation(case):
        case "disconnect":
            case.path_parameters["id"] = IDS["connection"][-1]
        case "unsubscribe":
            path = case.path_parameters
            query["connection"], subscription = one_of(IDS["subscription"], path)
            path["id"] = one_of([path["id"], subscription], path)
        case "listSubscriptions" if "connection" in query:
            query["connection"] = one_of(STAY, query)
        case "sync" | "subscribe" if isinstance(body, dict):
            if body.get("connection") is not None:
                body["connection"] = one_of(STAY, body)
            in_order(body)
        case "connect" if isinstance(body, dict):
            body["personalAccessToken"] = one_of([SANDBOX_TOKEN, *body.values()], body)


def in_order(given: dict) -> None:
    """`to` lies after `from`."""
    times = [given.get(name) for name in ("from", "to")]
    if None in times:
        return
    try:
        first, last = sorted(times, key=datetime.fromisoformat)
    except (TypeError, ValueError):
        first = last = None  # a leap second, or a year that Python doesn't know
    if first == last:
        given.pop("from")
    else:
        given["from"], given["to"] = first, last


def forget_refusals() -> None:
    """Deletes the counts of refused webhooks: what answers 429 tells nothing else any more."""
    cloud, table = Bench(60), os.environ["LIMITS_TABLE"]
    found = cloud.aws_call("dynamodb", "POST", "/", {"TableName": table}, f"{DYNAMODB}.Scan")
    for item in found["Items"]:
        gone = {"TableName": table, "Key": {"id": item["id"]}}
        cloud.aws_call("dynamodb", "POST", "/", gone, f"{DYNAMODB}.DeleteItem")


def sign_body(case) -> None:
    """Webhooks that are meant to be taken are signed; others answer 401."""
    body = requests.Request(**case.as_transport_kwargs()).prepare().body or b""
    body = body if isinstance(body, bytes) else body.encode()
    key = os.environ["CALENDLY_SIGNING_KEY"]
    case.headers = {**(case.headers or {}), SIGNATURE: sign(body, key)}
    # Or else the check `ignored_auth` takes it for a made-up signature that was let pass.
    case._has_explicit_auth = True


def operation(case) -> str:
    return case.operation.definition.raw["operationId"]


def one_of(values: list, by):
    """One of them, the same for the same request."""
    return values[zlib.crc32(repr(by).encode()) % len(values)]
