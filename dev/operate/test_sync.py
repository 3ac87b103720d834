from bench import OperateCase, TestClock

AT = "2027-01-31T09:00:01.123456Z"


def look(state, connections=2, finished=0, failed=0, seen=0, changed=0, errors=(), **more):
    return {"state": state, "connections": connections, "finished": finished, "failed": failed, "skipped": 0,
            "pages": 3, "syncedCount": seen, "changed": changed, "vanished": 0, "errors": list(errors), **more}


def error(text, attempt=1, **more):
    return {"at": AT, "connection": "AAA", "attempt": attempt, "error": text, "nextAttemptAt": None, **more}


class Sync(OperateCase):
    def test_it_is_followed_to_its_end(self):
        self.stack.sync_looks = [
            look("queued"), look("running", finished=1, seen=40), look("running", finished=1, seen=90),
            look("done", finished=2, seen=120, changed=4),
        ]
        done = self.operate("sync", CONNECTION="AAA", FROM="2027-01-01", TO="2027-02-01T09:00:00+01:00")
        self.assertEqual(done.code, 0)
        self.assertEqual(self.stack.bodies[0], {
            "connection": "AAA", "from": "2027-01-01T00:00:00Z", "to": "2027-02-01T09:00:00+01:00"})
        self.assertEqual(len(self.stack.calls), 5)
        self.assertSays(done.err, "running: 1 of 2 connections, 40 events", "90 events compared")
        self.assertEqual(done.out.splitlines()[-1].split(), ["done", "2", "2", "0", "0", "3", "120", "4", "0"])

    def test_one_that_fails_says_why(self):
        self.stack.sync_looks = [look("failed", finished=1, failed=1, errors=[error("authorize again")])]
        done = self.operate("sync", CONNECTION="AAA")
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "AAA: authorize again", "make status", "make sync CONNECTION=AAA")

    def test_a_failed_attempt_is_told_as_soon_as_it_is_known_and_not_waited_for(self):
        retry = error("Calendly answered 500", nextAttemptAt="2027-01-31T09:06:01Z")
        self.stack.sync_looks = [
            look("queued"), look("retrying", errors=[retry], nextAttemptAt="2027-01-31T09:06:01Z"),
        ]
        done = self.operate("sync")
        self.assertEqual(done.code, 1)
        self.assertLess(done.clock.passed, 2)
        self.assertSays(done.out, "attempt 1 failed, next at about 01-31 09:06:01. AAA: Calendly answered 500",
                        "goes on by itself", "make sync ID=sync-1")

    def test_one_that_is_looked_at_again_is_followed_through_its_attempts(self):
        first = error("Calendly answered 500", nextAttemptAt="2027-01-31T09:06:01Z")
        second = {**first, "attempt": 2, "nextAttemptAt": "2027-01-31T09:12:01Z"}
        self.stack.sync_looks = [
            look("retrying", errors=[first]), look("retrying", errors=[first]),
            look("retrying", errors=[second]), look("done", finished=2, errors=[second]),
        ]
        done = self.operate("sync", ID="sync-1")
        self.assertEqual(done.code, 0)
        self.assertEqual(done.out.count("attempt 1 failed"), 1)
        self.assertEqual(done.out.count("attempt 2 failed"), 1)

    def test_what_was_changed_is_named(self):
        events = [f"0000000{number}-1111-4222-8333-444455556666" for number in range(3)]
        self.stack.sync_looks = [look("done", finished=2, changed=5, changedEvents=events)]
        done = self.operate("sync")
        self.assertSays(done.out, *events, "and 2 more", "make why ID=")
        self.assertTrue(all(len(line) <= 100 for line in done.out.splitlines()))

    def test_without_connections_nothing_was_compared(self):
        self.stack.sync_looks = [look("done", connections=0, skipped=1, skippedConnections=["BBB"])]
        done = self.operate("sync", terminal=True)
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "nothing compared", "nothing was compared", "BBB", "make status")
        self.assertNotIn("\x1b[32m", done.out)
        self.assertEqual(self.stack.bodies[0], {})

    def test_connections_that_were_left_out_are_named_where_others_are_well(self):
        self.stack.sync_looks = [look("done", finished=2, skipped=1, skippedConnections=["BBB"])]
        done = self.operate("sync")
        self.assertEqual(done.code, 0)
        self.assertSays(done.out, "Not compared, as they need a new authorization:", "BBB")

    def test_ctrl_c_leaves_it_running_and_says_how_to_look(self):
        self.stack.sync_looks = [look("running")]
        done = self.operate("sync", clock=TestClock(stop_after=3))
        self.assertEqual(done.code, 130)
        self.assertSays(done.err, "The sync goes on", "make sync ID=sync-1")

    def test_after_a_quarter_of_an_hour_it_is_left_to_itself(self):
        self.stack.sync_looks = [look("running")]
        done = self.operate("sync")
        self.assertEqual(done.code, 1)
        self.assertLessEqual(done.clock.passed, 900)
        self.assertGreater(done.clock.passed, 880)
        self.assertIn("make sync ID=sync-1", done.out)

    def test_one_that_runs_is_looked_at_and_none_is_started(self):
        self.stack.sync_looks = [look("done", finished=2)]
        self.assertEqual(self.operate("sync", ID="sync-1").code, 0)
        self.assertEqual(self.stack.calls, ["GET /v1/sync/sync-1"])
        done = self.operate("sync", ID="another")
        self.assertEqual(done.code, 2)
        self.assertIn("kept for 30 days", done.err)
