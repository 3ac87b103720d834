from bench import OperateCase


class Redrive(OperateCase):
    def dead(self, count: int, fate="processed", **more):
        for number in range(count):
            self.stack.delivery(f"d{number}", "dead", lastError="the table is not there", **more)
            self.stack.fates[f"d{number}"] = [{"status": fate}]

    def rounds(self) -> list:
        return [body for call, body in zip(self.stack.calls, self.stack.bodies) if "redrive" in call]

    def test_a_dry_run_shows_and_sends_nothing(self):
        self.dead(25)
        done = self.operate("redrive", DRY_RUN=1, EVENT="invitee.created")
        self.assertEqual(done.code, 0)
        self.assertEqual(self.rounds(), [{"dryRun": True, "limit": 1000, "event": "invitee.created"}])
        self.assertEqual(done.out.count("the table is not there"), 20)
        self.assertSays(done.out, "and 5 more", "25 would be sent back; nothing was.",
                        "To send them back: make redrive EVENT=invitee.created")
        self.assertEqual(len(self.stack.letters), 25)

    def test_a_dry_run_that_saw_only_a_part_says_so(self):
        self.dead(3)
        self.stack.redrive_round = 2
        self.assertIn("2 or more would be sent", self.operate("redrive", DRY_RUN="yes").out)

    def test_rounds_until_it_is_complete(self):
        self.dead(7)
        self.stack.redrive_round = 3
        done = self.operate("redrive")
        self.assertEqual(done.code, 0)
        self.assertEqual(self.rounds(), 3 * [{"dryRun": False, "limit": 100}])
        self.assertSays(done.out, "7 sent back.", "Now: 7 processed.")
        self.assertSays(done.err, "3 sent back …", "6 sent back …", "7 sent back …")
        self.assertEqual(self.stack.letters, [])

    def test_no_more_than_the_limit(self):
        self.dead(7)
        self.stack.redrive_round = 3
        done = self.operate("redrive", LIMIT=5)
        self.assertEqual([body["limit"] for body in self.rounds()], [5, 2])
        self.assertIn("5 sent back.", done.out)
        self.assertEqual(len(self.stack.letters), 2)

    def test_one_delivery(self):
        self.dead(3)
        one = "ab" * 32
        self.stack.delivery(one, "dead")
        self.stack.fates[one] = [{"status": "processed"}]
        done = self.operate("redrive", ID=one[:8])
        self.assertEqual(self.rounds()[0]["deliveryId"], one)
        self.assertIn("1 sent back.", done.out)
        self.assertEqual(self.stack.letters, ["d0", "d1", "d2"])

    def test_what_no_attempt_can_mend_is_told_before_and_after(self):
        self.dead(2)
        self.stack.deliveries["d1"].update(errorKind="too_large", retryable=False)
        self.stack.fates["d1"] = [{"status": "dead"}]
        done = self.operate("redrive", DRY_RUN=1)
        self.assertSays(done.out, "2 would be sent back; nothing was. 1 of them no attempt can mend.",
                        "no attempt can mend it", "make discard ID=d1")
        self.assertNotIn("make redrive DRY_RUN", done.out)
        done = self.operate("redrive")
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "Now: 1 dead, 1 processed.", "make discard ID=d1")
        self.assertNotIn("make redrive", done.out)

    def test_discarded_letters_leave_the_queue(self):
        self.dead(3)
        self.stack.deliveries["d1"]["status"] = "discarded"
        self.assertIn("Letters of 1 discarded ones would be taken out of the queue", self.operate("redrive", DRY_RUN=1).out)
        self.assertEqual(len(self.stack.letters), 3)
        self.stack.redrive_round = 1
        done = self.operate("redrive")
        self.assertSays(done.out, "2 sent back. Letters of 1 discarded ones were taken out of the queue.")
        self.assertEqual(self.stack.letters, [])
        self.assertEqual(self.stack.deliveries["d1"]["status"], "discarded")

    def test_those_that_die_again_are_shown(self):
        self.dead(3)
        self.stack.fates["d1"] = [{"status": "dead", "lastError": "still not there"}]
        done = self.operate("redrive")
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "Now: 1 dead, 2 processed.", "still not there", "What to do next")
        self.assertNotIn("d2", done.out)

    def test_it_does_not_run_in_circles(self):
        self.dead(2)
        self.stack.redrive_extra = {"deliveryIds": ["d0", "d1"], "complete": False}
        done = self.operate("redrive")
        self.assertEqual((done.code, len(self.rounds())), (1, 2))
        self.assertIn("die again at once", done.err)

    def test_it_ends_when_nothing_fits_among_many(self):
        self.stack.redrive_extra = {"complete": False}
        done = self.operate("redrive", EVENT="invitee.canceled")
        self.assertEqual((done.code, len(self.rounds())), (1, 3))
        self.assertIn("holds many letters that don't fit", done.err)

    def test_nothing_there(self):
        self.stack.redrive_extra = {"unreadable": 2, "notInLog": 1}
        for variables in ({}, {"DRY_RUN": 1}):
            done = self.operate("redrive", **variables)
            self.assertEqual(done.code, 0)
            self.assertSays(done.out, "No dead letter to send back.", "2 messages of the queue can't be read",
                            "1 are not in the log")

    def test_a_failure_on_the_way_tells_what_was_sent_back(self):
        self.dead(4)
        self.stack.redrive_round = 2
        answer = {"error": "a stored record can't be read", "code": "STORED_RECORD_UNREADABLE"}
        real = self.stack._redrive
        self.stack._redrive = lambda body: real(body) if not self.rounds()[1:] else (500, answer)
        done = self.operate("redrive")
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "2 sent back.", "Now: 2 processed.")
        self.assertSays(done.err, "stopped after 2", "STORED_RECORD_UNREADABLE")

    def test_a_misspelt_dry_run_is_no_real_run(self):
        self.dead(1)
        for variables in ({"GIVEN": "DRYRUN"}, {"DRY_RUN": "maybe"}, {"ID": "d0,d1"}):
            self.assertEqual(self.operate("redrive", **variables).code, 2)
        self.assertEqual(self.stack.letters, ["d0"])
        self.operate("redrive", DRY_RUN=0)
        self.assertEqual(self.stack.letters, [])
