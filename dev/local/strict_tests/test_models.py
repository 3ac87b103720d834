"""Each kind of fault that AWS's models tell of, planted in a request that is otherwise right."""

import unittest

from strict.models import wrong

PUT = {"TableName": "bookings", "Item": {"id": {"S": "x"}}}


class Models(unittest.TestCase):
    def test_what_is_right_passes(self):
        self.assertEqual(wrong("dynamodb", "PutItem", PUT), [])
        self.assertEqual(wrong("dynamodb", "PutItem", PUT | {"ConditionExpression": None}), [])
        every = {
            "S": "x", "N": "1.5", "B": "aGk=", "BOOL": True, "NULL": True, "SS": ["a"], "NS": ["1"], "BS": ["aGk="],
            "M": {"a": {"S": "b"}}, "L": [{"N": "1"}],
        }
        item = {name: {name: value} for name, value in every.items()}
        self.assertEqual(wrong("dynamodb", "PutItem", PUT | {"Item": item}), [])
        self.assertEqual(wrong("sqs", "SendMessage", {"QueueUrl": "q", "MessageBody": "b", "DelaySeconds": 5}), [])
        secret = {"Name": "n", "SecretString": "s", "ClientRequestToken": "x" * 36}
        self.assertEqual(wrong("secretsmanager", "CreateSecret", secret), [])

    def test_faults(self):
        for service, operation, asked, told in [
            ("dynamodb", "PutItems", PUT, "no operation"),
            ("dynamodb", "PutItem", [], "no structure"),
            ("dynamodb", "PutItem", {"Item": {}}, "lacks TableName"),
            ("dynamodb", "PutItem", PUT | {"TabelName": "x"}, "a member TabelName"),
            ("dynamodb", "PutItem", PUT | {"TableName": 7}, "no string"),
            ("dynamodb", "PutItem", PUT | {"TableName": ""}, "1 is the least"),
            ("dynamodb", "PutItem", PUT | {"ReturnValues": "EVERYTHING"}, "none of"),
            ("dynamodb", "PutItem", PUT | {"Item": {"id": {"S": 7}}}, "no string"),
            ("dynamodb", "PutItem", PUT | {"Item": {"id": {"B": "no Base64!"}}}, "no Base64"),
            ("dynamodb", "PutItem", PUT | {"Item": {"id": {"BOOL": "true"}}}, "neither true nor false"),
            ("dynamodb", "PutItem", PUT | {"Item": {"id": {"L": {}}}}, "no list"),
            ("dynamodb", "PutItem", PUT | {"Item": {"id": {"S": "a", "N": "1"}}}, "of exactly one type"),
            ("dynamodb", "PutItem", PUT | {"Item": []}, "no map"),
            ("dynamodb", "Query", {"TableName": "t", "Limit": 0}, "1 is the least"),
            ("dynamodb", "Query", {"TableName": "t", "Limit": "20"}, "no whole number"),
            ("dynamodb", "TransactWriteItems", {"TransactItems": [{}] * 101}, "100 is the most"),
            ("dynamodb", "BatchGetItem", {"RequestItems": {"t": {"Keys": [{"id": {"S": str(n)}} for n in range(101)]}}}, "100 is the most"),
            ("sqs", "SendMessage", {"QueueUrl": "q", "MessageBody": "b", "DelaySeconds": 1.5}, "no whole number"),
            ("sqs", "SendMessage", {"MessageBody": "b"}, "lacks QueueUrl"),
            ("secretsmanager", "CreateSecret", {"Name": "n", "ClientRequestToken": "short"}, "32 is the least"),
            ("secretsmanager", "PutSecretValue", {"SecretId": "n", "SecretString": "x" * 70_000}, "65536 is the most"),
        ]:
            with self.subTest(told, operation=operation):
                found = wrong(service, operation, asked)
                self.assertTrue(any(told in line for line in found), found)

    def test_no_message_holds_a_value(self):
        item = {"id": {"B": "ada@example.com"}}
        found = wrong("dynamodb", "PutItem", PUT | {"Item": item, "ReturnValues": "ada@example.com"})
        self.assertEqual(len(found), 2)
        self.assertNotIn("ada@example.com", " ".join(found))
