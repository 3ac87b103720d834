from bench import OperateCase, TestClock


def look(state, connections=2, finished=0, failed=0, seen=0, changed=0, errors=()):
    return {"state": state, "connections": connections, "finished": finished, "failed": failed,
            "pages": 3, "syncedCount": seen, "changed": changed, "vanished": 0, "errors": list(errors)}


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
        self.assertEqual(done.out.splitlines()[-1].split(), ["done", "2", "2", "0", "3", "120", "4", "0"])

    def test_one_that_fails_says_why(self):
        self.stack.sync_looks = [look("failed", finished=1, failed=1, errors=["AAA: authorize again"])]
        done = self.operate("sync", CONNECTION="AAA")
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "AAA: authorize again", "make status", "make sync CONNECTION=AAA")

    def test_without_connections(self):
        self.stack.sync_looks = [look("done", connections=0)]
        self.assertIn("nothing was compared", self.operate("sync").out)
        self.assertEqual(self.stack.bodies[0], {})

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
