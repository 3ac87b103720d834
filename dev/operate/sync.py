"""`make sync`: compares with Calendly now, and shows what was found."""

from clock import growing
from desk import Desk
from screen import printable
from trouble import NotFound, Trouble

VARIABLES = ("CONNECTION", "FROM", "TO", "ID")
SCOPES = {"read", "operate"}
SECONDS = 15 * 60


def run(desk: Desk) -> int:
    """Starts a sync, or looks at that of ID, and follows it."""
    id_ = desk.options.text("ID") or _start(desk)
    look = desk.stack.make("sync", ID=id_)
    desk.if_stopped = f"The sync goes on in the stack. Look at it: {look}"
    sync = _follow(desk, id_)
    state = sync.get("state")
    rows = [[sync.get(name) for name in (
        "state", "connections", "finished", "failed", "pages", "syncedCount", "changed", "vanished")]]
    desk.screen.table(
        ["STATE", "CONNECTIONS", "DONE", "FAILED", "PAGES", "EVENTS", "CHANGED", "VANISHED"], rows
    )
    for error in sync.get("errors") or []:
        desk.screen.say(f"  {printable(error)}")
    if state == "done" and not sync.get("connections"):
        desk.screen.say(f"No connection works, so nothing was compared: {desk.stack.make('status')} says more.")
    if state == "done":
        return 0
    if state == "failed":
        return desk.finish([
            f"{desk.stack.make('status')} tells which connection needs what; "
            f"then once more: {desk.stack.make('sync', **desk.options.given('CONNECTION', 'FROM', 'TO'))}",
        ])
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


def _follow(desk: Desk, id_: str) -> dict:
    deadline = desk.clock.seconds() + SECONDS
    for pause in growing(0.5, 10):
        try:
            sync = desk.api.get_one("/v1/sync", id_)
        except NotFound as error:
            raise Trouble(f"{error}; syncs are kept for 30 days.") from None
        desk.screen.progress(_line(sync))
        over = sync.get("state") in ("done", "failed")
        if over or desk.clock.seconds() + pause > deadline:
            return sync
        desk.clock.pause(pause)
    return {}


def _line(sync: dict) -> str:
    def count(name: str) -> int:
        return sync.get(name) or 0

    settled = count("finished") + count("failed")
    return (
        f"{sync.get('state')}: {settled} of {count('connections')} connections, "
        f"{count('syncedCount')} events compared, {count('changed')} changed …"
    )
