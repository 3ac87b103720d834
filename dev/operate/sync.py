"""`make sync`: compares with Calendly now, and shows what was found."""

from clock import growing, short
from desk import Desk
from screen import printable, sentence
from trouble import NotFound, Trouble

VARIABLES = ("CONNECTION", "FROM", "TO", "ID")
SCOPES = {"read", "operate"}
SECONDS = 15 * 60


def run(desk: Desk) -> int:
    """Starts a sync and follows it to its end or its first failed attempt; or, to its end, that of ID."""
    given = desk.options.text("ID")
    id_ = given or _start(desk)
    look = desk.stack.make("sync", ID=id_)
    desk.if_stopped = f"The sync goes on in the stack. Look at it: {look}"
    sync = _follow(desk, id_, to_its_end=bool(given))
    state, nothing = sync.get("state"), not sync.get("connections")
    shown = "nothing compared" if state == "done" and nothing else state
    counts = [sync.get(name) for name in (
        "connections", "finished", "failed", "skipped", "pages", "syncedCount", "changed", "vanished")]
    desk.screen.table(
        ["STATE", "CONNECTIONS", "DONE", "FAILED", "SKIPPED", "PAGES", "EVENTS", "CHANGED", "VANISHED"],
        [[shown, *counts]],
    )
    _details(desk, sync)
    if state == "done" and nothing:
        desk.screen.say("No connection works, so nothing was compared.")
        return desk.finish([f"{desk.stack.make('status')} tells which connection needs what"])
    if state == "done":
        return 0
    if state == "failed":
        return desk.finish([
            f"{desk.stack.make('status')} tells which connection needs what; "
            f"then once more: {desk.stack.make('sync', **desk.options.given('CONNECTION', 'FROM', 'TO'))}",
        ])
    if state == "retrying":
        when = short(sync.get("nextAttemptAt"), desk.clock.utc())
        return desk.finish([f"an attempt failed; it goes on by itself, next at about {when}. Follow it: {look}"])
    return desk.finish([f"it is not over after {SECONDS // 60} min and goes on; look at it: {look}"])


def _start(desk: Desk) -> str:
    wanted = {
        "connection": desk.options.text("CONNECTION"),
        "from": desk.options.time("FROM"),
        "to": desk.options.time("TO"),
    }
    id_ = desk.api.post("/v1/sync", wanted).get("syncId")
    if not id_:
        raise Trouble("POST /v1/sync answered no syncId: is it this service's address?")
    desk.screen.progress(f"sync {id_}: asked for")
    return id_


def _follow(desk: Desk, id_: str, to_its_end: bool) -> dict:
    deadline, told = desk.clock.seconds() + SECONDS, set()
    for pause in growing(0.5, 10):
        try:
            sync = desk.api.get_one("/v1/sync", id_)
        except NotFound as error:
            raise Trouble(sentence(f"{error}; syncs are kept for 30 days")) from None
        for error in sync.get("errors") or []:
            # The same one of a later attempt is told again, with when the next is.
            key = (error.get("connection"), error.get("error"), error.get("attempt"))
            if key not in told:
                told.add(key)
                desk.screen.say(desk.screen.clipped(_error(desk, error)))
        desk.screen.progress(_line(sync))
        over = sync.get("state") in ("done", "failed")
        if over or (sync.get("state") == "retrying" and not to_its_end):
            return sync
        if desk.clock.seconds() + pause > deadline:
            return sync
        desk.clock.pause(pause)
    return {}


def _error(desk: Desk, error: dict) -> str:
    whose = f"{printable(error['connection'])}: " if error.get("connection") else ""
    text = f"{whose}{printable(error.get('error'))}"
    if error.get("nextAttemptAt"):
        when = short(error["nextAttemptAt"], desk.clock.utc())
        return f"attempt {error.get('attempt')} failed, next at about {when}. {text}"
    return text


def _details(desk: Desk, sync: dict) -> None:
    """What counts alone don't say: which."""
    more = (sync.get("errorCount") or 0) - len(sync.get("errors") or [])
    if more > 0:
        desk.screen.say(f"and {more} more errors, or the same ones again")
    named = [
        ("Not compared, as they need a new authorization", "skippedConnections", "skipped", 4),
        ("Changed", "changedEvents", "changed", 2),
    ]
    for what, name, count, a_line in named:
        ids = [printable(id_) for id_ in sync.get(name) or []]
        if not ids:
            continue
        desk.screen.say(f"{what}:")
        for start in range(0, len(ids), a_line):
            desk.screen.say("  " + "  ".join(ids[start : start + a_line]))
        if (sync.get(count) or 0) > len(ids):
            desk.screen.say(f"  and {sync[count] - len(ids)} more")
    if sync.get("changedEvents"):
        desk.screen.say(f"What became of one: {desk.stack.make('why')} ID=…")


def _line(sync: dict) -> str:
    def count(name: str) -> int:
        return sync.get(name) or 0

    settled = count("finished") + count("failed")
    return (
        f"{sync.get('state')}: {settled} of {count('connections')} connections, "
        f"{count('syncedCount')} events compared, {count('changed')} changed …"
    )
