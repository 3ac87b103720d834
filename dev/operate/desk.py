"""What each command works with."""

from dataclasses import dataclass

from api import Api
from clock import Clock
from options import Options
from screen import Screen
from stack import Stack


@dataclass
class Desk:
    """One command on one stack."""

    stack: Stack
    api: Api
    screen: Screen
    clock: Clock
    options: Options
    # What people should know who stop the command with Ctrl-C.
    if_stopped: str = ""

    def finish(self, steps: list) -> int:
        """Says what people are to do next. Answers the exit code: 1 when there is something."""
        steps = list(dict.fromkeys(steps))
        if not steps:
            return 0
        self.screen.say()
        self.screen.say("What to do next:")
        for step in steps:
            self.screen.say(f"  - {step}")
        return 1
