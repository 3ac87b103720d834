"""The sandbox Calendly beside the local stack: a process of its own, with the stack's signing key.

It is started where the program `sandbox` was built. Accounts connect to it by OAuth as to the real
Calendly, and it sends its webhooks to the stack.
"""

import contextlib
import os
import select
import signal
import subprocess
import time
from pathlib import Path


class Sandbox:
    """A running sandbox."""

    def __init__(self, program: Path, keys: dict, log: Path, start_seconds: float = 15):
        env = {
            **{name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ},
            "END_WITH_STDIN": "1",
            "PORT": os.environ.get("SANDBOX_PORT") or "0",
            "SIGNING_KEY": keys["CALENDLY_SIGNING_KEY"],
            "CLIENT_ID": keys["CALENDLY_CLIENT_ID"],
            "CLIENT_SECRET": keys["CALENDLY_CLIENT_SECRET"],
        }
        for name in ("RATE_LIMIT", "TOKEN_RATE_LIMIT", "WEBHOOK_RETRY_SCHEDULE", "DISABLE_AFTER"):
            if os.environ.get(name):
                env[name] = os.environ[name]
        self.log = open(log, "wb")
        self.process = subprocess.Popen(
            [str(program)], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, start_new_session=True,
        )
        try:
            self.url = self._address(start_seconds)
        except BaseException:  # a signal, too: nobody else knows of the process yet
            self.stop()
            raise

    def _address(self, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and self.process.poll() is None:
            if select.select([self.process.stdout], [], [], left)[0]:
                line = self.process.stdout.readline().decode()
                if line.startswith("SANDBOX "):
                    return line.split()[1]
        raise OSError(f"the sandbox did not start; see {self.log.name}")

    def stop(self) -> None:
        """Ends it, and waits for that."""
        self.process.stdin.close()
        self.process.terminate()
        try:
            self.process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process.stdout.close()
        self.log.close()
