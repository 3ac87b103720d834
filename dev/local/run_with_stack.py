"""Runs a command against a stack of its own: python3 dev/local/run_with_stack.py -- COMMAND …

The stack gets a free port, short retries and its own folder (.local/test), and
what dev.env holds is in the command's environment. Answers the command's exit
code, after the stack has stopped; or 1 where it was 0, and a function made a
call that AWS would refuse.
"""

import runtime_env

runtime_env.enter()

import os
import subprocess
import sys

import binaries
import stack
from strict import refusals


def main() -> int:
    command = sys.argv[1:]
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    stack.stop_on_signals()
    os.environ.setdefault("RETRY_SCHEDULE", "1,1,2,2,3")
    os.environ.setdefault("PARAM_CorsAllowOrigins", "https://console.example.com")
    port = int(os.environ.get("PORT") or 0)
    child = None
    try:
        with stack.Stack(os.environ.get("LOCAL_DIR") or ".local/test", port) as running:
            running.start(binaries.programs())
            try:
                child = subprocess.Popen(command, env={**os.environ, **running.env})
                code = child.wait()
            finally:
                if child is not None and child.poll() is None:
                    child.terminate()
                    child.wait()
            faults = refusals.faults(running.env["LOG_DIR"])
            for fault in faults:
                print(f"error: {fault}", file=sys.stderr)
            # As a shell says it when a signal ended the command.
            return (code if code >= 0 else 128 - code) or int(bool(faults))
    except (stack.Trouble, binaries.Missing) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except FileNotFoundError:
        print(f"error: there is no command {command[0]}", file=sys.stderr)
        return 127
    except stack.Stop:
        return 130


if __name__ == "__main__":
    sys.exit(main())
