"""The whole stack on this machine: start, deploy, wait until it serves, stop.

What `dev.py`, `demo.py` and `run_with_stack.py` share.
"""

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import deploy
import known_secrets
import sandbox
from samples import FUNCTIONS
from strict import roles
from venv import ROOT

HERE = Path(__file__).resolve().parent
REGION = "us-east-1"


class Trouble(Exception):
    """Something people can do something about; the message says what."""


class Stop(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal: everything is to end."""


def stop_on_signals() -> None:
    """Turns the signals that end a program into `Stop`, so that what was started is stopped."""

    def stop(number, frame):
        raise Stop

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, stop)


def say(text: str) -> None:
    """Progress, for people: apart from what a program may read."""
    print(text, file=sys.stderr, flush=True)


class Stack:
    """One running stack, with its files in `local_dir` and its address on `port` (0: any free one)."""

    def __init__(self, local_dir, port: int):
        self.dir = ROOT / local_dir
        self.port = port
        self.env = {}
        self.lock = self.listener = self.process = self.sandbox = None

    def __enter__(self):
        # Before anything is built: whether it can run here at all.
        try:
            self._claim_folder()
            self._listen()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, programs: dict) -> None:
        """Returns when the stack serves; `env` then holds what dev.env says."""
        began = time.monotonic()
        say("Starting the local AWS …")
        # New at each start, for people and for functions: doors.py lets nobody in without one.
        os.environ["AWS_ACCESS_KEY_ID"], functions_key = (f"LOCAL{secrets.token_hex(16).upper()}" for _ in range(2))
        os.environ["AWS_SECRET_ACCESS_KEY"] = secrets.token_hex(20)
        keys = known_secrets.kept(self.dir)
        self._spawn(functions_key)
        parameters = {"PublicUrl": self.url, "TestEndpoint": "true"}
        if "sandbox" in programs:
            try:
                self.sandbox = sandbox.Sandbox(programs["sandbox"], keys, self.dir / "sandbox.log")
            except OSError as error:
                raise Trouble(str(error)) from None
            parameters["CalendlyApiUrl"] = parameters["CalendlyAuthUrl"] = self.sandbox.url
        self._await("/_ministack/health", "The local AWS did not start")
        say("Deploying template.yaml …")
        try:
            done = deploy.deploy(self.url, programs, parameters)
        except deploy.Failed as error:
            raise Trouble(f"The deployment failed. {error}") from None
        functions = {name: function.logical_id for name, function in FUNCTIONS.items()}
        roles.keep(lambda service: deploy.client(service, self.url), done["resources"], functions, self.dir / "logs")
        self.env = self._describe(done, known_secrets.put(self.url, done["resources"], keys))
        self._await("/v1/health", "The deployed stack did not answer GET /v1/health")
        self._write_env()
        say(f"Up in {time.monotonic() - began:.1f} s.")

    def running(self) -> bool:
        """Whether the local AWS is there."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Ends the local AWS and every function, however far the start has come."""
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it
        if self.listener is not None:
            self.listener.close()
        if self.sandbox is not None:
            self.sandbox.stop()
            self.sandbox = None
        if self.process is not None:
            self._end_process()
        if self.lock is not None:
            (self.dir / "dev.env").unlink(missing_ok=True)
            self.lock.close()
            self.lock = None

    def _end_process(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=8)
        except subprocess.TimeoutExpired:
            pass
        # It is the leader of a process group with all functions in it: what still runs, ends.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    # ------------------------------------------------------------------ steps

    def _claim_folder(self) -> None:
        self.dir.mkdir(parents=True, exist_ok=True)
        lock = open(self.dir / "lock", "w", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise Trouble(
                f"A stack that keeps its files in {self._shown(self.dir)} is running already. "
                "Stop it, or set LOCAL_DIR (and PORT) to start another one beside it."
            ) from None
        self.lock = lock  # the kernel drops it when this process ends, however it ends
        (self.dir / "dev.env").unlink(missing_ok=True)
        for name in ("logs", "tmp") + (() if os.environ.get("KEEP_STATE") else ("state",)):
            shutil.rmtree(self.dir / name, ignore_errors=True)
            (self.dir / name).mkdir(parents=True)

    def _listen(self) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", self.port))
            listener.listen(256)
        except OSError as error:
            listener.close()
            raise Trouble(
                f"Port {self.port} of 127.0.0.1 can't be had ({error.strerror}). "
                f"Stop what uses it, or take another: make dev PORT={self.port + 1}"
            ) from None
        self.listener = listener
        self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def _spawn(self, functions_key: str) -> None:
        keep = os.environ.get("KEEP_STATE")
        env = {
            name: value
            for name, value in os.environ.items()
            if name in ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "RUST_BACKTRACE")
            or name.startswith("AWS_")
        }
        env.update(
            # Whether the emulator checks signatures and roles, too: a second opinion (make test-iam).
            AUTH=os.environ.get("LOCAL_AUTH") or "false",
            AWS_ENDPOINT_URL=self.url,
            BIND_HOST="127.0.0.1",
            GATEWAY_PORT=str(self.port),
            IOT_MTLS_ENABLED="0",
            LOCAL_FUNCTIONS_KEY=functions_key,
            LOCAL_LOG_DIR=str(self.dir / "logs"),
            LOCAL_STACK_NAME=deploy.STACK_NAME,
            LOG_LEVEL=os.environ.get("CLOUD_LOG_LEVEL", "WARNING"),
            MINISTACK_HOST="127.0.0.1",
            MINISTACK_REGION=REGION,
            PERSIST_STATE="1" if keep else "0",
            PYTHONUNBUFFERED="1",
            SFTP_ENABLED="0",
            STATE_DIR=str(self.dir / "state"),
            TMPDIR=str(self.dir / "tmp"),
        )
        with open(self.dir / "cloud.log", "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "cloud.py"), str(self.listener.fileno())],
                cwd=ROOT,
                env=env,
                pass_fds=[self.listener.fileno()],
                start_new_session=True,
                stdin=subprocess.PIPE,  # closes when this process ends, and the cloud with it
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        # The child has its own; a port that this one kept open would swallow connections.
        self.listener.close()

    def _await(self, path: str, otherwise: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        key = os.environ["AWS_ACCESS_KEY_ID"]
        headers = {} if path.startswith("/v1/") else {"authorization": f"AWS4-HMAC-SHA256 Credential={key}/"}
        last = "no answer"
        while self.running() and time.monotonic() < deadline:
            try:
                request = urllib.request.Request(self.url + path, headers=headers)
                with urllib.request.urlopen(request, timeout=15) as answer:
                    if answer.status == 200:
                        return
                    last = f"status {answer.status}"
            except urllib.error.HTTPError as error:
                last = f"status {error.code}: {error.read(300).decode(errors='replace')}"
            except OSError as error:
                last = str(error)
            time.sleep(0.05)
        raise Trouble(
            f"{otherwise} ({last}). See {self._shown(self.dir / 'cloud.log')} "
            f"and {self._shown(self.dir / 'logs')}/.\n{self._tails()}"
        )

    def _describe(self, done: dict, secrets: dict) -> dict:
        env = {
            "BASE_URL": self.url,
            **secrets,
            **({"SANDBOX_URL": self.sandbox.url} if self.sandbox else {}),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,  # version 1 of the AWS CLI reads no other
            "AWS_ACCESS_KEY_ID": os.environ["AWS_ACCESS_KEY_ID"],
            "AWS_SECRET_ACCESS_KEY": os.environ["AWS_SECRET_ACCESS_KEY"],
            "LOG_DIR": str(self.dir / "logs"),
        }
        # The API's generated address isn't one that this machine's resolver knows.
        generated = re.compile(r"^https?://\w+\.execute-api\.[^/]+")
        for name, value in sorted(done["outputs"].items()):
            upper = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()
            env.setdefault(upper, generated.sub(self.url, value))
        return env

    def _write_env(self) -> None:
        fresh = self.dir / "dev.env.new"
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text("".join(f"{name}={value}\n" for name, value in self.env.items()))
        os.replace(fresh, self.dir / "dev.env")

    def _tails(self) -> str:
        tails = []
        for path in [self.dir / "cloud.log", *sorted((self.dir / "logs").glob("*.log"))]:
            lines = path.read_text(errors="replace").splitlines()[-5:]
            tails += [f"  {path.name}: {line[:300]}" for line in lines]
        return "\n".join(tails)

    @staticmethod
    def _shown(path: Path) -> str:
        return os.path.relpath(path, ROOT) if path.is_relative_to(ROOT) else str(path)
