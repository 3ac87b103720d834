"""Measures syncs of many events against a stack of its own:

    RATE_LIMIT=10000000 python3 dev/local/run_with_stack.py -- python3 dev/local/bench_sync.py [COUNT …]

For each count of events (100, 1,000 and 10,000) a new account books them all at the sandbox
Calendly, told of by no webhook. The first sync stores them, the second must find nothing to do:
it writes nothing, and asks for no invitees. Then the largest count once more with a function that
may run for 30 s, a limit of 500 calls in 5 s, and some calls answered with 429 all the same.

Prints a table; the exit code is 1 where a sync failed, was not exact, or took too long.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROUTES = {
    "GET /scheduled_events": "lists",
    "GET /scheduled_events/{id}": "single",
    "GET /scheduled_events/{id}/invitees": "invitees",
}
COLUMNS = ("events", "sync", "seconds", "messages", *ROUTES.values(), "other", "429", "changed",
           "stored", "writes")
INJECTED = {"seed": 5, "apiErrors": {"429": 0.005}}
FUNCTION_SECONDS = 30
LIMITS = {"perWindow": 500, "windowSeconds": 5}
MASK = 2**64 - 1


class Wrong(Exception):
    """A sync did not end as it must."""


def need(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        sys.exit(f"{name} is not set: this needs a running stack (see the top of {Path(__file__).name}).")
    return value


def call(method: str, url: str, body=None, headers=None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise Wrong(f"{method} {url}: {error.code} {error.read(300).decode(errors='replace')}") from None
    return json.loads(text) if text else {}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def redirected(url: str) -> str:
    try:
        urllib.request.build_opener(NoRedirect).open(url, timeout=30)
    except urllib.error.HTTPError as error:
        if error.code == 302:
            return error.headers["location"]
        raise
    raise Wrong("the authorization was not granted")


class Bench:
    def __init__(self, limit_seconds: float):
        self.base, self.sandbox = need("BASE_URL"), need("SANDBOX_URL")
        self.aws, self.table = need("AWS_ENDPOINT_URL"), need("BOOKINGS_TABLE")
        self.log = Path(need("LOG_DIR")) / "sync.log"
        self.key = {"x-api-key": need("API_KEY")}
        self.limit_seconds = limit_seconds

    def control(self, method: str, path: str, body=None) -> dict:
        return call(method, f"{self.sandbox}/_sandbox{path}", body)

    def aws_call(self, service: str, method: str, path: str, body, target=None) -> dict:
        # The signature is never checked here, but the key is, and this names the service.
        scope = f"{need('AWS_ACCESS_KEY_ID')}/20000101/us-east-1/{service}/aws4_request"
        signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        headers = {"authorization": signed}
        if target:
            headers.update({"x-amz-target": target, "content-type": "application/x-amz-json-1.0"})
        return call(method, self.aws + path, body, headers)

    def timeout(self, seconds=None) -> int:
        """The sync function's limit, after it was set to this one."""
        path = f"/2015-03-31/functions/{need('SYNC_FUNCTION_NAME')}/configuration"
        if seconds is None:
            return self.aws_call("lambda", "GET", path, None)["Timeout"]
        return self.aws_call("lambda", "PUT", path, {"Timeout": seconds})["Timeout"]

    def connect(self, name: str) -> str:
        """A new account, connected; its id, when its first sync is over."""
        email = f"{re.sub('[^a-z0-9]', '.', name.lower())}@example.com"
        account = self.control("POST", "/accounts", {"name": name, "email": email})["userId"]
        began = call("GET", f"{self.base}/v1/auth/authorize", headers=self.key)["authorizeUrl"]
        call("GET", redirected(f"{began}&auto=approve&user={account}"))
        end = time.monotonic() + 60
        while not any(line.get("outcome") == "Finished" for line in self.lines(account)):
            if time.monotonic() > end:
                raise Wrong("the first sync of a new account is not over after 60 s")
            time.sleep(0.1)
        return account

    def lines(self, account: str) -> list:
        """What the function logged of this connection: a line for each message with an outcome."""
        if not self.log.exists():
            return []
        text = self.log.read_text(errors="replace").splitlines()
        lines = [json.loads(line) for line in text if line.startswith("{") and account in line]
        return [line for line in lines if line.get("outcome") in ("Finished", "GoesOn", "Failed")]

    def book(self, account: str, count: int) -> None:
        """Many events, one after the other, in the year that comes."""
        first = datetime.now(timezone.utc) + timedelta(days=1)
        booking = {"count": count, "host": account, "eventType": "Product Demo",
                   "startTime": first.isoformat(), "stepMinutes": max(5, 400_000 // count)}
        self.control("POST", "/bookings/bulk", booking)

    def stored(self, account: str) -> tuple:
        """How many active events of this account are stored, and a digest of its whole table."""
        count, items, start = 0, [], None
        while True:
            scan = {"TableName": self.table, "ConsistentRead": True}
            if start:
                scan["ExclusiveStartKey"] = start
            page = self.aws_call("dynamodb", "POST", "/", scan, "DynamoDB_20120810.Scan")
            for item in page["Items"]:
                if item["sk"].get("S") == "event" and account in item["record"].get("S", ""):
                    event = json.loads(item["record"]["S"])
                    people = event["roster"].values()
                    known = [one for one in people if one.get("email") and one["status"] == "active"]
                    count += account in event["connections"] and len(known) == 1
                items.append(json.dumps(item, sort_keys=True))
            start = page.get("LastEvaluatedKey")
            if not start:
                digest = {hashlib.sha256(item.encode()).digest() for item in items}
                return count, digest

    def sync(self, account: str) -> dict:
        """One sync from POST to done."""
        before = len(self.lines(account))
        self.control("DELETE", "/calls")
        began = time.monotonic()
        wanted = {"connection": account}
        path = call("POST", f"{self.base}/v1/sync", wanted, self.key)["syncId"]
        while True:
            state = call("GET", f"{self.base}/v1/sync/{path}", headers=self.key)
            took = time.monotonic() - began
            if state["state"] in ("done", "failed"):
                break
            if took > self.limit_seconds:
                raise Wrong(f"not done after {took:.0f} s: {state}")
            time.sleep(0.05 if took < 5 else 0.5)
        if state["state"] != "done" or state["errors"]:
            raise Wrong(f"it ended as {state}")
        time.sleep(0.5)  # its log line may come a little later
        calls = self.control("GET", "/calls")
        by_route = {route: sum(answers.values()) for route, answers in calls["byRoute"].items()}
        row = {name: by_route.pop(route, 0) for route, name in ROUTES.items()}
        messages = len(self.lines(account)) - before
        return {**row, "other": sum(by_route.values()), "429": calls["byStatus"].get("429", 0),
                "seconds": f"{took:.1f}", "messages": messages, "changed": state["changed"],
                "total": state["total"], "calls": calls["total"]}

    def twice(self, count: int, name: str, injected=None) -> list:
        """The first and the second sync of so many events: a row each."""
        account = self.connect(name)
        self.book(account, count)
        before, rows = self.stored(account)[1], []
        for turn in ("first", "second"):
            if injected:
                self.control("PUT", "/faults", injected)
            row = {"events": f"{count:,}", "sync": turn, **self.sync(account)}
            row["stored"], after = self.stored(account)
            row["writes"], before = len(after - before), after
            rows.append(row)
            show(row)
            if injected:
                made = limited(injected, row["calls"])
                if row["429"] != made:
                    raise Wrong(f"{row['429']} calls answered 429, and {made} of them on request")
            if row["stored"] != count or row["total"] != count:
                raise Wrong(f"{row['stored']} stored, {row['total']} seen, and there are {count}")
        if rows[1]["writes"] or rows[1]["changed"] or rows[1]["invitees"]:
            raise Wrong("the second sync found something to do")
        return rows

    def tight(self, count: int) -> None:
        """With little time for the function, and few calls."""
        seconds = self.timeout()
        limits = self.control("GET", "/state?limit=0")["limits"]
        try:
            self.timeout(FUNCTION_SECONDS)
            self.control("PUT", "/limits", LIMITS)
            rows = self.twice(count, "Tina Tight", INJECTED)
        finally:
            self.timeout(seconds)
            self.control("PUT", "/limits", limits)
            self.control("PUT", "/faults", {})
        if rows[0]["messages"] < 2 and count >= 10_000:
            raise Wrong("it was done in one message")


def limited(faults: dict, calls: int) -> int:
    """How many of so many calls the sandbox answers with 429 on request: as its seed has it."""
    kind = 0
    for byte in b"api":
        kind = (kind * 257 + byte) & MASK
    count = 0
    for number in range(1, calls + 1):
        z = faults["seed"] + kind * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03 & MASK
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        z ^= z >> 31
        count += (z >> 32) / 2**32 < faults["apiErrors"]["429"]
    return count


def show(row=None) -> None:
    cells = [str((row or {}).get(name, name)) for name in COLUMNS]
    print("  ".join(f"{cell:>8}" for cell in cells), flush=True)


def main() -> int:
    options = argparse.ArgumentParser(description="Measures syncs of many events.")
    options.add_argument("counts", nargs="*", type=int, default=[100, 1000, 10_000])
    options.add_argument("--limit", type=float, default=600, help="seconds that a sync may take")
    options.add_argument("--tight", type=int, default=10_000, help="events of the run with little time")
    given = options.parse_args()
    bench = Bench(given.limit)
    try:
        show()
        for count in given.counts:
            bench.twice(count, f"Bert Bench {count}")
        if given.tight:
            seconds, (calls, window) = FUNCTION_SECONDS, LIMITS.values()
            print(f"With {seconds} s for the function, {calls} calls in {window} s, and 429s:")
            bench.tight(given.tight)
    except Wrong as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
