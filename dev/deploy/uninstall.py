"""`make uninstall`: takes a stack away, and says what stays and what that costs.

    make uninstall DRY_RUN=1       what would go, and what would stay
    make uninstall                 disconnects all accounts and deletes the stack; data and secrets stay
    make uninstall DELETE_DATA=1   those, too

It asks for the stack's name before it does anything (or takes it from CONFIRM). It may be run again after it
stopped on the way, and after the stack is gone.
"""

import leftovers
from account import Desk
from trouble import NotFound, Trouble

VARIABLES = ("DELETE_DATA", "DRY_RUN", "SKIP_DISCONNECT", "CONFIRM")
IF_STOPPED = "What was done stays done; the same command goes on from there."
LOOK_EVERY = 5
# Of a first deploy that failed, or of a deletion that came half way: nothing answers there.
WITHOUT_API = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS")
AT_CALENDLY = (
    "Calendly goes on sending webhooks to an address that is gone, until it switches the subscriptions off after a day, "
    "and keeps the accounts' grants until their owners take them back (Calendly: Account, Apps)"
)


def run(desk: Desk) -> int:
    """Takes the stack away."""
    described = desk.account.described()
    delete_data, skip = desk.options.switch("DELETE_DATA"), desk.options.switch("SKIP_DISCONNECT")
    left = leftovers.found(desk)
    if described is not None and not delete_data:
        # What goes with the stack, or by disconnecting, doesn't stay.
        own = {one.get("PhysicalResourceId") for one in desk.account.resources() if one["ResourceType"] == "AWS::Logs::LogGroup"}
        left = [one for one in left if one.name not in own and (skip or one.what != leftovers.TOKENS)]
    if described is None:
        desk.screen.say("There is no such stack (any more).")
    else:
        _refuse_if_busy(desk, described)
        _say_what_waits(desk)
    _show(desk, left, "goes, too" if delete_data else "stays")
    if desk.options.switch("DRY_RUN"):
        desk.screen.say("A dry run: nothing was done.")
        return 0
    if described is None and not (delete_data and left):
        return _end(desk, left, [])
    lost = "the stack, and all of the above FOR GOOD" if delete_data else "the stack; what is listed above stays"
    desk.confirm(f"This deletes {lost}.")
    steps = []
    if described is not None:
        if skip or described["StackStatus"] in WITHOUT_API:
            if described["StackStatus"] not in ("ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"):
                steps.append(f"accounts were not disconnected: {AT_CALENDLY}")
        else:
            steps += _disconnect_all(desk)
        _delete_stack(desk)
        steps += _delete_budget(desk)
    if delete_data:
        for one in leftovers.found(desk):
            one.delete()
            desk.screen.say(f"Deleted: {one.what} {one.name}")
        left = _still_there(desk)
    else:
        left = leftovers.found(desk)
        _show(desk, left, "stays")
    return _end(desk, left, steps)


def _refuse_if_busy(desk: Desk, described: dict) -> None:
    status = described["StackStatus"]
    if described.get("EnableTerminationProtection"):
        raise Trouble(
            f"{desk.account.stack} is protected from being deleted. If you mean it: aws cloudformation "
            f"update-termination-protection --no-enable-termination-protection --stack-name {desk.account.stack}"
        )
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        raise Trouble(f"{desk.account.stack} is {status}: wait until that has ended.")


def _say_what_waits(desk: Desk) -> None:
    """Messages go with their queues."""
    sqs = desk.account.client("sqs")
    for one in desk.account.resources():
        if one["ResourceType"] != "AWS::SQS::Queue" or not one.get("PhysicalResourceId"):
            continue
        try:
            answer = sqs.get_queue_attributes(
                QueueUrl=one["PhysicalResourceId"],
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
        except sqs.exceptions.QueueDoesNotExist:
            continue
        count = sum(int(number) for number in answer["Attributes"].values())
        if count:
            desk.screen.say(f"{count} messages wait in {one['LogicalResourceId']} and go with it; the log of deliveries keeps what they are about.")


def _disconnect_all(desk: Desk) -> list:
    """Deletes each account's subscription and access at Calendly, and its tokens here."""
    api = desk.account.api({"read", "operate"}, "uninstall", desk.clock, desk.screen.progress)
    ids = [one["id"] for page, _ in api.pages("/v1/connections", "connections") for one in page]
    steps, failed = [], []
    for id_ in ids:
        try:
            answer = api.delete_one("/v1/connections", id_)
        except NotFound:
            continue
        except Trouble as error:
            failed.append(f"{id_}: {error}")
            continue
        if answer.get("leftAtCalendly"):
            steps.append(f"{id_}: {' and '.join(answer['leftAtCalendly'])} stayed at Calendly; its owner can take them away there")
    if failed:
        raise Trouble(
            "These accounts could not be disconnected, so the stack stays:\n  " + "\n  ".join(failed) + "\n  "
            f"Try again. To go on without them: {desk.account.make('uninstall', SKIP_DISCONNECT=1)}. Then {AT_CALENDLY}."
        )
    desk.screen.say(f"{len(ids)} accounts were disconnected.")
    return steps


def _delete_stack(desk: Desk) -> None:
    cloudformation = desk.account.client("cloudformation")
    # What holds data is kept by its DeletionPolicy, and stays protected.
    limits = desk.account.physical("LimitsTable")
    if limits:
        leftovers.unprotect(desk, limits)
    stack_id = desk.account.described()["StackId"]
    cloudformation.delete_stack(StackName=desk.account.stack)
    while True:
        described = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
        status = described["StackStatus"]
        if status == "DELETE_COMPLETE":
            desk.screen.say(f"The stack {desk.account.stack} is deleted.")
            return
        if status != "DELETE_IN_PROGRESS":
            raise Trouble(f"The stack is {status}:\n{_reasons(cloudformation, stack_id)}\n  docs/deployment.md says what to do about each.")
        desk.screen.progress("The stack is being deleted …")
        desk.clock.pause(LOOK_EVERY)


def _delete_budget(desk: Desk) -> list:
    """Deletes the budget that `make deploy` made beside the stack (dev/local/after_deploy.py), if it did."""
    from botocore.exceptions import ClientError

    name = f"{desk.account.stack}-{desk.account.region}"
    try:
        desk.account.client("budgets").delete_budget(AccountId=desk.account.number(), BudgetName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            return [f"the budget {name} stays ({error}): aws budgets delete-budget --account-id {desk.account.number()} --budget-name {name}"]
    return []


def _reasons(cloudformation, stack_id: str) -> str:
    events = cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"] == "DELETE_FAILED" and one["PhysicalResourceId"] != stack_id]
    return "\n".join(f"  {one['LogicalResourceId']}: {one.get('ResourceStatusReason', 'no reason given')}" for one in failed)


def _still_there(desk: Desk) -> list:
    """What was not deleted. A table takes a moment, a secret a week in which it can be had back."""
    return [one for one in leftovers.found(desk) if one.what not in ("table", "secret", leftovers.TOKENS)]


def _show(desk: Desk, left: list, verb: str) -> None:
    if left:
        rows = [[one.what, one.name, f"${one.dollars:.2f}", one.holds] for one in left]
        desk.screen.table([verb.upper(), "NAME", "A MONTH", "HOLDS"], rows)
        desk.screen.say(f"Together about ${sum(one.dollars for one in left):.2f} a month (list prices of us-east-1).")


def _end(desk: Desk, left: list, steps: list) -> int:
    if left and not desk.options.switch("DELETE_DATA"):
        desk.screen.say(f"To delete what stays: {desk.account.make('uninstall', DELETE_DATA=1)}")
    elif not left:
        desk.screen.say("Nothing of it is left.")
    return desk.finish(steps)
