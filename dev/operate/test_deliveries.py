import os
from unittest import mock

from bench import OperateCase


class Deliveries(OperateCase):
    def test_a_table_that_says_whom_and_how_late_with_the_last_error(self):
        id_ = "ab" * 32
        self.stack.delivery(id_, "failed", attempts=3, nextAttemptAt="2027-01-31T09:05:00Z",
                            occurredAt="2027-01-31T08:49:40Z",
                            eventUri="https://api.calendly.com/scheduled_events/00000001-1111",
                            inviteeUri="https://api.calendly.com/scheduled_events/00000001-1111/invitees/aaaaaaaa-2222",
                            lastError="the table\nis \x1b[31mnot there")
        done = self.operate("deliveries")
        self.assertEqual(done.code, 0)
        head, row, error = done.out.splitlines()[1:4]
        self.assertEqual(head.split(), ["RECEIVED", "LATE", "STATUS", "EVENT", "EVENT/INVITEE", "TRIES", "ID"])
        self.assertEqual(row.split(), [
            "01-31", "08:59:48", "10", "min", "failed", "invitee.created", "00000001/aaaaaaaa", "3", id_[:12],
        ])
        self.assertEqual(error, "    again at 01-31 09:05:00; the table is  [31mnot there")

    def test_no_row_is_wider_than_a_hundred_columns(self):
        uri = "https://api.calendly.com/scheduled_events/" + "e" * 36
        self.stack.delivery("ab" * 32, "unprocessable", event="routing_form_submission.created", attempts=12345,
                            occurredAt="2026-12-31T08:49:40Z", receivedAt="2026-12-31T23:49:40Z",
                            eventUri=uri, inviteeUri=uri + "/invitees/" + "i" * 36)
        row = self.operate("deliveries").out.splitlines()[2]
        self.assertLessEqual(len(row), 100)
        self.assertIn("routing_form_submiss…", row)

    def test_what_no_attempt_can_mend_is_told_with_what_helps(self):
        self.stack.delivery("ab" * 32, "dead", errorKind="too_large", retryable=False, lastError="503363 bytes")
        self.stack.delivery("cd" * 32, "dead", errorKind="contended", lastError="other writers")
        done = self.operate("deliveries")
        self.assertSays(done.out, "503363 bytes; no attempt can mend it", f"make discard ID={'ab' * 6} REASON=",
                        "docs/operations.md#table-throttles", "make redrive DRY_RUN=1")

    def test_who_put_one_away_is_told(self):
        away = {"by": "on-call", "reason": "entered by hand", "at": "2027-01-31T09:00:00Z"}
        self.stack.delivery("ab" * 32, "discarded", discarded=away)
        self.assertIn("put away by on-call: entered by hand", self.operate("deliveries", STATUS="discarded").out)

    def test_of_an_event_or_an_id(self):
        self.stack.delivery("ab" * 32, eventUri="https://api.calendly.com/scheduled_events/e1")
        self.stack.delivery("cd" * 32)
        self.assertIn("1 delivery", self.operate("deliveries", EVENT_ID="e1").out)
        self.assertIn("cdcdcdcdcdcd", self.operate("deliveries", ID="cdcdcdcd").out)
        self.assertEqual(self.operate("deliveries", ID="cd").code, 2)

    def test_of_a_person_are_those_about_them_and_about_their_whole_event(self):
        uri = "https://api.calendly.com/scheduled_events/e1"
        people = [{"uri": f"{uri}/invitees/{who}", "email": f"{who}@x.example"} for who in ("ada", "bob")]
        self.stack.events["e1"] = {"id": "e1", "invitees": people}
        self.stack.activity["Ada@x.example"] = ["e1"]
        for id_, about in (("a1", people[0]["uri"]), ("b1", people[1]["uri"]), ("c1", None)):
            self.stack.delivery(id_ * 32, eventUri=uri, inviteeUri=about)
        done = self.operate("deliveries", EMAIL="Ada@x.example")
        self.assertSays(done.out, "2 deliveries", "a1a1a1a1", "c1c1c1c1")
        self.assertNotIn("b1b1b1b1", done.out)
        self.assertEqual(self.operate("deliveries", EMAIL="ada").code, 2)

    def test_an_address_of_the_shell_is_no_filter(self):
        self.stack.delivery("ab" * 32)
        done = self.operate("deliveries", EMAIL="me@x.example", GIVEN="LIMIT", LIMIT=3)
        self.assertEqual(self.stack.calls, ["GET /v1/deliveries?limit=3"])
        self.assertIn("1 delivery", done.out)

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
            ("STATUS", "ded", "received, processed, failed, dead, ignored, unprocessable, discarded"),
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

    def test_only_a_state_is_coloured_and_no_name_that_reads_like_one(self):
        self.stack.delivery("d1", "processed", event="failed")
        out = self.operate("deliveries", terminal=True).out
        self.assertIn("\x1b[32mprocessed", out)
        self.assertNotIn("\x1b[33m", out)

    def test_an_older_stack_has_no_such_route(self):
        self.stack.missing_routes = {"deliveries"}
        done = self.operate("deliveries")
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "no route GET /v1/deliveries", "make deploy")
