"""The way back and the way out of a stack: python3 dev/deploy restore | uninstall | check-deploy.

Variables come from the environment, as make hands them on; `make help` lists them. Without STAGE it is
the stack of `make dev`. The exit code is 0 when it is done, 1 when something needs a person, 2 when
nothing could be done.
"""

import importlib
import os
import sys
from pathlib import Path

import paths

COMMANDS = {"restore": "restore", "uninstall": "uninstall", "check-deploy": "check_deploy"}


def main(words: list, environ: dict, screen, clock, root=paths.ROOT, ask=None) -> int:
    """Runs one command; answers its exit code."""
    from botocore.exceptions import BotoCoreError, ClientError

    import account
    from options import Options
    from trouble import Trouble

    if len(words) != 1 or words[0] not in COMMANDS:
        screen.error(f"which command? One of: {', '.join(COMMANDS)}")
        return 2
    command = importlib.import_module(COMMANDS[words[0]])
    try:
        options = Options(words[0], command.VARIABLES, environ)
        where = account.find(words[0], environ, root)
        screen.say(f"The stack {where.stack} in account {where.number()}, region {where.region}.")
        return command.run(account.Desk(where, screen, clock, options, ask or account.ask))
    except Trouble as error:
        screen.error(str(error))
    except (BotoCoreError, ClientError) as error:
        screen.error(account.told(error))
    except KeyboardInterrupt:
        screen.error(f"stopped. {getattr(command, 'IF_STOPPED', '')}".rstrip())
        return 130
    return 2


if __name__ == "__main__":
    paths.enter()
    from clock import Clock
    from screen import Screen

    sys.exit(main(sys.argv[1:], dict(os.environ), Screen(), Clock()))
