from bench import OperateCase
from stand_in import KEY


class Status(OperateCase):
    def row(self, out: str, name: str) -> str:
        return next(line for line in out.splitlines() if line.startswith(name + " "))

    def reason(self, **more) -> dict:
        one = {
            "code": "DEAD_LETTERS", "severity": "today", "message": "1 delivery was given up: no table",
            "since": "2027-01-31T08:00:00Z", "count": 1, "about": ["ab" * 32],
            "next": "mend the cause; then `make redrive DRY_RUN=1`, and without DRY_RUN",
            "section": "dead-letters", **more,
        }
        self.stack.status["reasons"].append(one)
        if one["severity"] != "later":
            self.stack.status["well"] = False
        return one

    def test_all_is_well(self):
        self.stack.subscriptions = [
            {"id": "s1", "state": "active", "connection": "AAA", "inUse": True},
            {"id": "s2", "state": "disabled", "connection": "AAA", "inUse": False},
        ]
        done = self.operate("status")
        self.assertEqual((done.code, done.err), (0, ""))
        self.assertSays(done.out, "1.2.3", "1 subscriptions active now", "All is well", "what AWS alone tells")
        self.assertSays(self.row(done.out, "webhooks"), "ok", "the last accepted one came 11 s ago")
        self.assertNotIn("What to do next", done.out)

    def test_what_needs_a_person_is_told_with_the_next_step(self):
        self.reason()
        self.stack.status["lookedAt"][1]["state"] = "attention"
        done = self.operate("status")
        self.assertEqual(done.code, 1)
        self.assertSays(self.row(done.out, "dead letters"), "attention")
        self.assertSays(done.out, "today: 1 delivery was given up: no table", "DEAD_LETTERS",
                        "docs/operations.md#dead-letters", "abababababab")
        self.assertNotIn("ab" * 32, done.out)
        steps = done.out.partition("What to do next:")[2]
        self.assertSays(steps, "make redrive DRY_RUN=1")
        self.assertNotIn("All is well", done.out)

    def test_what_can_wait_is_told_and_is_well(self):
        self.reason(severity="later", message="one failed, and is tried again")
        done = self.operate("status")
        self.assertEqual(done.code, 0)
        self.assertSays(done.out, "later: one failed", "All is well")

    def test_a_subscription_that_is_off_now(self):
        self.stack.subscriptions = [{"id": "s1", "state": "disabled", "connection": "AAA", "inUse": True}]
        done = self.operate("status")
        self.assertEqual(done.code, 1)
        self.assertSays(self.row(done.out, "at Calendly"), "attention", "0 subscriptions active now, 1 not")
        self.assertIn("make sync CONNECTION=AAA", done.out)
        self.assertNotIn("All is well", done.out)

    def test_calendly_that_can_not_be_asked_hides_nothing(self):
        self.stack.missing_routes = {"webhook-subscriptions"}
        self.reason()
        done = self.operate("status")
        self.assertEqual(done.code, 1)
        self.assertSays(self.row(done.out, "at Calendly"), "not known")
        self.assertIn("DEAD_LETTERS", done.out)

    def test_what_the_stack_could_not_look_at(self):
        self.stack.status["lookedAt"][0]["state"] = "unknown"
        self.reason(code="SOURCE_UNREADABLE", about=[], since=None)
        done = self.operate("status")
        self.assertEqual(done.code, 1)
        self.assertSays(self.row(done.out, "webhooks"), "not known")

    def test_a_stack_that_does_not_say_that_it_is_well_is_not(self):
        del self.stack.status["well"]
        self.assertEqual(self.operate("status").code, 1)

    def test_a_stack_that_can_not_be_asked(self):
        done = self.operate("status", API_KEY="another")
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "does not know the key in API_KEY")
        self.stack.missing_routes = {"status"}
        done = self.operate("status")
        self.assertEqual(done.code, 2)
        self.assertIn("no route GET /v1/status: what runs there is older", done.err)
        self.stack.missing_routes = set()
        self.stack.keys = {KEY: set()}
        done = self.operate("status")
        self.assertEqual(done.code, 2)
        self.assertSays(done.out, "it needs the scope read")
        self.stack.close()
        done = self.operate("status")
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "Nothing answers at http://127.0.0.1:")
