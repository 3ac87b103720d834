"""What AWS refuses is refused here, and told, by the gate or by the emulator behind it.

Each fault is planted in a request that passes without it, and sent through both. So this also holds the
emulator to the checks that the gate leaves to it, when its version changes.
"""

import asyncio
import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

import ministack.app

import called
from strict import refusals
from strict.running import Cloud

REGION, FUNCTION = "us-east-1", "worker"
TABLE, QUEUE, SECRET = "bookings", "http://127.0.0.1/000000000000/webhooks", "stack/connections/A"
TARGETS = {"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS", "secretsmanager": "secretsmanager"}
ALL = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


class OneFunction(Cloud):
    """A cloud with one function, whose role is what the test says."""

    held = ALL

    def function(self, short):
        role = f"arn:aws:iam::000000000000:role/{FUNCTION}"
        return {"FunctionName": short, "Role": role} if short == FUNCTION else None

    def statements(self, role_arn):
        return self.held

    def boundary(self, role_arn):
        return None


def send(application, service: str, operation: str, asked, agent=f"app/{FUNCTION}", key="KEY") -> tuple[int, dict]:
    """One request as an SDK sends it; answers status and JSON."""
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    headers = {
        "host": "127.0.0.1", "content-type": "application/x-amz-json-1.0", "user-agent": f"aws-sdk-rust/1 {agent}",
        "x-amz-target": f"{TARGETS.get(service, service)}.{operation}",
        "authorization": f"AWS4-HMAC-SHA256 Credential={key}/20270101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0",
    }
    scope = {
        "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "client": ("127.0.0.1", 1),
    }
    got: list[dict] = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def collect(event):
        got.append(event)

    asyncio.run(application(scope, receive, collect))
    answer = b"".join(event.get("body", b"") for event in got[1:])
    return got[0]["status"], json.loads(answer or b"{}")


class Behind(unittest.TestCase):
    """The gate before the emulator, with a table, a queue and a secret."""

    @classmethod
    def setUpClass(cls):
        make = ministack.app.app
        send(make, "dynamodb", "CreateTable", {
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "status")],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "GlobalSecondaryIndexes": [{
                "IndexName": "byStatus",
                "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }],
        }, agent="")
        status, made = send(make, "sqs", "CreateQueue", {"QueueName": "webhooks"}, agent="")
        assert status == 200, made
        cls.queue = made["QueueUrl"]
        send(make, "secretsmanager", "CreateSecret", {"Name": SECRET, "SecretString": "{}"}, agent="")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log_dir = Path(folder.name)
        self.cloud = OneFunction(REGION, "stack")
        self.gate = called.Gate(self.cloud, self.log_dir, "FUNCTIONSKEY")
        self.front = self.gate.front(ministack.app.app)

    def send(self, service, operation, asked, **more):
        with contextlib.redirect_stderr(io.StringIO()):
            return send(self.front, service, operation, asked, **more)

    def passes(self, service, operation, asked):
        status, answer = self.send(service, operation, asked)
        self.assertEqual(status, 200, answer)
        self.assertEqual(refusals.faults(self.log_dir), [])

    def is_refused(self, service, operation, asked, *codes):
        """Refused with one of these codes, and told."""
        status, answer = self.send(service, operation, asked)
        self.assertEqual(status, 400, answer)
        code = answer["__type"].rsplit("#", 1)[-1]
        if code == "TransactionCanceledException":
            code = next(reason["Code"] for reason in answer["CancellationReasons"] if reason["Code"] != "None")
        self.assertIn(code, codes, answer)
        self.assertEqual(len(refusals.faults(self.log_dir)), 1, answer)
        refusals.forget(self.log_dir)


def key(pk="p", sk="s", **more) -> dict:
    return {name: {"S": value} for name, value in {"pk": pk, "sk": sk, **more}.items()}


def update(expression="SET a = :v", names=None, values=None, **more) -> dict:
    return {
        "TableName": TABLE, "Key": key(), "UpdateExpression": expression,
        **({"ExpressionAttributeNames": names} if names is not None else {}),
        "ExpressionAttributeValues": {":v": {"S": "x"}} if values is None else values, **more,
    }


class DynamoDB(Behind):
    def of_dynamodb(self, operation, right, faults):
        self.passes("dynamodb", operation, right)
        for why, asked in faults.items():
            with self.subTest(why):
                self.is_refused("dynamodb", operation, asked, "ValidationException", "ValidationError")

    def test_updates(self):
        self.of_dynamodb("UpdateItem", update(), {
            "an unused name": update(names={"#n": "n"}),
            "an unused value": update(values={":v": {"S": "x"}, ":w": {"S": "y"}}),
            "no values at all": update(values={}),
            "an empty expression": update(""),
            "a value that isn't there": update("SET a = :w"),
            "a name that isn't there": update("SET #n = :v"),
            "a reserved word": update("SET status = :v"),
            "two paths in one another": update("SET a = :v, a.b = :v"),
            "a key attribute": update("SET pk = :v"),
            "an index's key attribute that is empty": update("SET #s = :v", {"#s": "status"}, {":v": {"S": ""}}),
            "an index's key attribute of another type": update("SET #s = :v", {"#s": "status"}, {":v": {"N": "1"}}),
            "an item of more than 400 kB": update(values={":v": {"S": "x" * 410_000}}),
            "an empty key": update() | {"Key": key(pk="")},
            "a part of the key": update() | {"Key": {"pk": {"S": "p"}}},
            "more than the key": update() | {"Key": key(other="x")},
        })

    def test_puts(self):
        put = {"TableName": TABLE, "Item": key(a="x")}
        self.of_dynamodb("PutItem", put, {
            "an item of more than 400 kB": put | {"Item": key(a="x" * 410_000)},
            "a member that AWS doesn't know": put | {"ConditonExpression": "attribute_not_exists(pk)"},
            "an empty set": put | {"Item": key() | {"a": {"SS": []}}},
            "a set with the same twice": put | {"Item": key() | {"a": {"SS": ["x", "x"]}}},
            "a number that is none": put | {"Item": key() | {"a": {"N": "one"}}},
            "a number of more than 38 digits": put | {"Item": key() | {"a": {"N": "1" * 39}}},
            "a key of more than 2048 bytes": put | {"Item": key(pk="p" * 2_049)},
            "values without an expression": put | {"ExpressionAttributeValues": {":v": {"S": "x"}}},
            "a condition that can't be read": put | {"ConditionExpression": "attribute_not_exists(pk"},
            "an unknown function": put | {"ConditionExpression": "exists(pk)"},
        })

    def test_queries(self):
        query = {
            "TableName": TABLE, "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "p"}},
        }
        by_status = query | {
            "IndexName": "byStatus", "KeyConditionExpression": "#s = :p", "ExpressionAttributeNames": {"#s": "status"},
        }
        self.passes("dynamodb", "Query", by_status)
        self.of_dynamodb("Query", query, {
            "no partition key": query | {"KeyConditionExpression": "sk = :p"},
            "an index that isn't there": query | {"IndexName": "byName"},
            "a consistent read of an index": by_status | {"ConsistentRead": True},
            "a filter on a key": query | {"FilterExpression": "sk = :p"},
            "an unused name": query | {"ExpressionAttributeNames": {"#n": "n"}},
            "a start that is no key": query | {"ExclusiveStartKey": {"pk": {"S": "p"}}},
        })

    def test_transactions_and_batches(self):
        def puts(*items, size=1):
            return {"TransactItems": [{"Put": {"TableName": TABLE, "Item": key(sk=sk, a="x" * size)}} for sk in items]}

        self.of_dynamodb("TransactWriteItems", puts("1", "2"), {
            "two of one item": puts("1", "1"),
            "more than 100": puts(*map(str, range(101))),
            "none": puts(),
            "more than 4 MB": puts(*map(str, range(12)), size=390_000),
            "an item of more than 400 kB": puts("1", size=410_000),
            "an empty key": puts(""),
            "an index's key attribute of another type": {
                "TransactItems": [{"Put": {"TableName": TABLE, "Item": key() | {"status": {"N": "1"}}}}],
            },
        })
        get = {"RequestItems": {TABLE: {"Keys": [key(), key(sk="2")]}}}
        self.of_dynamodb("BatchGetItem", get, {
            "the same twice": {"RequestItems": {TABLE: {"Keys": [key(), key()]}}},
            "no keys": {"RequestItems": {TABLE: {"Keys": []}}},
        })

    def test_what_good_code_brings_about_is_no_fault(self):
        taken = {"TableName": TABLE, "Item": key(), "ConditionExpression": "attribute_not_exists(pk)"}
        self.send("dynamodb", "PutItem", taken)
        status, answer = self.send("dynamodb", "PutItem", taken)
        self.assertEqual(status, 400)
        self.assertIn("ConditionalCheckFailedException", answer["__type"])
        status, answer = self.send("dynamodb", "TransactWriteItems", {"TransactItems": [{"Put": taken}]})
        self.assertIn("TransactionCanceledException", answer["__type"])
        self.assertEqual(refusals.faults(self.log_dir), [])


class Queues(Behind):
    def test_messages(self):
        message = {"QueueUrl": self.queue, "MessageBody": "b"}
        self.passes("sqs", "SendMessage", message | {"DelaySeconds": 900})
        for why, code, change in [
            ("nothing", "MissingParameter", {"MessageBody": ""}),
            ("too long", "InvalidParameterValue", {"MessageBody": "ü" * 131_073}),
            ("a character that XML lacks", "InvalidMessageContents", {"MessageBody": "a\u0001"}),
            ("too late", "InvalidParameterValue", {"DelaySeconds": 901}),
            ("before now", "InvalidParameterValue", {"DelaySeconds": -1}),
        ]:
            with self.subTest(why):
                self.is_refused("sqs", "SendMessage", message | change, code)

    def test_batches(self):
        def batch(*entries):
            return {"QueueUrl": self.queue, "Entries": [{"Id": one, "MessageBody": "b"} for one in entries]}

        self.passes("sqs", "SendMessageBatch", batch("a", "b"))
        for code, asked in [
            ("EmptyBatchRequest", batch()),
            ("TooManyEntriesInBatchRequest", batch(*map(str, range(11)))),
            ("BatchEntryIdsNotDistinct", batch("a", "a")),
            ("InvalidBatchEntryId", batch("a b")),
            ("BatchRequestTooLong", {
                "QueueUrl": self.queue, "Entries": [{"Id": one, "MessageBody": "b" * 140_000} for one in "ab"],
            }),
        ]:
            with self.subTest(code):
                self.is_refused("sqs", "SendMessageBatch", asked, code)

    def test_receiving_and_waiting(self):
        receive = {"QueueUrl": self.queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 43_200}
        self.passes("sqs", "ReceiveMessage", receive)
        for change in ({"MaxNumberOfMessages": 11}, {"VisibilityTimeout": 43_201}, {"WaitTimeSeconds": 21}):
            with self.subTest(change):
                self.is_refused("sqs", "ReceiveMessage", receive | change, "InvalidParameterValue")
        again = {"QueueUrl": self.queue, "ReceiptHandle": "r", "VisibilityTimeout": 13 * 3_600}
        self.is_refused("sqs", "ChangeMessageVisibility", again, "InvalidParameterValue")


class Secrets(Behind):
    def test_secrets(self):
        self.passes("secretsmanager", "PutSecretValue", {"SecretId": SECRET, "SecretString": "x" * 65_536})
        for why, operation, asked, code in [
            ("a name with a star", "CreateSecret", {"Name": "stack/*", "SecretString": "x"}, "ValidationException"),
            ("more than 64 kB", "PutSecretValue", {"SecretId": SECRET, "SecretString": "x" * 65_537}, "ValidationException"),
            ("more than 64 kB in bytes", "PutSecretValue", {"SecretId": SECRET, "SecretString": "ü" * 33_000}, "ValidationException"),
            ("two ways to delete", "DeleteSecret",
             {"SecretId": SECRET, "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True}, "InvalidParameterException"),
            ("too soon", "DeleteSecret", {"SecretId": SECRET, "RecoveryWindowInDays": 6}, "InvalidParameterException"),
        ]:
            with self.subTest(why):
                self.is_refused("secretsmanager", operation, asked, code)


class Roles(Behind):
    def test_a_call_that_the_role_does_not_grant(self):
        self.cloud.held = [{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": f"arn:aws:dynamodb:{REGION}:000000000000:table/{TABLE}"}]
        self.passes("dynamodb", "PutItem", {"TableName": TABLE, "Item": key()})
        self.is_refused("dynamodb", "GetItem", {"TableName": TABLE, "Key": key()}, "AccessDeniedException")
        transaction = {"TransactItems": [
            {"Put": {"TableName": TABLE, "Item": key()}}, {"Delete": {"TableName": TABLE, "Key": key(sk="2")}},
        ]}
        self.is_refused("dynamodb", "TransactWriteItems", transaction, "AccessDeniedException")
        self.is_refused("sqs", "SendMessage", {"QueueUrl": self.queue, "MessageBody": "b"}, "AccessDeniedException")
        self.is_refused("secretsmanager", "GetSecretValue", {"SecretId": SECRET}, "AccessDeniedException")

    def test_a_secrets_own_policy_may_grant_what_the_role_does_not(self):
        self.cloud.held = []
        get = {"SecretId": SECRET}
        self.is_refused("secretsmanager", "GetSecretValue", get, "AccessDeniedException")
        grant = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*",
                 "Principal": {"AWS": self.cloud.function(FUNCTION)["Role"]}}
        policy = {"SecretId": SECRET, "ResourcePolicy": json.dumps({"Version": "2012-10-17", "Statement": [grant]})}
        self.send("secretsmanager", "PutResourcePolicy", policy, agent="")
        self.addCleanup(self.send, "secretsmanager", "DeleteResourcePolicy", get, agent="")
        self.passes("secretsmanager", "GetSecretValue", get)

    def test_a_refusal_says_who_may_not_do_what_on_what(self):
        self.cloud.held = []
        _, answer = self.send("dynamodb", "GetItem", {"TableName": TABLE, "Key": key()})
        for part in (f"assumed-role/{FUNCTION}/", "dynamodb:GetItem", f"table/{TABLE}", "no identity-based policy"):
            self.assertIn(part, answer["message"])

    def test_what_a_test_pointed_elsewhere_is_refused_and_is_no_fault(self):
        self.cloud.held = []
        status, answer = self.send("dynamodb", "GetItem", {"TableName": "no-such-table", "Key": key()})
        self.assertEqual(status, 400)
        self.assertIn("AccessDeniedException", answer["__type"])
        self.assertEqual(refusals.faults(self.log_dir), [])
        self.assertEqual(len(refusals.read(self.log_dir)), 1)

    def test_people_and_tests_pass_and_functions_must_say_who_they_are(self):
        self.cloud.held = []
        get = {"TableName": TABLE, "Key": key()}
        self.assertEqual(self.send("dynamodb", "GetItem", get, agent="")[0], 200)
        self.assertEqual(self.send("dynamodb", "GetItem", get, agent="", key="FUNCTIONSKEY")[0], 400)
        self.assertEqual(self.send("dynamodb", "GetItem", get, agent="app/nobody")[0], 400)
        self.assertEqual(len(refusals.faults(self.log_dir)), 2)

    def test_a_service_that_the_gate_does_not_know_is_no_way_around_it(self):
        self.is_refused("AWSEvents", "PutEvents", {"Entries": []}, "UnknownOperationException")
        self.is_refused("dynamodb", "GetItem", b"no json", "SerializationException")
        self.is_refused("dynamodb", "ExecuteStatement", {"Statement": "SELECT 1"}, "UnknownOperationException")

    def test_a_gate_that_fails_is_shut(self):
        def broken(short):
            raise KeyError(short)

        self.cloud.function = broken
        self.is_refused("dynamodb", "GetItem", {"TableName": TABLE, "Key": key()}, "InternalFailure")

    def test_lambdas_own_calls_take_the_role_too(self):
        queue = f"arn:aws:sqs:{REGION}:000000000000:webhooks"
        config = {**self.cloud.function(FUNCTION), "TracingConfig": {"Mode": "Active"}}
        self.assertTrue(self.gate.polls(config, FUNCTION, queue))
        self.gate.starts(config, FUNCTION)
        self.assertEqual(refusals.faults(self.log_dir), [])
        self.cloud.held = [{"Effect": "Allow", "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"], "Resource": queue}]
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertFalse(self.gate.polls(config, FUNCTION, queue))
            self.gate.starts(config, FUNCTION)
        told = " ".join(refusals.faults(self.log_dir))
        for action in ("sqs:GetQueueAttributes", "logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"):
            self.assertIn(f"Lambda's own {action}", told)
