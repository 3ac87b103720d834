"""Makes events/: a sample for each function and case, from the webhook bodies in fixtures/calendly/.

    python3 dev/local/make_events.py           writes the samples and events/expected.json
    python3 dev/local/make_events.py --check   tells whether they are up to date

events/expected.json lists the samples in an order in which each finds what it needs (webhooks
before the worker before the API), how each is signed, and what its answer must hold.
"""

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path

from event_shapes import delivery_id, fixed_uuid, http_event, sqs_record
from samples import (
    EVENTS,
    ROOT,
    SAMPLE_API_KEY,
    SAMPLE_SIGNING_KEY,
    SAMPLE_TIME,
    SIGNATURE_HEADER,
    TEST_PATH,
    prepare,
)

BODIES = ROOT / "fixtures" / "calendly"

EVENT = "00000001-1111-4222-8333-444455556666"
OLD_EVENT = "00000003-1111-4222-8333-444455556666"
NEW_EVENT = "00000004-1111-4222-8333-444455556666"
UNKNOWN_EVENT = "99999999-1111-4222-8333-444455556666"


class Samples:
    """The files to be, and what is expected of each."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.expected: dict[str, dict] = {}

    def add(self, name: str, event: dict, *, function: str, about: str, **expected) -> None:
        self.files[name] = _text(event)
        self.expected[name] = {"function": function, "about": about, **expected}


# --------------------------------------------------------------------- webhook


def webhook(samples: Samples) -> None:
    def add(
        name: str,
        body: bytes,
        about: str,
        status: int,
        answer: dict,
        *,
        sign: str = "valid",
        path: str = "",
        content_type: str = "application/json",
        as_base64: bool = False,
    ) -> None:
        file = f"webhook/{name}.json"
        route = "POST /v1/webhooks/calendly" + ("/{generation}" if path else "")
        event = http_event(file, "POST", f"/v1/webhooks/calendly{path}", route)
        if path:
            event["pathParameters"] = {"generation": path.lstrip("/")}
        event["headers"]["content-type"] = content_type
        event["headers"]["content-length"] = str(len(body))
        event["headers"]["user-agent"] = "Calendly"
        event["requestContext"]["http"]["userAgent"] = "Calendly"
        event["body"] = base64.b64encode(body).decode() if as_base64 else body.decode()
        event["isBase64Encoded"] = as_base64
        event = prepare(event, sign, SAMPLE_SIGNING_KEY, SAMPLE_API_KEY, SAMPLE_TIME)
        samples.add(
            file, event, function="webhook", about=about, sign=sign, statusCode=status, body=answer
        )

    def accepted(name: str, source: str, about: str, **more) -> None:
        body = _body(source)
        add(name, body, about, 200, {"success": True, "deliveryId": delivery_id(body)}, **more)

    accepted("created", "invitee.created", "a booking")
    accepted("duplicate", "invitee.created", "the same body again")
    samples.expected["webhook/duplicate.json"]["body"]["duplicate"] = True
    accepted("no-show", "invitee_no_show.created", "the invitee didn't come")
    accepted("no-show-deleted", "invitee_no_show.deleted", "the no-show mark taken back")
    accepted("canceled", "invitee.canceled", "canceled by the invitee")
    accepted("canceled-by-host", "invitee.canceled.host-empty-reason", "canceled by the host, no reason given")
    accepted("reschedule-1-canceled", "reschedule.1-invitee.canceled", "a reschedule: its old half")
    accepted("reschedule-2-created", "reschedule.2-invitee.created", "a reschedule: its new half")
    accepted("routing-form", "routing_form_submission.created", "the form that led to the booking")
    accepted("created-group", "invitee.created.group-guests", "one of several invitees, with guests")
    accepted("created-payment", "invitee.created.payment", "a paid booking")
    accepted("created-unicode", "invitee.created.unicode", "emoji, right-to-left text, quotes")
    accepted("base64", "invitee.created.unicode", "the same bytes, Base64 as API Gateway may send them", as_base64=True)
    accepted("generation", "invitee.created.payment", "the path that names a subscription's generation", path="/2")
    accepted("two-signatures", "invitee.created", "two v1 values, of which the second is right", sign="two-values")

    ignored = _body("event_type.updated")
    add("ignored-event", ignored, "signed, but not about a booking", 200,
        {"success": True, "ignored": True, "deliveryId": delivery_id(ignored)})
    broken = _body("invitee.created")[:1000]
    add("unprocessable", broken, "signed, but cut off in the middle", 200,
        {"success": True, "ignored": True, "deliveryId": delivery_id(broken)})

    created = _body("invitee.created")
    refused = {"code": "INVALID_SIGNATURE"}
    add("missing-signature", created, "no signature", 401, refused, sign="missing")
    add("malformed-signature", created, "a signature that is none", 401, refused, sign="malformed")
    add("wrong-signature", created, "signed with another key", 401, refused, sign="wrong")
    stale = {"code": "STALE_SIGNATURE"}
    add("stale-signature", created, "rightly signed, long ago", 401, stale, sign="stale")
    add("future-signature", created, "rightly signed, in the future", 401, stale, sign="future")
    add("wrong-content-type", created, "not JSON by content type", 415,
        {"code": "UNSUPPORTED_MEDIA_TYPE"}, content_type="text/plain")


def webhook_tests(samples: Samples) -> None:
    add = _requests(samples, "webhook")
    test = ("POST", TEST_PATH, f"POST {TEST_PATH}")
    simple = {
        "event": "invitee.created",
        "time": "2026-11-20T09:15:01Z",
        "payload": {
            "event": {"name": "30 Minute Consultation", "startTime": "2026-12-07T15:00:00Z",
                      "endTime": "2026-12-07T15:30:00Z"},
            "invitee": {"name": "Ada Booker", "email": "ada.booker@example.com", "timezone": "America/New_York",
                        "questionsAndAnswers": [{"question": "Company", "answer": "Analytical Engines Ltd"}]},
        },
    }
    full = json.loads(_body("invitee.created.group-guests"))
    done = {"success": True, "event": "invitee.created", "result": {"processed": True, "errors": []}}
    add("test-simple", *test, "a test in the simple form, which names its event and invitee itself", 200, done,
        body={"eventData": simple})
    uri = full["payload"]["uri"].split("/")
    add("test-full", *test, "a test with a body as Calendly sends it", 200,
        {**done, "result": {**done["result"], "deliveryId": delivery_id(_canonical(full)),
                            "eventId": uri[-3], "inviteeId": uri[-1]}},
        body={"eventData": full})
    add("test-without-key", *test, "a test without an API key", 401, {"code": "UNAUTHORIZED"},
        body={"eventData": simple}, key=None)


# ---------------------------------------------------------------------- worker


def worker(samples: Samples) -> None:
    def add(name: str, messages: list[str], about: str, receives: int = 1) -> None:
        file = f"worker/{name}.json"
        records = [sqs_record(f"{file}#{n}", message, receives) for n, message in enumerate(messages)]
        samples.add(file, {"Records": records}, function="worker", about=about,
                    answer={"batchItemFailures": []})

    created = _message("invitee.created", "invitee.created")
    add("created", [created], "one booking")
    add(
        "batch",
        [
            _message("reschedule.2-invitee.created", "invitee.created"),
            _message("reschedule.1-invitee.canceled", "invitee.canceled"),
            _message("invitee_no_show.created", "invitee_no_show.created"),
            _message("routing_form_submission.created", "routing_form_submission.created"),
        ],
        "several at once, the new half of a reschedule before the old one",
    )
    add("redelivered", [created], "a message that SQS gives out for the third time", receives=3)
    add(
        "poison",
        [created, "this is no message of ours", _message("invitee.canceled", "invitee.canceled")],
        "a record that nobody can read, between two good ones: it goes to the DLQ, they are applied",
    )


def _message(source: str, event: str) -> str:
    delivery = delivery_id(_body(source))
    return json.dumps({"deliveryId": delivery, "trackingId": fixed_uuid(source), "event": event})


# ------------------------------------------------------------------------- api


def _requests(samples: Samples, function: str):
    """What adds a request to a function behind the API."""

    def add(
        name: str,
        method: str,
        path: str,
        route: str,
        about: str,
        status: int,
        answer: dict,
        *,
        parameters: dict | None = None,
        query: str = "",
        body: dict | None = None,
        key: str | None = SAMPLE_API_KEY,
        header: str = "authorization",
    ) -> None:
        file = f"{function}/{name}.json"
        event = http_event(file, method, path, route, query)
        if parameters:
            event["pathParameters"] = parameters
        if key is not None:
            event["headers"][header] = f"Bearer {key}" if header == "authorization" else key
        if body is not None:
            event["body"] = json.dumps(body)
            event["headers"]["content-type"] = "application/json"
            event["headers"]["content-length"] = str(len(event["body"]))
        samples.add(file, event, function=function, about=about, statusCode=status, body=answer)

    return add


def api(samples: Samples) -> None:
    add = _requests(samples, "api")
    delivery = delivery_id(_body("invitee.created"))
    unknown_delivery = hashlib.sha256(b"never received").hexdigest()
    event, one, again = "/v1/events/{id}", "/v1/deliveries/{id}", "/v1/deliveries/{id}/replay"

    add("health", "GET", "/v1/health", "GET /v1/health", "anyone may ask", 200, {"status": "ok"}, key=None)
    add("status", "GET", "/v1/status", "GET /v1/status", "whether all is well, and what needs somebody", 200, {})
    add("list-events", "GET", "/v1/events", "GET /v1/events", "bookings of a time", 200,
        {"events": ANY_LIST}, query="from=2026-12-01T00:00:00Z&to=2026-12-31T00:00:00Z&limit=2")
    add("list-events-by-x-api-key", "GET", "/v1/events", "GET /v1/events", "the key in the other header",
        200, {"events": ANY_LIST}, query="limit=1", header="x-api-key")
    add("get-event", "GET", f"/v1/events/{EVENT}", f"GET {event}", "a booking, canceled since", 200,
        {"id": EVENT, "uri": _event_uri(EVENT), "status": "canceled",
         "invitees": [{"status": "canceled", "canceled": True, "rescheduled": False}]},
        parameters={"id": EVENT})
    add("get-rescheduled-event", "GET", f"/v1/events/{OLD_EVENT}", f"GET {event}",
        "the old half of a reschedule: its invitee is rescheduled, not canceled", 200,
        {"id": OLD_EVENT, "invitees": [{"status": "rescheduled", "rescheduledTo": _invitee_uri(NEW_EVENT)}]},
        parameters={"id": OLD_EVENT})
    add("get-event-after-reschedule", "GET", f"/v1/events/{NEW_EVENT}", f"GET {event}",
        "the new half of a reschedule", 200,
        {"id": NEW_EVENT, "status": "active",
         "invitees": [{"status": "active", "rescheduledFrom": _invitee_uri(OLD_EVENT)}]},
        parameters={"id": NEW_EVENT})
    add("get-unknown-event", "GET", f"/v1/events/{UNKNOWN_EVENT}", f"GET {event}", "nobody's booking",
        404, {"code": "NOT_FOUND"}, parameters={"id": UNKNOWN_EVENT})
    add("get-delivery", "GET", f"/v1/deliveries/{delivery}", f"GET {one}", "a webhook as received", 200,
        {"id": delivery, "event": "invitee.created"}, parameters={"id": delivery})
    add("get-unknown-delivery", "GET", f"/v1/deliveries/{unknown_delivery}", f"GET {one}",
        "a webhook that never came", 404, {"code": "NOT_FOUND"}, parameters={"id": unknown_delivery})
    add("replay", "POST", f"/v1/deliveries/{delivery}/replay", f"POST {again}", "process it once more",
        202, {"success": True, "deliveryId": delivery}, parameters={"id": delivery})
    add("list-dead-letters", "GET", "/v1/dead-letters", "GET /v1/dead-letters",
        "what could not be processed", 200, {"deadLetters": ANY_LIST})
    add("redrive-dry-run", "POST", "/v1/dead-letters/redrive", "POST /v1/dead-letters/redrive",
        "what a redrive would send again", 200, {"dryRun": True}, body={"dryRun": True, "limit": 10})
    add("redrive", "POST", "/v1/dead-letters/redrive", "POST /v1/dead-letters/redrive",
        "send one kind of dead letter again", 200, {"dryRun": False},
        body={"event": "invitee.created", "limit": 10})
    add("discard-unknown", "POST", f"/v1/dead-letters/{unknown_delivery}/discard",
        "POST /v1/dead-letters/{id}/discard", "a letter that never came", 404, {"code": "NOT_FOUND"},
        parameters={"id": unknown_delivery}, body={"reason": "nothing can mend it"})
    add("list-connections", "GET", "/v1/connections", "GET /v1/connections", "connected accounts", 200,
        {"connections": ANY_LIST})
    add("start-sync", "POST", "/v1/sync", "POST /v1/sync", "compare everything with Calendly", 202, {})
    add("get-unknown-sync", "GET", "/v1/sync/made-up", "GET /v1/sync/{id}", "a sync that nobody asked for",
        404, {"code": "NOT_FOUND"}, parameters={"id": "made-up"})
    add("unauthorized", "GET", "/v1/events", "GET /v1/events", "no key", 401,
        {"code": "UNAUTHORIZED"}, key=None)
    add("wrong-key", "GET", "/v1/events", "GET /v1/events", "a wrong key", 401,
        {"code": "UNAUTHORIZED"}, key="another-api-key-made-up")
    add("bad-parameter", "GET", "/v1/events", "GET /v1/events", "a limit out of range", 400,
        {"code": "INVALID_PARAMETER"}, query="limit=101")
    add("bad-cursor", "GET", "/v1/events", "GET /v1/events", "a cursor that we never gave", 400,
        {"code": "INVALID_PARAMETER"}, query="cursor=made-up")
    add("unknown-path", "GET", "/v1/nothing-here", "$default", "no such path", 404,
        {"code": "NOT_FOUND"})


# ----------------------------------------------------------------- oauth, sync


def oauth(samples: Samples) -> None:
    add = _requests(samples, "oauth")
    callback = ("GET", "/v1/auth/callback", "GET /v1/auth/callback")
    add("callback-without-state", *callback, "an answer that says nothing", 400,
        {"code": "STATE_MISSING"}, query="code=made-up", key=None)
    add("callback-foreign-state", *callback, "a state that was never given out", 400,
        {"code": "STATE_INVALID"}, query=f"code=made-up&state={'0' * 64}", key=None)
    add("authorize-without-key", "GET", "/v1/auth/authorize", "GET /v1/auth/authorize", "no key", 401,
        {"code": "UNAUTHORIZED"}, key=None)
    add("connect-without-token", "POST", "/v1/connections", "POST /v1/connections",
        "a personal access token is missing", 400, {"code": "INVALID_PARAMETER"}, body={})
    add("disconnect-unknown", "DELETE", "/v1/connections/made-up", "DELETE /v1/connections/{id}",
        "an account that isn't connected", 404, {"code": "NOT_FOUND"}, parameters={"id": "made-up"})


def sync(samples: Samples) -> None:
    samples.add(
        "sync/schedule.json",
        {"version": "0", "id": fixed_uuid("schedule"), "detail-type": "Scheduled Event",
         "source": "aws.scheduler", "account": "123456789012", "time": "2026-11-20T09:15:00Z",
         "region": "us-east-1", "resources": [], "detail": "{}"},
        function="sync", about="the schedule's tick: plans jobs and sweeps the log", answer={},
    )
    samples.add("sync/watch.json", {"watch": True}, function="sync", about="the other schedule's tick: looks whether all is well", answer={})

    def add(name: str, body: str, about: str, failures: list[dict]) -> None:
        file = f"sync/{name}.json"
        samples.add(file, {"Records": [sqs_record(file, body, 1)]}, function="sync", about=about,
                    answer={"batchItemFailures": failures})

    add("job", json.dumps({"connectionId": "MADEUPUSER000001"}), "a connection that is gone since", [])
    add("poison", "this is no job of ours", "a job that nobody can read: it comes back, and ends in the DLQ",
        [{"itemIdentifier": fixed_uuid("sync/poison.json")}])


# In an expected answer: a list, whatever is in it (a stack in use holds more than the samples).
ANY_LIST = "<list>"


# ----------------------------------------------------------------------- parts


def _body(name: str) -> bytes:
    return (BODIES / f"{name}.json").read_bytes()


def _canonical(body: dict) -> bytes:
    """A test's body, as it is kept: no spaces, and names in their order."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _event_uri(event: str) -> str:
    return f"https://api.calendly.com/scheduled_events/{event}"


def _invitee_uri(event: str) -> str:
    invitee = event.replace("-1111-4222-8333-444455556666", "-aaaa-4bbb-8ccc-ddddeeeeffff")
    return f"{_event_uri(event)}/invitees/{invitee}"


def _text(value: dict) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def make() -> dict[str, str]:
    samples = Samples()
    webhook(samples)
    webhook_tests(samples)
    worker(samples)
    oauth(samples)
    sync(samples)
    api(samples)
    _agree_with_vectors(samples)
    return {**samples.files, "expected.json": _text(samples.expected)}


def _agree_with_vectors(samples: Samples) -> None:
    """The signatures made here are those of fixtures/calendly/signature-vectors.json."""
    vectors = json.loads((BODIES / "signature-vectors.json").read_text(encoding="utf-8"))
    known = {vector["header"] for vector in vectors}
    for name in ("created", "canceled", "base64", "no-show", "routing-form", "ignored-event"):
        header = json.loads(samples.files[f"webhook/{name}.json"])["headers"][SIGNATURE_HEADER]
        if header not in known:
            sys.exit(f"The signature of webhook/{name}.json is not one of signature-vectors.json.")


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the sample events in events/.")
    parser.add_argument("--check", action="store_true", help="only tell whether they are up to date")
    check = parser.parse_args().check

    files = make()
    there = {
        path.relative_to(EVENTS).as_posix()
        for folder in ("webhook", "worker", "oauth", "sync", "api")
        for path in (EVENTS / folder).glob("*.json")
    }
    if check:
        wrong = sorted(there - files.keys()) + [
            name for name, text in files.items() if not _is(EVENTS / name, text)
        ]
        if wrong:
            print("Out of date in events/: " + ", ".join(wrong), file=sys.stderr)
            sys.exit("Run `python3 dev/local/make_events.py` and commit what it writes.")
        print(f"events/: {len(files) - 1} samples, up to date.")
        return

    for name in there - files.keys():
        (EVENTS / name).unlink()
    for name, text in files.items():
        path = EVENTS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    print(f"Wrote {len(files) - 1} samples and expected.json to events/.")


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


if __name__ == "__main__":
    main()
