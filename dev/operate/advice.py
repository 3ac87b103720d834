"""What to do about deliveries that were not applied, by the kind of their error (`errorKind`).

The one table of this; what each kind is, `ErrorKind` in shared/platform says.
"""

from desk import Desk
from screen import printable, sentence

RUNBOOK = "docs/operations.md"
# What to mend before it is sent back.
MEND = {
    "aws": f"AWS did not do what it was asked for: see {RUNBOOK}#store-unavailable",
    "contended": f"very much at once, or a throttled table: see {RUNBOOK}#table-throttles",
    "secret": "mend the secret that its error names",
    "timeout": f"the worker ran out of time: see {RUNBOOK}#function-errors",
    "stopped": f"the worker was killed, or ran out of time or memory: see {RUNBOOK}#function-errors",
    "panic": f"a fault in the code, which the worker's log line `panic` names: see {RUNBOOK}#function-errors",
}
# What no attempt can mend, and what else helps.
NEVER = {
    "corrupt": "a stored record can't be read; only a version of the code that reads it mends that",
    "too_large": "it takes more than DynamoDB holds; what it tells is not going to be stored",
    "refused": "AWS will never take it; only a change of the code mends that",
    "not_in_log": "it is not in the log any more, so there is nothing to apply",
    "unreadable": "its body can't be read; a replay won't change that",
}


def mendable(delivery: dict) -> bool:
    """Whether another attempt can mend it."""
    return delivery.get("retryable") is not False


def steps(desk: Desk, deliveries) -> list:
    """What people are to do about these dead or unreadable deliveries, one step for each kind of error."""
    kinds = {}
    for one in deliveries:
        if one.get("status") in ("dead", "unprocessable"):
            key = (one["status"], one.get("errorKind"), mendable(one))
            kinds.setdefault(key, []).append(one)
    return [_step(desk, *kind, found) for kind, found in kinds.items()]


def _step(desk: Desk, status: str, kind, mends: bool, found: list) -> str:
    count = f"{len(found)} {status}" if len(found) > 1 else f"{status} {short_id(found[0])}"
    if mends:
        why = MEND.get(kind, "its last error says why: mend that")
        return sentence(f"{count}: {why}") + f" Then: {desk.stack.make('redrive', DRY_RUN=1)}"
    why = NEVER.get(kind, "no attempt can mend it, as its last error says")
    truth = desk.stack.make("sync")
    text = sentence(f"{count}: {why}") + f" {truth} reads what Calendly has, if that was of a booking."
    if status == "dead":
        away = desk.stack.make("discard", ID=short_id(found[0]) if len(found) == 1 else "…", REASON="…")
        text += f" Then put it away: {away}"
    return text


def short_id(delivery: dict) -> str:
    """As many digits of an id as name it."""
    return printable(delivery.get("id"))[:12]
