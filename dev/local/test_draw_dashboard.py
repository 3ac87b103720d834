"""Tests of metric_lines.py and draw_dashboard.py: python3 -m unittest discover -s dev/local."""

import json
import unittest
import xml.dom.minidom

from draw_dashboard import Dashboard, load, nice, stacked
from metric_lines import Metrics, statistic

NAMESPACE = "calendly-serverless"


def line(at: int, dimensions: dict, sets: list | None = None, **values) -> str:
    """A metric line at a time in seconds."""
    return json.dumps({
        "_aws": {
            "Timestamp": at * 1000,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": sets or [sorted(dimensions)],
                "Metrics": [{"Name": name, "Unit": "Count"} for name in values],
            }],
        },
        **dimensions,
        **values,
    })


def metrics(*lines: str) -> Metrics:
    read = Metrics()
    for one in lines:
        read.add(one)
    return read


def widget(kind: str, properties: dict, x: int = 0) -> dict:
    return {"type": kind, "x": x, "y": 0, "width": 8, "height": 6, "properties": properties}


def graph(*names: str, **more) -> dict:
    series = [[NAMESPACE, name, "Stack", "dev", {"label": f"label of {name}"}] for name in names]
    return {"title": "A graph", "stat": "Sum", "period": 300, "metrics": series, **more}


class MetricLines(unittest.TestCase):
    def test_values_fall_into_periods_and_single_ones_and_lists_are_one_series(self):
        read = metrics(line(100, {"Stack": "dev"}, Lag=[10, 20]), line(104, {"Stack": "dev"}, Lag=5), line(111, {"Stack": "dev"}, Lag=7))
        self.assertEqual(read.series(NAMESPACE, "Lag", {"Stack": "dev"}, "Sum", 100, 5), {0: 35, 2: 7})
        self.assertEqual(read.span(), (100, 111))

    def test_stacks_and_dimensions_are_kept_apart(self):
        both = [["Stack"], ["Stack", "Function"]]
        read = metrics(
            line(1, {"Stack": "dev", "Function": "api"}, both, ColdStarts=1),
            line(1, {"Stack": "dev", "Function": "sync"}, both, ColdStarts=1),
            line(1, {"Stack": "prod"}, ColdStarts=9),
        )
        of = lambda **dimensions: read.series(NAMESPACE, "ColdStarts", dimensions, "Sum", 0, 60)
        self.assertEqual((of(Stack="dev"), of(Stack="dev", Function="api"), of(Stack="prod")), ({0: 2}, {0: 1}, {0: 9}))
        self.assertEqual(read.stacks(), ["dev", "prod"])

    def test_other_lines_are_passed_over(self):
        read = Metrics()
        for text in ("", "no JSON", '{"level":"INFO","message":"_aws"}', '{"_aws": {"Timest', '{"_aws": {"Timestamp": 1}}'):
            self.assertFalse(read.add(text), text)
        self.assertIsNone(read.span())

    def test_statistics(self):
        values = [float(value) for value in range(100, 0, -1)]
        names = ("Sum", "Average", "Minimum", "Maximum", "SampleCount", "p50", "p99", "p100")
        self.assertEqual([statistic(name, values) for name in names], [5050, 50.5, 1, 100, 100, 50, 99, 100])
        self.assertEqual(statistic("p99", [3.0]), 3)
        self.assertEqual(statistic("p99", [1.0, 2.0, 3.0]), 3)


class Drawn(unittest.TestCase):
    def draw(self, widgets: list, read: Metrics) -> str:
        picture = Dashboard(widgets, {"LagAlarm": "lag"}, read).draw()
        xml.dom.minidom.parseString(picture)
        return picture

    def test_a_graph_has_a_line_for_neighbours_and_a_gap_for_what_is_missing(self):
        read = metrics(*(line(at, {"Stack": "dev"}, Received=at) for at in (1, 2, 3, 7, 8)))
        picture = self.draw([widget("metric", graph("Received"))], read)
        lines = [part for part in picture.split("\n") if part.startswith("<polyline") and "#1f77b4" in part]
        self.assertEqual([one.split('"')[1].count(",") for one in lines], [3, 2])
        self.assertIn("label of Received", picture)
        self.assertEqual(picture.count("<circle"), 5)

    def test_what_has_no_lines_says_so(self):
        read = metrics(line(1, {"Stack": "dev"}, Received=1))
        self.assertIn("no data in this run", self.draw([widget("metric", graph("Missing"))], read))
        of_aws = {"title": "Theirs", "stat": "Sum", "period": 300, "metrics": [["AWS/SQS", "Age", "QueueName", "q", {"label": "age"}]]}
        self.assertIn(">only on AWS<", self.draw([widget("metric", of_aws)], read))
        mixed = graph("Received")
        mixed["metrics"] = mixed["metrics"] + of_aws["metrics"]
        picture = self.draw([widget("metric", mixed)], read)
        self.assertIn("age (only on AWS)", picture)
        self.assertNotIn(">only on AWS<", picture)

    def test_texts_and_names_are_escaped_and_alarms_named(self):
        widgets = [widget("text", {"markdown": "# A < B & C"}), widget("alarm", {"title": "Alarms", "alarms": ["${LagAlarm.Arn}"]}, 8)]
        picture = self.draw(widgets, metrics(line(1, {"Stack": "dev"}, Received=1)))
        self.assertIn("A &lt; B &amp; C", picture)
        self.assertIn(">lag<", picture)

    def test_stacked_lines_stand_on_each_other(self):
        self.assertEqual(stacked([({0: 1, 1: 2}, "a"), ({1: 3}, "b"), ({0: 1}, "c")]), [({0: 1, 1: 2}, "a"), ({1: 5}, "b"), ({0: 2}, "c")])

    def test_an_axis_ends_at_a_round_number(self):
        self.assertEqual([nice(most) for most in (0, 0.3, 1, 1.1, 7, 10, 1200)], [1, 0.5, 1, 2, 10, 10, 2000])

    def test_the_template_is_read_for_one_stack(self):
        body = '{"widgets": [{"properties": {"metrics": [["N", "M", "Stack", "${AWS::StackName}"]], "alarms": ["${LagAlarm.Arn}"]}}]}'
        template = {
            "Parameters": {"RunbookUrl": {"Default": "docs/operations.md"}},
            "Resources": {
                "Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": {"Fn::Sub": body}}},
                "LagAlarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": {"Fn::Sub": "${AWS::StackName}-lag"}}},
            },
        }
        (only,), alarms = load(template, "dev")
        self.assertEqual(only["properties"], {"metrics": [["N", "M", "Stack", "dev"]], "alarms": ["${LagAlarm.Arn}"]})
        self.assertEqual(alarms, {"LagAlarm": "lag"})


if __name__ == "__main__":
    unittest.main()
