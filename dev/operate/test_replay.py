from bench import OperateCase, TestClock
from stand_in import KEY

D1, D2 = "d1" * 32, "d2" * 32
SHORT = D1[:12]


class Replay(OperateCase):
    def test_it_is_followed_until_it_is_processed(self):
        self.stack.delivery(D1, "dead")
        self.stack.fates[D1] = [
            {"status": "received"}, {"status": "received"},
            {"status": "processed", "attempts": 7, "changes": ["scheduled"]},
        ]
        done = self.operate("replay", ID=D1)
        self.assertEqual(done.code, 0)
        self.assertEqual(self.stack.calls, [f"POST /v1/deliveries/{D1}/replay"] + 3 * [f"GET /v1/deliveries/{D1}"])
        self.assertEqual(done.out.splitlines()[-1].split(),
                         ["processed", "invitee.created", "7", "scheduled", SHORT])
        self.assertIn("replayed: 1 received …", done.err)
        self.assertEqual(done.clock.pauses, sorted(done.clock.pauses))
        self.assertLess(done.clock.pauses[0], done.clock.pauses[1])

    def test_changes_that_are_not_known_are_not_called_none(self):
        self.stack.delivery(D1, "dead")
        self.stack.fates[D1] = [{"status": "processed", "changes": None}]
        done = self.operate("replay", ID=D1)
        self.assertSays(done.out, "not known")

    def test_one_that_ends_dead_says_why_and_what_to_do(self):
        self.stack.delivery(D1, "dead")
        self.stack.fates[D1] = [
            {"status": "failed", "nextAttemptAt": "2027-01-31T09:00:02Z"},
            {"status": "dead", "nextAttemptAt": None, "lastError": "the table is not there"},
        ]
        done = self.operate("replay", ID=D1)
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "the table is not there", "What to do next", "make redrive DRY_RUN=1")

    def test_one_that_nothing_can_mend_is_not_sent_in_circles(self):
        self.stack.delivery(D1, "dead")
        self.stack.fates[D1] = [{
            "status": "dead", "errorKind": "too_large", "retryable": False, "lastError": "503363 bytes",
        }]
        done = self.operate("replay", ID=D1)
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "no attempt can mend it", f"make discard ID={SHORT}")
        self.assertNotIn("make redrive", done.out)

    def test_one_whose_next_attempt_is_far_is_not_waited_for(self):
        self.stack.delivery(D1, "dead")
        self.stack.fates[D1] = [{"status": "failed", "nextAttemptAt": "2027-01-31T09:05:00Z"}]
        done = self.operate("replay", ID=D1)
        self.assertEqual((done.code, done.clock.pauses), (1, []))
        self.assertSays(done.out, "again at 01-31 09:05:00", "make deliveries STATUS=failed")

    def test_it_is_waited_for_a_minute_at_most(self):
        self.stack.delivery(D1)
        self.stack.fates[D1] = [{"status": "received"}]
        done = self.operate("replay", ID=D1)
        self.assertEqual(done.code, 1)
        self.assertGreater(done.clock.passed, 50)
        self.assertLessEqual(done.clock.passed, 60)
        self.assertIn("look at the worker's log", done.out)

    def test_several_and_one_that_nobody_knows(self):
        for id_ in (D1, D2):
            self.stack.delivery(id_)
            self.stack.fates[id_] = [{"status": "processed"}]
        done = self.operate("replay", ID=f"{D1}, {'0' * 64} {D2},{D1} 99999999")
        self.assertEqual(done.code, 1)
        self.assertSays(done.err, "000000000000: no such thing", "no delivery's id begins with 99999999")
        self.assertEqual([call for call in self.stack.calls if "POST" in call], [
            f"POST /v1/deliveries/{id_}/replay" for id_ in (D1, "0" * 64, D2)
        ])
        self.assertEqual(done.out.count("nothing new"), 2)

    def test_the_first_digits_name_one(self):
        self.stack.delivery(D1)
        self.stack.delivery(D2)
        self.stack.fates[D1] = [{"status": "processed"}]
        self.assertEqual(self.operate("replay", ID=SHORT).code, 0)
        self.assertSays(self.stack.calls[1], f"POST /v1/deliveries/{D1}/replay")

    def test_digits_that_begin_several_ids_have_none_applied(self):
        self.stack.delivery(D1)
        self.stack.delivery(D1[:63] + "0")
        self.stack.delivery(D2)
        done = self.operate("replay", ID=f"{D2} {SHORT}")
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, f"{SHORT} begins several ids", "give more digits")
        self.assertEqual([call for call in self.stack.calls if "POST" in call], [])

    def test_what_is_no_id_asks_nothing(self):
        for odd in ("../sync?x", "d1d1", "D1" * 32, "nobody-at-all"):
            done = self.operate("replay", ID=odd)
            self.assertEqual((done.code, self.stack.calls), (2, []))
            self.assertIn("names no delivery", done.err)

    def test_without_an_id_it_says_where_to_find_one(self):
        done = self.operate("replay")
        self.assertEqual((done.code, self.stack.calls), (2, []))
        self.assertIn("make deliveries", done.err)

    def test_a_key_without_the_scope(self):
        self.stack.delivery(D1)
        self.stack.keys = {KEY: {"read"}}
        done = self.operate("replay", ID=D1)
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "the key in API_KEY may not POST", "scope operate")

    def test_ctrl_c_says_what_goes_on(self):
        self.stack.delivery(D1)
        self.stack.fates[D1] = [{"status": "received"}]
        done = self.operate("replay", clock=TestClock(stop_after=2), ID=D1)
        self.assertEqual(done.code, 130)
        self.assertIn("What was queued is applied all the same.", done.err)
