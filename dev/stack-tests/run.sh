#!/usr/bin/env bash
# The tests of the running stack: first those that can share it, then one by one those that change
# its configuration, and last the one that reads the logs of all that went before.
set -euo pipefail
cargo test -p stack-tests --lib
cargo test -p stack-tests --test stack -- --skip alone_
cargo test -p stack-tests --test stack -- --test-threads 1 --skip alone_logs alone_
cargo test -p stack-tests --test stack -- --test-threads 1 alone_logs
