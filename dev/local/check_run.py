"""Holds a run against the list of metrics: python3 dev/local/check_run.py LOG_DIR

Every metric that the dashboard or an alarm may name (metrics.json) must have been written by the run whose
logs these are, with the dimensions that they ask for. A metric that nothing writes would leave an alarm
silent for ever, and nobody would see it. But for those that only a fault of the code writes
(`onlyByFaults`): no run should.
"""

import json
import sys
from pathlib import Path

import metric_lines


def missing(listed: dict, run: metric_lines.Metrics) -> list[str]:
    """What is listed and was not written: a line each."""
    seen = {
        (namespace, name, tuple(sorted(key for key, _ in dimensions)))
        for namespace, name, dimensions in run.points
    }
    return [
        f"{metric['name']} by {', '.join(dimensions)}"
        for metric in listed["metrics"]
        if metric["name"] not in listed.get("onlyByFaults", [])
        for dimensions in metric["dimensions"]
        if (listed["namespace"], metric["name"], tuple(sorted(dimensions))) not in seen
    ]


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    listed = json.loads((Path(__file__).resolve().parent / "metrics.json").read_text(encoding="utf-8"))
    logs = sorted(Path(sys.argv[1]).glob("*.log"))
    lacking = missing(listed, metric_lines.read(logs))
    for line in lacking:
        print(f"no test of this run had the code write {line}")
    if not lacking:
        print(f"ok     the run wrote each of the {len(listed['metrics'])} metrics that dashboard and alarms may name")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
