"""`make why`: the story of a booking, for whoever is told that it is wrong."""

import re
from datetime import timedelta

import advice
import ids
from advice import short_id
from clock import age, lateness, parse, short, span
from deliveries import below, event_name, late, same_address
from desk import Desk
from replay import changes
from screen import printable
from trouble import KeyRefused, NotFound, Trouble, Unreachable

VARIABLES = ("EMAIL", "ID", "LIMIT")
SCOPES = {"read"}
EVENTS = "/v1/events"
DELIVERIES = "/v1/deliveries"
# Events of a person, deliveries of an event, steps of a history that are shown.
STORIES = 3
SHOWN = 20
# A webhook that comes later than this after Calendly made it is called late.
LATE = 120
# A connection is looked for among so many pages of them.
PAGES = 10
# An event that began before this is compared only if a sync is asked for it.
LOOKED_BACK = timedelta(days=2)
URI = re.compile(r".*/scheduled_events/([A-Za-z0-9_-]+)(?:/invitees/[A-Za-z0-9_-]+)?/?$")


class Around:
    """What is asked once, whatever the number of stories."""

    def __init__(self, desk: Desk):
        self.desk, self.connections, self.retrying = desk, None, None

    def connection(self, id_: str) -> dict | None:
        """A connection by its id; nothing if there is none (any more)."""
        if self.connections is None:
            self.connections = {}
            pages = self.desk.api.pages("/v1/connections", "connections")
            for number, (items, _) in enumerate(pages, 1):
                self.connections.update((one["id"], one) for one in items)
                if number == PAGES:
                    break
        return self.connections.get(id_)

    def retries(self) -> dict:
        """Since when Calendly has to send webhooks again, by connection: of the last 24 hours, after which
        it may leave the time set."""
        if self.retrying is None:
            self.retrying = {}
            try:
                answer = self.desk.api.get("/v1/webhook-subscriptions")
            except Trouble:
                return {}  # Calendly can't be asked: `make status` says that
            now = self.desk.clock.utc()
            for one in answer.get("subscriptions") or []:
                began = parse(one.get("retryStartedAt"))
                if one.get("inUse") and began and now - began < timedelta(days=1):
                    self.retrying[one.get("connection")] = one["retryStartedAt"]
        return self.retrying

    def steps(self, wanted: str | None = None) -> list:
        """What people are to do about webhooks that are sent again, of one connection or of all."""
        now = self.desk.clock.utc()
        return [
            f"Calendly has to send webhooks of {printable(id_)} again since {short(since, now)}: they are "
            f"refused or fail; see {advice.RUNBOOK}#subscription-retrying"
            for id_, since in self.retries().items()
            if wanted in (None, id_)
        ]


def run(desk: Desk) -> int:
    """Tells the stories of the latest events of EMAIL, or the one of ID."""
    email, id_ = desk.options.email("EMAIL"), desk.options.text("ID")
    if bool(email) == bool(id_):
        raise Trouble(
            f"Whose? {desk.stack.make('why')} EMAIL=… for the latest bookings of somebody, or ID=… for that "
            "of an event (its id, or the URI of it or of an invitee) or of a delivery (8 digits or more)."
        )
    around, steps = Around(desk), []
    events = _of_person(desk, email) if email else [_event_id(desk, id_)]
    if not events:
        desk.screen.say(f"No booking of {email} is stored.")
        steps = [
            "is the address written as at Calendly?",
            f"if Calendly has a booking of it: {desk.stack.make('sync')} fetches what starts from two days ago "
            "on, and with FROM=… what is older",
            f"{desk.stack.make('status')} tells whether webhooks come in, and whose accounts are connected",
            *around.steps(),
        ]
    for number, event_id in enumerate(events):
        if number:
            desk.screen.say()
        steps += _story(desk, around, event_id, email)
    steps += _unreadable(desk)
    return desk.finish(steps)


def _of_person(desk: Desk, email: str) -> list:
    limit = desk.options.count("LIMIT", STORIES)
    page = desk.api.get_of(
        "/v1/contacts", email, "activity", sort="startTime:desc", limit=min(limit, 100)
    )
    events = page.get("events") or []
    if page.get("nextCursor"):
        more = desk.stack.make("why", EMAIL=email, LIMIT=limit * 4)
        desk.screen.say(f"The {len(events)} events that start last; there are more: {more}")
    return [event["id"] for event in events]


def _event_id(desk: Desk, text: str) -> str:
    """The event that is meant."""
    uri = URI.match(text)
    if uri:
        return uri[1]
    if ids.looks_like(text):
        try:
            delivery = desk.api.get_one(DELIVERIES, ids.whole(desk, text))
        except NotFound:
            return text  # an event's id may look the same
        about = URI.match(str(delivery.get("eventUri")))
        if about:
            return about[1]
        desk.screen.say(
            f"Delivery {short_id(delivery)} ({event_name(delivery)}, {printable(delivery.get('status'))}) tells "
            "of no event that could be read from it."
        )
        said = below(delivery, desk.clock.utc())
        raise NotFound(printable(said or "it is about no booking"))
    return text


def _story(desk: Desk, around: Around, id_: str, email: str | None) -> list:
    now = desk.clock.utc()
    page = desk.api.get(DELIVERIES, eventId=id_, limit=SHOWN)
    told = page.get("deliveries") or []
    try:
        event = desk.api.get_one(EVENTS, id_)
    except NotFound as error:
        if not told:
            raise NotFound(
                f"{error}. Nor does a delivery tell of it. An invitee is found by EMAIL, or by its whole URI"
            ) from None
        desk.screen.say(f"Event {printable(id_)} is not stored, but deliveries tell of it:")
        _deliveries(desk, told, bool(page.get("nextCursor")))
        return _about_deliveries(desk, told, now)
    except (KeyRefused, Unreachable):
        raise
    except Trouble as error:
        # What is known all the same says most.
        desk.screen.say(f"Event {printable(id_)} can't be shown:")
        _deliveries(desk, told, bool(page.get("nextCursor")))
        return [f"event {printable(id_)}: {error}", *_about_deliveries(desk, told, now)]
    _heading(desk, event, email, now)
    _history(desk, event, id_, now)
    _deliveries(desk, told, bool(page.get("nextCursor")))
    steps = _about_deliveries(desk, told, now)
    return steps + _compared(desk, around, event, now)


def _heading(desk: Desk, event: dict, email: str | None, now) -> None:
    say = desk.screen.say
    start = short(event.get("startTime"), now)
    say(f"{printable(event.get('name'))}, starts {start} UTC: {desk.screen.painted(printable(event.get('status')))}")
    say(f"  event {printable(event.get('id'))}, last changed at Calendly {short(event.get('updatedAt'), now)}")
    if event.get("missingSince"):
        say(f"  not found at Calendly since {short(event['missingSince'], now)}")
    invitees = event.get("invitees") or []
    known = [one for one in invitees if not email or same_address(one.get("email"), email)] or invitees
    for one in known[:SHOWN]:
        who = printable(one.get("name")) + (f" <{printable(one['email'])}>" if one.get("email") else "")
        marks = [printable(one.get("status"))] + (["no-show"] if one.get("noShow") else [])
        say(f"  {'erased' if one.get('erased') else who}: {', '.join(marks)}")
        for name, word in (("rescheduledFrom", "moved from"), ("rescheduledTo", "moved to")):
            if one.get(name):
                other = URI.match(str(one[name]))
                say(f"    {word} event {printable(other[1] if other else one[name])}")
    if len(known) > SHOWN or event.get("nextCursor"):
        say("  and more invitees")


def _history(desk: Desk, event: dict, id_: str, now) -> None:
    page = desk.api.get_of(EVENTS, id_, "history")
    names = {one.get("id"): one.get("name") for one in event.get("invitees") or []}
    rows = []
    for step in (page.get("history") or [])[-SHOWN:]:
        cause = step.get("cause") or {}
        why = [cause.get("detail"), f"by {cause['by']}" if cause.get("by") else None]
        why.append(f"({cause['byType']})" if cause.get("byType") else None)
        why.append(f"“{cause['reason'][:40]}”" if cause.get("reason") else None)
        invitee = str(step.get("inviteeId"))
        rows.append([
            short(step.get("at"), now), step.get("transition"),
            str(names.get(invitee) or invitee[:8])[:24], " ".join(filter(None, why))[:40],
        ])
    if rows:
        desk.screen.say()
        desk.screen.table(["AT CALENDLY", "WHAT", "WHO", "WHY"], rows)


def _deliveries(desk: Desk, told: list, more: bool) -> None:
    now = desk.clock.utc()
    desk.screen.say()
    if not told:
        desk.screen.say("No delivery in the log told of it: a sync found it, or the log keeps it no longer.")
        return
    rows = [
        [short(one.get("receivedAt"), now), late(one), one.get("status"), event_name(one),
         changes(one)[:24], short_id(one)]
        for one in told
    ]
    headings = ["DELIVERED", "LATE", "STATUS", "EVENT", "CHANGED", "ID"]
    desk.screen.table(headings, rows, below=[below(one, now) for one in told])
    if more:
        desk.screen.say("and older ones")


def _about_deliveries(desk: Desk, told: list, now) -> list:
    found = advice.steps(desk, told)
    for one in told:
        if one.get("status") == "failed":
            when = short(one.get("nextAttemptAt"), now)
            found.append(f"delivery {short_id(one)} failed, and is tried again at {when} by itself")
        elif one.get("status") == "received" and age_of(one, now) > timedelta(minutes=10):
            found.append(
                f"delivery {short_id(one)} came {age(one.get('receivedAt'), now)} and is not applied: "
                f"{desk.stack.make('status')}"
            )
    late_ones = [one for one in told if (lateness(one) or 0) > LATE]
    if late_ones:
        worst = max(late_ones, key=lateness)
        desk.screen.say(
            f"{len(late_ones)} came late, at most by {span(lateness(worst))}: until then the old state was shown."
        )
    return found


def age_of(delivery: dict, now) -> timedelta:
    """How long ago a delivery came."""
    return now - (parse(delivery.get("receivedAt")) or now)


def _compared(desk: Desk, around: Around, event: dict, now) -> list:
    id_ = event.get("connection")
    connection = around.connection(id_) if id_ else None
    desk.screen.say()
    if not connection:
        desk.screen.say("No connection compares it with Calendly: only webhooks tell of it.")
        return []
    begins = parse(event.get("startTime"))
    older = begins is not None and begins < now - LOOKED_BACK
    day = begins.date().isoformat() if older else None
    again = desk.stack.make("sync", CONNECTION=id_, FROM=day)
    if connection.get("status") != "active":
        desk.screen.say(f"It is not compared with Calendly: {id_} needs a new authorization.")
        return [f"{id_} needs a new authorization: {desk.stack.make('status')} says how; then {again}"]
    since = connection.get("comparedAt")
    when = f"{short(since, now)} UTC or up to a day later" if since else "never so far"
    desk.screen.say(f"All of {id_} was compared with Calendly: {when}.")
    if older:
        desk.screen.say("It began more than two days ago, so scheduled syncs look at it no more.")
    desk.screen.say(f"If Calendly shows something else: {again}, then this command again.")
    return around.steps(id_)


def _unreadable(desk: Desk) -> list:
    """Of what can't be read nobody knows whom it is about: it may be this."""
    since = (desk.clock.utc() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    page = desk.api.get(DELIVERIES, **{"status": "unprocessable", "from": since, "limit": SHOWN})
    found = page.get("deliveries") or []
    if not found:
        return []
    count = f"{len(found)}{'+' if page.get('nextCursor') else ''}"
    look = desk.stack.make("deliveries", STATUS="unprocessable")
    what = "delivery" if count == "1" else "deliveries"
    return [f"{count} {what} of the last 24 h can't be read, and may have been about this: {look}"]
