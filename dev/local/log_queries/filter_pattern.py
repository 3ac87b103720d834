"""CloudWatch Logs' filter patterns for JSON: `{ $.level = "WARN" || $.level = "ERROR" }`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import json
import operator
import re

from log_queries import Unread
from log_queries.words import Words, cut, unquoted

WORD = re.compile(r'"(?:[^"\\]|\\.)*"|&&|\|\||!=|<=|>=|[=<>(){}]|\$(?:\.[\w-]+)+|-?\d+(?:\.\d+)?|[A-Za-z]+')
ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def read(pattern: str):
    """A test of one log line, by its text."""
    words = Words(cut(pattern, WORD), pattern)
    words.take("{")
    test = _either(words)
    words.take("}")
    words.end()

    def matches(line: str) -> bool:
        # A pattern for JSON overlooks lines that are none.
        try:
            parsed = json.loads(line)
        except ValueError:
            return False
        return isinstance(parsed, dict) and test(parsed)

    return matches


def _either(words: Words):
    tests = [_both(words)]
    while words.took("||"):
        tests.append(_both(words))
    return lambda line: any(test(line) for test in tests)


def _both(words: Words):
    tests = [_one(words)]
    while words.took("&&"):
        tests.append(_one(words))
    return lambda line: all(test(line) for test in tests)


def _one(words: Words):
    if words.took("("):
        test = _either(words)
        words.take(")")
        return test
    name = words.take()
    if not name.startswith("$."):
        raise Unread(f"{name!r} in place of a property in {words.text!r}")
    path = name[2:].split(".")
    if words.took("is"):
        wanted = {"null": None, "true": True, "false": False}
        word = words.take().lower()
        if word not in wanted:
            raise Unread(f"IS {word!r} in {words.text!r}")
        return lambda line: _at(line, path) == (True, wanted[word])
    if words.took("not"):
        words.take("exists")
        return lambda line: not _at(line, path)[0]
    sign, value = words.take(), words.take()
    if value.startswith('"') and sign in ("=", "!="):
        return _text(path, sign, unquoted(value))
    if re.fullmatch(r"-?[\d.]+", value):
        return _number(path, sign, float(value))
    raise Unread(f"{name} {sign} {value} in {words.text!r}")


def _at(line: dict, path: list[str]) -> tuple[bool, object]:
    """Whether a property is there, and its value."""
    value = line
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False, None
        value = value[name]
    return True, value


def _text(path, sign, wanted):
    # Only a star at either end, or in between, stands for anything.
    pattern = re.compile(".*".join(map(re.escape, wanted.split("*"))), re.DOTALL)

    def test(line):
        value = _at(line, path)[1]
        # What isn't there, or is no text, matches neither way.
        return isinstance(value, str) and (pattern.fullmatch(value) is not None) == (sign == "=")

    return test


def _number(path, sign, wanted):
    compare = ORDERS.get(sign) or {"=": operator.eq, "!=": operator.ne}.get(sign)
    if compare is None:
        raise Unread(f"the sign {sign!r}")

    def test(line):
        value = _at(line, path)[1]
        return isinstance(value, int | float) and not isinstance(value, bool) and compare(value, wanted)

    return test
