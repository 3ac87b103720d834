"""What a stack leaves in the account, found with or without the stack, and what each costs a month.

Names are matched whole: `calendly-serverless` must not find what belongs to `calendly-serverless-dev`.
"""

import re
from dataclasses import dataclass
from typing import Callable

import tables

GB = 1024**3
# Dollars a month, us-east-1: as docs/cost.md has them.
TABLE_GB, RECOVERY_GB, SECRET, LOG_GB, OBJECT_GB = 0.25, 0.20, 0.40, 0.03, 0.023
TOKENS = "secrets"
SAM_STACK = "aws-sam-cli-managed-default"
# A stack that is deleted can be asked by its id for 90 days.
SKIPPED = ("DELETE_SKIPPED",)


@dataclass
class Left:
    """One thing, or several of a kind."""

    what: str
    name: str
    holds: str
    dollars: float
    delete: Callable


def found(desk) -> list:
    """Everything that is there of the stack and would not go with it."""
    physical = _retained(desk)
    return [*_tables(desk, physical), *_secrets(desk, physical), *_tokens(desk), *_log_groups(desk), *_packages(desk)]


def _retained(desk) -> set:
    """Names of tables and secrets that the stack has, or that stacks of its name left behind."""
    cloudformation, stack = desk.account.client("cloudformation"), desk.account.stack
    kinds = ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret")
    names = set()
    if desk.account.described() is not None:
        names = {one.get("PhysicalResourceId") for one in desk.account.resources() if one["ResourceType"] in kinds}
    deleted = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    for one in (one for page in deleted for one in page["StackSummaries"] if one["StackName"] == stack):
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=one["StackId"])
        names |= {
            left.get("PhysicalResourceId") for page in pages for left in page["StackResourceSummaries"]
            if left["ResourceType"] in kinds and left["ResourceStatus"] in SKIPPED
        }
    return names - {None, ""}


def _tables(desk, physical: set):
    dynamodb = desk.account.client("dynamodb")
    generated = re.compile(rf"{re.escape(desk.account.stack)}-(Deliveries|Bookings|Connections)Table-\w+(-at-\d{{8}}T\d{{6}})?$")
    for name in tables.names(dynamodb):
        base = name.partition("-at-")[0]
        if not (generated.match(name) or name in physical or base in physical) or "LimitsTable" in name:
            continue
        described = tables.described(dynamodb, name) or {}
        size = described.get("TableSizeBytes", 0) + sum(one.get("IndexSizeBytes", 0) for one in described.get("GlobalSecondaryIndexes", []))
        dollars = size / GB * (TABLE_GB + RECOVERY_GB)
        yield Left("table", name, f"{described.get('ItemCount', 0)} items", dollars, lambda name=name: _delete_table(desk, name))


def _delete_table(desk, name: str) -> None:
    dynamodb = desk.account.client("dynamodb")
    unprotect(desk, name)
    dynamodb.delete_table(TableName=name)


def unprotect(desk, name: str) -> None:
    """Switches a table's deletion protection off, if it is on."""
    dynamodb = desk.account.client("dynamodb")
    described = tables.described(dynamodb, name)
    if described and described.get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
        while tables.described(dynamodb, name)["TableStatus"] != "ACTIVE":
            desk.clock.pause(2)


def _secrets(desk, physical: set):
    manager, stack = desk.account.client("secretsmanager"), desk.account.stack
    for one in _all_secrets(manager):
        tags = {tag["Key"]: tag["Value"] for tag in one.get("Tags", [])}
        if one["Name"].startswith(f"{stack}/connections/"):
            continue
        if one["ARN"] in physical or one["Name"] in physical or tags.get("aws:cloudformation:stack-name") == stack:
            # A week, in which it can be had back and costs nothing.
            delete = lambda arn=one["ARN"]: manager.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
            yield Left("secret", one["Name"], one.get("Description", ""), SECRET, delete)


def _tokens(desk):
    manager, prefix = desk.account.client("secretsmanager"), f"{desk.account.stack}/connections/"
    mine = [one for one in _all_secrets(manager) if one["Name"].startswith(prefix)]
    if mine:
        def delete():
            for one in mine:
                # At once: its name must be free if the account is ever connected again.
                manager.delete_secret(SecretId=one["ARN"], ForceDeleteWithoutRecovery=True)

        yield Left(TOKENS, f"{prefix}*", f"tokens of {len(mine)} accounts", SECRET * len(mine), delete)


def _all_secrets(manager) -> list:
    return [one for page in manager.get_paginator("list_secrets").paginate() for one in page["SecretList"]]


def _log_groups(desk):
    logs, stack = desk.account.client("logs"), re.escape(desk.account.stack)
    ours = re.compile(rf"(/aws/lambda/{stack}-[a-z]+|/aws/vendedlogs/{stack}/[\w-]+)$")
    for prefix in (f"/aws/lambda/{desk.account.stack}-", f"/aws/vendedlogs/{desk.account.stack}/"):
        pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        for one in (one for page in pages for one in page["logGroups"] if ours.match(one["logGroupName"])):
            name, size = one["logGroupName"], one.get("storedBytes", 0)
            delete = lambda name=name: logs.delete_log_group(logGroupName=name)
            yield Left("log group", name, f"{size / GB:.2f} GB", size / GB * LOG_GB, delete)


def _packages(desk):
    """What `sam deploy` uploaded: below the stack's name in a bucket that all SAM stacks share."""
    from botocore.exceptions import ClientError

    try:
        sam = desk.account.client("cloudformation").describe_stacks(StackName=SAM_STACK)["Stacks"][0]
    except ClientError:
        return
    bucket = next((one["OutputValue"] for one in sam.get("Outputs", []) if one["OutputKey"] == "SourceBucket"), None)
    if bucket is None:
        return
    s3 = desk.account.client("s3")
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"{desk.account.stack}/")
    objects = [one for page in pages for one in page.get("Versions", []) + page.get("DeleteMarkers", [])]
    if not objects:
        return
    size = sum(one.get("Size", 0) for one in objects)

    def delete():
        for at in range(0, len(objects), 1000):
            chosen = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in objects[at : at + 1000]]
            s3.delete_objects(Bucket=bucket, Delete={"Objects": chosen, "Quiet": True})

    yield Left("packages", f"s3://{bucket}/{desk.account.stack}/", f"{len(objects)} objects, {size / GB:.2f} GB", size / GB * OBJECT_GB, delete)
