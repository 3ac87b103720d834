"""`make discard`: puts dead letters away that nothing can mend."""

import ids
from advice import short_id
from desk import Desk
from screen import printable
from trouble import NotFound, Trouble

VARIABLES = ("ID", "REASON")
SCOPES = {"read", "operate"}
REDRIVE = "/v1/dead-letters/redrive"


def run(desk: Desk) -> int:
    """Discards the deliveries of ID, and takes their letters out of the queue."""
    wanted, reason = desk.options.ids("ID"), desk.options.text("REASON")
    if not wanted or not reason:
        raise Trouble(
            f"Which, and why? {desk.stack.make('discard')} ID=… REASON=…; "
            f"{desk.stack.make('deliveries', STATUS='dead')} lists what is dead. The reason stays on the "
            "delivery, so it should name nobody."
        )
    known, unknown = ids.all_whole(desk, wanted)
    failed = bool(unknown)
    for id_ in known:
        try:
            one = desk.api.post_one("/v1/dead-letters", id_, "discard", {"reason": reason})
        except NotFound as error:
            unknown.append(f"{id_[:12]}: {error}")
            continue
        except Trouble as error:
            desk.screen.error(f"{id_[:12]}: {error}")
            failed = True
            continue
        said = one.get("discarded") or {}
        desk.screen.say(
            f"{short_id(one)} {printable(one.get('event'))} is put away, by {printable(said.get('by'))}: "
            f"{printable(said.get('reason'))}"
        )
        _clear(desk, id_)
    for text in unknown:
        desk.screen.error(text)
    if known and not failed:
        desk.screen.say(f"To take one back: {desk.stack.make('replay')} ID=…")
    return 1 if failed or unknown else 0


def _clear(desk: Desk, id_: str) -> None:
    """Its letter counts in the queue, and so for the alarm, until a redrive meets it."""
    desk.screen.passing("its letter …")
    try:
        report = desk.api.post(REDRIVE, {"dryRun": False, "deliveryId": id_, "limit": 1})
    except Trouble as error:
        desk.screen.error(f"its letter stays in the queue until the next redrive: {error}")
        return
    if not report.get("discarded"):
        desk.screen.say("Its letter was not met in the queue: it is gone, or goes with the next redrive.")
