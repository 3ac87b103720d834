"""Says what a role may do, as IAM does: an explicit Deny wins, then an Allow; nothing else is allowed.

Only what a role's policies may hold is known here: Action, NotAction, Resource, NotResource and a few
conditions. What isn't known raises `Unknown`, so that no policy is ever taken for weaker or stronger than
it is. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import re
from enum import Enum
from functools import lru_cache

ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}


class Decision(Enum):
    """What IAM says of one call."""

    ALLOWED = "allowed"
    DENIED = "an explicit deny"
    NOT_ALLOWED = "no identity-based policy allows it"


class Unknown(Exception):
    """A policy holds something that this evaluator doesn't know; the message says what."""


def with_resources_policy(decision: Decision, statements: list[dict], role: str, action: str, resource: str) -> Decision:
    """The same, where the resource has a policy of its own: in one account either may allow, and each may deny."""
    own = [{name: it for name, it in one.items() if name != "Principal"} for one in statements if _is_for(one, role)]
    by_resource = decide(own, action, resource)
    if Decision.DENIED in (decision, by_resource):
        return Decision.DENIED
    return Decision.ALLOWED if Decision.ALLOWED in (decision, by_resource) else decision


def _is_for(statement: dict, role: str) -> bool:
    principal = statement.get("Principal")
    if principal == "*":
        return True
    if not isinstance(principal, dict) or principal.keys() != {"AWS"}:
        raise Unknown(f"the principal {principal}")
    return bool({"*", role} & {*listed(principal["AWS"])})


def decide(statements: list[dict], action: str, resource: str, context: dict | None = None) -> Decision:
    """What a role with these statements may do. `context` holds the condition keys of the call."""
    allowed = False
    for statement in statements:
        if not _applies(statement, action, resource, context or {}):
            continue
        if statement["Effect"] == "Deny":
            return Decision.DENIED
        allowed = True
    return Decision.ALLOWED if allowed else Decision.NOT_ALLOWED


def listed(value) -> list:
    """A policy writes one thing alone, several as a list."""
    return value if isinstance(value, list) else [value]


def _applies(statement: dict, action: str, resource: str, context: dict) -> bool:
    if strange := statement.keys() - ELEMENTS:
        raise Unknown(f"a statement with {', '.join(sorted(strange))}")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise Unknown(f"the effect {statement.get('Effect')}")
    # Actions don't care about case, resources do.
    if not _named(statement, "Action", action.lower(), str.lower):
        return False
    if not _named(statement, "Resource", resource, str):
        return False
    return all(
        _holds(operator, key, listed(values), context)
        for operator, wanted in statement.get("Condition", {}).items()
        for key, values in wanted.items()
    )


def _named(statement: dict, element: str, value: str, spell) -> bool:
    """Whether an element, or its opposite, names the value. A statement has one of the two."""
    if (element in statement) == (f"Not{element}" in statement):
        raise Unknown(f"a statement with not just one of {element} and Not{element}")
    names = listed(statement.get(element, statement.get(f"Not{element}")))
    if variable := next((name for name in names if "${" in name), None):
        raise Unknown(f"the policy variable in {variable}")
    found = any(like(spell(name), value) for name in names)
    return found if element in statement else not found


def like(pattern: str, value: str) -> bool:
    """`*` stands for any characters, slashes and colons too, `?` for one."""
    return _compiled(pattern).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern:
    parts = re.split(r"([*?])", pattern)
    return re.compile("".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts), re.DOTALL)


_TESTS = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": like,
    "ArnEquals": like,
    "ArnLike": like,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
}


def _holds(operator: str, key: str, wanted: list[str], context: dict) -> bool:
    """Whether one condition holds. A key that the call doesn't have fails it, but for `IfExists`."""
    if key not in context:
        raise Unknown(f"the condition key {key}")
    values = context[key]
    bare, if_exists = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    if bare == "Null":
        return (not values) == (str(wanted[0]).lower() == "true")
    quantifier, _, bare = bare.rpartition(":")
    negated = "Not" in bare
    test = _TESTS.get(bare.replace("Not", ""))
    if test is None or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise Unknown(f"the condition operator {operator}")

    def one(value: str) -> bool:
        return any(test(str(want), value) for want in wanted) != negated

    if quantifier == "ForAllValues":
        return all(map(one, values))
    if quantifier == "ForAnyValue":
        return any(map(one, values))
    if not values:
        return if_exists or negated
    if len(values) > 1:
        raise Unknown(f"{operator} of the key {key}, which has several values, without a quantifier")
    return one(values[0])
