from bench import OperateCase
from stand_in import KEY


class Status(OperateCase):
    def row(self, out: str, name: str) -> str:
        return next(line for line in out.splitlines() if line.startswith(name + " "))

    def healthy(self):
        self.stack.connections = [{"id": "AAA", "status": "active"}]
        self.stack.subscriptions = [
            {"id": "s1", "state": "active", "connection": "AAA", "inUse": True},
            {"id": "s2", "state": "disabled", "connection": "AAA", "inUse": False},
        ]
        self.stack.delivery("d1")

    def test_all_is_well(self):
        self.healthy()
        done = self.operate("status")
        self.assertEqual((done.code, done.err), (0, ""))
        self.assertSays(done.out, "version 1.2.3", "1 active", "11 s ago: invitee.created, processed",
                        "All is well.")
        self.assertNotIn("What to do next", done.out)

    def test_an_empty_stack_is_well(self):
        done = self.operate("status")
        self.assertEqual(done.code, 0)
        self.assertSays(done.out, "none; webhooks alone", "none so far", "All is well.")

    def test_what_needs_a_person_is_told_with_the_next_step(self):
        self.healthy()
        self.stack.connections.append({"id": "BBB", "status": "needs_reauth"})
        self.stack.subscriptions[0]["state"] = "disabled"
        self.stack.delivery("d2", "dead", lastError="the table is not there")
        done = self.operate("status")
        self.assertEqual(done.code, 1)
        self.assertSays(self.row(done.out, "connections"), "attention", "1 active, 1 needs_reauth")
        self.assertSays(self.row(done.out, "subscriptions"), "attention", "0 active, 1 not active")
        self.assertSays(self.row(done.out, "dead letters"), "attention", "1; 1 in the dead letter queue")
        steps = done.out.partition("What to do next:")[2]
        self.assertSays(steps, "BBB: needs a new authorization", "/v1/auth/authorize",
                        "make sync CONNECTION=AAA", "the table is not there", "make redrive DRY_RUN=1")
        self.assertNotIn("All is well", done.out)

    def test_a_connection_without_a_subscription(self):
        self.healthy()
        self.stack.connections += [{"id": "BBB", "status": "active"}, {"id": "CCC", "status": "needs_reauth"}]
        done = self.operate("status")
        self.assertSays(self.row(done.out, "subscriptions"), "attention", "1 active, 1 missing")
        self.assertIn("make sync CONNECTION=BBB", done.out)
        self.assertNotIn("CONNECTION=CCC", done.out)

    def test_an_account_that_could_not_be_asked(self):
        self.stack.subscription_errors = [{"connection": "AAA", "error": "Calendly answers 500"}]
        done = self.operate("status")
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "subscriptions of AAA are not known: Calendly answers 500")

    def test_letters_of_deliveries_that_are_dead_no_more(self):
        self.stack.delivery("d1", "dead")["status"] = "processed"
        done = self.operate("status")
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "0; 1 in the dead letter queue", "dead no more")

    def test_a_first_page_says_that_there_are_more(self):
        for number in range(101):
            self.stack.delivery(f"d{number}", "dead")
            self.stack.delivery(f"f{number}", "failed")
        done = self.operate("status")
        self.assertSays(self.row(done.out, "dead letters"), "100+; 101 in")
        self.assertSays(self.row(done.out, "failed"), "ok", "100+")

    def test_every_page_of_connections_is_counted(self):
        self.stack.connections = [{"id": f"c{number}", "status": "active"} for number in range(205)]
        self.stack.connections[204]["status"] = "needs_reauth"
        done = self.operate("status")
        self.assertSays(self.row(done.out, "connections"), "204 active, 1 needs_reauth")
        self.assertIn("c204: needs a new", done.out)

    def test_what_waits_for_too_long_needs_a_person(self):
        self.stack.delivery("d1", "received")
        self.assertEqual(self.operate("status").code, 0)
        self.stack.delivery("d2", "received", receivedAt="2027-01-31T07:00:00Z")
        done = self.operate("status")
        self.assertEqual(done.code, 1)
        self.assertSays(self.row(done.out, "waiting"), "attention", "2, 1 for more than an hour")

    def test_a_part_that_fails_stops_no_other(self):
        self.healthy()
        self.stack.missing_routes = {"deliveries"}
        done = self.operate("status")
        self.assertEqual(done.code, 1)
        self.assertSays(self.row(done.out, "deliveries"), "not known")
        self.assertSays(self.row(done.out, "connections"), "ok", "1 active")
        self.assertIn("no route GET /v1/deliveries: what runs there is older", done.out)

    def test_a_stack_that_can_not_be_asked(self):
        done = self.operate("status", API_KEY="another")
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "does not know the key in API_KEY")
        self.stack.keys = {KEY: set()}
        done = self.operate("status")
        self.assertEqual(done.code, 2)
        self.assertSays(done.out, "it needs the scope read")
        self.stack.close()
        done = self.operate("status")
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "Nothing answers at http://127.0.0.1:")
