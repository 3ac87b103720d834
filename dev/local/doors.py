"""Who may talk to what listens on this machine: no web page, and nobody without this stack's access key.

Any web page that a developer has open may send requests to 127.0.0.1, and one whose name is pointed at
127.0.0.1 (DNS rebinding) may read the answers, too. To the emulator that would be running code: it makes
Lambda functions. So outside the HTTP API, what a browser sends for a page is refused, and a request must
carry an access key that is random for each start. A foreign Host is refused everywhere.
"""

import hmac
import json
import re

# What containers call this machine: Docker Desktop's name for it, and addresses of Docker's networks.
# No page has such a name or address, and those who use it must have the key in any case.
CONTAINERS = re.compile(r"(host\.docker\.internal|172\.(1[6-9]|2\d|3[01])\.\d{1,3}\.\d{1,3})(:\d{1,5})?")
CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256\s+(?:.*,\s*)?Credential=([A-Za-z0-9]+)/")


def hosts(port: int) -> set[str]:
    """The names that this machine has for itself."""
    names = ("127.0.0.1", "localhost", "[::1]")
    return {f"{name}:{port}" for name in names} | ({*names} if port == 80 else set())


def from_a_page(headers: dict[str, str]) -> bool:
    """Whether a browser sent it for a web page, whichever: all browsers say so in one of these two."""
    return "origin" in headers or headers.get("sec-fetch-site", "none") != "none"


class Doors:
    """Lets in what belongs to this stack: an ASGI application around both of its sides."""

    def __init__(self, port: int, keys: set[str]):
        self.hosts = hosts(port)
        self.keys = keys

    def refusal(self, raw: list[tuple[bytes, bytes]], for_api: bool) -> str | None:
        """Why a request is not let in, if it isn't."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}
        named = [value.decode("latin-1").lower() for name, value in raw if name.lower() == b"host"]
        signed = self._is_signed(headers)
        if len(named) != 1 or not (named[0] in self.hosts or (signed and CONTAINERS.fullmatch(named[0]))):
            return "This is not the name of the local stack."
        if for_api:
            return None
        if from_a_page(headers):
            return "Web pages may not talk to the local AWS."
        return None if signed else "The local AWS wants its own access key: it is in dev.env, and new at each start."

    def _is_signed(self, headers: dict[str, str]) -> bool:
        found = CREDENTIAL.match(headers.get("authorization", ""))
        return found is not None and any([hmac.compare_digest(found[1], key) for key in list(self.keys)])

    def front(self, application, is_api):
        """The application behind its doors. `is_api` tells the HTTP API's requests."""

        async def guarded(scope, receive, send):
            if scope["type"] == "lifespan":
                await application(scope, receive, send)
                return
            if scope["type"] != "http":
                # A web socket would be a second way in. The stack has none.
                await send({"type": "websocket.close", "code": 1008})
                return
            for_api = is_api(scope)
            why = self.refusal(scope["headers"], for_api)
            if why is not None:
                await _refuse(send, why, dict(scope["headers"]).get(b"content-type", b""))
            else:
                await application(scope, receive, send if for_api else _without_cors(send))

        return guarded


def _without_cors(send):
    """The emulator lets every page read its answers; here none may."""

    async def quieter(event):
        if event["type"] == "http.response.start":
            kept = [(n, v) for n, v in event["headers"] if not n.lower().startswith(b"access-control-")]
            event = {**event, "headers": kept}
        await send(event)

    return quieter


async def _refuse(send, why: str, asked_in: bytes) -> None:
    # In the form that the client reads, so that people see the reason.
    code = "UnrecognizedClientException"
    if asked_in.startswith(b"application/x-www-form-urlencoded"):
        error = f"<Error><Code>{code}</Code><Message>{why}</Message></Error>"
        kind, body = b"text/xml", f"<ErrorResponse>{error}</ErrorResponse>"
    else:
        kind, body = b"application/json", json.dumps({"__type": code, "message": why})
    body = body.encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def guard_handler(handler):
    """A handler of http.server behind the same doors: a function's runtime API, which no page may use."""

    class Guarded(handler):
        def parse_request(self):
            if not super().parse_request():
                return False
            headers = {name.lower(): value for name, value in self.headers.items()}
            if from_a_page(headers) or headers.get("host") not in hosts(self.server.server_address[1]):
                self.send_error(403)
                self.close_connection = True
                return False
            return True

    return Guarded
