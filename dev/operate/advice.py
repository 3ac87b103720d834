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
FROM_CALENDLY = ("too_large", "not_in_log", "unreadable", None)
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


def steps(desk: Desk, deliveries, sending: bool = False) -> list:
    """What people are to do about these dead or unreadable deliveries, one step for each kind of error;
    `sending` if they are about to be sent back."""
    kinds = {}
    for one in deliveries:
        if one.get("status") in ("dead", "unprocessable"):
            key = (one["status"], one.get("errorKind"), mendable(one))
            kinds.setdefault(key, []).append(one)
    return [_step(desk, *kind, found, sending) for kind, found in kinds.items()]


def _step(desk: Desk, status: str, kind, mends: bool, found: list, sending: bool) -> str:
    count = f"{len(found)} {status}" if len(found) > 1 else f"{status} {short_id(found[0])}"
    if mends:
        why = MEND.get(kind, "its last error says why: mend that")
        then = "" if sending else f" Then: {desk.stack.make('redrive', DRY_RUN=1)}"
        return sentence(f"{count}: {why}") + then
    why = NEVER.get(kind, "no attempt can mend it, as its last error says")
    text = sentence(f"{count}: {why}")
    if kind in FROM_CALENDLY:
        text += f" {desk.stack.make('sync')} reads what Calendly has, if that was of a booking."
    if status == "dead":
        which = {"ID": short_id(found[0])} if len(found) == 1 else {}
        text += f" Then put it away: {desk.stack.make('discard', **which)}{'' if which else ' ID=…'} REASON=…"
    return text


def short_id(delivery: dict) -> str:
    """As many digits of an id as name it."""
    return printable(delivery.get("id"))[:12]
