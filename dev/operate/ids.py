"""Delivery ids: all 64 digits, or the first ones of an id that no other begins with."""

import re

from desk import Desk
from trouble import NotFound, Trouble

WHOLE = re.compile(r"[0-9a-f]{64}")
PREFIX = re.compile(r"[0-9a-f]{8,63}")
# A page of the list looks through tens of thousands of deliveries of one shard.
MOST_PAGES = 10


def looks_like(text: str) -> bool:
    """Whether this may name a delivery."""
    return bool(WHOLE.fullmatch(text) or PREFIX.fullmatch(text))


def whole(desk: Desk, text: str) -> str:
    """The id that is meant."""
    if WHOLE.fullmatch(text):
        return text
    if not PREFIX.fullmatch(text):
        raise Trouble(f"{text!r} names no delivery: an id has 64 digits (0-9, a-f); its first 8 or more will do.")
    found, more = {}, False
    pages = desk.api.pages("/v1/deliveries", "deliveries", idPrefix=text)
    for number, (items, more) in enumerate(pages, 1):
        found.update((one["id"], one) for one in items)
        if number == MOST_PAGES or len(found) > 1:
            break
    if len(found) > 1:
        several = ", ".join(sorted(id_[: len(text) + 8] for id_ in found)[:5])
        raise Trouble(f"{text} begins several ids ({several} …): give more digits.")
    if found:
        return next(iter(found))
    if more:
        raise Trouble(f"{text} was not found among very many deliveries: give all 64 digits.")
    raise NotFound(f"no delivery's id begins with {text}; {desk.stack.make('deliveries')} lists them")


def all_whole(desk: Desk, texts: list) -> tuple:
    """The ids that are meant, and what is to be said of those that nobody knows. A text that may mean
    several is an error before anything is done."""
    ids, unknown = [], []
    for text in texts:
        try:
            ids.append(whole(desk, text))
        except NotFound as error:
            unknown.append(str(error))
    return list(dict.fromkeys(ids)), unknown
