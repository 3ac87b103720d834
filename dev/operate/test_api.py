from bench import OperateCase
from stand_in import KEY

BUSY = {"error": "the store can't be reached", "code": "STORE_UNAVAILABLE", "trackingId": "t-1"}


class Api(OperateCase):
    def interrupt(self, status, times=1, headers=None, body=BUSY):
        self.stack.interruptions += times * [("/v1/deliveries", status, headers or {}, body)]

    def test_503_then_good(self):
        self.stack.delivery("d1")
        self.interrupt(503, times=2)
        done = self.operate("deliveries")
        self.assertEqual((done.code, done.clock.pauses), (0, [1, 2]))
        self.assertSays(done.err, "HTTP 503: again in 1 s", "HTTP 503: again in 2 s")
        self.assertIn("d1", done.out)

    def test_503_for_long_is_told_with_the_tracking_id(self):
        self.interrupt(503, times=9)
        done = self.operate("deliveries")
        self.assertEqual((done.code, done.clock.pauses), (2, [1, 2, 4, 8]))
        self.assertSays(done.err, "503 STORE_UNAVAILABLE", "5 times", "Try again in some minutes", "t-1")

    def test_429_waits_as_long_as_it_is_asked_to(self):
        self.interrupt(429, headers={"retry-after": "7"})
        self.assertEqual(self.operate("deliveries").clock.pauses, [7])
        self.interrupt(429, headers={"retry-after": "900"})
        done = self.operate("deliveries")
        self.assertEqual((done.code, done.clock.pauses), (2, []))
        self.assertIn("asks for 900 s", done.err)

    def test_the_gateways_own_words_are_no_json(self):
        self.interrupt(502, times=5, body=b"<html>Bad gateway</html>")
        self.assertIn("answers 502", self.operate("deliveries").err)
        self.interrupt(200, body=b"<html>A shop</html>")
        self.assertIn("is it this service's address?", self.operate("deliveries").err)

    def test_other_errors_are_quoted(self):
        self.interrupt(400, body={"error": "from: must be a time", "code": "INVALID_PARAMETER"})
        self.assertIn("400 INVALID_PARAMETER: from: must be a time", self.operate("deliveries").err)

    def test_the_key_follows_no_redirect(self):
        self.interrupt(302, headers={"location": f"{self.stack.url}/v1/connections"}, body={})
        done = self.operate("deliveries")
        self.assertEqual((done.code, len(self.stack.calls)), (2, 1))

    def test_401_names_the_key_and_not_its_value(self):
        done = self.operate("deliveries", API_KEY="another-key")
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "does not know the key in API_KEY", "rotated")
        self.assertNotIn("another-key", done.err + done.out)

    def test_403_names_the_scope(self):
        self.stack.keys = {KEY: {"operate"}}
        done = self.operate("deliveries")
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "the key in API_KEY may not GET /v1/deliveries", "the scope read")

    def test_a_route_that_the_gateway_does_not_know(self):
        self.stack.interruptions = [("/v1/deliveries/" + "d1" * 32 + "/replay", 404, {}, {"message": "Not Found"})]
        done = self.operate("replay", ID="d1" * 32)
        self.assertEqual(done.code, 2)
        self.assertIn("has no route POST /v1/deliveries/d1d1", done.err)

    def test_unreachable(self):
        self.stack.close()
        for command in ("deliveries", "redrive", "sync"):
            done = self.operate(command)
            self.assertEqual(done.code, 2)
            self.assertSays(done.err, "Nothing answers at", "Check the address")
