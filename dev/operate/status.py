"""`make status`: whether all is well, and what needs a person."""

from dataclasses import dataclass, field

from clock import age, parse
from desk import Desk
from screen import printable
from trouble import KeyRefused, Trouble, Unreachable

VARIABLES = ()
SCOPES = {"read"}
# Lists of connections and subscriptions are read to here; the latter cost calls to Calendly.
PAGES_OF_CONNECTIONS = 10
PAGES_OF_SUBSCRIPTIONS = 5
# How many are named.
NAMED = 10
# The scheduled sync queues again, within a quarter of an hour, what waits for too long.
WAITS_TOO_LONG = 3600


@dataclass
class Part:
    """What is said of one thing: `state` is ok, attention or not known."""

    name: str
    state: str
    detail: str
    steps: list = field(default_factory=list)


def run(desk: Desk) -> int:
    """Asks for each thing by itself, so that one that fails hides no other."""
    parts, silent = [_health(desk)], 0
    checks = [
        ("connections", _connections), ("subscriptions", _subscriptions),
        ("dead letters", _dead_letters), ("deliveries", _deliveries),
    ]
    for name, check in checks:
        desk.screen.passing(f"{name} …")
        try:
            parts += check(desk)
        except (KeyRefused, Unreachable):
            raise  # every other part would end so, too
        except Trouble as error:
            silent += 1
            parts.append(Part(name, "not known", "could not be asked", [f"{name}: {error}"]))
    desk.screen.table(["WHAT", "STATE", ""], [[one.name, one.state, one.detail] for one in parts])
    code = desk.finish([step for one in parts for step in one.steps])
    if not code:
        desk.screen.say("\nAll is well.")
    return 2 if silent == len(checks) else code


def _health(desk: Desk) -> Part:
    try:
        health = desk.api.get("/v1/health")
    except Unreachable:
        raise
    except Trouble as error:
        return Part("health", "not known", "could not be asked", [f"health: {error}"])
    good = health.get("status") == "ok"
    step = [] if good else ["health: look at the log of the api function"]
    detail = f"version {printable(health.get('version'))}"
    return Part("health", "ok" if good else "attention", detail, step)


def _all(desk: Desk, path: str, name: str, most: int, page: int) -> tuple:
    """The items of up to `most` pages, whether there are more, and the pages' errors."""
    found, more = [], False
    for number, (items, more) in enumerate(desk.api.pages(path, name, page=page), 1):
        found += items
        if number == most:
            break
    return found, more


def _connections(desk: Desk) -> list:
    found, more = _all(desk, "/v1/connections", "connections", PAGES_OF_CONNECTIONS, 100)
    if not found:
        return [Part("connections", "ok", "none; webhooks alone bring bookings here")]
    lost = [one["id"] for one in found if one.get("status") == "needs_reauth"]
    others = len(found) - len(lost)
    detail = f"{others} active" + (f", {len(lost)} needs_reauth" if lost else "")
    if more:
        detail += f" (of the first {len(found)})"
    if not lost:
        return [Part("connections", "ok", detail)]
    step = (
        f"{_names(lost)}: needs a new authorization. Ask for a start link and send its startUrl to the "
        f'account\'s owner: curl -H "Authorization: Bearer $API_KEY" {desk.stack.url}/v1/auth/authorize'
    )
    return [Part("connections", "attention", detail, [step])]


def _subscriptions(desk: Desk) -> list:
    # A page holds the subscriptions of 20 connections, however many they are.
    found, errors, more = [], [], False
    cursor = None
    for _ in range(PAGES_OF_SUBSCRIPTIONS):
        answer = desk.api.get("/v1/webhook-subscriptions", cursor=cursor)
        found += answer.get("subscriptions") or []
        errors += answer.get("errors") or []
        cursor = answer.get("nextCursor")
        if not cursor:
            break
    used = [one for one in found if one.get("inUse")]
    without = [] if cursor else _without(desk, used, errors)
    off = [one for one in used if one.get("state") != "active"]
    detail = f"{len(used) - len(off)} active"
    if off:
        detail += f", {len(off)} not active"
    if without:
        detail += f", {len(without)} missing"
    if errors:
        detail += f", {len(errors)} accounts could not be asked"
    if cursor:
        detail += " (of the first 100 connections)"
    steps = [
        f"the subscription of {printable(one.get('connection'))} is {printable(one.get('state'))}; a sync "
        f"replaces it: {desk.stack.make('sync', CONNECTION=one.get('connection'))}"
        for one in off[:NAMED]
    ]
    steps += [
        f"{printable(id_)} has no subscription, so Calendly sends nothing of it; a sync makes one: "
        f"{desk.stack.make('sync', CONNECTION=id_)}"
        for id_ in without[:NAMED]
    ]
    steps += [
        f"the subscriptions of {printable(one.get('connection'))} are not known: "
        f"{printable(one.get('error'))}. If it needs no new authorization, look again in some minutes"
        for one in errors[:NAMED]
    ]
    return [Part("subscriptions", "attention" if steps else "ok", detail, steps)]


def _without(desk: Desk, used: list, errors: list) -> list:
    """The connections that work, but own no subscription that Calendly knows."""
    found, _ = _all(desk, "/v1/connections", "connections", PAGES_OF_CONNECTIONS, 100)
    known = {one.get("connection") for one in used + errors}
    return [one["id"] for one in found if one.get("status") == "active" and one["id"] not in known]


def _dead_letters(desk: Desk) -> list:
    answer = desk.api.get("/v1/dead-letters", limit=100)
    found, queue = answer.get("deadLetters") or [], answer.get("messagesInQueue") or 0
    detail = f"{_count(found, answer)}; {queue} in the dead letter queue"
    if not found and not queue:
        return [Part("dead letters", "ok", detail)]
    if found:
        reason = printable(found[0].get("lastError"))
        step = (
            f"{_count(found, answer)} dead; the newest because of: {reason}. Once that is mended: "
            f"{desk.stack.make('redrive', DRY_RUN=1)}, then without DRY_RUN"
        )
    else:
        step = (
            "the dead letter queue holds letters of deliveries that are dead no more: "
            f"{desk.stack.make('redrive', DRY_RUN=1)} shows them; without DRY_RUN it clears them, which "
            "changes nothing else"
        )
    return [Part("dead letters", "attention", detail, [step])]


def _deliveries(desk: Desk) -> list:
    now = desk.clock.utc()
    path = "/v1/deliveries"
    newest = (desk.api.get(path, limit=1).get("deliveries") or [None])[0]
    failed = desk.api.get(path, limit=100, status="failed")
    waiting = desk.api.get(path, limit=100, status="received")
    retried, queued = failed.get("deliveries") or [], waiting.get("deliveries") or []
    parts = [
        Part("failed", "ok", _count(retried, failed) + (", tried again by themselves" if retried else "")),
        Part("waiting", "ok", _count(queued, waiting)),
    ]
    late = [one for one in queued if _seconds(one.get("receivedAt"), now) > WAITS_TOO_LONG]
    if late:
        parts[1].state = "attention"
        parts[1].detail += f", {len(late)} for more than an hour"
        parts[1].steps.append(
            "deliveries wait for more than an hour: look at the worker's log, and whether it may run; "
            f"{desk.stack.make('deliveries', STATUS='received')} shows them"
        )
    detail = "none so far"
    if newest:
        what = f"{printable(newest.get('event'))}, {printable(newest.get('status'))}"
        detail = f"{age(newest.get('receivedAt'), now)}: {what}"
    parts.append(Part("newest", "ok", detail))
    return parts


def _seconds(text, now) -> float:
    moment = parse(text)
    return (now - moment).total_seconds() if moment else 0


def _count(items: list, answer: dict) -> str:
    return f"{len(items)}{'+' if answer.get('nextCursor') else ''}"


def _names(ids: list) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(printable(id_) for id_ in ids[:NAMED]) + more
