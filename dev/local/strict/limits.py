"""Limits of AWS's that its models don't hold and the emulator doesn't keep, each with its source.

What the emulator refuses by itself (DynamoDB's expressions, keys and sizes) is not said again here: gate.py
takes its refusals as it takes these. strict_tests/test_refusals.py holds both together.
"""

import re
from collections import Counter

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
# Since August 2025 a message may have 1 MiB, but not in every queue and client: the old limit fits all.
MESSAGE_BYTES = 262_144
MOST_DELAY = 900
MOST_VISIBILITY = 43_200
MOST_WAIT = 20
MOST_IN_BATCH = 10
# What SQS takes in a message: XML's characters.
NO_CHARACTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
SECRET_BYTES = 65_536
SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")


def broken(service: str, operation: str, asked: dict, keys_of) -> tuple[str, str] | None:
    """AWS's error code, and what is wrong: the first limit that a request breaks.

    `keys_of` tells the names of the key of a table, or of its index.
    """
    if service == "dynamodb":
        return next(_dynamodb(operation, asked, keys_of), None)
    return next({"sqs": _sqs, "secretsmanager": _secrets}[service](operation, asked), None)


def _sqs(operation: str, asked: dict):
    entries = asked.get("Entries")
    if entries is not None:
        if not entries:
            yield "EmptyBatchRequest", "there is no entry in the batch"
        if len(entries) > MOST_IN_BATCH:
            yield "TooManyEntriesInBatchRequest", f"{len(entries)} entries in a batch, and {MOST_IN_BATCH} is the most"
        ids = Counter(entry.get("Id") for entry in entries)
        if any(times > 1 for times in ids.values()):
            yield "BatchEntryIdsNotDistinct", "two entries have one Id"
        if not all(BATCH_ID.fullmatch(str(one)) for one in ids):
            yield "InvalidBatchEntryId", "an Id has other characters than letters, digits, - and _, or more than 80"
        if sum(map(_message_bytes, entries)) > MESSAGE_BYTES:
            yield "BatchRequestTooLong", f"the messages have more than {MESSAGE_BYTES} bytes together"
    for one in [asked] if entries is None else entries:
        if operation.startswith("SendMessage"):
            if not one.get("MessageBody"):
                yield "MissingParameter", "the message is empty"
            elif NO_CHARACTER.search(one["MessageBody"]):
                yield "InvalidMessageContents", "the message has characters that SQS doesn't take"
            if _message_bytes(one) > MESSAGE_BYTES:
                yield "InvalidParameterValue", f"the message has more than {MESSAGE_BYTES} bytes"
            if len(one.get("MessageAttributes") or ()) > 10:
                yield "InvalidParameterValue", "the message has more than 10 attributes"
        yield from _within(one, "DelaySeconds", 0, MOST_DELAY)
        yield from _within(one, "VisibilityTimeout", 0, MOST_VISIBILITY)
    yield from _within(asked, "MaxNumberOfMessages", 1, MOST_IN_BATCH)
    yield from _within(asked, "WaitTimeSeconds", 0, MOST_WAIT)


def _within(asked: dict, name: str, least: int, most: int):
    value = asked.get(name)
    if value is not None and not least <= value <= most:
        yield "InvalidParameterValue", f"{name} is {value}, and must be from {least} to {most}"


def _message_bytes(message: dict) -> int:
    """Body and attributes (name, type and value) count."""
    attributes = message.get("MessageAttributes") or {}
    return len((message.get("MessageBody") or "").encode()) + sum(
        len(name.encode()) + sum(len(str(value).encode()) for value in attribute.values())
        for name, attribute in attributes.items()
    )


def _secrets(operation: str, asked: dict):
    if operation == "CreateSecret" and not SECRET_NAME.fullmatch(asked.get("Name") or ""):
        yield "ValidationException", "a secret's name has other characters than letters, digits and /_+=.@-"
    if len((asked.get("SecretString") or "").encode()) > SECRET_BYTES:
        yield "ValidationException", f"the secret has more than {SECRET_BYTES} bytes"
    if operation == "DeleteSecret":
        days = asked.get("RecoveryWindowInDays")
        if days is not None and asked.get("ForceDeleteWithoutRecovery"):
            yield "InvalidParameterException", "RecoveryWindowInDays and ForceDeleteWithoutRecovery exclude one another"
        if days is not None and not 7 <= days <= 30:
            yield "InvalidParameterException", "RecoveryWindowInDays must be from 7 to 30"


def _dynamodb(operation: str, asked: dict, keys_of):
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.FilterExpression.html
    if operation == "Query" and asked.get("FilterExpression"):
        names = asked.get("ExpressionAttributeNames") or {}
        paths = {names.get(word, word) for word in re.findall(r"(?<![\w.:#])#?[A-Za-z_]\w*", asked["FilterExpression"])}
        for key in keys_of(asked["TableName"], asked.get("IndexName")) or ():
            if key in paths:
                yield "ValidationException", f"the filter tests {key}, a part of the key"
