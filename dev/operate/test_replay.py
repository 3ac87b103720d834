from bench import OperateCase, TestClock
from stand_in import KEY


class Replay(OperateCase):
    def test_it_is_followed_until_it_is_processed(self):
        self.stack.delivery("d1", "dead")
        self.stack.fates["d1"] = [
            {"status": "received"}, {"status": "received"},
            {"status": "processed", "attempts": 7, "changes": ["scheduled"]},
        ]
        done = self.operate("replay", ID="d1")
        self.assertEqual(done.code, 0)
        self.assertEqual(self.stack.calls, ["POST /v1/deliveries/d1/replay"] + 3 * ["GET /v1/deliveries/d1"])
        self.assertEqual(done.out.splitlines()[-1].split(),
                         ["processed", "invitee.created", "7", "-", "scheduled", "d1"])
        self.assertIn("replayed: 1 received …", done.err)
        self.assertEqual(done.clock.pauses, sorted(done.clock.pauses))
        self.assertLess(done.clock.pauses[0], done.clock.pauses[1])

    def test_changes_that_are_not_known_are_not_called_none(self):
        self.stack.delivery("d1", "dead")
        self.stack.fates["d1"] = [{"status": "processed", "changes": None}]
        done = self.operate("replay", ID="d1")
        self.assertSays(done.out, "not known")

    def test_one_that_ends_dead_says_why_and_what_to_do(self):
        self.stack.delivery("d1", "dead")
        self.stack.fates["d1"] = [
            {"status": "failed", "nextAttemptAt": "2027-01-31T09:00:02Z"},
            {"status": "dead", "nextAttemptAt": None, "lastError": "the table is not there"},
        ]
        done = self.operate("replay", ID="d1")
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "the table is not there", "What to do next", "make redrive DRY_RUN=1")

    def test_one_whose_next_attempt_is_far_is_not_waited_for(self):
        self.stack.delivery("d1", "dead")
        self.stack.fates["d1"] = [{"status": "failed", "nextAttemptAt": "2027-01-31T09:05:00Z"}]
        done = self.operate("replay", ID="d1")
        self.assertEqual((done.code, done.clock.pauses), (1, []))
        self.assertSays(done.out, "01-31 09:05:00", "make deliveries STATUS=failed")

    def test_it_is_waited_for_a_minute_at_most(self):
        self.stack.delivery("d1")
        self.stack.fates["d1"] = [{"status": "received"}]
        done = self.operate("replay", ID="d1")
        self.assertEqual(done.code, 1)
        self.assertGreater(done.clock.passed, 50)
        self.assertLessEqual(done.clock.passed, 60)
        self.assertIn("look at the worker's log", done.out)

    def test_several_and_one_that_nobody_knows(self):
        for id_ in ("d1", "d2"):
            self.stack.delivery(id_)
            self.stack.fates[id_] = [{"status": "processed"}]
        done = self.operate("replay", ID="d1, nobody d2,d1")
        self.assertEqual(done.code, 1)
        self.assertSays(done.err, "nobody: no such thing")
        self.assertEqual([call for call in self.stack.calls if "POST" in call], [
            "POST /v1/deliveries/d1/replay", "POST /v1/deliveries/nobody/replay",
            "POST /v1/deliveries/d2/replay",
        ])
        self.assertEqual(done.out.count("nothing new"), 2)

    def test_an_id_is_part_of_a_path_and_no_more(self):
        self.operate("replay", ID="../sync?x")
        self.assertEqual(self.stack.calls, ["POST /v1/deliveries/..%2Fsync%3Fx/replay"])

    def test_without_an_id_it_says_where_to_find_one(self):
        done = self.operate("replay")
        self.assertEqual((done.code, self.stack.calls), (2, []))
        self.assertIn("make deliveries", done.err)

    def test_a_key_without_the_scope(self):
        self.stack.delivery("d1")
        self.stack.keys = {KEY: {"read"}}
        done = self.operate("replay", ID="d1")
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "the key in API_KEY may not POST", "scope operate")

    def test_ctrl_c_says_what_goes_on(self):
        self.stack.delivery("d1")
        self.stack.fates["d1"] = [{"status": "received"}]
        done = self.operate("replay", clock=TestClock(stop_after=2), ID="d1")
        self.assertEqual(done.code, 130)
        self.assertIn("What was queued is applied all the same.", done.err)
