"""Tests of called.py and check_calls.py."""

import json
import unittest

import called
import check_calls


class Actions(unittest.TestCase):
    def of(self, target: str, **asked) -> list[tuple[str, str]]:
        return called.actions(target, json.dumps(asked).encode())

    def test_a_query_names_its_index(self):
        found = self.of("DynamoDB_20120810.Query", TableName="t", IndexName="byStart")
        self.assertEqual(found, [("dynamodb:Query", "t/index/byStart")])
        self.assertEqual(self.of("DynamoDB_20120810.Query", TableName="t"), [("dynamodb:Query", "t")])

    def test_a_transaction_and_a_batch_are_what_is_in_them(self):
        items = [{"Put": {"TableName": "a"}}, {"Delete": {"TableName": "b"}}]
        found = self.of("DynamoDB_20120810.TransactWriteItems", TransactItems=items)
        self.assertEqual(found, [("dynamodb:PutItem", "a"), ("dynamodb:DeleteItem", "b")])
        found = self.of("DynamoDB_20120810.BatchGetItem", RequestItems={"a": {}, "b": {}})
        self.assertEqual(found, [("dynamodb:BatchGetItem", "a"), ("dynamodb:BatchGetItem", "b")])

    def test_queues_and_secrets(self):
        self.assertEqual(self.of("AmazonSQS.SendMessage", QueueUrl="q"), [("sqs:SendMessage", "q")])
        found = self.of("secretsmanager.CreateSecret", Name="n")
        self.assertEqual(found, [("secretsmanager:CreateSecret", "n")])
        self.assertEqual(called.actions("AmazonSQS.SendMessage", b"no json"), [])


class Differences(unittest.TestCase):
    def test_calls_are_named_as_the_template_names_them(self):
        lines = [
            json.dumps({"function": "api", "action": "dynamodb:Query", "resource": resource})
            for resource in ("table-1/index/byStart", "no-such-table", "stack/connections/ABC-x")
        ]
        calls = check_calls.made(lines, {"table-1": "BookingsTable"})
        self.assertEqual(
            calls,
            {
                ("api", "dynamodb:Query", "BookingsTable/index/byStart"),
                ("api", "dynamodb:Query", check_calls.TOKENS),
            },
        )

    def test_both_sides_are_told(self):
        call, grant = ("api", "sqs:SendMessage", "A"), ("api", "sqs:SendMessage", "B")
        wrong = check_calls.differences({call}, {grant}, {})
        self.assertEqual(len(wrong), 2)
        self.assertIn("which its role does not grant", wrong[0])
        self.assertIn("which no test had it call", wrong[1])
        self.assertEqual(check_calls.differences({call}, {call}, {}), [])

    def test_what_is_rare_may_be_missing_but_must_be_granted(self):
        rare = {("api", "sqs:SendMessage", "B"): "a reason"}
        self.assertEqual(check_calls.differences(set(), set(rare), rare), [])
        self.assertEqual(check_calls.differences(set(rare), set(rare), rare), [])
        self.assertEqual(len(check_calls.differences(set(), set(), rare)), 1)


if __name__ == "__main__":
    unittest.main()
