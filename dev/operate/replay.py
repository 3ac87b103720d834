"""`make replay`: has deliveries applied again, and shows what came of it."""

import ids as resolve
from advice import short_id
from deliveries import below, event_name
from desk import Desk
from follow import GOOD, follow, steps
from trouble import NotFound, Trouble

VARIABLES = ("ID",)
SCOPES = {"read", "operate"}


def run(desk: Desk) -> int:
    """Replays the deliveries of ID and follows them."""
    ids = desk.options.ids("ID")
    if not ids:
        raise Trouble(f"Which delivery? {desk.stack.make('replay')} ID=…; "
                      f"{desk.stack.make('deliveries')} shows their ids.")
    queued = []
    known, unknown = resolve.all_whole(desk, ids)
    desk.if_stopped = "What was queued is applied all the same."
    for id_ in known:
        try:
            desk.api.post_one("/v1/deliveries", id_, "replay")
            queued.append(id_)
        except NotFound as error:
            unknown.append(f"{id_[:12]}: {error}")
        desk.screen.progress(f"{len(queued)} of {len(ids)} queued again …")
    seen = follow(desk, queued, "replayed") if queued else {}
    if seen:
        show_outcome(desk, seen.values())
    for text in unknown:
        desk.screen.error(text)
    bad = [one for one in seen.values() if one.get("status") not in GOOD]
    return max(desk.finish(steps(desk, seen)), 1 if bad or unknown else 0)


def show_outcome(desk: Desk, deliveries) -> None:
    """What became of deliveries: what they changed, or why they did not."""
    now, deliveries = desk.clock.utc(), list(deliveries)
    rows = [
        [
            one.get("status"),
            event_name(one),
            one.get("attempts"),
            changes(one),
            short_id(one),
        ]
        for one in deliveries
    ]
    headings = ["STATUS", "EVENT", "TRIES", "CHANGED", "ID"]
    desk.screen.table(headings, rows, below=[below(one, now) for one in deliveries])


def changes(delivery: dict) -> str:
    """What applying it changed."""
    if delivery.get("status") != "processed":
        return "-"
    changes = delivery.get("changes")
    if changes is None:
        return "not known"
    return ", ".join(map(str, changes)) or "nothing new"
