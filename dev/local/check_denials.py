"""Takes two grants away from running functions, and sees AWS's answer reach people and heal again.

    python3 dev/local/run_with_stack.py -- python3 dev/local/check_denials.py

check_calls.py shows for each grant that its lack would be refused; this shows how the code bears it: a webhook
is answered 503, so that Calendly sends it again, and a delivery waits for its next attempt. With the grant
back both go through, and nothing is lost.
"""

import os

STACK = dict(os.environ)  # as given: entering the environment of the local AWS takes AWS's variables away

import runtime_env

runtime_env.enter()

import json
import sys
from contextlib import contextmanager

import deploy
from check_calls import shown, without
from demo import Demo, Wrong
from demo_webhooks import Booking, sign
from strict import refusals, roles
from strict.iam import listed

os.environ.update({name: STACK[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")})


@contextmanager
def lacking(function: str, action: str, on: str):
    """One function without one grant, for as long as the block runs."""
    held, resources = roles.read(STACK["LOG_DIR"])
    named = {physical: logical for logical, physical in resources.items()}
    whole, statements = held[function], held[function]
    for resource in {one for statement in whole for one in listed(statement["Resource"])}:
        if shown(resource, named) == on:
            statements = without(statements, action, resource)
    if statements == whole:
        raise Wrong(f"{function} is granted no {action} on {on}")
    iam = deploy.client("iam", STACK["AWS_ENDPOINT_URL"])
    role = resources[f"{function.capitalize()}Role"]
    before = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    first, *others = before
    for name in others:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    _put(iam, role, first, {"Version": "2012-10-17", "Statement": statements})
    try:
        yield
    finally:
        for name, document in before.items():
            _put(iam, role, name, document)


def _put(iam, role: str, name: str, document: dict) -> None:
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


class Tried:
    """What both trials share."""

    def __init__(self):
        self.demo = Demo(STACK)

    def post(self, body: bytes) -> tuple[int, dict]:
        signature = sign(body, STACK["CALENDLY_SIGNING_KEY"])
        headers = {"content-type": "application/json", "calendly-webhook-signature": signature}
        return self.demo.request("POST", "/v1/webhooks/calendly", body, headers)

    def refused(self, function: str, call: str) -> None:
        """That only this was refused; it was meant to be, so the run goes on without it."""
        found = {(one.function, one.call, one.code[:12]) for one in refusals.read(STACK["LOG_DIR"])}
        refusals.forget(STACK["LOG_DIR"])
        if found != {(function, call, "AccessDenied")}:
            raise Wrong(f"{function} without {call}: refused was {sorted(found) or 'nothing'}")
        print(f"ok     {function} without {call} is refused, and nothing is lost")


def main() -> int:
    tried = Tried()
    try:
        body = Booking(days=7).created_webhook()
        with lacking("webhook", "sqs:SendMessage", "WebhookQueue"):
            status, answer = tried.post(body)
            if (status, answer.get("code")) != (503, "STORE_UNAVAILABLE"):
                raise Wrong(f"a webhook that can't be queued is answered {status} {answer}")
        tried.refused("webhook", "sqs:SendMessage")
        _, answer = tried.post(body)
        tried.demo.processed(answer["deliveryId"])

        with lacking("worker", "dynamodb:PutItem", "BookingsTable"):
            _, answer = tried.post(Booking(days=8).created_webhook())
            failed = tried.demo.until(answer["deliveryId"], "failed")
            if "AccessDenied" not in (failed.get("lastError") or ""):
                raise Wrong(f"the delivery doesn't say why it failed: {failed.get('lastError')}")
        tried.demo.processed(answer["deliveryId"])
        tried.refused("worker", "dynamodb:TransactWriteItems")
    except Wrong as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
