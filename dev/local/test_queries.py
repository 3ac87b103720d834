"""Tests of log_queries/ and check_queries.py."""

import json
import unittest

from check_queries import ACCESS_LOG, Asked, access_line, finds_nothing, of_docs, of_template, unreadable, wrong_in
from log_queries import Unread, filter_pattern, insights

LINE = {
    "level": "WARN", "message": "webhook not accepted: the log", "attempt": 2, "ok": True, "none": None,
    "record": {"status": "timeout"},
}


class FilterPatterns(unittest.TestCase):
    def matches(self, pattern: str, line=LINE) -> bool:
        return filter_pattern.read(pattern)(json.dumps(line))

    def test_texts(self):
        self.assertTrue(self.matches('{ $.level = "WARN" }'))
        self.assertFalse(self.matches('{ $.level = "warn" }'))
        self.assertTrue(self.matches('{ $.message = "webhook not accepted*" }'))
        self.assertFalse(self.matches('{ $.message = "webhook not accepted" }'))
        self.assertFalse(self.matches('{ $.message = "not accepted*" }'))
        self.assertTrue(self.matches('{ $.record.status != "success" }'))

    def test_numbers_are_no_texts(self):
        self.assertTrue(self.matches("{ $.attempt = 2 }"))
        self.assertTrue(self.matches("{ $.attempt >= 2 }"))
        self.assertFalse(self.matches("{ $.attempt < 2 }"))
        self.assertFalse(self.matches('{ $.attempt = "2" }'))
        self.assertFalse(self.matches("{ $.attempt = 2 }", {"attempt": "2"}))

    def test_what_is_not_there(self):
        self.assertFalse(self.matches('{ $.other != "x" }'))
        self.assertTrue(self.matches("{ $.other NOT EXISTS }"))
        self.assertFalse(self.matches("{ $.level NOT EXISTS }"))
        self.assertTrue(self.matches("{ $.none IS NULL }"))
        self.assertFalse(self.matches("{ $.other IS NULL }"))
        self.assertTrue(self.matches("{ $.ok IS TRUE }"))

    def test_and_binds_more_than_or(self):
        self.assertTrue(self.matches('{ $.level = "WARN" || $.level = "ERROR" && $.attempt = 9 }'))
        self.assertFalse(self.matches('{ ($.level = "WARN" || $.level = "ERROR") && $.attempt = 9 }'))

    def test_lines_that_are_no_json_are_overlooked(self):
        self.assertFalse(filter_pattern.read('{ $.level = "WARN" }')("level = WARN"))

    def test_what_it_does_not_know_it_does_not_read(self):
        for pattern in ('ERROR', '{ $.level = WARN }', '{ $.level ~ "x" }', '{ level = "x" }', '{ $.a = "x" ', '{ $.a = %x% }', '[a, b]'):
            with self.subTest(pattern), self.assertRaises(Unread):
                filter_pattern.read(pattern)


class Insights(unittest.TestCase):
    def setUp(self):
        lines = [
            {"function": "api", "level": "WARN", "ms": 5, "trackingId": "a"},
            {"function": "api", "level": "ERROR", "ms": 50, "trackingId": "b"},
            {"function": "sync", "level": "WARN", "record": {"ms": 7}},
            {"function": "sync", "level": "INFO"},
        ]
        self.lines = [insights.parsed(json.dumps(line), line["function"], at) for at, line in enumerate(lines)]

    def run_(self, query: str) -> list[dict]:
        return insights.read(query).run(self.lines)

    def test_filters(self):
        for test, found in {
            'level = "WARN"': 2, "level = 'WARN' and ms > 4": 1, 'level in ["WARN", "ERROR"]': 3, "ispresent(ms)": 2,
            "not ispresent(ms)": 2, 'level != "INFO"': 3, 'function like "yn"': 2, "record.ms = 7": 1,
            '(level = "INFO" or level = "ERROR") and function = "api"': 1, 'missing = "x"': 0, 'ms = "5"': 0,
        }.items():
            self.assertEqual(len(self.run_(f"fields @timestamp | filter {test}")), found, test)

    def test_sums_by_a_field(self):
        rows = self.run_("filter ispresent(level) | stats count(*) as times, max(ms) as longest, latest(trackingId) as example by function | sort times desc")
        self.assertEqual(rows, [
            {"function": "api", "times": 2, "longest": 50, "example": "b"},
            {"function": "sync", "times": 2, "longest": None, "example": None},
        ])

    def test_order_and_limit(self):
        self.assertEqual([row.get("ms") for row in self.run_("fields ms | sort ms desc")], [50, 5, None, None])
        self.assertEqual([row.get("ms") for row in self.run_("fields ms | sort ms | limit 1")], [5])

    def test_which_fields_a_query_speaks_of(self):
        query = insights.read("fields @timestamp, a | filter b = 1 and ispresent(c) | stats max(d) as e by f | sort e | limit 1")
        self.assertEqual(query.fields, {"a", "b", "c", "d", "f"})

    def test_what_it_does_not_know_it_does_not_read(self):
        for query in ("parse @message '*' as x", "filter a =~ /x/", "stats stddev(a)", "fields a, ", "filter a = b", "fields a | dedup a"):
            with self.subTest(query), self.assertRaises(Unread):
                insights.read(query)


class Gathered(unittest.TestCase):
    page = """\
    aws logs tail /aws/lambda/$STACK-worker --since 1h \\
      --filter-pattern '{ $.level = "ERROR" }'

    fields message | filter trackingId = "…"

Look at the routes, in the access log:

    stats count(*) as requests by route
"""

    def test_of_a_page(self):
        pattern, query, access = of_docs("page.md", self.page)
        self.assertEqual(pattern, Asked("page.md", '{ $.level = "ERROR" }', ("worker",), True))
        self.assertFalse(query.is_pattern)
        self.assertEqual((len(query.groups), access.groups), (5, (ACCESS_LOG,)))

    def test_a_query_in_another_shape_is_told(self):
        for page in ("`--filter-pattern \"{ $.a = 1 }\"`", "Ask `fields a | filter b = 1`."):
            with self.subTest(page), self.assertRaises(Unread):
                of_docs("page.md", page)

    def test_of_a_template(self):
        template = {"Resources": {
            "Q": {"Type": "AWS::Logs::QueryDefinition", "Properties": {"QueryString": "fields a", "LogGroupNames": [{"Ref": "ApiLogGroup"}]}},
            "D": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": {"Fn::Sub": [
                '{"query": "SOURCE \'${WorkerLogGroup}\' | filter a = \\"x\\""}', {}]}}},
        }}
        self.assertEqual([(one.text, one.groups) for one in of_template(template)], [
            ("fields a", ("api",)), ("SOURCE '${WorkerLogGroup}' | filter a = \"x\"", ("worker",)),
        ])

    def test_the_access_log_is_as_the_template_formats_it(self):
        template = {"Resources": {"HttpApi": {"Properties": {"AccessLogSettings": {
            "Format": '{"status":"$context.status","why":"$context.error.message"}'}}}}}
        self.assertEqual(json.loads(access_line(template)), {"status": "503", "why": "x"})


class Checked(unittest.TestCase):
    lines = {
        "worker": [json.dumps({"level": "INFO", "message": "done", "trackingId": "t"})],
        "api": [json.dumps({"level": "WARN", "trackingId": "t"}), json.dumps({"level": "INFO", "trackingId": "u"})],
        ACCESS_LOG: [],
    }

    def ask(self, text: str, *groups: str) -> str | None:
        return finds_nothing(Asked("x", text, groups or ("worker", "api"), text.startswith("{")), self.lines)

    def test_a_query_must_find_something(self):
        self.assertIsNone(self.ask('{ $.message = "done" }', "worker"))
        self.assertIsNotNone(self.ask('{ $.message = "done" }', "api"))
        self.assertIsNone(self.ask('filter level = "WARN"'))
        self.assertIsNotNone(self.ask('filter level = "WARN"', "worker"))

    def test_and_name_no_field_that_no_line_has(self):
        self.assertIn("durationMs", self.ask("fields level, durationMs"))

    def test_a_place_for_a_tracking_id_takes_that_of_the_longest_way(self):
        self.assertIsNone(self.ask('fields message | filter trackingId = "…" | sort @timestamp'))

    def test_what_is_seldom_is_allowed_and_must_be_asked_for(self):
        asked = [Asked("x", '{ $.message = "panic" }', ("worker",), True)]
        seldom = {'{ $.message = "panic" }': "a reason"}
        code = 'tracing::error!(place, "panic")'
        self.assertEqual(len(wrong_in(asked, self.lines, {}, code)), 1)
        self.assertEqual(wrong_in(asked, self.lines, seldom, code), [])
        self.assertEqual(len(wrong_in([], self.lines, seldom, code)), 1)
        # And the code must have its text still.
        self.assertEqual(len(wrong_in(asked, self.lines, seldom, 'tracing::error!(place, "panicked")')), 1)

    def test_what_can_not_be_read_is_told(self):
        asked = [Asked("x", "fields a | dedup a", ("api",), False), Asked("x", "{ $.a = b }", ("api",), True)]
        self.assertEqual(len(unreadable(asked)), 2)


if __name__ == "__main__":
    unittest.main()
