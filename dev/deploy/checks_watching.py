"""Questions about whether somebody would notice: metrics, alarms, their topic and its readers."""

from datetime import timedelta

from look import CANT_TELL, FAIL, PASS, Answer, Check

NAMESPACE = "calendly-serverless"
# A tick of the schedule writes this metric.
TICK = "SyncsPlanned"
# How late a metric may be that a log line carries.
LATE = timedelta(minutes=2)
# Which alarm is made to ring, where it is there: it wakes nobody.
RUNG = "dead-letters"


def metrics(look) -> Answer:
    """T4: does CloudWatch make metrics of the functions' log lines, in time?"""
    cloudwatch, now = look.client("cloudwatch"), look.desk.clock.utc()
    told = cloudwatch.get_metric_statistics(
        Namespace=NAMESPACE, MetricName=TICK, Dimensions=[{"Name": "Stack", "Value": look.stack}],
        StartTime=now - timedelta(hours=3), EndTime=now + timedelta(minutes=5), Period=60, Statistics=["Sum"],
    )
    counted = sorted(one["Timestamp"] for one in told["Datapoints"])
    group = look.outputs.get("SyncLogGroup", f"/aws/lambda/{look.stack}-sync")
    lines = look.client("logs").filter_log_events(
        logGroupName=group, startTime=int((now - timedelta(hours=3)).timestamp() * 1000), filterPattern=f"{{ $.{TICK} = * }}",
    )["events"]
    ticks = sorted(one["timestamp"] for one in lines)
    due = [tick for tick in ticks if tick < (now - LATE).timestamp() * 1000]
    if due and not any(point.timestamp() * 1000 >= due[-1] - 60_000 for point in counted):
        return Answer(FAIL, f"a tick {int(now.timestamp() - due[-1] / 1000)} s ago is not counted", "look at that line: the function's log format, or its time, keeps CloudWatch from reading it")
    if due:
        return Answer(PASS, f"{len(counted)} minutes with ticks, of {len(ticks)} ticks in three hours")
    return Answer(CANT_TELL, "no tick of the schedule so far", "ask again after SyncSchedule's time and two minutes")


def readers(look) -> Answer:
    pages = look.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=look.outputs["AlarmTopicArn"])
    found = [one for page in pages for one in page["Subscriptions"]]
    waiting = [one["Endpoint"] for one in found if one["SubscriptionArn"] == "PendingConfirmation"]
    if waiting:
        return Answer(FAIL, f"{', '.join(waiting)} did not confirm", "follow the link in AWS's mail \"Subscription Confirmation\" (it is good for three days; deploy anew after that)")
    if not found:
        return Answer(FAIL, "nobody reads the alarms", "set AlarmEmail, or subscribe a pager to AlarmTopicArn")
    return Answer(PASS, f"{len(found)} subscribed")


def rings(look) -> Answer:
    """T5: may CloudWatch publish to the topic, and use its key?"""
    cloudwatch = look.client("cloudwatch")
    names = sorted(look.of_type("AWS::CloudWatch::Alarm").values(), key=lambda name: (name != f"{look.stack}-{RUNG}", name))
    if not names:
        return Answer(FAIL, "the stack has no alarm", "deploy again")
    name = names[0]
    began = look.desk.clock.utc() - timedelta(seconds=30)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="A test by make check-deploy: nothing is wrong.")
    try:
        def acted():
            told = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action", StartDate=began, EndDate=look.desk.clock.utc() + timedelta(minutes=1))
            return [one["HistorySummary"] for one in told["AlarmHistoryItems"]]

        found = look.until(acted, "the alarm")
    finally:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="The test by make check-deploy is over.")
    failed = [one for one in found or [] if "Failed" in one]
    if failed:
        return Answer(FAIL, failed[0], "see the topic's policy, and with KmsKeyArn the key's: cloudwatch.amazonaws.com must be let use it (docs/deployment.md)")
    if not found:
        return Answer(CANT_TELL, "the alarm's history has no action", f"aws cloudwatch describe-alarm-history --alarm-name {name}")
    return Answer(PASS, f"{found[0]}; did the mail come?")


def states(look) -> Answer:
    pages = look.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{look.stack}-", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    found = [one for page in pages for one in page.get("MetricAlarms", []) + page.get("CompositeAlarms", [])]
    mine = {name for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm") for name in look.of_type(kind).values()}
    found = [one for one in found if one["AlarmName"] in mine]
    red = [one["AlarmName"] for one in found if one["StateValue"] == "ALARM"]
    if len(found) < len(mine):
        return Answer(FAIL, f"{len(found)} of {len(mine)} alarms are there", "deploy again")
    if red:
        return Answer(FAIL, f"red: {', '.join(red)}", "docs/operations.md has a section for each; sync-not-running is red until the first sync was planned")
    return Answer(PASS, f"{len(found)} alarms, none red")


CHECKS = (
    Check("Do log lines become metrics within two minutes?", metrics, only_aws=True),
    Check("Is there somebody who reads the alarms?", readers),
    Check("Does an alarm reach the topic?", rings, only_aws=True, sends=True),
    Check("Are all alarms there, and none red?", states, only_aws=True),
)
