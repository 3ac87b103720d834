from bench import OperateCase

EVENT = "00000001-1111-4222-8333-444455556666"
URI = f"https://api.calendly.com/scheduled_events/{EVENT}"
INVITEE = f"{URI}/invitees/aaaa0001"
ADA = "ada@x.example"
D1, D2 = "d1" * 32, "d2" * 32


class Why(OperateCase):
    def booked(self, **more):
        """Ada's booking, told in time by a delivery, of a connection that is compared."""
        self.stack.events[EVENT] = {
            "id": EVENT, "name": "30 Minute Consultation", "status": "active", "connection": "AAA",
            "startTime": "2027-02-03T15:00:00Z", "updatedAt": "2027-01-31T08:59:47Z", "missingSince": None,
            "invitees": [{
                "id": "aaaa0001", "uri": INVITEE, "name": "Ada", "email": ADA, "status": "active",
                "noShow": False, "erased": False, "rescheduledFrom": None, "rescheduledTo": None,
            }], "nextCursor": None, **more,
        }
        self.stack.activity[ADA] = [EVENT]
        self.stack.histories[EVENT] = [{
            "inviteeId": "aaaa0001", "transition": "scheduled", "at": "2027-01-31T08:59:47Z", "cause": {},
        }]
        self.stack.connections = [{"id": "AAA", "status": "active", "comparedAt": "2027-01-30T12:00:00Z"}]
        self.told(D1, changes=["scheduled"])

    def told(self, id_, status="processed", **more):
        made = {"occurredAt": "2027-01-31T08:59:47Z", "eventUri": URI, "inviteeUri": INVITEE, **more}
        self.stack.delivery(id_, status, **made)

    def test_the_story_of_somebody_whose_booking_is_right(self):
        self.booked()
        done = self.operate("why", EMAIL=ADA)
        self.assertEqual((done.code, done.err), (0, ""))
        self.assertSays(
            done.out, "30 Minute Consultation, starts 02-03 15:00:00 UTC: active", EVENT, "Ada <ada@x.example>: active",
            "scheduled", "1.1 s", D1[:12], "All of AAA was compared with Calendly: 01-30 12:00:00 UTC or up to a day later",
            "If Calendly shows something else: make sync CONNECTION=AAA, then this command again.",
        )
        self.assertNotIn("What to do next", done.out)
        self.assertTrue(all(len(line) <= 110 for line in done.out.splitlines()), done.out)

    def test_an_event_is_found_by_all_that_names_it(self):
        self.booked()
        wanted = self.operate("why", ID=EVENT).out
        for id_ in (URI, INVITEE, D1, D1[:8]):
            self.assertEqual(self.operate("why", ID=id_).out, wanted, id_)

    def test_what_failed_about_it_is_told_with_the_next_step(self):
        self.booked()
        self.told(D2, "dead", errorKind="too_large", retryable=False, lastError="503363 bytes")
        self.told("d3" * 32, "failed", nextAttemptAt="2027-01-31T09:05:00Z", lastError="throttled")
        done = self.operate("why", ID=EVENT)
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "503363 bytes", "no attempt can mend it", f"make discard ID={D2[:12]}",
                        "is tried again at 01-31 09:05:00 by itself")

    def test_what_came_late_is_told(self):
        self.booked()
        self.told(D2, occurredAt="2027-01-31T04:59:48Z")
        self.assertSays(self.operate("why", ID=EVENT).out, "1 came late, at most by 4 h")

    def test_a_connection_that_is_not_compared(self):
        self.booked()
        self.stack.connections[0]["status"] = "needs_reauth"
        done = self.operate("why", ID=EVENT)
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "It is not compared", "AAA needs a new authorization: make status")
        self.stack.connections = []
        self.assertIn("No connection compares it", self.operate("why", ID=EVENT).out)

    def test_webhooks_that_calendly_sends_again(self):
        self.booked()
        self.stack.subscriptions = [
            {"connection": "AAA", "inUse": True, "retryStartedAt": "2027-01-31T07:13:28Z"},
        ]
        done = self.operate("why", ID=EVENT)
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "again since 01-31 07:13:28", "docs/operations.md#subscription-retrying")
        # It may be why there is nothing of somebody.
        self.assertIn("#subscription-retrying", self.operate("why", EMAIL="eve@x.example").out)
        self.stack.subscriptions[0]["retryStartedAt"] = "2027-01-29T07:13:28Z"
        self.assertEqual(self.operate("why", ID=EVENT).code, 0)

    def test_an_old_event_is_compared_only_if_asked(self):
        self.booked(startTime="2027-01-20T23:30:00Z")
        self.assertSays(self.operate("why", ID=EVENT).out, "make sync CONNECTION=AAA FROM=2027-01-20")

    def test_what_can_not_be_read_may_be_about_it(self):
        self.booked()
        self.stack.delivery("d4" * 32, "unprocessable")
        done = self.operate("why", EMAIL=ADA)
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "1 delivery of the last 24 h can't be read", "make deliveries STATUS=unprocessable")

    def test_an_event_that_only_deliveries_tell_of(self):
        self.told(D1, "dead", errorKind="aws", lastError="the table is not there")
        done = self.operate("why", ID=D1[:8])
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "is not stored, but deliveries tell of it", "the table is not there",
                        "make redrive DRY_RUN=1")

    def test_an_event_that_can_not_be_read_hides_no_delivery(self):
        self.booked()
        self.told(D2, "dead", errorKind="corrupt", retryable=False, lastError="column 2")
        odd = {"error": "a stored record can't be read", "code": "STORED_RECORD_UNREADABLE"}
        self.stack.interruptions = [(f"/v1/events/{EVENT}", 500, {}, odd)]
        done = self.operate("why", ID=EVENT)
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "can't be shown", "STORED_RECORD_UNREADABLE", "column 2", f"make discard ID={D2[:12]}")

    def test_nobody_and_nothing(self):
        done = self.operate("why", EMAIL="eve@x.example")
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "No booking of eve@x.example is stored.", "make sync", "make status")
        self.assertSays(self.operate("why", ID="nobody").err, "no such thing", "An invitee is found by EMAIL")
        for variables in ({}, {"EMAIL": ADA, "ID": EVENT}):
            self.assertIn("Whose?", self.operate("why", **variables).err)

    def test_a_delivery_about_no_booking(self):
        self.stack.delivery(D1, "unprocessable", lastError="not JSON")
        done = self.operate("why", ID=D1)
        self.assertEqual(done.code, 2)
        self.assertSays(done.out + done.err, "tells of no event", "not JSON")

    def test_names_can_not_command_the_terminal(self):
        self.booked(name="x\x1b[2Jy\nAll is well.")
        out = self.operate("why", ID=EVENT).out
        self.assertNotIn("\x1b", out)
        self.assertNotIn("\nAll is well.", out)
