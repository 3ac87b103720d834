"""Holds the roles against what a run's functions called: python3 dev/local/check_calls.py LOG_DIR

In a full run AWS would have refused nothing (strict/refusals.py), and each thing that a role grants was
needed: with that one grant taken away, a call of the run is refused. A grant that no test needs is one too
many. The calls come from called.py, the roles, as deployed, from strict/roles.py.
"""

import json
import sys
from pathlib import Path

from strict import actions, iam, refusals, roles

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

Call = tuple[str, str, str]  # function, action, ARN
Grant = tuple[str, str, str]  # function, action, resource as its role writes it


def made(lines) -> set[Call]:
    """The calls of a run."""
    calls = (json.loads(line) for line in lines)
    return {(call["function"], call["action"], call["resource"]) for call in calls}


def grants(held: dict[str, list[dict]]) -> list[Grant]:
    """Every single thing that the roles grant."""
    return sorted({
        (function, action, resource)
        for function, statements in held.items()
        for statement in statements
        if statement["Effect"] == "Allow"
        for action in iam.listed(statement["Action"])
        for resource in iam.listed(statement["Resource"])
    })


def without(statements: list[dict], action: str, resource: str) -> list[dict]:
    """The same role but for one grant, wherever it is written."""
    left = []
    for statement in statements:
        if statement["Effect"] != "Allow":
            left.append(statement)
            continue
        for one in iam.listed(statement["Action"]):
            for on in iam.listed(statement["Resource"]):
                if (one, on) != (action, resource):
                    left.append({**statement, "Action": one, "Resource": on})
    return left


def refused(calls: set[Call], function: str, statements: list[dict]) -> set[Call]:
    """Which of a function's calls a role of these statements would not let pass."""
    return {
        call for call in calls
        if call[0] == function and iam.decide(statements, call[1], call[2]) is not iam.Decision.ALLOWED
    }


def shown(resource: str, named: dict[str, str]) -> str:
    """A resource of a role by its name in the template; `named` is physical id → logical id."""
    if "/connections/" in resource:
        return TOKENS
    if resource in named or not resource.startswith("arn:"):
        return named.get(resource, resource)
    rest = resource.split(":", 5)[5]
    if rest.startswith("table/"):
        _, table, *index = rest.split("/")
        return "/".join([named.get(table, table), *index])
    if resource.startswith("arn:aws:sqs:"):
        # A queue's physical id is its URL.
        urls = {url.rsplit("/", 1)[-1]: logical for url, logical in named.items() if url.startswith("http")}
        return urls.get(rest, rest)
    name = rest.removeprefix("log-group:").removesuffix(":*")
    return named.get(name, name)


def needless(held: dict, calls: set[Call], named: dict[str, str], rare: dict) -> list[str]:
    """Grants that no call of the run needed, but for what is known to be rare; and what isn't granted at all."""
    wrong, listed = [], set()
    for function, action, resource in grants(held):
        grant = (function, action, shown(resource, named))
        listed.add(grant)
        before = refused(calls, function, held[function])
        after = refused(calls, function, without(held[function], action, resource))
        if after == before and grant not in rare:
            wrong.append(f"{function}: its role grants {action} on {grant[2]}, which no test had it call")
    return wrong + [f"{' '.join(one)}: is in RARE, and not granted" for one in sorted(rare.keys() - listed)]


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    log_dir = Path(sys.argv[1])
    held, resources = roles.read(log_dir)
    named = {physical: logical for logical, physical in resources.items()}
    calls = made((log_dir / actions.FILE).read_text(encoding="utf-8").splitlines())
    wrong = refusals.faults(log_dir) + needless(held, calls, named, RARE)
    for line in wrong:
        print(line)
    if not wrong:
        print(f"ok     AWS would have refused none of {len(calls)} kinds of calls")
        print(f"ok     without any one of {len(grants(held)) - len(RARE)} grants it would; {len(RARE)} more are rarely needed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
