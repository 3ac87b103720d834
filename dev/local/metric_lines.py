"""Reads the metric lines (embedded metric format) of a local run, and sums them up as CloudWatch would."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Metrics:
    """What a run measured: for each metric and its dimensions, values with their times (seconds)."""

    points: dict[tuple, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, line: str) -> bool:
        """Takes one log line; says whether it was a metric line."""
        if '"_aws"' not in line:
            return False
        try:
            entry = json.loads(line)
            at = entry["_aws"]["Timestamp"] / 1000
            directives = entry["_aws"]["CloudWatchMetrics"]
        except (ValueError, KeyError, TypeError):
            return False
        for directive in directives:
            for names in directive["Dimensions"]:
                dimensions = {name: entry[name] for name in names}
                for metric in directive["Metrics"]:
                    values = entry[metric["Name"]]
                    series = self.points.setdefault(_key(directive["Namespace"], metric["Name"], dimensions), [])
                    series += [(at, float(value)) for value in (values if isinstance(values, list) else [values])]
        return True

    def span(self) -> tuple[float, float] | None:
        """The times of the first value and of the last."""
        times = [at for series in self.points.values() for at, _ in series]
        return (min(times), max(times)) if times else None

    def stacks(self) -> list[str]:
        """The stacks that lines are of."""
        return sorted({dict(dimensions).get("Stack", "") for _, _, dimensions in self.points} - {""})

    def series(
        self, namespace: str, name: str, dimensions: dict[str, str], stat: str, start: float, period: float
    ) -> dict[int, float]:
        """Period number → statistic, for the periods that have values."""
        periods: dict[int, list[float]] = {}
        for at, value in self.points.get(_key(namespace, name, dimensions), ()):
            periods.setdefault(int((at - start) // period), []).append(value)
        return {number: statistic(stat, values) for number, values in sorted(periods.items())}


def _key(namespace: str, name: str, dimensions: dict[str, str]) -> tuple:
    return namespace, name, tuple(sorted(dimensions.items()))


def statistic(stat: str, values: list[float]) -> float:
    """A statistic by CloudWatch's name for it: Sum, Average, Minimum, Maximum, SampleCount, p50, p99.9."""
    if stat.startswith("p"):
        ordered = sorted(values)
        return ordered[max(0, math.ceil(float(stat[1:]) / 100 * len(ordered)) - 1)]
    return {
        "Sum": sum,
        "Average": lambda all_of_them: sum(all_of_them) / len(all_of_them),
        "Minimum": min,
        "Maximum": max,
        "SampleCount": len,
    }[stat](values)


def read(files: Iterable[Path]) -> Metrics:
    """The metric lines of log files; other lines are passed over."""
    metrics = Metrics()
    for path in files:
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                metrics.add(line)
    return metrics
