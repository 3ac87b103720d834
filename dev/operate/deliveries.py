"""`make deliveries`: the delivery log."""

import advice
import ids
from advice import short_id
from clock import lateness, short, span
from desk import Desk
from trouble import Trouble

VARIABLES = ("STATUS", "EVENT", "EMAIL", "EVENT_ID", "ID", "FROM", "TO", "LIMIT")
SCOPES = {"read"}
PATH = "/v1/deliveries"
# Of somebody's events so many are looked at, the latest ones.
EVENTS = 20
# Longer names are cut: a table is to fit 100 columns.
EVENT_WIDTH = 21


def run(desk: Desk) -> int:
    """Lists deliveries, the newest first."""
    query = {
        "status": desk.options.status("STATUS"),
        "event": desk.options.text("EVENT"),
        "from": desk.options.time("FROM"),
        "to": desk.options.time("TO"),
        "eventId": desk.options.text("EVENT_ID"),
        "idPrefix": desk.options.text("ID"),
    }
    email, limit = desk.options.email("EMAIL"), desk.options.count("LIMIT", 50)
    if query["idPrefix"] and not ids.looks_like(query["idPrefix"]):
        raise Trouble("ID must be a delivery's id, or its first 8 digits (0-9, a-f) or more.")
    if email and query["eventId"]:
        raise Trouble("EMAIL finds events by itself: give it or EVENT_ID.")
    found, more = _of_person(desk, email, limit, query) if email else _list(desk, limit, query)
    if not found:
        desk.screen.say("No delivery fits." if email or any(query.values()) else "The log is empty.")
        return 0
    show(desk, found)
    desk.screen.say()
    rest = f" There are more: LIMIT={limit * 4}, or TO= the last one's time." if more else ""
    one = "delivery" if len(found) == 1 else "deliveries"
    desk.screen.say(f"{len(found)} {one}; times in UTC.{rest}")
    for step in advice.steps(desk, found):
        desk.screen.say(f"  - {step}")
    if any(delivery.get("status") in ("dead", "failed") for delivery in found):
        desk.screen.say(f"To have one applied again: {desk.stack.make('replay')} ID=…")
    desk.screen.say(f"What became of its booking: {desk.stack.make('why')} ID=…")
    return 0


def _list(desk: Desk, limit: int, query: dict) -> tuple:
    found, more = [], False
    for items, more in desk.api.pages(PATH, "deliveries", most=limit, **query):
        found += items
        desk.screen.passing(f"{len(found)} deliveries …")
    return found, more


def _of_person(desk: Desk, email: str, limit: int, query: dict) -> tuple:
    """Those about the latest events of somebody: of a group's, theirs and those about all."""
    page = desk.api.get_of("/v1/contacts", email, "activity", sort="startTime:desc", limit=EVENTS)
    found, more = {}, bool(page.get("nextCursor"))
    for event in page.get("events") or []:
        others = {one["uri"] for one in event["invitees"] if not same_address(one.get("email"), email)}
        items, rest = _list(desk, limit, {**query, "eventId": event["id"]})
        found.update((one["id"], one) for one in items if one.get("inviteeUri") not in others)
        more = more or rest
    newest = sorted(found.values(), key=lambda one: str(one.get("receivedAt")), reverse=True)
    return newest[:limit], more or len(newest) > limit


def same_address(one, other) -> bool:
    """Whether two addresses are the same in any case of letters."""
    return str(one or "").casefold() == str(other or "").casefold()


def show(desk: Desk, deliveries: list) -> None:
    """A table of deliveries, with the last error below."""
    now = desk.clock.utc()
    headings = ["RECEIVED", "LATE", "STATUS", "EVENT", "EVENT/INVITEE", "TRIES", "ID"]
    rows = [
        [
            short(one.get("receivedAt"), now),
            late(one),
            one.get("status"),
            event_name(one),
            about(one),
            one.get("attempts"),
            short_id(one),
        ]
        for one in deliveries
    ]
    desk.screen.table(headings, rows, below=[below(one, now) for one in deliveries])


def event_name(delivery: dict) -> str:
    """The name of its event, as far as there is room."""
    name = str(delivery.get("event") or "-")
    return name if len(name) <= EVENT_WIDTH else name[: EVENT_WIDTH - 1] + "…"


def late(delivery: dict) -> str:
    """How late it came."""
    seconds = lateness(delivery)
    return "-" if seconds is None else span(seconds)


def about(delivery: dict) -> str:
    """The first digits of the ids of its event and its invitee."""
    uris = [delivery.get("eventUri"), delivery.get("inviteeUri")]
    return "/".join(str(uri).rsplit("/", 1)[-1][:8] for uri in uris if uri)


def below(delivery: dict, now) -> str | None:
    """What else is to be said of it: its error, when it is tried again, who put it away and why."""
    parts = []
    if delivery.get("status") == "failed" and delivery.get("nextAttemptAt"):
        parts.append(f"again at {short(delivery['nextAttemptAt'], now)}")
    if delivery.get("lastError"):
        parts.append(str(delivery["lastError"]))
    if delivery.get("discarded"):
        away = delivery["discarded"]
        parts.append(f"put away by {away.get('by')}: {away.get('reason') or 'erased'}")
    if delivery.get("status") == "dead" and not advice.mendable(delivery):
        parts.append("no attempt can mend it")
    return "; ".join(parts) or None
