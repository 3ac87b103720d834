"""Queries of CloudWatch Logs Insights: fields, filter, stats, sort and limit, joined by `|`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

import json
import operator
import re
from dataclasses import dataclass, field

from log_queries import Unread
from log_queries.words import Words, cut, unquoted

WORD = re.compile(
    r"""
    "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | \|(?!\|) | != | <= | >= | [=<>(),\[\]*]
    | @?[A-Za-z_][\w.]* | -?\d+(?:\.\d+)?
    """,
    re.VERBOSE,
)
SIGNS = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
AGGREGATES = ("count", "max", "min", "sum", "avg", "latest", "earliest", "pct")
# What CloudWatch adds to each line.
BUILT_IN = ("@timestamp", "@message", "@log", "@logStream")


@dataclass
class Query:
    """A query that was read: what it keeps, how it sums up, and which fields it speaks of."""

    text: str
    groups: list[str] = field(default_factory=list)
    tests: list = field(default_factory=list)
    # Alias, function, field, percentile; and by which fields.
    sums: list[tuple] = field(default_factory=list)
    by: list[str] = field(default_factory=list)
    order: tuple[str, bool] | None = None
    most: int = 10_000
    fields: set[str] = field(default_factory=set)

    def run(self, lines: list[dict]) -> list[dict]:
        """The rows that it finds in lines that `parsed` made."""
        rows = [line for line in lines if all(test(line) for test in self.tests)]
        if self.sums:
            rows = self._summed(rows)
        if self.order:
            name, falling = self.order
            # What has no such field comes last.
            there = [row for row in rows if row.get(name) is not None]
            there.sort(key=lambda row: (isinstance(row[name], str), row[name]), reverse=falling)
            rows = there + [row for row in rows if row.get(name) is None]
        return rows[: self.most]

    def _summed(self, rows: list[dict]) -> list[dict]:
        groups: dict[tuple, list[dict]] = {}
        for row in rows:
            groups.setdefault(tuple(row.get(name) for name in self.by), []).append(row)
        return [
            {**dict(zip(self.by, key)), **{alias: _sum(how, name, at, held) for alias, how, name, at in self.sums}}
            for key, held in groups.items()
        ]


def parsed(line: str, log: str, at: int = 0) -> dict:
    """A log line's fields as Insights finds them: nested ones by dots."""
    found = {"@message": line, "@log": log, "@timestamp": at}
    try:
        value = json.loads(line)
    except ValueError:
        return found

    def flatten(value, name):
        if isinstance(value, dict):
            for inner, held in value.items():
                flatten(held, f"{name}.{inner}" if name else inner)
        elif value is not None:
            found[name] = value

    if isinstance(value, dict):
        flatten(value, "")
    return found


def read(text: str) -> Query:
    """Reads a whole query."""
    query = Query(text)
    words = Words(cut(text, WORD), text)
    while True:
        _command(query, words)
        if words.peek() is None:
            break
        words.take("|")
    known = {alias for alias, *_ in query.sums}
    if query.order and query.order[0] not in known:
        query.fields.add(query.order[0])
    query.fields -= {*BUILT_IN}
    return query


def _command(query: Query, words: Words) -> None:
    command = words.take().lower()
    if command == "source":
        query.groups.append(unquoted(words.take()))
    elif command in ("fields", "display"):
        query.fields.update(_names(words))
    elif command == "filter":
        query.tests.append(_either(query, words))
    elif command == "stats":
        query.sums = _sums(query, words)
        query.by = _names(words) if words.took("by") else []
        query.fields.update(query.by)
    elif command == "sort":
        name = _name(words)
        query.order = (name, words.took("asc", "desc") == "desc")
    elif command == "limit":
        query.most = int(words.take())
    else:
        raise Unread(f"the command {command!r} in {words.text!r}")


def _name(words: Words) -> str:
    name = words.take()
    if not re.fullmatch(r"@?[A-Za-z_][\w.]*", name):
        raise Unread(f"{name!r} in place of a field in {words.text!r}")
    return name


def _names(words: Words) -> list[str]:
    found = [_name(words)]
    while words.took(","):
        found.append(_name(words))
    return found


def _sums(query: Query, words: Words) -> list[tuple]:
    found = []
    while True:
        how, at = words.take().lower(), None
        if how not in AGGREGATES:
            raise Unread(f"the function {how!r} in {words.text!r}")
        words.take("(")
        name = words.take() if words.peek() == "*" else _name(words)
        if words.took(","):
            at = float(words.take())
        words.take(")")
        if name != "*":
            query.fields.add(name)
        found.append((_name(words) if words.took("as") else f"{how}({name})", how, name, at))
        if not words.took(","):
            return found


def _either(query: Query, words: Words):
    tests = [_both(query, words)]
    while words.took("or"):
        tests.append(_both(query, words))
    return lambda line: any(test(line) for test in tests)


def _both(query: Query, words: Words):
    tests = [_one(query, words)]
    while words.took("and"):
        tests.append(_one(query, words))
    return lambda line: all(test(line) for test in tests)


def _one(query: Query, words: Words):
    if words.took("not"):
        test = _one(query, words)
        return lambda line: not test(line)
    if words.took("("):
        test = _either(query, words)
        words.take(")")
        return test
    name = _name(words)
    if name == "ispresent":
        words.take("(")
        name = _name(words)
        words.take(")")
        query.fields.add(name)
        return lambda line: name in line
    query.fields.add(name)
    if words.took("in"):
        words.take("[")
        wanted = [_value(words)]
        while words.took(","):
            wanted.append(_value(words))
        words.take("]")
        return lambda line: line.get(name) in wanted
    if words.took("like"):
        part = _value(words)
        return lambda line: isinstance(line.get(name), str) and str(part) in line[name]
    sign = words.take()
    if sign not in SIGNS:
        raise Unread(f"the sign {sign!r} in {words.text!r}")
    compare, value = SIGNS[sign], _value(words)
    # A text is no number, and what isn't there is neither.
    kind = str if isinstance(value, str) else int | float
    return lambda line: isinstance(line.get(name), kind) and compare(line[name], value)


def _value(words: Words):
    word = words.take()
    if word[0] in "\"'":
        return unquoted(word)
    if re.fullmatch(r"-?\d+(\.\d+)?", word):
        return float(word)
    raise Unread(f"{word!r} in place of a value in {words.text!r}")


def _sum(how: str, name: str, at: float | None, rows: list[dict]):
    if name == "*":
        return len(rows)
    there = [row for row in rows if row.get(name) is not None]
    values = [row[name] for row in there]
    if how == "count":
        return len(values)
    if not values:
        return None
    if how in ("latest", "earliest"):
        pick = max if how == "latest" else min
        return pick(there, key=lambda row: row["@timestamp"])[name]
    if how == "pct":
        return sorted(values)[min(int(len(values) * at / 100), len(values) - 1)]
    return {"max": max, "min": min, "sum": sum, "avg": lambda all_: sum(all_) / len(all_)}[how](values)
