"""What the checks of a deploy look with, and how each answers."""

import http.client
import json
from dataclasses import dataclass, field
from typing import Callable
from urllib.parse import urlsplit

from trouble import Trouble

PASS, FAIL, CANT_TELL = "pass", "fail", "can't tell"
# How long a check waits for what comes by itself (log lines, metrics, actions of alarms).
PATIENCE, PAUSE = 150, 5
ONLY_AWS = "the local stack leaves this out"
WITH_SEND = "needs SEND=1, which sends something"


@dataclass
class Answer:
    """What a check found; `step` is what to do about it."""

    outcome: str
    seen: str = ""
    step: str = ""


@dataclass
class Check:
    """One question, and how it is answered."""

    question: str
    ask: Callable
    # The emulator has nothing that could answer.
    only_aws: bool = False
    # It sends something that somebody may notice.
    sends: bool = False


@dataclass
class Look:
    """A stack to look at."""

    desk: object
    stack: str
    url: str
    outputs: dict
    parameters: dict
    resources: list
    described: dict
    # Request ids that API Gateway gave to requests of ours.
    requests: list = field(default_factory=list)

    @classmethod
    def of(cls, desk) -> "Look":
        described = desk.account.described()
        if described is None:
            raise Trouble(f"There is no stack {desk.account.stack} in {desk.account.region}: deploy it first.")
        outputs = desk.account.outputs()
        if not outputs.get("ApiUrl"):
            raise Trouble(f"The stack is {described['StackStatus']} and has no ApiUrl: its deploy did not come to its end.")
        parameters = {one["ParameterKey"]: one.get("ParameterValue", "") for one in described.get("Parameters", [])}
        url = (desk.account.local_url or outputs["ApiUrl"]).rstrip("/")
        return cls(desk, desk.account.stack, url, outputs, parameters, desk.account.resources(), described)

    def ask(self, check: Check) -> Answer:
        """A check's answer; what AWS refuses to show can't be told."""
        from botocore.exceptions import BotoCoreError, ClientError

        if check.only_aws and self.desk.account.endpoint:
            return Answer(CANT_TELL, ONLY_AWS)
        if check.sends and not self.desk.options.switch("SEND"):
            return Answer(CANT_TELL, WITH_SEND)
        try:
            return check.ask(self)
        except (ClientError, BotoCoreError) as error:
            return Answer(CANT_TELL, str(error), "use credentials that may look at this")
        except (OSError, http.client.HTTPException, Trouble) as error:
            return Answer(FAIL, str(error) or type(error).__name__, "see whether the API can be reached from here")

    def client(self, service: str):
        """A client of a service."""
        return self.desk.account.client(service)

    def physical(self, logical: str) -> str | None:
        """The name in AWS of one of the stack's resources."""
        return self.desk.account.physical(logical)

    def of_type(self, kind: str) -> dict:
        """Logical id → name in AWS of the stack's resources of a type."""
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in self.resources if one["ResourceType"] == kind}

    def send(self, method: str, target: str, body: bytes | None = None, headers=None) -> tuple:
        """One request as it is written here, without anything encoded: status, headers and JSON (or text)."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname, parts.port, timeout=35)
        try:
            connection.request(method, target, body, {"user-agent": "check-deploy", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        if answer.headers.get("apigw-requestid"):
            self.requests.append(answer.headers["apigw-requestid"])
        try:
            return answer.status, answer.headers, json.loads(text)
        except ValueError:
            return answer.status, answer.headers, text[:200]

    def until(self, found: Callable, what: str):
        """What `found` answers as soon as that is something; nothing when patience is over."""
        end = self.desk.clock.seconds() + PATIENCE
        while True:
            answer = found()
            if answer or self.desk.clock.seconds() >= end:
                return answer
            self.desk.screen.passing(f"waiting for {what} …")
            self.desk.clock.pause(PAUSE)
