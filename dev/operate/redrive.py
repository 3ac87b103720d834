"""`make redrive`: sends dead letters back, round by round, and shows what came of them."""

from dataclasses import dataclass, field

import advice
import ids as resolve
from deliveries import show
from desk import Desk
from follow import counted, follow, steps
from replay import show_outcome
from trouble import NotFound, Trouble

VARIABLES = ("DRY_RUN", "EVENT", "ID", "LIMIT")
SCOPES = {"read", "operate"}
PATH = "/v1/dead-letters/redrive"
# The API takes up to 1000; smaller rounds show how far it is, and end before the gateway gives up.
A_ROUND = 100
MOST = 1000
# How many deliveries are shown one by one.
SHOWN = 20
# A round that finds nothing may have looked at others' letters only; so many are tried in a row.
EMPTY_ROUNDS = 3


@dataclass
class Tally:
    """What all rounds together did."""

    ids: dict = field(default_factory=dict)
    report: dict = field(default_factory=dict)
    # Letters that were taken out of the queue, by why.
    cleared: dict = field(default_factory=dict)
    # Why it ended early.
    stopped: str = ""


def run(desk: Desk) -> int:
    """Redrives, or says what a redrive would do."""
    ids = desk.options.ids("ID")
    if len(ids) > 1:
        raise Trouble(f"A redrive takes one ID; several are for {desk.stack.make('replay')} ID=…,…")
    wanted = {"event": desk.options.text("EVENT"), "deliveryId": resolve.whole(desk, ids[0]) if ids else None}
    limit = desk.options.count("LIMIT", None)
    if desk.options.switch("DRY_RUN"):
        return _dry_run(desk, wanted, limit)
    tally = _rounds(desk, wanted, limit)
    sent = list(tally.ids)
    if not sent and not tally.stopped:
        desk.screen.say("No dead letter to send back." + _odd(tally.report))
        return 0
    desk.screen.say(f"{len(sent)} sent back.{_odd(tally.report)}")
    desk.if_stopped = "What was sent back is applied all the same."
    seen = follow(desk, sent, "redriven") if sent else {}
    bad = [one for one in seen.values() if one.get("status") != "processed"]
    if seen:
        desk.screen.say(f"Now: {counted(seen, sent)}.")
    if bad:
        desk.screen.say()
        show_outcome(desk, bad[:SHOWN])
        _more(desk, len(bad))
    if tally.stopped:
        desk.screen.error(tally.stopped)
    return max(desk.finish(steps(desk, seen)), 1 if tally.stopped else 0)


def _rounds(desk: Desk, wanted: dict, limit: int | None) -> Tally:
    tally, empty = Tally(), 0
    desk.if_stopped = "What was sent back is applied; the rest stays: " + desk.stack.make(
        "redrive", **desk.options.given("EVENT", "ID")
    )
    while limit is None or len(tally.ids) < limit:
        size = A_ROUND if limit is None else min(A_ROUND, limit - len(tally.ids))
        try:
            tally.report = desk.api.post(PATH, {"dryRun": False, "limit": size, **wanted})
        except Trouble as error:
            if not tally.ids:
                raise
            tally.stopped = f"It stopped after {len(tally.ids)}: {error}"
            return tally
        for name in ("erased", "discarded"):
            tally.cleared[name] = tally.cleared.get(name, 0) + (tally.report.get(name) or 0)
        tally.report.update(tally.cleared)
        ids = tally.report.get("deliveryIds") or []
        fresh = [id_ for id_ in ids if id_ not in tally.ids]
        tally.ids.update(dict.fromkeys(fresh))
        if fresh:
            desk.screen.progress(f"{len(tally.ids)} sent back …")
        if tally.report.get("complete"):
            return tally
        if ids and not fresh:
            # All of them were sent by an earlier round: they die as fast as they are sent.
            tally.stopped = "It stopped: those that were sent back die again at once."
            return tally
        empty = 0 if fresh else empty + 1
        if empty == EMPTY_ROUNDS:
            tally.stopped = (
                "It stopped: the queue holds many letters that don't fit, and may hold more that do. "
                "Try again in a minute."
            )
            return tally
    return tally


def _dry_run(desk: Desk, wanted: dict, limit: int | None) -> int:
    # It can't go on where it stopped: it takes nothing out, so each run finds the same.
    size = min(limit or MOST, MOST)
    report = desk.api.post(PATH, {"dryRun": True, "limit": size, **wanted})
    ids = report.get("deliveryIds") or []
    if not ids:
        desk.screen.say("No dead letter to send back." + _odd(report, "would be taken"))
        return 0
    found = []
    for id_ in ids[:SHOWN]:
        desk.screen.passing(f"{len(found)} of {len(ids)} read …")
        try:
            found.append(desk.api.get_one("/v1/deliveries", id_))
        except NotFound:
            found.append({"id": id_, "status": "gone"})
    show(desk, found)
    _more(desk, len(ids))
    desk.screen.say()
    count = f"{len(ids)}" if report.get("complete") or limit == len(ids) else f"{len(ids)} or more"
    never = f" {report['notRetryable']} of them no attempt can mend." if report.get("notRetryable") else ""
    desk.screen.say(f"{count} would be sent back; nothing was.{never}{_odd(report, 'would be taken')}")
    for step in advice.steps(desk, found, sending=True):
        desk.screen.say(f"  - {step}")
    again = desk.stack.make("redrive", **desk.options.given("EVENT", "ID", "LIMIT"))
    desk.screen.say(f"To send them back: {again}")
    return 0


def _more(desk: Desk, count: int) -> None:
    if count > SHOWN:
        desk.screen.say(f"and {count - SHOWN} more")


def _odd(report: dict, taken: str = "were taken") -> str:
    """What lies in the queue and can't be sent back, and what leaves it."""
    parts, gone = [], [
        f"{report[name]} {name}" for name in ("discarded", "erased") if report.get(name)
    ]
    cleared = f" Letters of {' and '.join(gone)} ones {taken} out of the queue." if gone else ""
    if report.get("unreadable"):
        parts.append(f"{report['unreadable']} messages of the queue can't be read")
    if report.get("notInLog"):
        parts.append(f"the deliveries of {report['notInLog']} are not in the log any more")
    if not parts:
        return cleared
    return f"{cleared} {' and '.join(parts).capitalize()}: they leave the queue when its retention ends."
