"""`make demo`: the whole stack on this machine, a few webhooks, and the bookings they make.

A booking is made, moved to another day and canceled, each by signed webhooks
over HTTP; then one webhook comes twice and one is forged. What is shown is
checked too: the demo fails when a booking isn't what it should be.
"""

import runtime_env

runtime_env.enter()

import json
import os
import sys
import time
import urllib.error
import urllib.request

import binaries
import stack
from demo_webhooks import EMAIL, NAME, Booking, sign
from strict import refusals

SECONDS_TO_PROCESS = 20


class Wrong(Exception):
    """The stack did something else than it should."""


class Demo:
    """The conversation with one running stack."""

    def __init__(self, env: dict):
        self.base, self.key = env["BASE_URL"], env["API_KEY"]
        self.signing_key = env["CALENDLY_SIGNING_KEY"]
        self.step = 0

    def play(self) -> None:
        """Sends everything, then shows and checks the bookings."""
        first = Booking(days=7)
        print(f"\n{'STEP':<25}{'WEBHOOK':<18}{'HTTP':<6}{'ANSWER':<34}TRACKING ID")

        made = first.created_webhook()
        self.send("booked", made)
        self.expect(first, event="active", invitee="active")

        second = Booking(days=9, replaces=first)
        self.send("rescheduled, old half", first.canceled_webhook(replaced_by=second))
        self.send("rescheduled, new half", second.created_webhook())
        self.expect(first, event="canceled", invitee="rescheduled", to=second)
        self.expect(second, event="active", invitee="active", origin=first)

        self.send("canceled", second.canceled_webhook())
        self.send("the first one again", made, duplicate=True)
        self.send("a forged one", Booking(days=3).created_webhook(), forged=True)

        rows = [
            self.expect(first, event="canceled", invitee="rescheduled", to=second),
            self.expect(second, event="canceled", invitee="canceled", origin=first),
        ]
        _show_bookings(rows)

    # ---------------------------------------------------------------- webhooks

    def send(self, what: str, body: bytes, duplicate=False, forged=False) -> None:
        """Sends one webhook, shows the answer, and waits until the delivery is processed."""
        self.step += 1
        key = "not the key" if forged else self.signing_key
        status, answer = self.request(
            "POST", "/v1/webhooks/calendly", body,
            {"content-type": "application/json", "calendly-webhook-signature": sign(body, key)},
        )
        text = answer.get("message") or answer.get("code") or ""
        if answer.get("duplicate"):
            text = "Known already (duplicate: true)"
        event = json.loads(body)["event"]
        print(f"{self.step}. {what:<22}{event:<18}{status:<6}{text[:33]:<34}"
              f"{answer.get('trackingId', '-')}", flush=True)
        wanted = 401 if forged else 200
        if status != wanted:
            raise Wrong(f"step {self.step} got HTTP {status} instead of {wanted}: {answer}")
        if bool(answer.get("duplicate")) != duplicate:
            raise Wrong(f"step {self.step} should{'' if duplicate else ' not'} be a duplicate")
        if not forged:
            self.processed(answer["deliveryId"])

    def processed(self, delivery: str) -> None:
        """Waits until the delivery's webhook is applied."""
        self.until(delivery, "processed")

    def until(self, delivery: str, wanted: str) -> dict:
        """Waits until a delivery is in a state, and answers it."""
        deadline = time.monotonic() + SECONDS_TO_PROCESS
        seen = "unknown"
        while time.monotonic() < deadline:
            status, answer = self.request("GET", f"/v1/deliveries/{delivery}")
            seen = answer.get("status", f"HTTP {status}")
            if seen == wanted:
                return answer
            if seen in ("dead", "ignored", "unprocessable"):
                break
            time.sleep(0.05)
        raise Wrong(f"delivery {delivery} is {seen}, not {wanted}: {answer.get('lastError')}")

    # ---------------------------------------------------------------- bookings

    def expect(self, booking, event: str, invitee: str, to=None, origin=None) -> dict:
        """Reads a booking, compares it with what it should be, and answers it."""
        status, found = self.request("GET", f"/v1/events/{booking.event_id}")
        if status != 200:
            raise Wrong(f"GET /v1/events/{booking.event_id} answers {status}: {found}")
        people = found.get("invitees") or [{}]
        person = people[0]
        differences = [
            f"{name} is {is_!r} instead of {should!r}"
            for name, is_, should in [
                ("number of invitees", len(people), 1),
                ("event status", found.get("status"), event),
                ("start", (found.get("startTime") or "")[:16], booking.start.isoformat()[:16]),
                ("invitee", person.get("uri"), booking.invitee),
                ("name", person.get("name"), NAME),
                ("e-mail", person.get("email"), EMAIL),
                ("invitee status", person.get("status"), invitee),
                ("rescheduledTo", person.get("rescheduledTo"), to.invitee if to else None),
                ("rescheduledFrom", person.get("rescheduledFrom"),
                 origin.invitee if origin else None),
            ]
            if is_ != should
        ]
        if differences:
            raise Wrong(f"event {booking.event_id}: " + "; ".join(differences))
        return found

    def request(self, method: str, path: str, body=None, headers=None):
        """One HTTP request; answers the status and the JSON."""
        request = urllib.request.Request(
            self.base + path, data=body, method=method,
            headers=headers or {"authorization": f"Bearer {self.key}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                return error.code, json.loads(text)
            except ValueError:
                return error.code, {"message": text.decode(errors="replace")[:200]}


def _show_bookings(rows: list) -> None:
    def last(uri):
        return uri.rsplit("/", 1)[-1][:8] if uri else "-"

    print(f"\n{'EVENT':<37}{'EVENT IS':<10}{'START':<17}{'INVITEE':<25}{'INVITEE IS':<12}FROM → TO")
    for row in rows:
        person = row["invitees"][0]
        links = f"{last(person['rescheduledFrom'])} → {last(person['rescheduledTo'])}"
        invitee = f"{person['name']} ({last(person['uri'])})"
        print(f"{row['id']:<37}{row['status']:<10}{row['startTime'][:16].replace('T', ' '):<17}"
              f"{invitee:<25}{person['status']:<12}{links}")
    print("\nFROM → TO: the invitee that this one replaces → the one that replaces it. Times in UTC.")


def main() -> int:
    stack.stop_on_signals()
    began = time.monotonic()
    try:
        folder = os.environ.get("LOCAL_DIR") or ".local/demo"
        with stack.Stack(folder, int(os.environ.get("PORT") or 0)) as running:
            running.start(binaries.programs())
            Demo(running.env).play()
            for fault in refusals.faults(running.env["LOG_DIR"]):
                raise Wrong(fault)
            print(f"All as it should be, after {time.monotonic() - began:.0f} s. "
                  "`make dev` starts the same and stays.", flush=True)
        return 0
    except Wrong as error:
        print(f"\nerror: {error}\nThe functions' log lines are in {folder}/logs/.", file=sys.stderr)
    except (stack.Trouble, binaries.Missing) as error:
        print(f"error: {error}", file=sys.stderr)
    except stack.Stop:
        stack.say("Stopped.")
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
