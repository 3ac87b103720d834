from bench import OperateCase
from stand_in import KEY

D1, D2 = "d1" * 32, "d2" * 32


class Discard(OperateCase):
    def dead(self, *ids):
        for id_ in ids:
            self.stack.delivery(id_, "dead", errorKind="too_large", retryable=False, lastError="503363 bytes")

    def test_it_is_put_away_and_its_letter_leaves_the_queue(self):
        self.dead(D1, D2)
        done = self.operate("discard", ID=D1[:8], REASON="entered by hand; $5")
        self.assertEqual((done.code, done.err), (0, ""))
        self.assertSays(done.out, f"{D1[:12]} invitee.created is put away, by on-call: entered by hand; $5",
                        "make replay ID=")
        self.assertEqual(self.stack.letters, [D2])
        statuses = [self.stack.deliveries[id_]["status"] for id_ in (D1, D2)]
        self.assertEqual(statuses, ["discarded", "dead"])
        self.assertSays(self.operate("status").out, "1 deliveries were given up")

    def test_several_and_one_that_is_not_dead(self):
        self.dead(D1)
        self.stack.delivery(D2)
        done = self.operate("discard", ID=f"{D2},{D1} 99999999", REASON="why")
        self.assertEqual(done.code, 1)
        self.assertSays(done.err, f"{D2[:12]}: ", "this delivery is processed", "begins with 99999999")
        self.assertIn(f"{D1[:12]} invitee.created is put away", done.out)

    def test_once_more_says_what_the_first_one_did(self):
        self.dead(D1)
        self.operate("discard", ID=D1, REASON="first")
        done = self.operate("discard", ID=D1, REASON="second")
        self.assertEqual(done.code, 0)
        self.assertSays(done.out, "by on-call: first", "was not met in the queue")

    def test_without_an_id_or_a_reason_nothing_is_asked(self):
        self.dead(D1)
        for variables in ({"ID": D1}, {"REASON": "why"}, {}):
            done = self.operate("discard", **variables)
            self.assertEqual((done.code, self.stack.calls), (2, []))
            self.assertIn("make deliveries STATUS=dead", done.err)

    def test_a_queue_that_can_not_be_read_keeps_the_letter(self):
        self.dead(D1)
        self.stack.interruptions = [("/v1/dead-letters/redrive", 500, {}, {"error": "odd.", "code": "ODD"})]
        done = self.operate("discard", ID=D1, REASON="why")
        self.assertEqual(done.code, 0)
        self.assertSays(done.err, "stays in the queue until the next redrive", "ODD: odd.")
        self.assertNotIn("..", done.err)

    def test_a_key_without_the_scope(self):
        self.dead(D1)
        self.stack.keys = {KEY: {"read"}}
        done = self.operate("discard", ID=D1, REASON="why")
        self.assertEqual(done.code, 1)
        self.assertSays(done.err, "needs the scope operate")
