"""Fuzzes the whole stack by its own OpenAPI document, with schemathesis:

    python3 dev/local/run_with_stack.py -- python3 dev/local/fuzz_api.py [--quick] [--seed N]

Bookings, deliveries, accounts and dead letters are put into the stack first, so that requests find
something. Then come the document's examples, the edges of each parameter and body, random requests,
and sequences of requests in which one takes ids from another's answer. Each answer is held against
the document (status, headers, type, form), and each request, too: one that fits is to be taken, one
that doesn't to be refused.

The seed is printed, and makes the same random data again; the ids of what is in the stack are new
each time. MAX_EXAMPLES sets how many random requests each operation gets at a time, MAX_SECONDS for
how long that is repeated; a quick run does it once. Exit code 1 says that an answer was not as it
should be, 2 that it could not be tried.
"""

import argparse
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import venv
from bench_sync import Wrong, need
from fuzz_data import Filler

HERE = Path(__file__).resolve().parent
QUICK_SEED = 20270115
# More than a quick run can need: what takes longer hangs.
QUICK_SECONDS = 300


def main() -> int:
    options = argparse.ArgumentParser(description="Fuzzes the API by its OpenAPI document.")
    options.add_argument("--quick", action="store_true", help="once, with few random requests")
    options.add_argument("--seed", type=int, help="of another run, for its random data")
    given = options.parse_args()
    base = need("BASE_URL")
    tools = venv.ensure("venv-fuzz", "requirements-fuzz.txt")
    try:
        ids = Filler().fill()
    except (OSError, Wrong) as error:
        print(f"error: the stack could not be filled: {error}", file=sys.stderr)
        return 2
    known = venv.STATE / "fuzz_ids.json"
    known.write_text(json.dumps(ids), encoding="utf-8")

    seed = given.seed or (QUICK_SEED if given.quick else random.randrange(1, 2**31))
    examples = os.environ.get("MAX_EXAMPLES") or ("10" if given.quick else "50")
    seconds = os.environ.get("MAX_SECONDS") or "600"
    bounds = [] if given.quick else ["--max-time", seconds]
    command = [
        tools / "schemathesis", "--config-file", HERE / "schemathesis.toml",
        "run", f"{base}/v1/openapi.json", "--url", base, *bounds,
        "--seed", str(seed), "--max-examples", examples, "--generation-database", "none",
    ]
    print(f"Seed {seed}, {examples} random requests an operation", flush=True)
    # It keeps files of its own where it runs.
    env = {**os.environ, "FUZZ_IDS": str(known), "PYTHONPATH": str(HERE)}
    limit = QUICK_SECONDS if given.quick else int(seconds) + QUICK_SECONDS
    try:
        done = subprocess.run(command, env=env, cwd=venv.STATE, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        print(f"error: not done after {limit} s", file=sys.stderr)
        return 2
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
