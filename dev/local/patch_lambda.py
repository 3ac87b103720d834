"""What the emulator's Lambda needs to be quick, and as strict as AWS about the environment.

Each patch replaces one small thing of ministack 1.5.33, and says why.
"""

import os
import re
import socketserver
import threading
import time
from pathlib import Path

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

import doors

# The emulator's own variables must not reach the functions: one that works only because the
# laptop has LOG_LEVEL set would fail on AWS. These few are of the machine, and harmless.
INHERITED = {
    "AWS_ENDPOINT_URL", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "RUST_BACKTRACE",
    "TMPDIR",
}


def apply(log_dir: Path, stack_name: str, credentials, gate) -> None:
    """Call once, before the emulator serves. `credentials` says what a function signs with."""
    _send_at_once()
    _stop_waiting_for_log_lines()
    _write_log_files(log_dir, stack_name)
    _let_invocations_finish()
    _give_only_lambdas_environment(stack_name, credentials, gate)
    _shut_the_runtime_apis_doors()


def _send_at_once() -> None:
    # The Runtime API writes an answer's head and body apart. With Nagle's algorithm the body
    # waits for the other side's delayed acknowledgement: 40 ms, twice an invocation.
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def _stop_waiting_for_log_lines() -> None:
    # After each invocation the emulator waits up to 50 ms for log lines. Two are enough on a
    # pipe; a line that comes later goes to the log group with the next invocation, and into
    # the log file in any case.
    wait = lambda_runtime.Worker._drain_stderr_bounded

    def brief(self, first_line_wait=0.002, idle_confirm=0.001, hard_cap=0.020):
        return wait(self, min(first_line_wait, 0.002), idle_confirm, hard_cap)

    lambda_runtime.Worker._drain_stderr_bounded = brief


def _write_log_files(log_dir: Path, stack_name: str) -> None:
    # One file a function holds every line it ever wrote, also those that a crash or a stop
    # would keep out of the log group.
    log_dir.mkdir(parents=True, exist_ok=True)
    lock = threading.Lock()
    files = {}
    pump = lambda_runtime.ProvidedWorker._pump_output

    def file_for(function):
        with lock:
            if function not in files:
                path = log_dir / f"{short_name(function, stack_name)}.log"
                files[function] = open(path, "ab", buffering=0)
            return files[function]

    class Tee:
        """The pipe as the emulator reads it, each line copied on the way (one write, one line)."""

        def __init__(self, pipe, out):
            self.pipe, self.out = pipe, out

        def readline(self):
            line = self.pipe.readline()
            if line:
                self.out.write(line if line.endswith(b"\n") else line + b"\n")
            return line

        def close(self):
            self.pipe.close()

    def pump_and_copy(self, stream, log_queue):
        pump(self, Tee(stream, file_for(self.func_name)), log_queue)

    lambda_runtime.ProvidedWorker._pump_output = pump_and_copy


def short_name(function: str, stack_name: str) -> str:
    """`calendly-local-WebhookFunction-1A2B3C` is webhook; a name that people gave stays."""
    generated = re.fullmatch(re.escape(stack_name) + r"-(\w+?)(?:Function)?-[A-Z0-9]+", function)
    return generated.group(1).lower() if generated else function


def _let_invocations_finish() -> None:
    # When a function's configuration changes, the emulator kills its processes in the middle of
    # what they do: a batch would be gone until its visibility timeout ends. On AWS, environments
    # that are busy finish first.
    def invalidate(func_name, qualifier=None, account=None, region=None):
        wanted = (account, region, func_name, qualifier)
        with lambda_runtime._lock:
            doomed = [
                worker
                for key in list(lambda_runtime._workers)
                if all(want in (None, part) for want, part in zip(wanted, key.split(":")))
                for worker in lambda_runtime._workers.pop(key)
            ]
        lambda_runtime.kill_workers([worker for worker in doomed if not worker.in_use])
        for worker in doomed:
            if worker.in_use:
                threading.Thread(target=_end_when_free, args=(worker,), daemon=True).start()

    lambda_runtime.invalidate_worker = lambda_svc.invalidate_worker = invalidate


def _end_when_free(worker) -> None:
    deadline = time.monotonic() + float(worker.config.get("Timeout", 30)) + 1
    while worker.in_use and time.monotonic() < deadline:
        time.sleep(0.01)
    lambda_runtime.kill_workers([worker])


def _give_only_lambdas_environment(stack_name: str, credentials, gate) -> None:
    make = lambda_svc._provided_worker_env

    def strict(config, code_dir, port):
        own = (config.get("Environment") or {}).get("Variables") or {}
        env = {
            name: value
            for name, value in make(config, code_dir, port).items()
            if name in own or name in INHERITED or os.environ.get(name) != value
            or name.startswith("AWS_")
        }
        # The emulator's own endpoint would win otherwise; a test points a function elsewhere.
        env.update({name: own[name] for name in own if name.startswith("AWS_ENDPOINT_URL")})
        # Its calls tell whose they are: called.py holds them against its role.
        short = env["AWS_SDK_UA_APP_ID"] = short_name(config["FunctionName"], stack_name)
        env.update(credentials(lambda_runtime.execution_credentials(config)))
        gate.starts(config, short)
        logging = config.get("LoggingConfig") or {}
        env["TZ"] = ":UTC"
        env["AWS_LAMBDA_INITIALIZATION_TYPE"] = "on-demand"
        env["AWS_LAMBDA_LOG_FORMAT"] = logging.get("LogFormat") or "Text"
        if logging.get("ApplicationLogLevel"):
            env["AWS_LAMBDA_LOG_LEVEL"] = logging["ApplicationLogLevel"]
        env["AWS_LAMBDA_LOG_GROUP_NAME"] = (
            logging.get("LogGroup") or f"/aws/lambda/{config.get('FunctionName')}"
        )
        return env

    lambda_svc._provided_worker_env = strict


def _shut_the_runtime_apis_doors() -> None:
    # Each function's runtime API is a server on a port of its own, which web pages reach, too.
    build = lambda_runtime.ProvidedWorker._build_handler_class

    def guarded(self, *args):
        return doors.guard_handler(build(self, *args))

    lambda_runtime.ProvidedWorker._build_handler_class = guarded
