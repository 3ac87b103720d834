"""Holds the roles against what a run's functions called: python3 dev/local/check_calls.py LOG_DIR

In a full run each function must have called all that its role grants, and nothing else: a grant that no
test needs is one too many, a call without a grant would be refused on AWS. The stack's names come from the
environment (run_with_stack.py), the calls from called.py.
"""

import json
import os
import sys
from pathlib import Path

import called
import venv
from samples import FUNCTIONS, ROOT

# What a poller of SQS does with the role of the function that it feeds.
POLLER = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
# Not calls of the code: Lambda writes the logs, the daemon the traces, and AWS asks for keys by itself.
BESIDE = ("logs:", "xray:", "kms:")
TOKENS = "tokens of connections"
# Granted, and not called in every run: the reason.
RARE = {
    ("sync", "dynamodb:DeleteItem", "BookingsTable"): "a guest or host who is no longer on an event",
    ("sync", "dynamodb:Query", "BookingsTable"): "an event with more invitees than its own record carries",
    ("sync", "dynamodb:ConditionCheckItem", "BookingsTable"): "one of more invitees than an event's own record carries",
    ("api", "dynamodb:ConditionCheckItem", "BookingsTable"): "as sync, by what is applied before it is erased",
    ("api", "dynamodb:BatchGetItem", "DeliveriesTable"): "an event's delivery too long for one item, in an erasure",
    ("webhook", "dynamodb:ConditionCheckItem", "BookingsTable"): "as sync, by the test endpoint",
    ("webhook", "dynamodb:Query", "BookingsTable"): "as sync, by the test endpoint",
    ("webhook", "dynamodb:DeleteItem", "BookingsTable"): "as sync, by the test endpoint",
    ("webhook", "dynamodb:DeleteItem", "DeliveriesTable"): "a test that tells of somebody who was erased",
}


def names(environment: dict[str, str]) -> dict[str, str]:
    """Name of a table, queue or secret in the running stack → its logical id."""
    return {
        environment[variable]: logical
        for variable, logical in {
            "DELIVERIES_TABLE": "DeliveriesTable",
            "BOOKINGS_TABLE": "BookingsTable",
            "CONNECTIONS_TABLE": "ConnectionsTable",
            "LIMITS_TABLE": "LimitsTable",
            "WEBHOOK_QUEUE_URL": "WebhookQueue",
            "WEBHOOK_DLQ_URL": "WebhookDlq",
            "SYNC_QUEUE_URL": "SyncQueue",
            "CALENDLY_SECRET_ARN": "CalendlySecret",
            "API_KEY_SECRET_ARN": "ApiKeySecret",
            "READ_KEY_SECRET_ARN": "ReadKeySecret",
        }.items()
        if variable in environment
    }


def made(lines, known: dict[str, str]) -> set[tuple[str, str, str]]:
    """The calls of a run. What tests pointed elsewhere (a table that isn't there) is left out."""
    calls = set()
    for line in lines:
        call = json.loads(line)
        name, slash, index = call["resource"].partition("/index/")
        resource = TOKENS if "/connections/" in name else known.get(name)
        if resource:
            calls.add((call["function"], call["action"], f"{resource}{slash}{index}"))
    return calls


def granted(template) -> set[tuple[str, str, str]]:
    """What the roles grant to the functions' code."""
    from check_template import listed, ref, statements

    grants = set()
    for name, function in FUNCTIONS.items():
        properties = template.properties(function.logical_id)
        fed_by = {
            ref(event["Properties"]["Queue"])
            for event in properties.get("Events", {}).values()
            if event["Type"] == "SQS"
        }
        for statement in statements(template.properties(ref(properties["Role"]))):
            for action in listed(statement["Action"]):
                for resource in listed(statement["Resource"]):
                    on = shown(resource)
                    if not action.startswith(BESIDE) and not (action in POLLER and on in fed_by):
                        grants.add((name, action, on))
    return grants


def shown(resource: object) -> str:
    """A resource of a statement, as `made` names it."""
    from check_template import ref

    if isinstance(resource, dict) and "Fn::Sub" in resource:
        text = str(resource["Fn::Sub"])
        if "/connections/" in text:
            return TOKENS
        table, _, index = text.partition(".Arn}/index/")
        return f"{table.removeprefix('${')}/index/{index}"
    return ref(resource) or str(resource)


def differences(calls: set, grants: set, rare: dict) -> list[str]:
    wrong = [f"{name}: calls {action} on {on}, which its role does not grant" for name, action, on in sorted(calls - grants)]
    wrong += [
        f"{name}: its role grants {action} on {on}, which no test had it call"
        for name, action, on in sorted(grants - calls - rare.keys())
    ]
    wrong += [f"{' '.join(one)}: is in RARE, and not granted" for one in sorted(rare.keys() - grants)]
    return wrong


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    bin_dir = venv.ensure("venv-sam", "requirements-sam.txt")
    if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
        os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])
    from check_template import Template

    template = Template((ROOT / "template.yaml").read_text(encoding="utf-8"))
    notes = (Path(sys.argv[1]) / called.FILE).read_text(encoding="utf-8").splitlines()
    grants = granted(template)
    wrong = differences(made(notes, names(dict(os.environ))), grants, RARE)
    for line in wrong:
        print(line)
    if not wrong:
        print(f"ok     the functions called all of the {len(grants)} things that their roles grant, and no other")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
