"""`make status`: whether all is well, and what needs a person.

The stack itself decides (GET /v1/status), by the same rules as its alarms. Asked beside that, as only Calendly
knows: how the subscriptions stand now, not as the last sync saw them.
"""

import re

from clock import parse, short
from desk import Desk
from screen import printable
from trouble import KeyRefused, RouteMissing, Trouble, Unreachable

VARIABLES = ()
SCOPES = {"read"}
# A page holds the subscriptions of 20 connections, and costs two calls to Calendly for each.
PAGES = 5
# How many are named.
NAMED = 10
RUNBOOK = "docs/operations.md"
STATES = {"ok": "ok", "attention": "attention", "unknown": "not known"}


def run(desk: Desk) -> int:
    """Tells what the stack says. Answers 0 when all is well, 1 when somebody is needed, 2 when it is not known."""
    desk.screen.passing("status …")
    version = _version(desk)
    try:
        report = desk.api.get("/v1/status")
    except (KeyRefused, Unreachable, RouteMissing):
        raise
    except Trouble as error:
        desk.screen.table(["WHAT", "STATE", ""], [version, ["status", "not known", "could not be asked"]])
        desk.finish([f"status: {error}"])
        return 2
    desk.screen.passing("subscriptions …")
    live, steps = _subscriptions(desk)
    rows = [version] + [
        [one.get("name"), STATES.get(one.get("state"), one.get("state")), one.get("detail")]
        for one in report.get("lookedAt") or []
    ]
    desk.screen.table(["WHAT", "STATE", ""], rows + [live])
    reasons = report.get("reasons") or []
    for reason in reasons:
        _tell(desk, reason)
    urgent = [reason for reason in reasons if reason.get("severity") != "later"]
    code = desk.finish([_step(desk, reason) for reason in urgent] + steps)
    if report.get("well") is not True:
        return 1
    if not code:
        desk.screen.say("\nAll is well, as far as it can be seen from here. Not seen:")
        for one in report.get("notSeen") or []:
            desk.screen.say(f"  - {printable(one)}")
    return code


def _version(desk: Desk) -> list:
    try:
        return ["version", "ok", printable(desk.api.get("/v1/health").get("version"))]
    except Unreachable:
        raise
    except Trouble as error:
        return ["version", "not known", str(error)]


def _tell(desk: Desk, reason: dict) -> None:
    """One reason: what is wrong, since when, and about whom."""
    say = desk.screen.say
    since = short(reason.get("since"), desk.clock.utc()) if parse(reason.get("since")) else ""
    say()
    say(f"{printable(reason.get('severity'))}: {printable(reason.get('message'))}" + (f" (since {since})" if since else ""))
    about = [printable(one)[:12] if len(str(one)) > 40 else printable(one) for one in reason.get("about") or []]
    more = (reason.get("count") or 0) - len(about)
    if about:
        say("    " + ", ".join(about) + (f" and {more} more" if more > 0 else ""))
    say(f"    {printable(reason.get('code'))}, {RUNBOOK}#{printable(reason.get('section'))}")


def _step(desk: Desk, reason: dict) -> str:
    """The next step, with commands that talk to this very stack."""
    text = printable(reason.get("next"))

    def again(found) -> str:
        return f"{found[1]} {desk.stack.again}" if desk.stack.again else found[1]

    return re.sub(r"`(make [^`]*)`", again, text)


def _subscriptions(desk: Desk) -> tuple:
    """The row of what Calendly shows now, and what to do about it."""
    found, errors, cursor = [], [], None
    try:
        for _ in range(PAGES):
            answer = desk.api.get("/v1/webhook-subscriptions", cursor=cursor)
            found += answer.get("subscriptions") or []
            errors += answer.get("errors") or []
            cursor = answer.get("nextCursor")
            if not cursor:
                break
    except (KeyRefused, Unreachable):
        raise
    except Trouble as error:
        return ["at Calendly", "not known", "could not be asked"], [f"subscriptions: {error}"]
    used = [one for one in found if one.get("inUse")]
    off = [one for one in used if one.get("state") != "active"]
    detail = f"{len(used) - len(off)} subscriptions active now"
    if off:
        detail += f", {len(off)} not"
    if errors:
        detail += f"; {len(errors)} accounts could not be asked"
    if cursor:
        detail += f" (of the first {PAGES * 20} connections)"
    steps = [
        f"the subscription of {printable(one.get('connection'))} is {printable(one.get('state'))}; a sync "
        f"replaces it: {desk.stack.make('sync', CONNECTION=one.get('connection'))}"
        for one in off[:NAMED]
    ]
    # Why an account can't be asked is a reason of its own, if it lasts.
    unknown = "not known" if errors else "ok"
    return ["at Calendly", "attention" if off else unknown, detail], steps
