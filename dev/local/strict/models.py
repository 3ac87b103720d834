"""Holds a request against AWS's own description of its services, as botocore ships it. No network.

AWS overlooks members that it doesn't know; here they are wrong, too: what was meant by one would be lost.
Messages name places, never values: those may be somebody's.
"""

import base64
import binascii
import re
from functools import lru_cache

from botocore.loaders import Loader

# The model doesn't say so, and AWS refuses: "Supplied AttributeValue has more than one datatypes set".
UNIONS = {"AttributeValue"}
VERSIONS = {"dynamodb": "2012-08-10", "sqs": "2012-11-05", "secretsmanager": "2017-10-17"}


@lru_cache(maxsize=None)
def model(service: str) -> dict:
    return Loader().load_service_model(service, "service-2", VERSIONS[service])


def wrong(service: str, operation: str, asked: object) -> list[str]:
    """What AWS would not take, or not see, in a request: a line each."""
    described = model(service)
    known = described["operations"].get(operation)
    if known is None:
        return [f"{service} has no operation {operation}"]
    if "input" not in known:
        return [] if asked == {} else ["the operation takes no input"]
    return list(_Check(described["shapes"]).of(known["input"]["shape"], asked, "the request"))


class _Check:
    def __init__(self, shapes: dict):
        self.shapes = shapes

    def of(self, name: str, value: object, where: str):
        shape = self.shapes[name]
        if name in UNIONS and isinstance(value, dict) and len(value) != 1:
            yield f"{where} must be of exactly one type"
        yield from getattr(self, f"_{shape['type']}")(shape, value, where)

    def _structure(self, shape, value, where):
        if not isinstance(value, dict):
            yield f"{where} is no structure"
            return
        # AWS takes null for a member that is not there.
        given = {name: inner for name, inner in value.items() if inner is not None}
        members = shape["members"]
        for name in shape.get("required", ()):
            if name not in given:
                yield f"{where} lacks {name}, which is required"
        for name, inner in given.items():
            if name in members:
                yield from self.of(members[name]["shape"], inner, f"{where}.{name}")
            else:
                yield f"{where} has a member {name}, which AWS doesn't know"

    def _list(self, shape, value, where):
        if not isinstance(value, list):
            yield f"{where} is no list"
            return
        yield from _between(shape, len(value), where, "entries")
        for number, inner in enumerate(value):
            yield from self.of(shape["member"]["shape"], inner, f"{where}[{number}]")

    def _map(self, shape, value, where):
        if not isinstance(value, dict):
            yield f"{where} is no map"
            return
        yield from _between(shape, len(value), where, "entries")
        for key, inner in value.items():
            yield from self.of(shape["key"]["shape"], key, f"a key of {where}")
            yield from self.of(shape["value"]["shape"], inner, f"{where}.*")

    def _string(self, shape, value, where):
        if not isinstance(value, str):
            yield f"{where} is no string"
            return
        yield from _between(shape, len(value), where, "characters")
        if "pattern" in shape and not _pattern(shape["pattern"]).fullmatch(value):
            yield f"{where} does not match {shape['pattern']}"
        if "enum" in shape and value not in shape["enum"]:
            yield f"{where} is none of {', '.join(shape['enum'])}"

    def _blob(self, shape, value, where):
        try:
            decoded = base64.b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error):
            yield f"{where} is no Base64"
            return
        yield from _between(shape, len(decoded), where, "bytes")

    def _integer(self, shape, value, where):
        if not isinstance(value, int) or isinstance(value, bool):
            yield f"{where} is no whole number"
            return
        yield from _between(shape, value, where, "")

    _long = _integer

    def _float(self, shape, value, where):
        if not isinstance(value, int | float) or isinstance(value, bool):
            yield f"{where} is no number"
            return
        yield from _between(shape, value, where, "")

    _double = _timestamp = _float

    def _boolean(self, shape, value, where):
        if not isinstance(value, bool):
            yield f"{where} is neither true nor false"


@lru_cache(maxsize=None)
def _pattern(text: str) -> re.Pattern:
    return re.compile(text)


def _between(shape: dict, size, where: str, what: str):
    what = f" {what}" if what else ""
    if "min" in shape and size < shape["min"]:
        yield f"{where} has {size}{what}, and {shape['min']} is the least"
    if "max" in shape and size > shape["max"]:
        yield f"{where} has {size}{what}, and {shape['max']} is the most"
