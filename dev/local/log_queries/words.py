"""Cuts a query into words: both languages have strings, names, numbers and signs."""

import re

from log_queries import Unread


def cut(text: str, pattern: re.Pattern) -> list[str]:
    """The words of a text, blanks left out. `pattern` matches one word."""
    found, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        word = pattern.match(text, at)
        if word is None:
            raise Unread(f"{text[at:at + 20]!r} in {text!r}")
        found.append(word[0])
        at = word.end()
    return found


class Words:
    """Words that are read from left to right."""

    def __init__(self, words: list[str], text: str):
        self.left, self.text = list(words), text

    def peek(self) -> str | None:
        return self.left[0] if self.left else None

    def take(self, wanted: str | None = None) -> str:
        """The next word, which must be `wanted`, where that is given."""
        if not self.left or (wanted is not None and self.left[0].lower() != wanted):
            raise Unread(f"{self.peek() or 'the end'!r} in place of {wanted or 'something'!r} in {self.text!r}")
        return self.left.pop(0)

    def took(self, *wanted: str) -> str | None:
        """Takes the next word if it is one of these, in whichever case."""
        if self.left and self.left[0].lower() in wanted:
            return self.left.pop(0).lower()
        return None

    def end(self) -> None:
        if self.left:
            raise Unread(f"{self.left[0]!r} in {self.text!r}")


def unquoted(word: str) -> str:
    """What a quoted word says."""
    return re.sub(r"\\(.)", r"\1", word[1:-1])
