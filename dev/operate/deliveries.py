"""`make deliveries`: the delivery log."""

from clock import short
from desk import Desk

VARIABLES = ("STATUS", "EVENT", "FROM", "TO", "LIMIT")
SCOPES = {"read"}


def run(desk: Desk) -> int:
    """Lists deliveries, the newest first."""
    query = {
        "status": desk.options.status("STATUS"),
        "event": desk.options.text("EVENT"),
        "from": desk.options.time("FROM"),
        "to": desk.options.time("TO"),
    }
    limit, found, more = desk.options.count("LIMIT", 50), [], False
    for items, more in desk.api.pages("/v1/deliveries", "deliveries", most=limit, **query):
        found += items
        desk.screen.passing(f"{len(found)} deliveries …")
    if not found:
        desk.screen.say("No delivery fits." if any(query.values()) else "The log is empty.")
        return 0
    show(desk, found)
    desk.screen.say()
    rest = f" There are more: LIMIT={limit * 4}, or TO= the last one's time." if more else ""
    one = "delivery" if len(found) == 1 else "deliveries"
    desk.screen.say(f"{len(found)} {one}; times in UTC.{rest}")
    if any(delivery.get("status") in ("dead", "failed") for delivery in found):
        desk.screen.say(f"To have one applied again: {desk.stack.make('replay')} ID=…")
    return 0


def show(desk: Desk, deliveries: list) -> None:
    """A table of deliveries, with the last error below."""
    now = desk.clock.utc()
    headings = ["RECEIVED", "STATUS", "EVENT", "TRIES", "NEXT TRY", "ID"]
    rows = [
        [
            short(one.get("receivedAt"), now),
            one.get("status"),
            one.get("event"),
            one.get("attempts"),
            short(one.get("nextAttemptAt"), now),
            one.get("id"),
        ]
        for one in deliveries
    ]
    desk.screen.table(headings, rows, below=[one.get("lastError") for one in deliveries])
