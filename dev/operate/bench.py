"""For the tests: runs a command against the stand-in, with a clock that only pauses move."""

import importlib.util
import io
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

from clock import Clock
from screen import Screen
from stand_in import KEY, StandIn

_spec = importlib.util.spec_from_file_location("operate", Path(__file__).with_name("__main__.py"))
operate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(operate)


class TestClock(Clock):
    """Nine o'clock at first; after `stop_after` pauses somebody presses Ctrl-C."""

    def __init__(self, stop_after: int | None = None):
        self.passed, self.pauses, self.stop_after = 0.0, [], stop_after

    def seconds(self) -> float:
        return self.passed

    def utc(self) -> datetime:
        return datetime(2027, 1, 31, 9, 0, 0, tzinfo=timezone.utc) + timedelta(seconds=self.passed)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.passed += seconds
        if self.stop_after is not None and len(self.pauses) >= self.stop_after:
            raise KeyboardInterrupt


class Terminal(io.StringIO):
    """An output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class OperateCase(unittest.TestCase):
    """A stand-in for each test."""

    def setUp(self):
        self.stack = StandIn()
        self.addCleanup(self.stack.close)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def operate(self, command: str, clock=None, terminal=False, environ=None, **variables):
        """Runs a command; answers its code, what it wrote, and the clock."""
        if environ is None:
            environ = {"API_URL": self.stack.url, "API_KEY": KEY}
        environ = {**environ, **{name: str(value) for name, value in variables.items()}}
        clock = clock or TestClock()
        out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
        screen = Screen(out, err, environ)
        code = operate.main([command], environ, screen, clock, self.root)
        return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue(), clock=clock)

    def assertSays(self, text: str, *wanted: str):
        """Each of the words stands in the text."""
        for one in wanted:
            self.assertIn(one, text)
