"""Tests of check_run.py."""

import json
import unittest

import check_run
import metric_lines

LISTED = {
    "namespace": "ours",
    "onlyByFaults": ["Faults"],
    "metrics": [
        {"name": "Sent", "unit": "Count", "dimensions": [["Stack"]]},
        {"name": "Faults", "unit": "Count", "dimensions": [["Stack"]]},
        {"name": "Starts", "unit": "Count", "dimensions": [["Stack"], ["Stack", "Function"]]},
    ],
}


def line(namespace: str, name: str, *dimensions: list[str]) -> str:
    directive = {"Namespace": namespace, "Dimensions": dimensions, "Metrics": [{"Name": name, "Unit": "Count"}]}
    values = {"Stack": "dev", "Function": "api", name: 1}
    return json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]}, **values})


class CheckRun(unittest.TestCase):
    def lacking(self, *lines: str) -> list[str]:
        run = metric_lines.Metrics()
        for text in lines:
            self.assertTrue(run.add(text))
        return check_run.missing(LISTED, run)

    def test_a_run_that_wrote_all(self):
        self.assertEqual(self.lacking(line("ours", "Sent", ["Stack"]), line("ours", "Starts", ["Stack"], ["Stack", "Function"])), [])

    def test_what_was_not_written_or_otherwise_is_told(self):
        lacking = self.lacking(line("theirs", "Sent", ["Stack"]), line("ours", "Starts", ["Function", "Stack"]))
        self.assertEqual(lacking, ["Sent by Stack", "Starts by Stack"])


if __name__ == "__main__":
    unittest.main()
