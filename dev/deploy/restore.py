"""`make restore`: brings data back into the stack's own tables, whose names, indexes and rights stay.

    make restore                                  what can be brought back, from when
    make restore TABLE=bookings AT=… DRY_RUN=1    restores a copy as of then, and compares it
    make restore TABLE=bookings AT=…              the same, and puts back what is missing
        REPLACE=1   puts back what differs, too   ID=…,…   only these scheduled events
        FROM_TABLE=…  from a table that is there, instead of from a time
    make restore TABLE=bookings                   a table that was deleted, from its last backup

Nothing is deleted: what came since is true, too. After the bookings, the deliveries that came since then (about
these events, where they are named) are applied again; not with NO_REPLAY=1, for where they are what did the harm.
"""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import paths
import rules
import tables
from account import Desk
from backups import back_at_its_name, copy_at, earliest_and_latest, finish_at_its_name, newest_backup
from clock import parse
from copying import OUTCOMES, Copy
from trouble import KeyRefused, ScopeMissing, Trouble, Unreachable

VARIABLES = ("TABLE", "AT", "FROM_TABLE", "REPLACE", "ID", "NO_REPLAY", "DRY_RUN", "CONFIRM")
IF_STOPPED = "What DynamoDB restores goes on by itself, and what was put back stays; the same command goes on from there."
MEANINGS = {
    "missing": "not in the stack's table",
    "same": "there, and equal",
    "differs": "there, and not equal",
    "changed meanwhile": "written by somebody else just now, so left as they are",
    "expired": "their time is over",
    "left out": "of people erased since, what newer facts undid, or of accounts without tokens",
}
REPLAYS_AT_ONCE = 8
# Clocks differ, and a delivery is logged before it is applied.
MARGIN = timedelta(minutes=10)


def run(desk: Desk) -> int:
    """Shows what there is to restore, or restores a table."""
    name = desk.options.text("TABLE")
    if name is None:
        return _overview(desk)
    kind = tables.KINDS.get(name)
    if kind is None:
        raise Trouble(f"TABLE must be one of {', '.join(tables.KINDS)}, not {name!r}.")
    target = desk.account.physical(kind.logical)
    if target is None:
        raise Trouble(f"The stack {desk.account.stack} has no {kind.logical}: deploy it first.")
    dynamodb = desk.account.client("dynamodb")
    there = tables.described(dynamodb, target)
    if there is None:
        return back_at_its_name(desk, kind, target)
    came_back = there["TableStatus"] == "CREATING" or earliest_and_latest(dynamodb, target) is None
    if came_back and not (desk.options.text("AT") or desk.options.text("FROM_TABLE")):
        return finish_at_its_name(desk, kind, target)
    return _copy(desk, kind, target)


def _overview(desk: Desk) -> int:
    dynamodb, rows, steps = desk.account.client("dynamodb"), [], []
    for kind in tables.KINDS.values():
        target = desk.account.physical(kind.logical)
        there = tables.described(dynamodb, target) if target else None
        if there is None:
            backup = newest_backup(dynamodb, target) if target else None
            since = f"deleted; last backup {backup['BackupCreationDateTime']:%Y-%m-%d %H:%M:%SZ}" if backup else "deleted; no backup"
            rows.append([kind.name, target, "-", since])
            if backup:
                steps.append(f"{kind.name}: {desk.account.make('restore', TABLE=kind.name)}")
            continue
        times = earliest_and_latest(dynamodb, target)
        since = f"{_time(times[0])} to {_time(times[1])}" if times else "no point-in-time recovery"
        rows.append([kind.name, target, there.get("ItemCount", "-"), since])
    desk.screen.table(["TABLE", "NAME", "ITEMS", "CAN BE BROUGHT BACK FROM"], rows)
    pattern = re.compile(rf"{re.escape(desk.account.stack)}-\w+Table-[\w-]+$")
    ours = {row[1] for row in rows}
    others = [name for name in tables.names(dynamodb) if pattern.match(name) and name not in ours and "LimitsTable" not in name]
    for name in others:
        desk.screen.say(f"Beside the stack: {name}, for FROM_TABLE=…")
    desk.screen.say()
    desk.screen.say("To compare and change nothing: " + desk.account.make("restore", TABLE="bookings", AT="2027-01-31T09:00:00Z", DRY_RUN=1))
    return desk.finish(steps)


def _copy(desk: Desk, kind: tables.Kind, target: str) -> int:
    dynamodb, options = desk.account.client("dynamodb"), desk.options
    at, source = _moment(options.time("AT")), options.text("FROM_TABLE")
    dry_run, replace, ids = options.switch("DRY_RUN"), options.switch("REPLACE"), set(options.ids("ID"))
    if (at is None) == (source is None):
        raise Trouble("From when, or from which table? Give AT=2027-01-31T09:00:00Z or FROM_TABLE=….")
    if ids and kind is not tables.BOOKINGS:
        raise Trouble("ID takes ids of scheduled events, of TABLE=bookings.")
    if replace and kind is tables.CONNECTIONS:
        # Its items say which tokens count and who holds a lease: an older one would lose the account.
        raise Trouble("Connections are not replaced: what is missing comes back, and what is wrong is connected again.")
    if source == target:
        raise Trouble(f"{source} is the stack's own table.")
    made = source is None
    if made:
        source = copy_at(desk, kind, target, at)
    elif (other := tables.described(dynamodb, source)) is None:
        raise Trouble(f"There is no table {source} in {desk.account.region}.")
    elif tuple(key["AttributeName"] for key in other["KeySchema"]) != kind.keys:
        raise Trouble(f"{source} holds no {kind.name}: its key is not {' and '.join(kind.keys)}.")
    since = at or _moment_of(source)
    chosen = rules.rules(desk, kind, target, since, ids)

    compared = _run(desk, kind, source, target, replace, True, chosen)
    _show(desk, compared)
    for warning in chosen.warnings:
        desk.screen.say(warning)
    changes = compared["missing"] + (compared["differs"] if replace else 0)
    end = [f"the copy costs about $0.25 a GB and month until it is deleted: aws dynamodb delete-table --table-name {source}"] if made else []
    if dry_run or not changes:
        _conclude(desk, compared, replace, dry_run)
        desk.finish(end)
        return 0
    _say_what_it_does(desk, kind, compared, replace)
    desk.confirm(f"{changes} items of {target} will be written.")
    done = _run(desk, kind, source, target, replace, False, chosen)
    written = done["missing"] + (done["differs"] if replace else 0)
    desk.screen.say(f"{written} items were put back; {done['changed meanwhile']} were changed by others meanwhile, and left.")
    steps = list(chosen.steps)
    if kind is tables.BOOKINGS and since and not options.switch("NO_REPLAY"):
        steps += _apply_again(desk, since, ids)
    if kind is tables.BOOKINGS:
        steps.append(f"compare with Calendly: {desk.account.make('sync')}")
    desk.finish([*steps, *end])
    return 1 if done["changed meanwhile"] else 0


def _run(desk: Desk, kind, source: str, target: str, replace: bool, dry_run: bool, chosen):
    name = hashlib.sha256(repr((source, target, replace, sorted(chosen.ids))).encode()).hexdigest()[:12]
    notes = paths.ROOT / ".local" / "restore" / f"{name}.json"
    dynamodb, progress = desk.account.client("dynamodb"), desk.screen.passing
    return Copy(dynamodb, kind, source, target, chosen, replace, dry_run, notes, progress).run()


def _show(desk: Desk, counts) -> None:
    rows = [[outcome, counts[outcome], MEANINGS[outcome]] for outcome in OUTCOMES if counts[outcome]]
    if rows:
        desk.screen.table(["ITEMS OF THE COPY", "COUNT", "WHAT THEY ARE"], rows)
    else:
        desk.screen.say("The copy has no item that was asked for.")


def _conclude(desk: Desk, counts, replace: bool, dry_run: bool) -> None:
    if counts["differs"] and not replace:
        desk.screen.say(
            f"{counts['differs']} differ: they changed since, or were changed by a mistake. They stay as they are; "
            "REPLACE=1 puts them back, too (with ID=… for single events)."
        )
    if dry_run:
        desk.screen.say(f"A dry run: nothing was written. To do it: {_again(desk)}")
    else:
        desk.screen.say("There is nothing to put back.")


def _say_what_it_does(desk: Desk, kind, counts, replace: bool) -> None:
    desk.screen.say(f"{counts['missing']} missing items come back; nothing is deleted.")
    if replace and counts["differs"]:
        desk.screen.say(f"{counts['differs']} items are OVERWRITTEN with what they were then. What changed them since is lost")
        desk.screen.say(
            "but for what deliveries tell, which are applied again afterwards (unless NO_REPLAY=1), and for what a sync finds."
            if kind is tables.BOOKINGS else "for good: look at the log of deliveries as it is now before you do this."
        )
    elif counts["differs"]:
        desk.screen.say(f"{counts['differs']} that differ stay as they are.")


def _again(desk: Desk) -> str:
    return desk.account.make("restore", **desk.options.given("TABLE", "AT", "FROM_TABLE", "REPLACE", "ID", "NO_REPLAY"))


def _apply_again(desk: Desk, since: datetime, events: set) -> list:
    """Applies what came since again: harmless for what is right, and what was put back catches up."""
    by_hand = f"apply the deliveries since {_time(since)} again: {desk.account.make('replay')} ID=…, from {desk.account.make('deliveries', FROM=_time(since))}"
    try:
        api = desk.account.api({"read", "operate"}, "restore", desk.clock, desk.screen.progress)
        ids = [
            one["id"]
            for page, _ in api.pages("/v1/deliveries", "deliveries", **{"from": _time(since - MARGIN)})
            for one in page
            if one["status"] in ("processed", "received", "failed")
            and (not events or str(one.get("eventUri")).rpartition("/")[2] in events)
        ]
        with ThreadPoolExecutor(REPLAYS_AT_ONCE) as pool:
            gone = sum(pool.map(lambda id_: _replay(api, id_), ids))
    except Trouble as error:
        desk.screen.error(f"The deliveries since then were not applied again: {error}")
        return [by_hand]
    desk.screen.say(f"{len(ids) - gone} deliveries that came since {_time(since - MARGIN)} were queued to be applied again." + (f" {gone} can't be." if gone else ""))
    return []


def _replay(api, id_: str) -> int:
    """1 for one that can't be applied any more: it expired, or its body was erased."""
    try:
        api.post_one("/v1/deliveries", id_, "replay")
    except (KeyRefused, ScopeMissing, Unreachable):
        raise
    except Trouble:
        return 1
    return 0


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    found = parse(text) if text.endswith("Z") else datetime.fromisoformat(text).astimezone(timezone.utc)
    if found is None:
        raise Trouble(f"AT must be a time such as 2027-01-31T09:00:00Z, not {text!r}.")
    return found


def _moment_of(source: str) -> datetime | None:
    """When a copy that this command made is from."""
    found = re.search(r"-at-(\d{8}T\d{6})$", source)
    return datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=timezone.utc) if found else None


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
