"""Runs one function with one sample event, without Docker: `make invoke`.

    make invoke FUNCTION=webhook EVENT=events/webhook/created.json

The binary of target/debug (LOCAL_BIN_DIR names another folder) is started against a Lambda runtime
API of our own, with the tables, queues and secrets of the local stack that `make dev` runs. The
sample is signed again with that stack's key and the present time; --as-is leaves it as it is in the
file. --print only prints the event, and --print-env the variables, for other tools: see
events/README.md.
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

from doors import guard_handler
from samples import (
    FUNCTIONS,
    ROOT,
    aws_environment,
    function_environment,
    how_signed,
    prepare,
    running_stack,
)

API = "/2018-06-01/runtime"


class Runtime:
    """The Lambda runtime API for one invocation."""

    def __init__(self, event: bytes, function: str, seconds: int) -> None:
        self.request_id = str(uuid.uuid4())
        self.outcome: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._event = event
        self._function = function
        self._seconds = seconds
        self._taken = threading.Lock()
        self._over = threading.Event()
        runtime = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path != f"{API}/invocation/next":
                    self._answer(404, b"{}")
                elif runtime._taken.acquire(blocking=False):
                    self._answer(200, runtime._event, runtime._headers())
                else:
                    runtime._over.wait()  # There is no second event; the function is ended.

            def do_POST(self) -> None:
                body = self._body()
                invocation = f"{API}/invocation/{runtime.request_id}"
                kinds = {
                    f"{invocation}/response": "response",
                    f"{invocation}/error": "error",
                    f"{API}/init/error": "init error",
                }
                kind = kinds.get(self.path)
                self._answer(202 if kind else 404, b'{"status":"OK"}')
                if kind:
                    runtime.outcome.put((kind, body))

            def _body(self) -> bytes:
                if self.headers.get("transfer-encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("content-length", 0)))
                parts = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass  # trailers
                return b"".join(parts)

            def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_args) -> None:
                pass  # The function is ended while it waits for its next event.

        self._server = Server(("127.0.0.1", 0), guard_handler(Handler))
        self.address = "{}:{}".format(*self._server.server_address[:2])
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def _headers(self) -> dict[str, str]:
        deadline = int((time.time() + self._seconds) * 1000)
        return {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn":
                f"arn:aws:lambda:us-east-1:123456789012:function:{self._function}",
            "Lambda-Runtime-Trace-Id":
                f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        }


def run(
    function: str, event: dict, environment: dict[str, str], seconds: int, log: IO = sys.stderr
) -> tuple[str, bytes]:
    """Gives the event to the function: "response" or what went wrong, and what it answered."""
    built = Path(os.environ.get("CARGO_TARGET_DIR") or "target") / "debug"
    binary = ROOT / (os.environ.get("LOCAL_BIN_DIR") or built) / function
    if not binary.is_file():
        sys.exit(f"{_shown(binary)} is not there: run `cargo build` first.")
    runtime = Runtime(json.dumps(event, ensure_ascii=False).encode(), function, seconds)
    passed_on = ("PATH", "HOME", "RUST_BACKTRACE", "RUST_LOG", "SSL_CERT_FILE")
    child = subprocess.Popen(
        [binary],
        env={
            **{name: os.environ[name] for name in passed_on if name in os.environ},
            **environment,
            # So that the local AWS holds its calls against its role.
            "AWS_SDK_UA_APP_ID": function,
            "AWS_LAMBDA_RUNTIME_API": runtime.address,
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(FUNCTIONS[function].memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "_HANDLER": "bootstrap",
            "TZ": ":UTC",
        },
        stdin=subprocess.DEVNULL,
        stdout=log,  # Log lines; the answer alone goes to our standard output.
        stderr=log,
    )
    end = time.monotonic() + seconds
    try:
        while True:
            try:
                return runtime.outcome.get(timeout=0.05)
            except queue.Empty:
                pass
            if child.poll() is not None and runtime.outcome.empty():
                return "exit", f"The function ended with code {child.returncode} and no answer.".encode()
            if time.monotonic() > end:
                return "timeout", f"No answer within the function's {seconds} s.".encode()
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(timeout=2)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        runtime.close()


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(ROOT))
    except ValueError:
        return str(path)


def show(answer: bytes) -> None:
    """An HTTP answer as its status, headers and body; anything else as JSON."""
    try:
        value = json.loads(answer)
    except ValueError:
        print(answer.decode(errors="replace"))
        return
    if not (isinstance(value, dict) and "statusCode" in value):
        print(json.dumps(value, indent=2, ensure_ascii=False))
        return
    print(f"HTTP {value['statusCode']}")
    for name, text in sorted((value.get("headers") or {}).items()):
        print(f"{name}: {text}")
    print()
    body = value.get("body") or ""
    try:
        print(json.dumps(json.loads(body), indent=2, ensure_ascii=False))
    except ValueError:
        print(body)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Runs one function with one sample event, against the local stack of `make dev`."
    )
    parser.add_argument("function", choices=sorted(FUNCTIONS))
    parser.add_argument("event", type=Path, nargs="?", help="a file of events/, or one like them")
    parser.add_argument("--as-is", action="store_true", help="don't sign the event again, nor put in the stack's API key")
    parser.add_argument("--print", action="store_true", dest="only_print", help="print the event instead of running the function")
    parser.add_argument("--print-env", action="store_true", help="print the function's variables, KEY=value a line, instead of running it")
    arguments = parser.parse_args()

    if arguments.print_env:
        stack = running_stack()
        for name, value in {**aws_environment(stack), **function_environment(arguments.function, stack)}.items():
            print(f"{name}={value}")
        return
    if arguments.event is None:
        parser.error(f"name an event, for example one of events/{arguments.function}/")
    try:
        event = json.loads(arguments.event.read_text(encoding="utf-8"))
    except OSError as error:
        sys.exit(f"{arguments.event}: {error.strerror}. The samples are in events/{arguments.function}/.")
    except ValueError as error:
        sys.exit(f"{arguments.event} is not JSON: {error}")

    stack = running_stack()
    if not arguments.as_is:
        event = prepare(
            event, how_signed(arguments.event), stack["CALENDLY_SIGNING_KEY"], stack["API_KEY"], int(time.time())
        )
    if arguments.only_print:
        print(json.dumps(event, ensure_ascii=False))
        return

    environment = {**aws_environment(stack), **function_environment(arguments.function, stack)}
    kind, answer = run(arguments.function, event, environment, FUNCTIONS[arguments.function].timeout)
    sys.stderr.flush()
    if kind == "response":
        show(answer)
        return
    print(f"The function failed ({kind}):", file=sys.stderr)
    show(answer)
    sys.exit(1)


if __name__ == "__main__":
    main()
