"""`make dev`: the whole stack on this machine, until Ctrl-C.

PORT moves it (0: any free port), RETRY_SCHEDULE=1,1,2,2,3 (seconds) shortens
the retries, PARAM_<Name> sets any other parameter of template.yaml, LOCAL_DIR
keeps the files of a second stack apart, KEEP_STATE=1 goes on with the data of
the last run, LOCAL_BIN_DIR takes programs that are built already.
"""

import runtime_env

runtime_env.enter()

import json
import os
import sys
import time
import urllib.request

import binaries
import stack
from strict import refusals

DEFAULT_PORT = "8787"


def main() -> int:
    stack.stop_on_signals()
    try:
        port = int(os.environ.get("PORT") or DEFAULT_PORT)
    except ValueError:
        return _fail("PORT must be a number; 0 takes any free one.")
    up = False
    try:
        with stack.Stack(os.environ.get("LOCAL_DIR") or ".local", port) as running:
            running.start(binaries.programs())
            up = True
            _tell(running)
            known = 0
            while running.running():
                time.sleep(0.2)
                faults = refusals.faults(running.env["LOG_DIR"])
                for fault in faults[known:]:
                    stack.say(f"error: {fault}")
                known = len(faults)
            return _fail("The local AWS has ended by itself; see cloud.log.")
    except (stack.Trouble, binaries.Missing) as error:
        return _fail(str(error))
    except stack.Stop:
        stack.say("\nStopped.")
        return 0 if up else 130


def _tell(running) -> None:
    env = running.env
    print(f"READY {env['BASE_URL']}", flush=True)
    files = running._shown(running.dir)
    print(
        f"""
  curl {env['BASE_URL']}/v1/health
  . {files}/dev.env && curl -H "Authorization: Bearer $API_KEY" $BASE_URL/v1/events

  {files}/dev.env   addresses, names and keys, one KEY=value a line
  {files}/logs/     what each function writes: tail -f {files}/logs/*.log
  Webhooks go to {env.get('WEBHOOK_URL', env['BASE_URL'])}; `make demo` sends some to a stack of its own.{_calendly(env)}
  Ctrl-C stops all of it.
""",
        flush=True,
    )


def _calendly(env: dict) -> str:
    """How to book at the sandbox Calendly, where that runs."""
    if "SANDBOX_URL" not in env:
        return ""
    request = urllib.request.Request(
        f"{env['BASE_URL']}/v1/auth/authorize", headers={"x-api-key": env["API_KEY"]}
    )
    with urllib.request.urlopen(request, timeout=15) as answer:
        start = json.load(answer)["startUrl"]
    return f"""

  A sandbox Calendly is at {env['SANDBOX_URL']}/ : book, move and cancel there by click.
  Connect its account to this stack first, in a browser:
  {start}
"""


def _fail(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
