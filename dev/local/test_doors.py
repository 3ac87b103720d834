"""Tests of doors.py: what a web page can send gets nowhere, and what the stack's own programs send passes."""

import asyncio
import json
import socket
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree

from doors import Doors, guard_handler

KEY = "LOCAL0123456789ABCDEF"
SIGNED = f"AWS4-HMAC-SHA256 Credential={KEY}/20270101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
HERE = "127.0.0.1:8787"


class DoorsTest(unittest.TestCase):
    def setUp(self):
        self.doors = Doors(8787, {"ANOTHER", KEY})

    def refused(self, for_api=False, host=HERE, **headers) -> bool:
        named = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        raw = [(name.encode(), value.encode()) for name, value in named.items() if value is not None]
        return self.doors.refusal(raw, for_api) is not None

    def test_the_stacks_own_programs_pass(self):
        for host in (HERE, "localhost:8787", "[::1]:8787", "LOCALHOST:8787"):
            self.assertFalse(self.refused(host=host, authorization=SIGNED))
            self.assertFalse(self.refused(for_api=True, host=host))
        # Typed into the address bar, or read by curl.
        self.assertFalse(self.refused(authorization=SIGNED, sec_fetch_site="none"))

    def test_a_page_may_not_talk_to_the_emulator_not_even_with_the_key(self):
        for page in ({"origin": "https://evil.example"}, {"origin": "null"}, {"origin": f"http://{HERE}"},
                     {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}, {"sec_fetch_site": "same-origin"}):
            with self.subTest(page):
                self.assertTrue(self.refused(content_type="text/plain", **page))
                self.assertTrue(self.refused(authorization=SIGNED, **page))

    def test_nobody_gets_in_without_the_key(self):
        for authorization in (None, "", "Bearer x", SIGNED.replace(KEY, "test"), SIGNED.replace(KEY, "000000000000"),
                              SIGNED.replace(KEY, KEY[:-1]), SIGNED.replace(KEY, KEY + "0"),
                              f"AWS4-HMAC-SHA256 SignedHeaders=Credential={KEY}"):
            with self.subTest(authorization):
                self.assertTrue(self.refused(authorization=authorization))

    def test_a_foreign_name_is_refused_everywhere(self):
        for host in ("evil.example", "evil.example:8787", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.evil.example:8787",
                     "bucket.localhost:8787", "host.docker.internal:8787", "172.17.0.1:8787", "", None):
            with self.subTest(host):
                self.assertTrue(self.refused(host=host))
                self.assertTrue(self.refused(for_api=True, host=host))
        self.assertTrue(self.refused(host="evil.example:8787", authorization=SIGNED))

    def test_two_names_are_no_name(self):
        raw = [(b"host", HERE.encode()), (b"host", b"evil.example"), (b"authorization", SIGNED.encode())]
        self.assertIsNotNone(self.doors.refusal(raw, False))

    def test_containers_have_other_names_for_this_machine_and_the_key(self):
        for host in ("host.docker.internal:8787", "172.17.0.1:40000"):
            self.assertFalse(self.refused(host=host, authorization=SIGNED))
        self.assertTrue(self.refused(host="host.docker.internal.evil.example:8787", authorization=SIGNED))

    def test_the_api_answers_pages_as_it_does_on_aws(self):
        self.assertFalse(self.refused(for_api=True, origin="https://console.example.com", sec_fetch_site="cross-site"))

    def test_no_page_is_let_to_read_the_emulators_answers(self):
        async def emulator(scope, receive, send):
            headers = [(b"Access-Control-Allow-Origin", b"*"), (b"access-control-max-age", b"1"), (b"x", b"y")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})

        def answer(for_api):
            sent = []

            async def send(event):
                sent.append(event)

            scope = {"type": "http", "headers": [(b"host", HERE.encode()), (b"authorization", SIGNED.encode())]}
            asyncio.run(self.doors.front(emulator, lambda _: for_api)(scope, None, send))
            return [name for name, _ in sent[0]["headers"]]

        self.assertEqual(answer(for_api=False), [b"x"])
        self.assertEqual(len(answer(for_api=True)), 3)

    def test_a_client_can_read_why(self):
        def answer(kind):
            sent = []

            async def send(event):
                sent.append(event)

            scope = {"type": "http", "headers": [(b"host", HERE.encode()), (b"content-type", kind)]}
            asyncio.run(self.doors.front(None, lambda _: False)(scope, None, send))
            self.assertEqual(sent[0]["status"], 403)
            return sent[1]["body"].decode()

        self.assertIn("dev.env", json.loads(answer(b"application/x-amz-json-1.0"))["message"])
        self.assertIn("dev.env", ElementTree.fromstring(answer(b"application/x-www-form-urlencoded; charset=utf-8")).findtext("Error/Message"))

    def test_there_is_no_second_way_in(self):
        sent = []

        async def send(event):
            sent.append(event)

        scope = {"type": "websocket", "headers": [(b"host", HERE.encode()), (b"authorization", SIGNED.encode())]}
        asyncio.run(self.doors.front(None, lambda _: False)(scope, None, send))
        self.assertEqual(sent[0]["type"], "websocket.close")


class RuntimeApi(unittest.TestCase):
    """A server of the kind that hands a function its events, asked by raw bytes."""

    def setUp(self):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.send_response(202)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), guard_handler(Handler))
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def status(self, *headers: str) -> int:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as wire:
            lines = ["POST /x HTTP/1.1", *headers, "content-length: 0", "connection: close", "", ""]
            wire.sendall("\r\n".join(lines).encode())
            return int(wire.makefile("rb").readline().split()[1])

    def test_only_the_function_is_answered(self):
        here = f"host: 127.0.0.1:{self.port}"
        self.assertEqual(self.status(here), 202)
        self.assertEqual(self.status(here, "origin: https://evil.example"), 403)
        self.assertEqual(self.status(here, "sec-fetch-site: cross-site"), 403)
        self.assertEqual(self.status(f"host: evil.example:{self.port}"), 403)
        self.assertEqual(self.status(), 403)


if __name__ == "__main__":
    unittest.main()
