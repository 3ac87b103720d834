"""Operates a stack: python3 dev/operate status | deliveries | why | replay | redrive | discard | sync.

Variables come from the environment, as make hands them on; `make help` lists them. The exit code is
0 when all is well, 1 when something needs a person, 2 when the stack can't be asked.
"""

import os
import sys

import deliveries
import discard
import redrive
import replay
import status
import sync
import why
from api import Api
from clock import Clock
from desk import Desk
from options import Options
from screen import Screen
from stack import ROOT, find
from trouble import Trouble

COMMANDS = {
    "status": status,
    "deliveries": deliveries,
    "why": why,
    "replay": replay,
    "redrive": redrive,
    "discard": discard,
    "sync": sync,
}


def main(words: list, environ: dict, screen: Screen, clock: Clock, root=ROOT) -> int:
    """Runs one command; answers its exit code."""
    if len(words) != 1 or words[0] not in COMMANDS:
        screen.error(f"which command? One of: {', '.join(COMMANDS)}")
        return 2
    command, name = COMMANDS[words[0]], words[0]
    desk = None
    try:
        options = Options(name, command.VARIABLES, environ)
        stack = find(name, command.SCOPES, environ, root)
        desk = Desk(stack, Api(stack, clock, name, screen.progress), screen, clock, options)
        screen.say(f"{stack.name} at {stack.url}")
        return command.run(desk)
    except Trouble as error:
        screen.error(str(error))
        return 2
    except KeyboardInterrupt:
        screen.error(f"stopped. {desk.if_stopped if desk else ''}".rstrip())
        return 130
    except BrokenPipeError:
        # Who reads, has read enough (`| head`). Python would fail once more as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], dict(os.environ), Screen(), Clock()))
