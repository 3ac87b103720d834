"""`make check-deploy`: what only a real account can answer, question by question, after a first deploy.

    make check-deploy STAGE=dev            looks, and sends two harmless requests
    make check-deploy STAGE=dev SEND=1     also sends a signed webhook that nothing is done with, starts a sync, and
                                           makes one alarm ring for a moment: its mail says that it is a test

It changes nothing else. docs/first-deploy.md says what each question is about.
"""

import checks_api
import checks_parts
import checks_watching
from account import Desk
from look import CANT_TELL, FAIL, PASS, Look

VARIABLES = ("SEND",)
IF_STOPPED = "An alarm that was made to ring goes back by itself at its next evaluation."
CHECKS = (*checks_parts.CHECKS, *checks_api.CHECKS, *checks_watching.CHECKS)
SHOWN = {PASS: "ok", FAIL: "failed", CANT_TELL: "not known"}


def run(desk: Desk) -> int:
    """Asks every question, one after the other, whatever the others say."""
    look = Look.of(desk)
    counts, steps = {PASS: 0, FAIL: 0, CANT_TELL: 0}, []
    width = max(len(check.question) for check in CHECKS)
    for check in CHECKS:
        desk.screen.passing(f"{check.question} …")
        answer = look.ask(check)
        counts[answer.outcome] += 1
        word = desk.screen.painted(SHOWN[answer.outcome].ljust(9))
        desk.screen.say(f"{word}  {check.question.ljust(width)}  {answer.seen}".rstrip())
        if answer.step:
            steps.append(f"{check.question}: {answer.step}")
    desk.screen.say()
    desk.screen.say(f"{counts[PASS]} ok, {counts[FAIL]} failed, {counts[CANT_TELL]} that can't be told.")
    desk.finish(steps)
    return 0 if counts[PASS] == len(CHECKS) else 1
