"""For the tests: a stack that answers over HTTP as the real one does, and keeps state.

Only what the commands use. Each id in `fates` says what the delivery is at each look after it was
queued again; the last stays.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "the-operators-key"
NOT_FOUND = (404, {"error": "no such thing", "code": "NOT_FOUND", "trackingId": "t-404"})
NO_ROUTE = (404, {"error": "no such route; the README lists what there is", "code": "NOT_FOUND"})


class StandIn:
    """One stack, on a port of its own, until `close`."""

    def __init__(self):
        self.keys = {KEY: {"read", "operate", "admin"}}
        self.connections, self.subscriptions, self.subscription_errors = [], [], []
        self.deliveries, self.letters, self.fates = {}, [], {}
        # Events by id; their histories; and, by address, which events somebody is in.
        self.events, self.histories, self.activity = {}, {}, {}
        self.sync_looks, self.missing_routes = [], set()
        self.status = {
            "well": True, "reasons": [], "notSeen": ["what AWS alone tells"],
            "lookedAt": [
                {"name": "webhooks", "state": "ok", "detail": "the last accepted one came 11 s ago"},
                {"name": "dead letters", "state": "ok", "detail": "0"},
            ],
        }
        # Answers given before any other, each once: (path's beginning, status, headers, body).
        self.interruptions = []
        # Most letters that one redrive sends back, whatever it is asked for.
        self.redrive_round = 1000
        # What a redrive says beside the usual.
        self.redrive_extra = {}
        self.calls, self.bodies = [], []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Ends it."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def delivery(self, id_: str, status: str = "processed", **more) -> dict:
        """Puts a delivery into the log; a dead one into the queue, too."""
        one = {
            "id": id_, "trackingId": f"t-{id_}", "provider": "calendly", "event": "invitee.created",
            "status": status, "receivedAt": "2027-01-31T08:59:48.123456Z", "processedAt": None,
            "attempts": 1, "nextAttemptAt": None, "lastError": None, "changes": [], "errorKind": None,
            "retryable": True, "discarded": None, "occurredAt": None, "eventUri": None, "inviteeUri": None,
            **more,
        }
        self.deliveries[id_] = one
        if status == "dead":
            self.letters.append(id_)
        return one

    # ----------------------------------------------------------------- answers

    def answer(self, method: str, path: str, query: dict, body: dict) -> tuple:
        parts = [unquote(part) for part in path.strip("/").split("/")[1:]]
        if "/".join(parts[:1]) in self.missing_routes:
            return NO_ROUTE
        match (method, *parts):
            case ("GET", "status"):
                return 200, self._status()
            case ("GET", "connections"):
                return self._list("connections", self.connections, query)
            case ("GET", "webhook-subscriptions"):
                subscriptions = {"subscriptions": self.subscriptions, "nextCursor": None}
                return 200, {**subscriptions, "errors": self.subscription_errors}
            case ("GET", "dead-letters"):
                dead = [one for one in self.deliveries.values() if one["status"] == "dead"]
                return self._list("deadLetters", dead, query, messagesInQueue=len(self.letters))
            case ("GET", "deliveries"):
                fits = [
                    one for one in self.deliveries.values()
                    if all(query.get(name) in (None, one[name]) for name in ("status", "event"))
                    and (query.get("from") or "") <= one["receivedAt"]
                    and one["id"].startswith(query.get("idPrefix") or "")
                    and str(one["eventUri"]).endswith(query.get("eventId") or "")
                ]
                return self._list("deliveries", fits, query)
            case ("GET", "deliveries", id_):
                return self._look(id_)
            case ("POST", "deliveries", id_, "replay"):
                if id_ not in self.deliveries:
                    return NOT_FOUND
                self.deliveries[id_]["status"] = "received"
                return 202, {"success": True, "deliveryId": id_, "status": "received"}
            case ("GET", "events", id_):
                return (200, self.events[id_]) if id_ in self.events else NOT_FOUND
            case ("GET", "events", id_, "history"):
                return 200, {"history": self.histories.get(id_) or [], "nextCursor": None}
            case ("GET", "contacts", email, "activity"):
                found = [self.events[id_] for id_ in self.activity.get(email) or []]
                return self._list("events", found, query)
            case ("POST", "dead-letters", id_, "discard"):
                return self._discard(id_, body)
            case ("POST", "dead-letters", "redrive"):
                return self._redrive(body)
            case ("POST", "sync"):
                return 202, {"syncId": "sync-1"}
            case ("GET", "sync", "sync-1"):
                looks = self.sync_looks
                return 200, {"syncId": "sync-1", **(looks.pop(0) if len(looks) > 1 else looks[0])}
            case ("GET", "sync", _):
                return NOT_FOUND
        return NO_ROUTE

    def _status(self) -> dict:
        dead = [id_ for id_, one in self.deliveries.items() if one["status"] == "dead"]
        reason = {
            "code": "DEAD_LETTERS", "severity": "today", "message": f"{len(dead)} deliveries were given up",
            "since": None, "count": len(dead), "about": dead[:10], "section": "dead-letters",
            "next": "mend the cause; then `make redrive DRY_RUN=1`, and without DRY_RUN",
        }
        if not dead:
            return self.status
        return {**self.status, "well": False, "reasons": [*self.status["reasons"], reason]}

    def _list(self, name: str, items: list, query: dict, **more) -> tuple:
        limit, start = int(query.get("limit", 20)), int(query.get("cursor", 0))
        if not 1 <= limit <= 100:
            return 400, {"error": "limit: must be from 1 to 100", "code": "INVALID_PARAMETER"}
        end = start + limit
        after = str(end) if end < len(items) else None
        return 200, {name: items[start:end], "nextCursor": after, **more}

    def _look(self, id_: str) -> tuple:
        if id_ not in self.deliveries:
            return NOT_FOUND
        one, fate = self.deliveries[id_], self.fates.get(id_) or []
        if one["status"] in ("received", "failed") and fate:
            one.update(fate.pop(0) if len(fate) > 1 else fate[0])
            if one["status"] == "dead":
                self.letters.append(id_)
        return 200, one

    def _discard(self, id_: str, body: dict) -> tuple:
        one = self.deliveries.get(id_)
        if one is None:
            return NOT_FOUND
        if one["status"] == "dead":
            one["discarded"] = {"by": "on-call", "reason": body["reason"], "at": "2027-01-31T09:00:00Z"}
            one["status"] = "discarded"
        if one["status"] != "discarded":
            return 409, {"error": f"this delivery is {one['status']}", "code": "NOT_DEAD"}
        return 200, one

    def _redrive(self, body: dict) -> tuple:
        away = [
            id_ for id_ in self.letters
            if self.deliveries[id_]["status"] == "discarded" and body.get("deliveryId") in (None, id_)
        ]
        if not body["dryRun"]:
            self.letters = [id_ for id_ in self.letters if id_ not in away]
        wanted = [
            id_ for id_ in self.letters
            if id_ not in away and body.get("deliveryId") in (None, id_)
            and body.get("event") in (None, self.deliveries[id_]["event"])
        ]
        matched = wanted[: min(body["limit"], self.redrive_round)]
        if not body["dryRun"]:
            for id_ in matched:
                self.letters.remove(id_)
                self.deliveries[id_]["status"] = "received"
        return 200, {
            "dryRun": body["dryRun"], "matched": len(matched), "left": len(self.letters),
            "redriven": 0 if body["dryRun"] else len(matched), "unreadable": 0, "notInLog": 0,
            "notRetryable": sum(not self.deliveries[id_]["retryable"] for id_ in matched),
            "erased": 0, "discarded": len(away),
            "complete": len(matched) == len(wanted), "deliveryIds": matched, **self.redrive_extra,
        }

    def _checked(self, method: str, target: str, key: str, raw: bytes) -> tuple:
        parts = urlsplit(target)
        body = json.loads(raw) if raw else {}
        self.calls.append(f"{method} {target}")
        self.bodies.append(body)
        for index, (beginning, status, headers, answer) in enumerate(self.interruptions):
            if parts.path.startswith(beginning):
                del self.interruptions[index]
                return status, answer, headers
        if parts.path == "/v1/health":
            return 200, {"status": "ok", "version": "1.2.3"}, {}
        if key not in self.keys:
            return 401, {"error": "this API key is not known", "code": "UNAUTHORIZED"}, {}
        scope = "read" if method == "GET" else "operate"
        if scope not in self.keys[key]:
            return 403, {"error": "not with this key", "code": "FORBIDDEN"}, {}
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return *self.answer(method, parts.path, query, body), {}

    def _handler(stand_in):
        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                raw = self.rfile.read(int(self.headers.get("content-length") or 0))
                key = (self.headers.get("authorization") or "").removeprefix("Bearer ")
                status, body, headers = stand_in._checked(self.command, self.path, key, raw)
                text = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"content-length": len(text), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        return Handler
