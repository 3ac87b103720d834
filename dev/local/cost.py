"""Writes into docs/cost.md what a month costs, from the units in its first table and the prices here.

That table is what a test counts (shared/platform/tests/cost.rs). Metrics and alarms are counted in metrics.json
and template.yaml. All else that is assumed stands below, and on the page. `--check` says whether the page is up
to date.
"""

import json
import os
import re
import sys
from pathlib import Path

import venv
from generated import ROOT, keep
from samples import FUNCTIONS

# Dollars, us-east-1, beyond the free tier.
WRITE_UNIT = 0.625e-6
READ_UNIT = 0.125e-6
TABLE_GB = 0.25
RECOVERY_GB = 0.20
API_REQUEST = 1.00e-6
INVOCATION = 0.20e-6
# On x86_64; on arm64 0.0000133334.
GB_SECOND = 0.0000166667
QUEUE_REQUEST = 0.40e-6
SECRET = 0.40
SECRET_CALL = 0.05e-4
LOG_GB = 0.50
METRIC = 0.30
# For each metric of an alarm.
ALARM = 0.10
COMPOSITE_ALARM = 0.50
DASHBOARD = 3.00
TRACE = 5.00e-6

# Shares of what webhooks tell, by the names in the table.
MIX = {
    "a booking, with a guest": 0.70,
    "its cancellation": 0.15,
    "a move, the canceled half": 0.05,
    "a move, the created half": 0.05,
    "a no-show mark": 0.05,
}
RECEIVED = "received, whatever it tells"
# Webhooks a month: connections that sync, and warm copies of the webhook function.
SIZES = {10_000: (10, 1), 1_000_000: (100, 1), 100_000_000: (1000, 10)}

WEBHOOK_GB_SECONDS = FUNCTIONS["webhook"].memory / 1024 * 0.020
WORKER_GB_SECONDS = FUNCTIONS["worker"].memory / 1024 * 0.060
# One send; one receive and one delete, for batches of one.
QUEUE_CALLS = 3
LOG_BYTES = 3200
DELIVERY_BYTES, DELIVERY_INDEX_BYTES = 1_800, 2_200
BOOKING_BYTES, BOOKING_INDEX_BYTES = 5_000, 4_000
# Of all metrics, those that a stack writes which receives nothing: the ticks', with the states, and few starts.
IDLE_METRICS = {"small": 10, "full": 21}
# Of the states, all but two are not written where little is watched.
STATES_LEFT_OUT = {"small": 11, "full": 0}
SECRETS = 3
# Five pollers of each of two queues, one call in 20 s each.
POLLS = 2 * 5 * 3 * 60 * 24 * 30
# The signing key and the value before it, once a minute in each warm copy.
KEY_CALLS = 2 * 60 * 24 * 30
SYNCS = 4 * 24 * 30
# A sync that finds nothing: three calls to Calendly, each with a read of the token, and one more.
SYNC_SECRET_CALLS = 4
SYNC_WRITE_UNITS = 5
# Events of a connection that are yet to come, and the units to read one in the index by start.
EVENTS, EVENT_READ_UNITS = 50, 0.31
SYNC_GB_SECONDS = 0.50 * 1.5
SYNC_LOG_BYTES = 1200
# What a tick that plans asks of an idle stack: 16 queries each for connections and for what is open; and, every five
# minutes, one that looks (functions/sync: idle_ticks_take_few_calls).
TICK_CALLS, LOOKS, LOOK_CALLS, CALL_UNITS = 33, 12 * 24 * 30, 35, 0.5
LOOK_GB_SECONDS, LOOK_LOG_BYTES = 0.50 * 0.3, 2_500
# A flooded route: a refused request's time and log lines.
FLOOD_SECONDS, FLOOD_LOG_BYTES = 0.020, 2_000
MONTH = 30 * 24 * 3600


def units() -> dict[str, tuple[float, float]]:
    """Read and write units by line of the page's table."""
    page = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| ([^|]+) \| [^|]* \| ([\d.]+) \| [\d.]+ \| [\d.]+ \| ([\d.]+) \|$", page, re.M)
    return {name: (float(read), float(write)) for name, read, write in found}


def sync_read_units(connections: int) -> float:
    """25 months of the index, the events that Calendly listed, and all events of the shard."""
    in_shard = EVENTS * max(1, connections / 16)
    return 25 * 0.5 + EVENTS + in_shard * EVENT_READ_UNITS


def traces(webhooks: int) -> float:
    """Lambda's own sampling: one request a second, and a twentieth of the others."""
    return webhooks if webhooks < MONTH else MONTH + 0.05 * (webhooks - MONTH)


def metrics() -> int:
    """The metrics of ours that a busy stack writes: one for each set of dimensions."""
    listed = json.loads((ROOT / "dev" / "local" / "metrics.json").read_text(encoding="utf-8"))["metrics"]
    return sum(len(FUNCTIONS) if "Function" in one else 1 for metric in listed for one in metric["dimensions"])


def watching(size: str) -> tuple[int, int, int, int]:
    """Alarms, their metrics, composite alarms and dashboards of a stack with Watching=size."""
    import expand
    from samcli.yamlhelper import yaml_parse

    stack = expand.Expanded(yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8")), {"Watching": size})
    alarms = [alarm for _, alarm in stack.of_type("AWS::CloudWatch::Alarm")]
    watched = sum(sum("MetricStat" in one for one in alarm["Metrics"]) if "Metrics" in alarm else 1 for alarm in alarms)
    composite, dashboards = (len(list(stack.of_type(f"AWS::CloudWatch::{kind}"))) for kind in ("CompositeAlarm", "Dashboard"))
    return len(alarms), watched, composite, dashboards


def watching_cost(size: str, written: int) -> float:
    """Dollars a month for what watches a stack that writes so many metrics."""
    _, watched, composite, dashboards = watching(size)
    return written * METRIC + watched * ALARM + composite * COMPOSITE_ALARM + dashboards * DASHBOARD


def flood(rate: int) -> float:
    """Dollars a month for one route that is asked so often a second."""
    requests = rate * MONTH
    memory = FUNCTIONS["api"].memory / 1024
    return requests * (API_REQUEST + INVOCATION + memory * FLOOD_SECONDS * GB_SECOND + FLOOD_LOG_BYTES / 1e9 * LOG_GB)


def month(webhooks: int, connections: int, copies: int) -> dict[str, float]:
    """Dollars by what they are paid for."""
    known = units()
    read = sum(share * known[name][0] for name, share in MIX.items())
    write = known[RECEIVED][1] + sum(share * known[name][1] for name, share in MIX.items())
    syncs = connections * SYNCS
    bookings = MIX["a booking, with a guest"] + MIX["a move, the created half"]
    kept = webhooks * (DELIVERY_BYTES + bookings * BOOKING_BYTES)
    indexed = webhooks * (DELIVERY_INDEX_BYTES + bookings * BOOKING_INDEX_BYTES)
    return {
        "DynamoDB writes": webhooks * write * WRITE_UNIT,
        "DynamoDB reads": webhooks * read * READ_UNIT,
        "DynamoDB storage and recovery": (kept + indexed) / 1e9 * TABLE_GB + kept / 1e9 * RECOVERY_GB,
        "API Gateway": webhooks * API_REQUEST,
        "Lambda, webhook and worker": webhooks * (2 * INVOCATION + (WEBHOOK_GB_SECONDS + WORKER_GB_SECONDS) * GB_SECOND),
        "SQS": (webhooks * QUEUE_CALLS + POLLS) * QUEUE_REQUEST,
        "CloudWatch Logs": webhooks * LOG_BYTES / 1e9 * LOG_GB,
        "metrics, alarms, dashboard": watching_cost("full", metrics()),
        "X-Ray": traces(webhooks) * TRACE,
        "secrets and their calls": (SECRETS + connections) * SECRET
        + (copies * KEY_CALLS + syncs * SYNC_SECRET_CALLS) * SECRET_CALL,
        "syncs": syncs
        * (
            INVOCATION
            + SYNC_GB_SECONDS * GB_SECOND
            + QUEUE_CALLS * QUEUE_REQUEST
            + sync_read_units(connections) * READ_UNIT
            + SYNC_WRITE_UNITS * WRITE_UNIT
            + SYNC_LOG_BYTES / 1e9 * LOG_GB
        )
        + (SYNCS * TICK_CALLS + LOOKS * LOOK_CALLS) * CALL_UNITS * READ_UNIT
        + LOOKS * (INVOCATION + LOOK_GB_SECONDS * GB_SECOND + LOOK_LOG_BYTES / 1e9 * LOG_GB),
    }


def sizes() -> list[str]:
    """What watches a stack, small and full."""
    lines = ["| Watching | alarms, with their metrics | dashboard | dollars, all metrics written | dollars, nothing received |", "|---|---|---|---|---|"]
    for size in ("small", "full"):
        alarms, watched, composite, dashboards = watching(size)
        beside = f" and {composite} composite" if composite else ""
        busy, idle = (watching_cost(size, written) for written in (metrics() - STATES_LEFT_OUT[size], IDLE_METRICS[size]))
        lines.append(f"| {size} | {alarms}, with {watched}{beside} | {dashboards or 'none'} | {busy:.2f} | {idle:.2f} |")
    return lines


def main() -> None:
    bin_dir = venv.ensure("venv-sam", "requirements-sam.txt")
    # Compared unresolved: the interpreter of an environment is a link to the one outside.
    if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
        os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

    months = [month(webhooks, *others) for webhooks, others in SIZES.items()]
    head = " | ".join(f"{webhooks:,} webhooks, {connections:,} connections" for webhooks, (connections, _) in SIZES.items())
    lines = [f"| dollars a month | {head} |", "|---|" + "---|" * len(months)]
    for name in months[0]:
        lines.append(f"| {name} | " + " | ".join(f"{one[name]:,.2f}" for one in months) + " |")
    lines.append("| **all** | " + " | ".join(f"**{sum(one.values()):,.0f}**" for one in months) + " |")
    keep("docs/cost.md", "totals", "\n".join(lines), "dev/local/cost.py")
    keep("docs/cost.md", "watching", "\n".join(sizes()), "dev/local/cost.py")
    rates = ["| `ThrottleRate` | dollars a month |", "|---|---|"]
    rates += [f"| {rate}{note} | {flood(rate):,.0f} |" for rate, note in ((20, " (dev)"), (100, " (default)"), (1000, ""))]
    keep("docs/cost.md", "flood", "\n".join(rates), "dev/local/cost.py")


if __name__ == "__main__":
    main()
