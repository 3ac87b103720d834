"""What a request asks of IAM: actions, the ARN that each is on, and the keys that conditions may test.

By the service authorization reference, https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from dataclasses import dataclass, field

# Where a run's are noted: a JSON line each, once.
FILE = "calls.jsonl"
TARGETS = {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs", "secretsmanager": "secretsmanager"}
# A transaction needs no action of its own: those of its items are what is checked.
IN_TRANSACTION = {
    "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
# A batch of messages needs what one message needs.
IN_BATCH = {
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}


class NotKnown(Exception):
    """A call that nothing here can name; the message says which."""


@dataclass(frozen=True)
class Action:
    """One thing that IAM is asked for."""

    name: str
    resource: str
    context: dict = field(default_factory=dict, compare=False)


def service_of(target: str) -> tuple[str, str]:
    """Service and operation of the header X-Amz-Target."""
    prefix, _, operation = target.partition(".")
    if prefix not in TARGETS:
        raise NotKnown(f"the service of {target}")
    return TARGETS[prefix], operation


class Place:
    """Names things by ARN in one account and region; knows what only the running cloud can say."""

    def __init__(self, region: str, account: str, secret_arn=lambda name: None, keys_of=lambda table, index=None: None):
        self.region, self.account = region, account
        # The ARN of a secret's name; the names of the key's attributes of a table or index. None: not there.
        self.secret_arn, self.keys_of = secret_arn, keys_of

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"

    def table(self, name: str) -> str:
        return name if name.startswith("arn:") else self.arn("dynamodb", f"table/{name}")

    def queue(self, url: str) -> str:
        return self.arn("sqs", url.rstrip("/").rsplit("/", 1)[-1])

    def secret(self, name: str) -> str:
        # A secret that isn't there (yet) has no random end, and is checked by its name.
        return name if name.startswith("arn:") else self.secret_arn(name) or self.arn("secretsmanager", f"secret:{name}")


def actions(service: str, operation: str, asked: dict, place: Place) -> list[Action]:
    """All that a request asks for. Raises `NotKnown` for what isn't known here."""
    try:
        return {"dynamodb": _of_dynamodb, "sqs": _of_sqs, "secretsmanager": _of_secrets}[service](
            operation, asked, place
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise NotKnown(f"what {service}:{operation} is on ({error})") from None


def _of_dynamodb(operation: str, asked: dict, place: Place) -> list[Action]:
    if operation in ("TransactWriteItems", "TransactGetItems"):
        return [
            Action(
                f"dynamodb:{IN_TRANSACTION[kind]}",
                place.table(one["TableName"]),
                {**_keys(one, place), "dynamodb:EnclosingOperation": [operation]},
            )
            for item in asked["TransactItems"]
            for kind, one in item.items()
            if one is not None
        ]
    if operation in ("BatchGetItem", "BatchWriteItem"):
        found = []
        for table, wanted in asked["RequestItems"].items():
            items = wanted["Keys"] if operation == "BatchGetItem" else map(_written, wanted)
            leading = [value for item in items for value in _leading(table, item, place)]
            found.append(Action(f"dynamodb:{operation}", place.table(table), {"dynamodb:LeadingKeys": leading}))
        return found
    index = asked.get("IndexName")
    on = place.table(asked["TableName"]) + (f"/index/{index}" if index else "")
    # Of a query the keys are in an expression: a condition on them isn't known here.
    context = {} if operation in ("Query", "Scan") else _keys(asked, place)
    return [Action(f"dynamodb:{operation}", on, context)]


def _keys(asked: dict, place: Place) -> dict:
    item = asked.get("Key") or asked.get("Item") or {}
    return {"dynamodb:LeadingKeys": _leading(asked["TableName"], item, place)}


def _written(write: dict) -> dict:
    (request,) = write.values()
    return request.get("Item") or request["Key"]


def _leading(table: str, item: dict, place: Place) -> list[str]:
    names = place.keys_of(table) or []
    return [str(value) for name in names[:1] for value in item.get(name, {}).values()]


def _of_sqs(operation: str, asked: dict, place: Place) -> list[Action]:
    return [Action(f"sqs:{IN_BATCH.get(operation, operation)}", place.queue(asked.get("QueueUrl") or asked["QueueName"]))]


def _of_secrets(operation: str, asked: dict, place: Place) -> list[Action]:
    on = place.secret(asked.get("SecretId") or asked["Name"])
    found = [Action(f"secretsmanager:{operation}", on)]
    if operation == "CreateSecret" and asked.get("Tags"):
        found.append(Action("secretsmanager:TagResource", on))
    return found
