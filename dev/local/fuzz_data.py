"""What fuzz_api.py puts into a stack before it fuzzes it: bookings, deliveries of every kind, connected
accounts with bookings of their own, and dead letters.
"""

import contextlib
import json
import re
import time
import urllib.error
import urllib.request

from bench_sync import Bench, Wrong, call, need
from demo_webhooks import Booking, sign
from venv import ROOT

WEBHOOKS = "/v1/webhooks/calendly"
SETTLED = ("processed", "dead", "ignored", "unprocessable")
# The bookings can't be reached, and there is little patience.
FAULT = {"BOOKINGS_TABLE": "no-such-table", "RETRY_SCHEDULE": "0,0,0,0,0"}
ACCOUNTS = ("Ana Account", "Ben Account", "Cleo Account")
# Lists that have more than one page.
LISTS = ("/v1/events", "/v1/deliveries", "/v1/dead-letters", "/v1/connections")
SECONDS = 60


class Filler:
    """The conversation with one running stack, whose environment this process has."""

    def __init__(self):
        self.bench = Bench(SECONDS)
        self.signing_key = need("CALENDLY_SIGNING_KEY")

    def fill(self) -> dict:
        """Puts everything in; answers the ids that are there now, by kind."""
        bodies = _fixtures()
        deliveries = [self.send(body) for body in bodies]
        deliveries += [self.send(b"signed, but no JSON"), self.send(b'{"event":"another.thing"}')]
        accounts = [self.bench.connect(name) for name in ACCOUNTS]
        for account in accounts:
            self.bench.book(account, 3)
            self.bench.sync(account)
        for delivery in deliveries:
            self.until(delivery, SETTLED)
        dead = self.dead(4)
        sync = call("POST", f"{self.bench.base}/v1/sync", {}, self.bench.key)["syncId"]
        events = self.get("/v1/events?limit=100")["events"]
        return {
            "delivery": deliveries + dead,
            "event": [event["id"] for event in events],
            "invitee": [
                [event["id"], invitee["id"]] for event in events for invitee in event["invitees"]
            ],
            "sync": [sync],
            "connection": accounts,
            "subscription": [
                [one["connection"], one["id"]]
                for one in self.get("/v1/webhook-subscriptions")["subscriptions"]
                if one["connection"] in accounts[:-1]  # the last one is there to be disconnected
            ],
            "asset": self.assets(),
            "cursor": {path: self.get(f"{path}?limit=1")["nextCursor"] for path in LISTS},
        }

    def get(self, path: str) -> dict:
        return call("GET", self.bench.base + path, headers=self.bench.key)

    def assets(self) -> list:
        """The files of the docs page."""
        with urllib.request.urlopen(f"{self.bench.base}/v1/docs", timeout=30) as page:
            return re.findall(r'docs/([^"/]+)"', page.read().decode())

    def send(self, body: bytes) -> str:
        """Sends a signed webhook; the delivery's id."""
        headers = {
            "content-type": "application/json",
            "calendly-webhook-signature": sign(body, self.signing_key),
        }
        request = urllib.request.Request(self.bench.base + WEBHOOKS, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)["deliveryId"]
        except urllib.error.HTTPError as error:
            text = error.read(300).decode(errors="replace")
            raise Wrong(f"a webhook was not taken: {error.code} {text}") from None

    def until(self, delivery: str, statuses) -> None:
        """Waits until the delivery stands so."""
        end = time.monotonic() + SECONDS
        while (found := self.get(f"/v1/deliveries/{delivery}"))["status"] not in statuses:
            if time.monotonic() > end:
                raise Wrong(f"delivery {delivery} is {found['status']} after {SECONDS} s")
            time.sleep(0.05)

    def dead(self, count: int) -> list:
        """So many deliveries that died, with their messages in the dead letter queue."""
        with self.worker_with(FAULT):
            ids = [self.send(Booking(days).created_webhook()) for days in range(1, count + 1)]
            for delivery in ids:
                self.until(delivery, ("dead",))
        return ids

    @contextlib.contextmanager
    def worker_with(self, changes: dict):
        """Changes the worker's environment for a while."""
        path = f"/2015-03-31/functions/{need('WORKER_FUNCTION_NAME')}/configuration"
        before = self.bench.aws_call("lambda", "GET", path, None)["Environment"]["Variables"]

        def put(variables: dict) -> None:
            self.bench.aws_call("lambda", "PUT", path, {"Environment": {"Variables": variables}})

        put({**before, **changes})
        try:
            yield
        finally:
            put(before)


def _fixtures() -> list:
    """The bodies of webhooks as Calendly sends them."""
    files = sorted((ROOT / "fixtures/calendly").glob("*.json"))
    bodies = [file.read_bytes() for file in files]
    return [body for body in bodies if "payload" in json.loads(body)]


if __name__ == "__main__":
    print(json.dumps(Filler().fill(), indent=1))
