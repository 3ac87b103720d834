"""Tests of strict/actions.py, strict/refusals.py and check_calls.py."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import check_calls
from strict import refusals
from strict.actions import Action, NotKnown, Place, actions, service_of

SECRET = "arn:aws:secretsmanager:here:1:secret:s-AbCdEf"
PLACE = Place("here", "1", secret_arn={"s": SECRET}.get, keys_of={"t": ["pk", "sk"]}.get)


def table(name: str) -> str:
    return f"arn:aws:dynamodb:here:1:table/{name}"


class Actions(unittest.TestCase):
    def of(self, service: str, operation: str, **asked) -> list[tuple[str, str]]:
        return [(one.name, one.resource) for one in actions(service, operation, asked, PLACE)]

    def test_a_query_names_its_index(self):
        found = self.of("dynamodb", "Query", TableName="t", IndexName="byStart")
        self.assertEqual(found, [("dynamodb:Query", table("t/index/byStart"))])
        self.assertEqual(self.of("dynamodb", "Query", TableName="t"), [("dynamodb:Query", table("t"))])

    def test_a_transaction_and_a_batch_are_what_is_in_them(self):
        items = [{"Put": {"TableName": "a"}}, {"Delete": {"TableName": "b"}}, {"ConditionCheck": {"TableName": "a"}}]
        found = self.of("dynamodb", "TransactWriteItems", TransactItems=items)
        self.assertEqual(found, [
            ("dynamodb:PutItem", table("a")), ("dynamodb:DeleteItem", table("b")), ("dynamodb:ConditionCheckItem", table("a")),
        ])
        found = self.of("dynamodb", "BatchGetItem", RequestItems={"a": {"Keys": []}, "b": {"Keys": []}})
        self.assertEqual(found, [("dynamodb:BatchGetItem", table("a")), ("dynamodb:BatchGetItem", table("b"))])

    def test_conditions_see_partition_keys(self):
        key = {"pk": {"S": "c#1"}, "sk": {"S": "x"}}
        put = {"Put": {"TableName": "t", "Item": key}}
        asked = {
            "GetItem": {"TableName": "t", "Key": key},
            "TransactWriteItems": {"TransactItems": [put]},
            "BatchGetItem": {"RequestItems": {"t": {"Keys": [key]}}},
            "BatchWriteItem": {"RequestItems": {"t": [{"PutRequest": {"Item": key}}]}},
        }
        for operation, request in asked.items():
            (found,) = actions("dynamodb", operation, request, PLACE)
            self.assertEqual(found.context["dynamodb:LeadingKeys"], ["c#1"], operation)

    def test_queues_and_secrets(self):
        self.assertEqual(self.of("sqs", "SendMessage", QueueUrl="http://h/1/q"), [("sqs:SendMessage", "arn:aws:sqs:here:1:q")])
        self.assertEqual(self.of("sqs", "SendMessageBatch", QueueUrl="http://h/1/q")[0][0], "sqs:SendMessage")
        self.assertEqual(self.of("secretsmanager", "GetSecretValue", SecretId="s"), [("secretsmanager:GetSecretValue", SECRET)])
        self.assertEqual(self.of("secretsmanager", "GetSecretValue", SecretId=SECRET)[0][1], SECRET)

    def test_a_tagged_secret_takes_a_second_right(self):
        found = self.of("secretsmanager", "CreateSecret", Name="n", Tags=[{"Key": "k"}])
        new = "arn:aws:secretsmanager:here:1:secret:n"
        self.assertEqual(found, [("secretsmanager:CreateSecret", new), ("secretsmanager:TagResource", new)])

    def test_what_nobody_can_name_is_told(self):
        with self.assertRaises(NotKnown):
            service_of("AWSEvents.PutEvents")
        with self.assertRaises(NotKnown):
            self.of("dynamodb", "ExecuteStatement", Statement="SELECT 1")


class Grants(unittest.TestCase):
    held = {
        "api": [
            {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:DeleteMessage"], "Resource": ["q1", "q2"]},
            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "q1"},
        ]
    }

    def test_each_grant_is_held_against_the_calls(self):
        calls = {("api", "sqs:SendMessage", "q1"), ("api", "sqs:SendMessage", "q2"), ("api", "sqs:DeleteMessage", "q1")}
        wrong = check_calls.needless(self.held, calls, {"q2": "Second"}, {})
        self.assertEqual(wrong, ["api: its role grants sqs:DeleteMessage on Second, which no test had it call"])
        whole = calls | {("api", "sqs:DeleteMessage", "q2")}
        self.assertEqual(check_calls.needless(self.held, whole, {}, {}), [])

    def test_another_functions_calls_need_nothing_of_it(self):
        calls = {("worker", "sqs:SendMessage", "q1")}
        self.assertEqual(len(check_calls.needless(self.held, calls, {}, {})), 4)

    def test_a_grant_is_taken_away_wherever_it_is_written(self):
        left = check_calls.without(self.held["api"], "sqs:SendMessage", "q1")
        calls = {("api", "sqs:SendMessage", "q1"), ("api", "sqs:SendMessage", "q2")}
        self.assertEqual(check_calls.refused(calls, "api", left), {("api", "sqs:SendMessage", "q1")})

    def test_what_is_rare_may_be_missing_but_must_be_granted(self):
        rare = {("api", action, queue): "a reason" for action in ("sqs:SendMessage", "sqs:DeleteMessage") for queue in ("q1", "q2")}
        self.assertEqual(check_calls.needless(self.held, set(), {}, rare), [])
        self.assertEqual(len(check_calls.needless({"api": []}, set(), {}, rare)), 4)

    def test_resources_are_shown_as_the_template_names_them(self):
        named = {"t-1": "BookingsTable", "/aws/lambda/s-api": "ApiLogGroup", "http://h/1/s-api": "WebhookQueue", SECRET: "CalendlySecret"}
        for resource, logical in {
            table("t-1"): "BookingsTable",
            table("t-1/index/byStart"): "BookingsTable/index/byStart",
            "arn:aws:sqs:here:1:s-api": "WebhookQueue",
            "arn:aws:logs:here:1:log-group:/aws/lambda/s-api:*": "ApiLogGroup",
            SECRET: "CalendlySecret",
            "arn:aws:secretsmanager:here:1:secret:s/connections/*": check_calls.TOKENS,
            "*": "*",
        }.items():
            self.assertEqual(check_calls.shown(resource, named), logical)


class Refusals(unittest.TestCase):
    def test_a_refusal_fails_a_run_but_not_what_a_test_pointed_elsewhere(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(refusals.faults(folder), [])
            book = refusals.Book(Path(folder))
            book.add(refusals.Refusal("api", "sqs:SendMessage", "AccessDeniedException", "no", elsewhere=True))
            self.assertEqual(refusals.faults(folder), [])
            fault = refusals.Refusal("api", "sqs:SendMessage", "MissingParameter", "empty")
            with contextlib.redirect_stderr(io.StringIO()) as told:
                for _ in range(2):
                    book.add(fault)
            self.assertIn(fault.told(), told.getvalue())
            self.assertEqual(refusals.faults(folder), [fault.told()])
            self.assertEqual(len(refusals.read(folder)), 3)
            refusals.forget(folder)
            self.assertEqual(refusals.read(folder), [])


if __name__ == "__main__":
    unittest.main()
