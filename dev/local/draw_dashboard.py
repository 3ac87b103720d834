"""Draws the dashboard of template.yaml from the metric lines of a local run, as a picture (SVG).

    python3 dev/local/draw_dashboard.py                     .local/logs to docs/dashboard.svg
    python3 dev/local/draw_dashboard.py LOGS PICTURE        any other folder of *.log, and file

It shows what CloudWatch would: the same widgets, at their places, with the same statistics. Metrics of AWS
itself don't exist locally, and say so.
"""

import json
import os
import re
import sys
import textwrap
from pathlib import Path
from xml.sax.saxutils import escape

import venv
from metric_lines import Metrics, read

COLUMN, ROW, GAP = 60, 40, 5
# CloudWatch's own colours for the first lines of a graph.
COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
ONLY_ON_AWS = "only on AWS"
MOST_PERIODS = 48
PERIODS = (1, 5, 10, 30, 60, 300, 900, 3600)


class Drawing:
    """The picture, line by line."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def text(self, x: float, y: float, text: str, size: int = 11, colour: str = "#16191f", **more: str) -> None:
        attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"{attributes}>{escape(text)}</text>')

    def box(self, x: float, y: float, width: float, height: float, fill: str, stroke: str = "none") -> None:
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}" stroke="{stroke}"/>')

    def line(self, points: list[tuple[float, float]], colour: str, width: float = 1.5) -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')

    def dot(self, x: float, y: float, colour: str) -> None:
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{colour}"/>')

    def svg(self, width: float, height: float) -> str:
        body = "\n".join(self.parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'font-family="Helvetica, Arial, sans-serif">\n<rect width="100%" height="100%" fill="#f2f3f3"/>\n{body}\n</svg>\n'
        )


class Dashboard:
    """The dashboard's widgets, drawn with one run's metrics."""

    def __init__(self, widgets: list[dict], alarms: dict[str, str], metrics: Metrics) -> None:
        self.widgets, self.alarms, self.metrics = widgets, alarms, metrics
        first, last = metrics.span() or (0.0, 0.0)
        self.period = next((one for one in PERIODS if (last - first) / one < MOST_PERIODS), PERIODS[-1])
        self.start = first // self.period * self.period
        self.periods = int((last - self.start) // self.period) + 1
        self.out = Drawing()

    def draw(self) -> str:
        for widget in self.widgets:
            x, y = widget["x"] * COLUMN + GAP, widget["y"] * ROW + GAP
            width, height = widget["width"] * COLUMN - 2 * GAP, widget["height"] * ROW - 2 * GAP
            properties = widget["properties"]
            if widget["type"] != "text" or widget["height"] > 1:
                self.out.box(x, y, width, height, "#ffffff", "#d5dbdb")
            if "title" in properties:
                self.out.text(x + 10, y + 19, properties["title"], 13, font_weight="bold")
            {"text": self._text, "alarm": self._alarms, "metric": self._graph, "log": self._log}[widget["type"]](
                properties, x + 10, y + 30, width - 20, height - 38
            )
        lines = max(widget["y"] + widget["height"] for widget in self.widgets)
        return self.out.svg(24 * COLUMN, lines * ROW)

    def _text(self, properties: dict, x: float, y: float, width: float, height: float) -> None:
        # A heading alone has a single row, without the room for a title.
        y -= 24 if height < ROW else 8
        for paragraph in properties["markdown"].split("\n"):
            heading = re.match(r"#+ ", paragraph)
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"[*`]", "", paragraph[heading.end() if heading else 0:]))
            size = 16 if heading else 12
            for line in textwrap.wrap(plain, int(width / (size * 0.52))) or [""]:
                self.out.text(x, y + size, line, size, font_weight="bold" if heading else "normal")
                y += size + (8 if heading else 5 if line else 0)

    def _alarms(self, properties: dict, x: float, y: float, width: float, height: float) -> None:
        self.out.text(x + width, y - 11, f"states: {ONLY_ON_AWS}", 11, "#879596", text_anchor="end")
        across, down = 4, int(height // 21)
        for number, alarm in enumerate(properties["alarms"][: across * down]):
            left, top = x + number // down * (width / across), y + number % down * 21
            self.out.box(left, top, width / across - 6, 17, "#eaeded")
            name = re.sub(r"^\$\{(\w+)\.Arn\}$", lambda found: self.alarms[found[1]], alarm)
            self.out.text(left + 6, top + 12.5, name, 11)

    def _log(self, _properties: dict, x: float, y: float, width: float, height: float) -> None:
        self._nothing(x, y, width, height, ONLY_ON_AWS)

    def _nothing(self, x: float, y: float, width: float, height: float, why: str) -> None:
        self.out.text(x + width / 2, y + height / 2, why, 12, "#879596", text_anchor="middle")

    def _graph(self, properties: dict, x: float, y: float, width: float, height: float) -> None:
        drawn, legend = [], []
        for number, metric in enumerate(properties["metrics"]):
            options = metric[-1] if isinstance(metric[-1], dict) else {}
            colour = COLOURS[number % len(COLOURS)]
            ours = "expression" not in options and not metric[0].startswith("AWS/")
            legend.append((options.get("label", ""), colour if ours else None))
            if ours:
                namespace, name, *pairs = metric[: len(metric) - bool(options)]
                dimensions = dict(zip(pairs[::2], pairs[1::2]))
                stat = options.get("stat", properties["stat"])
                values = self.metrics.series(namespace, name, dimensions, stat, self.start, self.period)
                drawn.append((values, colour))
        bottom = y + height - self._legend(legend, bool(drawn), x, y + height, width)
        if not drawn:
            self._nothing(x, y, width, bottom - y, ONLY_ON_AWS)
        elif not any(values for values, _ in drawn):
            self._nothing(x, y, width, bottom - y, "no data in this run")
        else:
            if properties.get("stacked"):
                drawn = stacked(drawn)
            self._lines(drawn, properties, x, y, width, bottom - 14)

    def _legend(
        self, legend: list[tuple[str, str | None]], mixed: bool, x: float, bottom: float, width: float
    ) -> float:
        lines, left = [[]], 0.0
        for label, colour in legend:
            shown = f"{label} ({ONLY_ON_AWS})" if mixed and not colour else label
            needed = 18 + len(shown) * 5.3
            if left + needed > width and lines[-1]:
                lines.append([])
                left = 0.0
            lines[-1].append((left, shown, colour or "#d5dbdb"))
            left += needed
        for number, line in enumerate(reversed(lines)):
            for left, shown, colour in line:
                self.out.box(x + left, bottom - 8 - number * 14, 8, 8, colour)
                self.out.text(x + left + 12, bottom - number * 14, shown, 10, "#545b64")
        return len(lines) * 14 + 4

    def _lines(self, drawn: list, properties: dict, x: float, y: float, width: float, bottom: float) -> None:
        unit = properties.get("yAxis", {}).get("left", {}).get("label", "")
        top = nice(max(value for values, _ in drawn for value in values.values()))
        left, right = x + 44, x + width - 4
        for part in (0, 0.5, 1):
            level = bottom - part * (bottom - y)
            self.out.line([(left, level), (right, level)], "#eaeded", 1)
            self.out.text(left - 5, level + 3.5, short(top * part), 10, "#879596", text_anchor="end")
        self.out.text(left, bottom + 12, f"0 s, each point {self.period} s" + (f", {unit}" if unit else ""), 10, "#879596")
        self.out.text(right, bottom + 12, f"{self.periods * self.period} s", 10, "#879596", text_anchor="end")
        for values, colour in drawn:
            points = [
                (left + (number + 0.5) / self.periods * (right - left), bottom - value / top * (bottom - y))
                for number, value in values.items()
            ]
            # CloudWatch joins neighbours, and leaves gaps where there was no data.
            numbers, part = list(values), []
            for index, point in enumerate(points):
                if part and numbers[index] != numbers[index - 1] + 1:
                    self.out.line(part, colour)
                    part = []
                part.append(point)
                self.out.dot(*point, colour)
            if part:
                self.out.line(part, colour)


def stacked(drawn: list) -> list:
    """Each line on top of those before it."""
    below: dict[int, float] = {}
    lines = []
    for values, colour in drawn:
        below = {**below, **{number: below.get(number, 0.0) + value for number, value in values.items()}}
        lines.append(({number: below[number] for number in values}, colour))
    return lines


def nice(most: float) -> float:
    """The upper end of an axis: 1, 2 or 5 times a power of ten, and never 0."""
    power = 1.0
    while power * 10 < most:
        power *= 10
    while most and power > most:
        power /= 10
    return next((power * step for step in (1, 2, 5) if power * step >= most), power * 10)


def short(value: float) -> str:
    """A number for an axis: 1.5k, 20, 0.5."""
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def load(template: dict, stack: str) -> tuple[list[dict], dict[str, str]]:
    """The dashboard's widgets for a stack, and the alarms' names by logical id."""
    (dashboard,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::CloudWatch::Dashboard")
    body = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
    known = {
        "Stage": "dev",
        "AWS::StackName": stack,
        "RunbookUrl": template["Parameters"]["RunbookUrl"]["Default"],
    }
    body = re.sub(r"\$\{([\w:]+)\}", lambda found: known.get(found[1], found[0]), body)
    alarms = {
        logical_id: one["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        for logical_id, one in template["Resources"].items()
        if one["Type"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    }
    return json.loads(body)["widgets"], alarms


def main() -> None:
    bin_dir = venv.ensure("venv-cloud", "requirements-cloud.txt")
    # Compared unresolved: the interpreter of an environment is a link to the one outside.
    if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
        os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])
    from samtranslator.yaml_helper import yaml_parse

    given = [Path(word) for word in sys.argv[1:]]
    logs = given[0] if given else venv.ROOT / (os.environ.get("LOCAL_DIR") or ".local") / "logs"
    picture = given[1] if len(given) > 1 else venv.ROOT / "docs" / "dashboard.svg"
    metrics = read(sorted(logs.glob("*.log")))
    stacks = metrics.stacks()
    if len(stacks) != 1:
        sys.exit(
            f"{logs} holds metric lines of {len(stacks)} stacks; one is needed. "
            "Run `make dev`, send it some webhooks, and name its folder of logs."
        )
    template = yaml_parse((venv.ROOT / "template.yaml").read_text(encoding="utf-8"))
    widgets, alarms = load(template, stacks[0])
    picture.write_text(Dashboard(widgets, alarms, metrics).draw(), encoding="utf-8")
    print(picture)


if __name__ == "__main__":
    main()
