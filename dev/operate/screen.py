"""What people see: tables, progress and colour.

Results go to the output, progress and errors beside it. Colour, a line that is written over, and
cutting to the width are for terminals only: what goes to a file is whole.
"""

import os
import shutil
import sys

COLOURS = {
    "ok": 32, "done": 32, "processed": 32, "active": 32,
    "attention": 31, "dead": 31, "unprocessable": 31, "needs_reauth": 31, "not known": 31,
    "failed": 33, "received": 33, "running": 33, "queued": 33, "retrying": 33, "canceled": 33,
}


class Screen:
    """One terminal, or two files."""

    def __init__(self, out=None, err=None, environ=os.environ):
        self.out, self.err = out or sys.stdout, err or sys.stderr
        self.terminal = self.out.isatty()
        self.live = self.err.isatty()
        self.colour = self.terminal and "NO_COLOR" not in environ and environ.get("TERM") != "dumb"
        self.told = ""

    def say(self, text: str = "") -> None:
        """One line of the result."""
        self._end_progress()
        print(text, file=self.out, flush=True)

    def error(self, text: str) -> None:
        """What went wrong."""
        self._end_progress()
        print(f"error: {text}", file=self.err, flush=True)

    def passing(self, text: str) -> None:
        """What is done just now, for a moment only: a file is not told."""
        if self.live:
            self.progress(text)

    def progress(self, text: str) -> None:
        """How far it is; each text takes the place of the one before."""
        if text == self.told:
            return
        self.told = text
        if self.live:
            cut = clip(text, shutil.get_terminal_size().columns - 1)
            print(f"\r\x1b[K{cut}", end="", file=self.err, flush=True)
        else:
            print(text, file=self.err, flush=True)

    def _end_progress(self) -> None:
        if self.told and self.live:
            print("\r\x1b[K", end="", file=self.err, flush=True)
        self.told = ""

    def table(self, headings: list, rows: list, below: list | None = None) -> None:
        """Rows under headings. `below` has a line of its own for each row, or nothing for it."""
        cells = [[printable(cell) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(headings, *cells)]
        # Only how something stands is coloured: elsewhere the same words are names.
        states = [heading in ("STATE", "STATUS") for heading in headings]
        self.say(self._row(headings, widths, [False] * len(headings)))
        for index, row in enumerate(cells):
            self.say(self._row(row, widths, states))
            if below and below[index]:
                self.say(self.clipped("    " + printable(below[index])))

    def _row(self, cells: list, widths: list, states: list) -> str:
        parts = [cell.ljust(width) for cell, width in zip(cells, widths)]
        width = shutil.get_terminal_size().columns if self.terminal else None
        before = sum(widths[:-1]) + 2 * len(widths[:-1])
        # Only the last column is cut, and only if something of it is left.
        if width and width - before > 20:
            parts[-1] = clip(parts[-1].rstrip(), width - before)
        parts = [self.painted(part) if state else part for part, state in zip(parts, states)]
        return "  ".join(parts).rstrip()

    def clipped(self, text: str) -> str:
        """A text cut to the terminal's width."""
        return clip(text, shutil.get_terminal_size().columns) if self.terminal else text

    def painted(self, word: str) -> str:
        """A state's word in its colour."""
        colour = COLOURS.get(word.strip()) if self.colour else None
        return f"\x1b[{colour}m{word}\x1b[0m" if colour else word


def sentence(text: str) -> str:
    """The text with one full stop at its end, whether it had one or not."""
    return text.rstrip().rstrip(".") + "."


def clip(text: str, width: int) -> str:
    """The text, or as much of its beginning as fits."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def printable(value) -> str:
    """A value on one line. Some of it was sent by others, and could hold a terminal's commands."""
    text = "-" if value is None or value == "" else str(value)
    return "".join(char if char.isprintable() else " " for char in text)
