"""Follows deliveries that were queued again, until they are settled or the time is over."""

from datetime import timedelta

import advice
from clock import growing, parse
from desk import Desk
from trouble import NotFound

SECONDS = 60
SETTLED = ("processed", "dead", "ignored", "unprocessable", "discarded", "gone")
GOOD = ("processed", "ignored")


def follow(desk: Desk, ids: list, what: str) -> dict:
    """The deliveries by id, as they were when last looked at."""
    seen, deadline = {}, desk.clock.seconds() + SECONDS
    end = desk.clock.utc() + timedelta(seconds=SECONDS)
    waiting = list(ids)
    for pause in growing(0.3, 5):
        still = []
        for index, id_ in enumerate(waiting):
            if desk.clock.seconds() > deadline:
                still += waiting[index:]
                break
            seen[id_] = _look(desk, id_)
            if not _over(seen[id_], end):
                still.append(id_)
        waiting = still
        desk.screen.progress(f"{what}: {counted(seen, ids)} …")
        if not waiting or desk.clock.seconds() + pause > deadline:
            return {id_: seen.get(id_) or {"id": id_, "status": "not looked at"} for id_ in ids}
        desk.clock.pause(pause)
    return seen


def _look(desk: Desk, id_: str) -> dict:
    try:
        return desk.api.get_one("/v1/deliveries", id_)
    except NotFound:
        return {"id": id_, "status": "gone"}


def _over(delivery: dict, end) -> bool:
    if delivery.get("status") in SETTLED:
        return True
    # It waits for an attempt that this command won't see.
    again = parse(delivery.get("nextAttemptAt"))
    return delivery.get("status") == "failed" and again is not None and again > end


def counted(seen: dict, ids: list) -> str:
    """How many have which status: `2 processed, 1 dead`."""
    counts = {}
    for id_ in ids:
        status = (seen.get(id_) or {}).get("status", "received")
        counts[status] = counts.get(status, 0) + 1
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))


def steps(desk: Desk, seen: dict) -> list:
    """What people are to do about those that did not end well."""
    found, statuses = advice.steps(desk, seen.values()), {one.get("status") for one in seen.values()}
    if "failed" in statuses:
        found.append(
            "failed: it is tried again by itself at its next attempt. Look then: "
            + desk.stack.make("deliveries", STATUS="failed")
        )
    if statuses & {"received", "not looked at"}:
        found.append(
            "received: not applied yet. If that stays so, look at the worker's log; see "
            + desk.stack.make("deliveries", STATUS="received")
        )
    if "gone" in statuses:
        found.append("gone: it is not in the log any more, so there is nothing to apply.")
    return found
