"""Which items a restore takes, table by table: nobody who was erased, and nothing that a newer fact has undone."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Callable

import tables
from clock import parse

MARK = "erased#"
# What the items beside a record are named by: they lead to it, and follow from it alone.
LINKS = ("contact#", "connection#")


@dataclass
class Rules:
    """Which items of a copy are taken, and how. Each is given the item; an owner is a `copying.Pair`."""

    ids: set
    # Whether it is looked at.
    wanted: Callable = lambda item: True
    # Whether it stays away: (item, existing, owner, replace).
    left_out: Callable = lambda item, existing, owner, replace: False
    # The key of the item that it belongs to.
    owner: Callable = lambda item: None
    # What must hold of the owner as it is written.
    guard: Callable = lambda item, owner: None
    # Whether the sets of both count.
    merged: Callable = lambda item: False
    # Called with the copy and an item that took another's place.
    replaced: Callable = lambda copy, item: None
    warnings: list = field(default_factory=list)
    steps: list = field(default_factory=list)


def rules(desk, kind: tables.Kind, target: str, since: datetime | None, ids: set) -> Rules:
    """The rules for one table."""
    if kind is tables.CONNECTIONS:
        return _connections(desk)
    erased = _erased(desk, since)
    found = _bookings(ids, erased) if kind is tables.BOOKINGS else _deliveries(ids)
    if erased:
        found.warnings.append(
            f"{len(erased)} people were erased since then. What has their address in its text (events that they "
            "were a guest of, bodies of deliveries) would come back with it."
        )
        found.steps.append(
            f"erase these {len(erased)} people again, from your own list of requests (POST /v1/erasures): their marks "
            "hold no addresses"
        )
    return found


def _older_mark(item: dict, existing: dict | None) -> bool:
    """Whether it is a mark of erasure whose newer one is there."""
    name = item.get("pk") or item["id"]
    return existing is not None and name["S"].startswith(MARK)


# ---------------------------------------------------------------------- bookings


def _bookings(ids: set, erased: set) -> Rules:
    def left_out(item, existing, owner, replace) -> bool:
        return _older_mark(item, existing) or _party(item) in erased or (_is_link(item) and _is_stale(owner, replace))

    wanted = (lambda item: item["pk"]["S"].rpartition("#")[2] in ids or _is_list(item)) if ids else lambda item: True
    # Of the lists of months both count, or events that come back would be in none.
    return Rules(ids, wanted, left_out, owner=_record_of, guard=_as_it_was, merged=_is_list, replaced=_without_newer_links)


def _is_list(item: dict) -> bool:
    return item["pk"]["S"] == "buckets"


def _is_link(item: dict) -> bool:
    return item["sk"]["S"].startswith(LINKS)


def _party(item: dict) -> str:
    """The hash of the person whom an item belongs to or leads to, if it does."""
    return item.get("party", {}).get("S", "").rpartition("#")[2]


def _record_of(item: dict) -> dict | None:
    """The key of the record that a link follows from."""
    if not _is_link(item):
        return None
    record = "submission" if "#submission#" in item["pk"]["S"] else "event"
    return {"pk": item["pk"], "sk": {"S": record}}


def _is_stale(owner, replace: bool) -> bool:
    """Whether a link leads to what its record no longer says: a guest who was taken off since."""
    if owner.then is None:
        return True
    return not replace and owner.now is not None and owner.now.get("etag") != owner.then.get("etag")


def _as_it_was(item: dict, owner) -> dict | None:
    """A link is written while its record is as it was read: it comes before it, in its partition and so in the copy."""
    if not _is_link(item):
        return None
    if owner.now is None:
        return {"Key": _record_of(item), "ConditionExpression": "attribute_not_exists(pk)"}
    return _with_etag(_record_of(item), owner.now["etag"])


def _with_etag(key: dict, etag: dict) -> dict:
    return {"Key": key, "ConditionExpression": "etag = :etag", "ExpressionAttributeValues": {":etag": etag}}


def _without_newer_links(copy, item: dict) -> None:
    """Takes away the links of a record that gave place to an older one, which that one does not have."""
    if item["sk"]["S"] not in ("event", "submission"):
        return
    then, now = (_links(copy.dynamodb, table, item["pk"]) for table in (copy.source, copy.target))
    for name in now - then:
        key = {"pk": item["pk"], "sk": {"S": name}}
        guard = _with_etag({"pk": item["pk"], "sk": item["sk"]}, item["etag"])
        try:
            copy.transact({"Delete": {"TableName": copy.target, "Key": key}}, guard)
        except copy.dynamodb.exceptions.TransactionCanceledException:
            # Somebody changed the record again, and its links with it.
            return


def _links(dynamodb, table: str, pk: dict) -> set:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table, ConsistentRead=True, KeyConditionExpression="pk = :pk", ProjectionExpression="pk, sk",
        ExpressionAttributeValues={":pk": pk},
    )
    return {item["sk"]["S"] for page in pages for item in page["Items"] if _is_link(item)}


# -------------------------------------------------------------------- deliveries


def _deliveries(ids: set) -> Rules:
    def left_out(item, existing, owner, _) -> bool:
        erased = "erasedAt" in (existing or {}) or "erasedAt" in (owner.now or {})
        return _older_mark(item, existing) or (erased and not item["id"]["S"].startswith(MARK))

    def delivery_of(item) -> dict | None:
        """A long body is in items of its own, which an erasure deletes; it marks the delivery."""
        id_, part, _ = item["id"]["S"].partition("#")
        return {"id": {"S": id_}} if part and not item["id"]["S"].startswith(MARK) else None

    def not_erased(item, _) -> dict | None:
        key = delivery_of(item)
        return key and {"Key": key, "ConditionExpression": "attribute_not_exists(erasedAt)"}

    return Rules(ids, left_out=left_out, owner=delivery_of, guard=not_erased)


def _erased(desk, since: datetime | None) -> set:
    """Who was erased after then, as the hashes that their marks are named by."""
    name = desk.account.physical(tables.BOOKINGS.logical)
    dynamodb, found = desk.account.client("dynamodb"), set()
    if name is None or tables.described(dynamodb, name) is None:
        return found
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=name, FilterExpression="begins_with(pk, :mark)", ProjectionExpression="pk, erasedAt",
        ExpressionAttributeValues={":mark": {"S": MARK}},
    )
    for item in (item for page in pages for item in page["Items"]):
        at = parse(item.get("erasedAt", {}).get("S"))
        if since is None or at is None or at >= since:
            found.add(item["pk"]["S"].removeprefix(MARK))
    return found


# ------------------------------------------------------------------- connections


def _connections(desk) -> Rules:
    prefix = f"{desk.account.stack}/connections/"
    pages = desk.account.client("secretsmanager").get_paginator("list_secrets").paginate(
        Filters=[{"Key": "name", "Values": [prefix]}]
    )
    with_tokens = {one["Name"].removeprefix(prefix) for page in pages for one in page["SecretList"] if one["Name"].startswith(prefix)}

    def left_out(item, *_) -> bool:
        kind, _, id_ = item["id"]["S"].partition("#")
        return kind == "connection" and id_ not in with_tokens

    return Rules(
        set(), left_out=left_out,
        # Who lists all of an organization: whoever is added wrongly is found out when it is asked.
        merged=lambda item: item["id"]["S"].startswith("organization#"),
        steps=["connect accounts again that were left out: GET /v1/auth/authorize has a link for each"],
    )
