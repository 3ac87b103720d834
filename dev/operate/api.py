"""The stack's HTTP API."""

import http.client
import json
import urllib.error
import urllib.request
from urllib.parse import quote, urlencode, urlsplit

from screen import printable, sentence
from stack import NO_STACK, THIS_MACHINE, Stack
from trouble import Conflict, KeyRefused, NotFound, RouteMissing, ScopeMissing, Trouble, Unreachable

# API Gateway gives up after 30 s by itself.
SECONDS = 35
PAUSES = (1, 2, 4, 8)
LONGEST_PAUSE = 30
# The gateway's own answers to a function that is late or down are among them. Every call here may be
# made twice: what was sent back is not there to be sent again, and a second sync changes nothing.
WORTH_ANOTHER_TRY = (429, 502, 503, 504)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer that sends us elsewhere would take the key there."""

    def redirect_request(self, *_):
        return None


class Api:
    """Calls to one stack; `progress` is told of pauses."""

    def __init__(self, stack: Stack, clock, command: str, progress=lambda text: None):
        self.stack, self.clock, self.command, self.progress = stack, clock, command, progress
        handlers = [_NoRedirect]
        if urlsplit(stack.url).hostname in THIS_MACHINE:
            handlers.append(urllib.request.ProxyHandler({}))
        self.opener = urllib.request.build_opener(*handlers)

    def get(self, path: str, **query) -> dict:
        """Reads a list, or something there is one of."""
        known = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", path + (f"?{urlencode(known)}" if known else ""), None, RouteMissing)

    def get_one(self, path: str, id_: str) -> dict:
        """Reads the one of this id."""
        return self._call("GET", f"{path}/{quote(id_, safe='')}", None, NotFound)

    def get_of(self, path: str, id_: str, what: str, **query) -> dict:
        """Reads something of the one of this id."""
        text = f"?{urlencode(query)}" if query else ""
        return self._call("GET", f"{path}/{quote(id_, safe='')}/{what}{text}", None, NotFound)

    def post(self, path: str, body: dict) -> dict:
        """Has something done; what isn't given is left out."""
        body = {name: value for name, value in body.items() if value is not None}
        return self._call("POST", path, body, RouteMissing)

    def post_one(self, path: str, id_: str, verb: str, body: dict | None = None) -> dict:
        """Has something done to the one of this id."""
        return self._call("POST", f"{path}/{quote(id_, safe='')}/{verb}", body, NotFound)

    def delete_one(self, path: str, id_: str) -> dict:
        """Has the one of this id taken away."""
        return self._call("DELETE", f"{path}/{quote(id_, safe='')}", None, NotFound)

    def pages(self, path: str, name: str, most: int | None = None, page: int = 100, **query):
        """The items of a list, page by page, each with whether more follow; `most` items at most."""
        cursor, count = None, 0
        while True:
            limit = page if most is None else min(page, most - count)
            answer = self.get(path, limit=limit, cursor=cursor, **query)
            items, cursor = answer.get(name) or [], answer.get("nextCursor")
            count += len(items)
            yield items, bool(cursor)
            if not cursor or (most is not None and count >= most):
                return

    def _call(self, method: str, path: str, body, when_missing) -> dict:
        pauses = list(PAUSES)
        while True:
            status, headers, text = self._send(method, path, body)
            if status not in WORTH_ANOTHER_TRY or not pauses:
                return self._read(method, path, status, text, when_missing)
            pause = pauses.pop(0)
            asked = str(headers.get("retry-after") or "")
            if asked.isdigit():
                pause = max(pause, int(asked))
            if pause > LONGEST_PAUSE:
                raise Trouble(f"{self._url(path)} answers {status} and asks for {pause} s: try again then.")
            self.progress(f"HTTP {status}: again in {pause} s …")
            self.clock.pause(pause)

    def _send(self, method: str, path: str, body) -> tuple:
        headers = {
            "accept": "application/json",
            "authorization": f"Bearer {self.stack.key}",
            "user-agent": "calendly-serverless-operate",
        }
        data = None
        if body is not None:
            data, headers["content-type"] = json.dumps(body).encode(), "application/json"
        elif method == "POST":
            data = b""
        try:
            request = urllib.request.Request(self.stack.url + path, data, headers, method=method)
            with self.opener.open(request, timeout=SECONDS) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()
        except ValueError:
            raise Trouble(f"{self.stack.key_source} can't be sent: it has characters no header takes.") from None
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error) -> Unreachable:
        reason = getattr(error, "reason", None) or error
        reason = getattr(reason, "strerror", None) or reason or type(error).__name__
        step = "Check the address and the network."
        if self.stack.local:
            step = NO_STACK.format(command=self.command)
        return Unreachable(f"Nothing answers at {self.stack.url} ({reason}). {step}")

    def _read(self, method: str, path: str, status: int, text: bytes, when_missing) -> dict:
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if 200 <= status < 300:
            if isinstance(answer, dict):
                return answer
            raise Trouble(f"{self._url(path)} answers no JSON object: is it this service's address?")
        answer = answer if isinstance(answer, dict) else {}
        raise self._refused(method, path, status, answer, when_missing)

    def _refused(self, method: str, path: str, status: int, answer: dict, when_missing) -> Trouble:
        said = printable(answer.get("error") or answer.get("message") or "no reason given")
        route = f"{method} {path.partition('?')[0]}"
        if status == 401:
            return KeyRefused(
                f"{self.stack.url} does not know {self.stack.key_source}. Was it rotated, or is it "
                "another stack's? Set API_URL and API_KEY together, or STAGE=… to have the key read."
            )
        if status == 403:
            scope = "read" if method == "GET" else "operate"
            return ScopeMissing(
                f"{self.stack.key_source} may not {route}: it needs the scope {scope} ({said}). Use a key "
                "that has it (API_URL and API_KEY), or add the scope in the secret ApiKeySecretArn."
            )
        # Without a code it is the gateway that speaks, which knows routes only.
        no_route = "code" not in answer or said.startswith("no such route")
        if status == 404 and (when_missing is RouteMissing or no_route):
            return RouteMissing(
                f"This stack has no route {route}: what runs there is older than this command. "
                "Deploy this version (make deploy STAGE=…), or start `make dev` again."
            )
        if status == 404:
            return NotFound(said)
        if status == 409:
            return Conflict(said)
        tracking = answer.get("trackingId")
        where = f" Its log lines carry the tracking id {printable(tracking)}." if tracking else ""
        code = printable(answer.get("code") or "")
        if status in WORTH_ANOTHER_TRY:
            return Trouble(
                f"{route} answers {status} {code} ({said}), {len(PAUSES) + 1} times. "
                f"Try again in some minutes; if it stays, look at the stack's alarms.{where}"
            )
        return Trouble(f"{route} answers {status} {code}: {sentence(said)}{where}")

    def _url(self, path: str) -> str:
        return self.stack.url + path.partition("?")[0]
