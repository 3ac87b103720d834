"""One page of a headless Chromium, driven by the DevTools protocol over a pair of pipes.

Chromium reads commands from its file descriptor 3 and writes answers and events to 4
(`--remote-debugging-pipe`), as JSON with a NUL byte after each. So this needs no driver, no package
and no port.
"""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PATIENCE = 30.0
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # What a page asks of another host is seen, and goes nowhere.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--remote-debugging-pipe",
)


class Trouble(Exception):
    """The page or the browser isn't as it should be; the message says what."""


def program() -> str | None:
    """Where Chromium is, if it is there."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextlib.contextmanager
def page(chromium: str, log: Path):
    """A new browser with an empty profile, and its one page; the browser's own words go to `log`."""
    with contextlib.ExitStack() as stack:
        profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        # Out of the way of 3 and 4. The originals stay open until the browser runs, so that nothing
        # that Popen opens gets those numbers.
        spare = [theirs_in, theirs_out]
        spare += [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs_in, theirs_out)]
        stack.callback(os.close, ours_in)

        def as_three_and_four() -> None:
            os.dup2(spare[2], 3)
            os.dup2(spare[3], 4)

        with open(log, "wb") as words:
            process = subprocess.Popen(
                [chromium, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                preexec_fn=as_three_and_four,
                pass_fds=(3, 4),
            )
        for end in spare:
            os.close(end)
        stack.callback(_end, process, ours_out)
        yield Page(ours_in, ours_out, log)


def _end(process: subprocess.Popen, commands: int) -> None:
    # Without anybody to tell it anything, the browser ends.
    os.close(commands)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Page:
    """A page; `events` is what the browser told of it so far."""

    def __init__(self, answers: int, commands: int, log: Path) -> None:
        self._answers, self._commands, self._log = answers, commands, log
        self._read, self._last_id = b"", 0
        self._session: str | None = None
        self.events: list[dict] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params) -> dict:
        """Answers a command's result."""
        self._last_id += 1
        wanted = self._last_id
        command = {"id": wanted, "method": method, "params": params}
        if self._session:
            command["sessionId"] = self._session
        try:
            _write(self._commands, json.dumps(command).encode() + b"\0")
        except BrokenPipeError:
            raise self._gone() from None
        deadline = time.monotonic() + PATIENCE
        while True:
            message = self._message(deadline, method)
            if message.get("id") == wanted:
                if "error" in message:
                    raise Trouble(f"{method}: {message['error']['message']}")
                return message["result"]

    def open(self, url: str) -> None:
        """Loads a page, to the end."""
        seen = len(self.events)
        failed = self.call("Page.navigate", url=url).get("errorText")
        if failed:
            raise Trouble(f"{url} can't be loaded: {failed}")
        deadline = time.monotonic() + PATIENCE
        while not any(event["method"] == "Page.loadEventFired" for event in self.events[seen:]):
            self._message(deadline, f"loading {url}")

    def run(self, script: str):
        """Answers the value of a JavaScript expression, awaited if it is a promise."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            thrown = answer["exceptionDetails"]
            raise Trouble(thrown.get("exception", {}).get("description") or thrown["text"])
        return answer["result"].get("value")

    def until(self, condition: str, what: str):
        """Waits until an expression is true, and answers its value; it is tried at each change."""
        found = self.run(
            f"""new Promise(resolve => {{
                let timer;
                const look = () => {{
                    const found = {condition};
                    if (!found) return false;
                    watch.disconnect();
                    clearTimeout(timer);
                    resolve(found === true || typeof found === "string" ? found : true);
                    return true;
                }};
                const watch = new MutationObserver(look);
                if (look()) return;
                watch.observe(document, {{
                    attributes: true, characterData: true, childList: true, subtree: true,
                }});
                timer = setTimeout(() => {{ watch.disconnect(); resolve(null); }}, {PATIENCE * 500});
            }})"""
        )
        if not found:
            raise Trouble(f"the page doesn't show {what}")
        return found

    def click(self, selector: str, what: str) -> None:
        """Clicks an element as soon as it is there."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.until(found, what)
        self.run(f"{found}.click()")

    def type(self, selector: str, text: str, what: str) -> None:
        """Types into an element as soon as it is there."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.until(found, what)
        self.run(f"{found}.focus()")
        self.call("Input.insertText", text=text)

    def screenshot(self, path: Path) -> None:
        """Writes the whole page, not only what fits on a screen, as a PNG."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _message(self, deadline: float, waiting_for: str) -> dict:
        """The next message; an event is kept, too."""
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._answers], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise Trouble(f"the browser did not answer in {PATIENCE:.0f} s: {waiting_for}")
            chunk = os.read(self._answers, 1 << 20)
            if not chunk:
                raise self._gone()
            self._read += chunk
        raw, self._read = self._read.split(b"\0", 1)
        message = json.loads(raw)
        if "method" in message:
            self.events.append(message)
        return message

    def _gone(self) -> Trouble:
        return Trouble(f"the browser ended by itself; {self._log} has its last words")


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
