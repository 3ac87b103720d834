"""Copies items of a table into another one that is in use: several segments at once, page by page.

Each item is compared first, and written only if it is missing (or differs, where it may be replaced), on
the condition that it is still as it was read: whoever writes at the same time wins. Nothing is ever
deleted. How far each segment is lies in a file, so that a copy that was stopped goes on there.
"""

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from boto3.dynamodb.types import TypeDeserializer

SEGMENTS = 8
# DynamoDB's limit of one BatchGetItem.
A_BATCH = 100
# What became of an item, in the order in which people read it.
OUTCOMES = ("missing", "same", "differs", "changed meanwhile", "expired", "left out")


@dataclass
class Pair:
    """An item as the copy has it, and as the stack has it."""

    then: dict | None
    now: dict | None


class Copy:
    """A copy from `source` into `target`.

    `rules` (see rules.py) say which items are looked at, and which stay away.
    """

    def __init__(self, dynamodb, kind, source: str, target: str, rules, replace=False, dry_run=True,
                 notes: Path | None = None, progress=lambda text: None):
        self.dynamodb, self.kind, self.source, self.target = dynamodb, kind, source, target
        self.rules, self.replace, self.dry_run, self.progress = rules, replace, dry_run, progress
        self.notes = None if dry_run else notes
        self.lock = threading.Lock()
        self.counts, self.places = Counter(), {}
        self.stopped = threading.Event()

    def run(self) -> Counter:
        """Copies, and answers how many items there were of each outcome."""
        self._go_on()
        with ThreadPoolExecutor(SEGMENTS) as pool:
            segments = [pool.submit(self._segment, number) for number in range(SEGMENTS)]
            try:
                for segment in segments:
                    segment.result()
            except BaseException:
                # The others stop after their page, and have noted it.
                self.stopped.set()
                raise
        if self.notes:
            self.notes.unlink(missing_ok=True)
        return self.counts

    def _segment(self, number: int) -> None:
        place = self.places.get(str(number))
        while place != "end" and not self.stopped.is_set():
            at = {"ExclusiveStartKey": place} if place else {}
            page = self.dynamodb.scan(TableName=self.source, Segment=number, TotalSegments=SEGMENTS, ConsistentRead=True, **at)
            counts = Counter()
            for begin in range(0, len(page["Items"]), A_BATCH // 2):
                self._batch(page["Items"][begin : begin + A_BATCH // 2], counts)
            place = page.get("LastEvaluatedKey") or "end"
            self._note(number, place, counts)

    def _batch(self, items: list, counts: Counter) -> None:
        now, chosen = int(time.time()), []
        for item in filter(self.rules.wanted, items):
            expires = item.get(self.kind.expires, {}).get("N") if self.kind.expires else None
            if expires is not None and int(expires) <= now:
                counts["expired"] += 1
            else:
                chosen.append(item)
        owners = {self._name(item): key for item in chosen if (key := self.rules.owner(item))}
        # At most two keys an item: its own, and its owner's.
        asked = {self._name(key): key for key in (*map(self._key, chosen), *owners.values())}
        there = self._read(self.target, asked)
        then = self._read(self.source, {self._name(key): key for key in owners.values()})
        for item in chosen:
            owner = owners.get(self._name(item))
            pair = Pair(then.get(self._name(owner)), there.get(self._name(owner))) if owner else Pair(None, None)
            counts[self._one(item, there.get(self._name(item)), pair)] += 1

    def _one(self, item: dict, existing: dict | None, owner: "Pair") -> str:
        if existing is not None and plain(existing) == plain(item):
            return "same"
        if self.rules.left_out(item, existing, owner, self.replace):
            return "left out"
        if self.rules.merged(item):
            return self._merge(item, existing)
        if existing is None:
            return "missing" if self.dry_run else self._put(item, None, owner, "missing")
        if not self.replace or self.dry_run:
            return "differs"
        outcome = self._put(item, existing, owner, "differs")
        if outcome == "differs":
            self.rules.replaced(self, item)
        return outcome

    def _put(self, item: dict, existing: dict | None, owner: "Pair", outcome: str) -> str:
        condition = {"ConditionExpression": "attribute_not_exists(#k)", "ExpressionAttributeNames": {"#k": self.kind.keys[0]}}
        if existing is not None:
            condition = as_read(existing, item)
        put = {"TableName": self.target, "Item": item, **condition}
        guard = self.rules.guard(item, owner)
        try:
            if guard is None:
                self.dynamodb.put_item(**put)
            else:
                # Only while its owner is as it was read.
                self.transact({"Put": put}, guard)
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return "changed meanwhile"
        except self.dynamodb.exceptions.TransactionCanceledException as error:
            codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
            if not codes <= {"None", "ConditionalCheckFailed", "TransactionConflict"}:
                raise
            return "changed meanwhile"
        return outcome

    def transact(self, write: dict, guard: dict) -> None:
        """One write, if the condition on another item holds."""
        check = {"ConditionCheck": {"TableName": self.target, **guard}}
        self.dynamodb.transact_write_items(TransactItems=[write, check])

    def _merge(self, item: dict, existing: dict | None) -> str:
        """Sets of the item are added to those that are there: neither takes anything from the other."""
        sets = {name: value for name, value in item.items() if "SS" in value}
        if existing is not None and all(set(value["SS"]) <= set(existing.get(name, {}).get("SS", [])) for name, value in sets.items()):
            return "same"
        if not self.dry_run:
            numbered = list(enumerate(sets.items()))
            self.dynamodb.update_item(
                TableName=self.target, Key=self._key(item),
                UpdateExpression="ADD " + ", ".join(f"#n{at} :v{at}" for at, _ in numbered),
                ExpressionAttributeNames={f"#n{at}": name for at, (name, _) in numbered},
                ExpressionAttributeValues={f":v{at}": value for at, (_, value) in numbered},
            )
        return "missing"

    def _read(self, table: str, asked: dict) -> dict:
        found, keys, waits = {}, list(asked.values()), 0.1
        while keys:
            answer = self.dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
            for item in answer["Responses"].get(table, []):
                found[self._name(item)] = item
            keys = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if keys:
                time.sleep(waits)
                waits = min(2 * waits, 5)
        return found

    def _key(self, item: dict) -> dict:
        return {name: item[name] for name in self.kind.keys}

    def _name(self, item: dict) -> tuple:
        return tuple(item[name]["S"] for name in self.kind.keys)

    # ----------------------------------------------------------------- progress

    def _go_on(self) -> None:
        if self.notes and self.notes.exists():
            noted = json.loads(self.notes.read_text(encoding="utf-8"))
            self.places, self.counts = noted["places"], Counter(noted["counts"])

    def _note(self, number: int, place, counts: Counter) -> None:
        with self.lock:
            self.places[str(number)] = place
            self.counts.update(counts)
            self.progress(f"{sum(self.counts.values())} items compared …")
            if self.notes:
                self.notes.parent.mkdir(parents=True, exist_ok=True)
                fresh = self.notes.with_suffix(".new")
                fresh.write_text(json.dumps({"places": self.places, "counts": self.counts}), encoding="utf-8")
                fresh.replace(self.notes)


def as_read(existing: dict, item: dict) -> dict:
    """The condition that an item is still as it was read: every attribute of it, and none of the new one beside."""
    names, values, parts = {}, {}, []
    for at, name in enumerate(sorted({*existing, *item})):
        names[f"#n{at}"] = name
        if name in existing:
            values[f":v{at}"] = existing[name]
            parts.append(f"#n{at} = :v{at}")
        else:
            parts.append(f"attribute_not_exists(#n{at})")
    return {
        "ConditionExpression": " AND ".join(parts), "ExpressionAttributeNames": names, "ExpressionAttributeValues": values,
    }


def plain(item: dict) -> dict:
    """An item's values, so that two ways to write the same (1 and 1.0, the order of a set) are equal."""
    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in item.items()}
