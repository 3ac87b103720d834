import os
from unittest import mock

from bench import OperateCase


class Deliveries(OperateCase):
    def test_a_table_with_whole_ids_and_the_last_error(self):
        id_ = "ab" * 32
        self.stack.delivery(id_, "failed", attempts=3, nextAttemptAt="2027-01-31T09:05:00Z",
                            lastError="the table\nis \x1b[31mnot there")
        done = self.operate("deliveries")
        self.assertEqual(done.code, 0)
        head, row, error = done.out.splitlines()[1:4]
        self.assertEqual(head.split(), ["RECEIVED", "STATUS", "EVENT", "TRIES", "NEXT", "TRY", "ID"])
        self.assertEqual(
            row.split(),
            ["01-31", "08:59:48", "failed", "invitee.created", "3", "01-31", "09:05:00", id_],
        )
        self.assertEqual(error, "    the table is  [31mnot there")

    def test_filters_go_to_the_api_and_pages_are_read_to_the_limit(self):
        for number in range(260):
            self.stack.delivery(f"d{number}", "dead" if number % 2 else "processed")
        done = self.operate("deliveries", STATUS="dead", EVENT="invitee.created", FROM="2027-01-30",
                            LIMIT=120)
        self.assertEqual(self.stack.calls, [
            "GET /v1/deliveries?limit=100&status=dead&event=invitee.created&from=2027-01-30T00%3A00%3A00Z",
            "GET /v1/deliveries?limit=20&cursor=100&status=dead&event=invitee.created"
            "&from=2027-01-30T00%3A00%3A00Z",
        ])
        rows = [line.split()[-1] for line in done.out.splitlines() if line.startswith("01-31")]
        self.assertEqual(rows, [f"d{number}" for number in range(1, 241, 2)])
        self.assertSays(done.out, "120 deliveries", "There are more")

    def test_fifty_without_a_limit(self):
        for number in range(60):
            self.stack.delivery(f"d{number}")
        self.assertIn("50 deliveries", self.operate("deliveries").out)

    def test_nothing(self):
        self.assertIn("The log is empty.", self.operate("deliveries").out)
        self.assertIn("No delivery fits.", self.operate("deliveries", STATUS="dead").out)

    def test_a_variable_that_makes_no_sense_asks_nothing(self):
        for name, value, says in [
            ("STATUS", "ded", "received, processed, failed, dead, ignored, unprocessable"),
            ("LIMIT", "0", "whole number from 1"),
            ("LIMIT", "many", "whole number from 1"),
            ("FROM", "yesterday", "2027-01-31T09:00:00Z"),
            ("TO", "2027-01-31T09:00:00", "2027-01-31T09:00:00Z"),
            ("GIVEN", "STATE LIMIT STAGE", "takes no STATE; its variables: STATUS, EVENT"),
        ]:
            done = self.operate("deliveries", **{name: value})
            self.assertEqual(done.code, 2)
            self.assertIn(says, done.err)
        self.assertEqual(self.stack.calls, [])

    @mock.patch.dict(os.environ, COLUMNS="80")
    def test_a_terminal_is_written_in_colour_and_cut_to_its_width(self):
        self.stack.delivery("d1", "dead", lastError="x" * 500)
        done = self.operate("deliveries", terminal=True)
        self.assertIn("\x1b[31mdead", done.out)
        self.assertTrue(all(len(line) <= 80 for line in done.out.splitlines() if "xxx" in line))
        self.assertIn("x…", done.out)
        self.assertNotIn("\x1b", self.operate("deliveries", terminal=True, NO_COLOR="1").out)
        plain = self.operate("deliveries").out
        self.assertNotIn("\x1b", plain)
        self.assertIn("x" * 500, plain)

    def test_an_older_stack_has_no_such_route(self):
        self.stack.missing_routes = {"deliveries"}
        done = self.operate("deliveries")
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "no route GET /v1/deliveries", "make deploy")
