"""The tables that hold people's data: how their items are named, and what a restored one lacks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One of the stack's tables."""

    name: str
    logical: str
    keys: tuple
    # The attribute by which items expire, if they do.
    expires: str | None = None


BOOKINGS = Kind("bookings", "BookingsTable", ("pk", "sk"))
DELIVERIES = Kind("deliveries", "DeliveriesTable", ("id",), "expiresAt")
CONNECTIONS = Kind("connections", "ConnectionsTable", ("id",), "expiresAt")
KINDS = {kind.name: kind for kind in (BOOKINGS, DELIVERIES, CONNECTIONS)}


def described(dynamodb, name: str) -> dict | None:
    """What DynamoDB says of a table; nothing if there is none."""
    try:
        return dynamodb.describe_table(TableName=name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return None


def names(dynamodb) -> list:
    """All tables of the account."""
    return [name for page in dynamodb.get_paginator("list_tables").paginate() for name in page["TableNames"]]
