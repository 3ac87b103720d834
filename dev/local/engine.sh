#!/bin/sh
# A container engine for `make sam-local`, where there is none: on Debian, as root.
#
#   dev/local/engine.sh start    starts one, with an image for the functions
#   dev/local/engine.sh status   tells whether it runs
#   dev/local/engine.sh stop     ends it; what it made stays in .local/engine for the next start
#   dev/local/engine.sh remove   ends it and deletes .local/engine
#
# Nothing here is needed where Docker and a network are: the SAM CLI then uses Docker as it is and
# pulls AWS's own image. This is for machines that can install Debian packages but pull no images.
# It starts Docker's daemon by hand, with its data, its socket and its pid under .local/engine and
# without firewall rules, and makes a minimal Debian image to stand in for AWS's. That image may have
# a newer glibc than Amazon Linux 2023: it shows that a function runs under SAM's runtime, not that
# a binary suits Lambda.
set -eu

cd "$(dirname "$0")/../.."
home="$PWD/.local/engine"
socket="$home/docker.sock"
pidfile="$home/dockerd.pid"
export DOCKER_HOST="unix://$socket"

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

running() { [ -S "$socket" ] && docker info >/dev/null 2>&1; }

# sam_local.py hands this name to the SAM CLI when it finds our socket.
image="calendly-serverless/lambda-stand-in:local"

install_packages() {
    missing=""
    command -v dockerd >/dev/null 2>&1 || missing="$missing docker.io"
    command -v debootstrap >/dev/null 2>&1 || missing="$missing debootstrap"
    [ -z "$missing" ] && return
    say "Installing$missing …"
    apt-get update -qq
    # shellcheck disable=SC2086 # several words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
}

start_daemon() {
    if running; then
        say "The engine runs already."
        return
    fi
    if env -u DOCKER_HOST docker info >/dev/null 2>&1; then
        fail "Docker runs on this machine already: make sam-local uses it, and nothing else is needed."
    fi
    mkdir -p "$home"
    rm -f "$pidfile" "$socket"
    dockerd \
        --host "$DOCKER_HOST" \
        --data-root "$home/data" \
        --exec-root "$home/run" \
        --pidfile "$pidfile" \
        --iptables=false --ip6tables=false --ip-masq=false --ip-forward=false \
        >"$home/dockerd.log" 2>&1 &
    tries=0
    until running; do
        tries=$((tries + 1))
        [ "$tries" -le 60 ] || fail "dockerd does not answer: see .local/engine/dockerd.log"
        sleep 0.5
    done
    say "The engine runs (.local/engine)."
}

make_image() {
    docker image inspect "$image" >/dev/null 2>&1 && return
    # The mirror and release that this machine's own packages come from.
    source=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
        awk '$2 !~ /-/ { print; exit }')
    mirror=${source% *}
    release=${source#* }
    [ -n "$mirror" ] || fail "apt knows no Debian mirror: run apt-get update first."
    say "Making a minimal $release image (about half a minute) …"
    tree="$home/tree"
    rm -rf "$tree"
    debootstrap --variant=minbase --include=ca-certificates "$release" "$tree" "$mirror" \
        >"$home/debootstrap.log" 2>&1 || fail "debootstrap failed: see .local/engine/debootstrap.log"
    mkdir -p "$tree/var/task" "$tree/var/runtime"
    tar -C "$tree" -c . | docker import \
        --change 'WORKDIR /var/task' --change 'ENV LAMBDA_TASK_ROOT=/var/task' \
        - "$image" >/dev/null
    rm -rf "$tree"
    say "Made $image."
}

stop() {
    if [ ! -f "$pidfile" ]; then
        say "The engine does not run."
        return
    fi
    pid=$(cat "$pidfile")
    # A pid may have gone to another program since: only ours has this data folder.
    if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "--data-root $home/data"; then
        kill "$pid"
        while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
        ip link delete docker0 2>/dev/null || true
        say "The engine is stopped."
    else
        say "The engine does not run."
    fi
    rm -f "$pidfile" "$socket"
}

case "${1:-}" in
    start)
        [ "$(id -u)" -eq 0 ] || fail "This needs root. Elsewhere, install Docker as its makers describe."
        command -v apt-get >/dev/null 2>&1 || fail "This is for Debian and its relatives. Elsewhere, install Docker as its makers describe."
        [ "${#home}" -le 60 ] || fail "The path of this clone is too long for Unix sockets: clone it higher up."
        install_packages
        start_daemon
        make_image
        say "Now run: make sam-local"
        ;;
    stop) stop ;;
    remove)
        stop
        rm -rf "$home"
        ;;
    status)
        if running; then say "The engine runs."; else say "The engine does not run."; exit 1; fi
        ;;
    *) fail "usage: dev/local/engine.sh start | status | stop | remove" ;;
esac
