"""The webhooks that the demo sends: bodies as Calendly makes them, and their signature.

People, times and ids are made up afresh for each run, so that a second run is
a second booking and not a repeat of the first.
"""

import hashlib
import hmac
import json
import secrets
import time
import uuid
from datetime import datetime, timedelta, timezone

API = "https://api.calendly.com"
HOST = f"{API}/users/DEMOHOST00000001"
NAME, EMAIL = "Robin Example", "robin.example@example.com"


def sign(body: bytes, key: str) -> str:
    """The value of Calendly-Webhook-Signature for these bytes, now."""
    now = str(int(time.time()))
    digest = hmac.new(key.encode(), now.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={now},v1={digest}"


class Booking:
    """One person's booking of one slot, some days from now; `replaces` is the one it moved from."""

    def __init__(self, days: int, replaces=None):
        self.event_id = str(uuid.uuid4())
        self.event = f"{API}/scheduled_events/{self.event_id}"
        self.invitee = f"{self.event}/invitees/{uuid.uuid4()}"
        self.replaces = replaces.invitee if replaces else None
        self.created = _now()
        day = datetime.now(timezone.utc).replace(hour=14, minute=0, second=0, microsecond=0)
        self.start = day + timedelta(days=days)

    def created_webhook(self) -> bytes:
        """invitee.created"""
        return self._webhook("invitee.created", "active", self.created)

    def canceled_webhook(self, replaced_by=None) -> bytes:
        """invitee.canceled; with `replaced_by` it is the first half of a reschedule."""
        reason = "Need a later slot" if replaced_by else "Something came up"
        return self._webhook("invitee.canceled", "canceled", _now(), reason,
                             rescheduled=replaced_by is not None,
                             new_invitee=replaced_by.invitee if replaced_by else None)

    def _webhook(self, name, status, at, reason=None, **links) -> bytes:
        canceled = {
            "canceled_by": NAME, "canceler_type": "invitee", "created_at": at, "reason": reason,
        }
        scheduled_event = {
            "created_at": self.created,
            "end_time": _time(self.start + timedelta(minutes=30)),
            "event_guests": [],
            "event_memberships": [
                {"user": HOST, "user_email": "sam.host@example.com", "user_name": "Sam Host"}
            ],
            "event_type": f"{API}/event_types/DEMOTYPE00000001",
            "invitees_counter": {"total": 1, "active": int(status == "active"), "limit": 1},
            "location": {"type": "physical", "location": "12 Sample Street"},
            "meeting_notes_html": None,
            "meeting_notes_plain": None,
            "name": "Half an hour to get to know us",
            "start_time": _time(self.start),
            "status": status,
            "updated_at": at,
            "uri": self.event,
        }
        link = self.invitee.rsplit("/", 1)[-1]
        payload = {
            "cancel_url": f"https://calendly.com/cancellations/{link}",
            "created_at": self.created,
            "email": EMAIL,
            "event": self.event,
            "first_name": None,
            "invitee_scheduled_by": None,
            "last_name": None,
            "name": NAME,
            "new_invitee": None,
            "no_show": None,
            "old_invitee": self.replaces,
            "payment": None,
            "questions_and_answers": [
                {"answer": "The demo", "position": 0, "question": "What shall we talk about?"}
            ],
            "reconfirmation": None,
            "reschedule_url": f"https://calendly.com/reschedulings/{link}",
            "rescheduled": False,
            "routing_form_submission": None,
            "scheduled_event": scheduled_event,
            "scheduling_method": None,
            "status": status,
            "text_reminder_number": None,
            "timezone": "Europe/Lisbon",
            "tracking": {
                "utm_campaign": "demo", "utm_source": None, "utm_medium": None,
                "utm_content": secrets.token_hex(4), "utm_term": None, "salesforce_uuid": None,
            },
            "updated_at": at,
            "uri": self.invitee,
            **links,
        }
        if status == "canceled":
            payload["cancellation"] = scheduled_event["cancellation"] = canceled
        webhook = {"created_at": at, "created_by": HOST, "event": name, "payload": payload}
        return json.dumps(webhook, separators=(",", ":"), ensure_ascii=False).encode()


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _now() -> str:
    return _time(datetime.now(timezone.utc))
