"""What DynamoDB restores by itself: a copy as of a time, or a table that was deleted."""

from datetime import datetime, timedelta, timezone

import tables
from trouble import Trouble

# A restore takes minutes to hours, however small the table is.
LOOK_EVERY = 20
# Point-in-time recovery lags behind by this much.
LAG = timedelta(minutes=5)


def earliest_and_latest(dynamodb, table: str) -> tuple | None:
    """Between which times a table can be restored; nothing where recovery is off."""
    described = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = described.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        return None
    return recovery.get("EarliestRestorableDateTime"), recovery.get("LatestRestorableDateTime")


def copy_name(target: str, at: datetime) -> str:
    """The name of the copy of a table as of a time: the same at each try, so that a try goes on."""
    return f"{target}-at-{at:%Y%m%dT%H%M%S}"


def copy_at(desk, kind: tables.Kind, target: str, at: datetime) -> str:
    """Has a table restored under another name, unless that was done before; answers the name."""
    dynamodb, name = desk.account.client("dynamodb"), copy_name(target, at)
    if tables.described(dynamodb, name) is None:
        times = earliest_and_latest(dynamodb, target)
        if times is None:
            raise Trouble(
                f"{target} has no point-in-time recovery, so nothing is known of then. Is there a copy in another "
                "table, or a backup (aws dynamodb list-backups)? FROM_TABLE=… takes it from there."
            )
        if at > desk.clock.utc():
            raise Trouble("AT lies in the future.")
        # A local emulator says "now" for both, and restores what there is now.
        if desk.account.endpoint is None and not times[0] <= at <= times[1]:
            raise Trouble(
                f"{target} can be restored from {times[0]:%Y-%m-%dT%H:%M:%SZ} to {times[1]:%Y-%m-%dT%H:%M:%SZ}; AT={at:%Y-%m-%dT%H:%M:%SZ} is outside."
            )
        desk.screen.say(f"Restoring {target} as of {at:%Y-%m-%dT%H:%M:%SZ} to {name}, beside the stack (about $0.15 a GB, once).")
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=target, TargetTableName=name, RestoreDateTime=at, BillingModeOverride="PAY_PER_REQUEST",
            # It is read from end to end: indexes would only take time and money.
            GlobalSecondaryIndexOverride=[],
        )
    wait(desk, name)
    return name


def wait(desk, name: str) -> None:
    """Until a table is there and whole."""
    dynamodb, began = desk.account.client("dynamodb"), desk.clock.seconds()
    while True:
        described = tables.described(dynamodb, name)
        status = (described or {}).get("TableStatus")
        indexes = {one.get("IndexStatus", "ACTIVE") for one in (described or {}).get("GlobalSecondaryIndexes", [])}
        if status == "ACTIVE" and indexes <= {"ACTIVE"}:
            return
        if status not in ("CREATING", "UPDATING", "ACTIVE"):
            raise Trouble(f"{name} is {status or 'not there'}: the restore did not come to its end. Look at it in the console.")
        desk.screen.progress(f"{name} is {status.lower()} since {int(desk.clock.seconds() - began) // 60} min …")
        desk.clock.pause(LOOK_EVERY)


def newest_backup(dynamodb, table: str) -> dict | None:
    """The last backup of a table, which DynamoDB makes of one with point-in-time recovery when it is deleted."""
    found, start = [], {}
    while True:
        page = dynamodb.list_backups(TableName=table, BackupType="ALL", **start)
        found += [one for one in page["BackupSummaries"] if one["BackupStatus"] == "AVAILABLE"]
        if "LastEvaluatedBackupArn" not in page:
            return max(found, key=lambda one: one["BackupCreationDateTime"], default=None)
        start = {"ExclusiveStartBackupArn": page["LastEvaluatedBackupArn"]}


def back_at_its_name(desk, kind: tables.Kind, target: str) -> int:
    """Restores a table that was deleted under the name that the stack knows it by."""
    dynamodb = desk.account.client("dynamodb")
    for name in ("AT", "FROM_TABLE", "REPLACE", "ID"):
        if desk.options.text(name):
            raise Trouble(f"{target} is gone: first have it back ({desk.account.make('restore', TABLE=kind.name)}), then {name}.")
    backup = newest_backup(dynamodb, target)
    if backup is None:
        raise Trouble(
            f"{target} is gone, and DynamoDB has no backup of it (it keeps one for 35 days after a table with point-in-time "
            "recovery is deleted). docs/deployment.md says what a new, empty table takes."
        )
    when = backup["BackupCreationDateTime"].astimezone(timezone.utc)
    desk.screen.say(f"{target} is gone. Its last backup is from {when:%Y-%m-%d %H:%M:%SZ} ({backup['BackupType'].lower()}).")
    if desk.options.switch("DRY_RUN"):
        desk.screen.say(f"A dry run: nothing was done. To restore it: {desk.account.make('restore', TABLE=kind.name)}")
        return 0
    desk.confirm(f"The table {target} will be made from that backup, under its own name.")
    dynamodb.restore_table_from_backup(TargetTableName=target, BackupArn=backup["BackupArn"], BillingModeOverride="PAY_PER_REQUEST")
    return finish_at_its_name(desk, kind, target)


def finish_at_its_name(desk, kind: tables.Kind, target: str) -> int:
    """Waits for a table that comes back under its own name, and makes it as the stack has it."""
    wait(desk, target)
    settings_of_the_stack(desk, kind, target)
    desk.screen.say(f"{target} is there again, with its indexes, time to live, recovery, protection and tags.")
    desk.finish([
        f"compare with Calendly: {desk.account.make('sync')}",
        f"see that all is well: {desk.account.make('status')}",
    ])
    return 0


def settings_of_the_stack(desk, kind: tables.Kind, table: str) -> None:
    """Gives a restored table what a restore leaves out. CloudFormation believes that all of it is there."""
    dynamodb = desk.account.client("dynamodb")
    if kind.expires:
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification={"AttributeName": kind.expires, "Enabled": True})
    dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    described = desk.account.described() or {}
    parameters = {one["ParameterKey"]: one.get("ParameterValue") for one in described.get("Parameters", [])}
    if parameters.get("DeletionProtection") == "true":
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)
        wait(desk, table)
    if described.get("Tags"):
        arn = dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
        dynamodb.tag_resource(ResourceArn=arn, Tags=described["Tags"])
