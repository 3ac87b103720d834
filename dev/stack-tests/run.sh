#!/usr/bin/env bash
# The tests of the running stack: first those that can share it, then one by one those that change
# its configuration, and last those that read the logs of all that went before. All of them run,
# also after a failure.
set -uo pipefail
failed=0
tests() {
  # As a part of the workspace: on its own it would build the dependencies again, with other features.
  cargo test --workspace --test stack -- "$@" || failed=1
}
# They mostly wait for the stack, so there may be more of them than processors. Those of the doors write
# their requests by hand, with no true signature: nothing for `make test-iam`.
tests --test-threads 6 --skip alone_ ${LOCAL_AUTH:+--skip doors::}
tests --test-threads 1 --skip alone_trail --skip alone_logs alone_
tests --test-threads 1 alone_trail
tests --test-threads 1 alone_logs
# Each metric that the dashboard and the alarms may name has been written by one of them.
python3 "$(dirname "$0")/../local/check_run.py" "$LOG_DIR" || failed=1
# AWS would have refused nothing, and each grant of a role was needed.
python3 "$(dirname "$0")/../local/check_calls.py" "$LOG_DIR" || failed=1
# Every query of the docs and the template finds what it is for.
python3 "$(dirname "$0")/../local/check_queries.py" "$LOG_DIR" || failed=1
exit "$failed"
