"""Questions about what was made: the stack, its tables, functions, roles and names."""

import tables
from look import CANT_TELL, FAIL, PASS, Answer, Check


def stack(look) -> Answer:
    status = look.described["StackStatus"]
    if status.endswith("_COMPLETE") and "ROLLBACK" not in status:
        return Answer(PASS, status)
    return Answer(FAIL, status, f"docs/deployment.md, the way back, says what to do about {status}")


def _each(look, kinds, ask) -> list:
    found = [look.physical(kind.logical) for kind in kinds]
    return [f"{name} {told}" for name in found if name and (told := ask(name))]


def recovery(look) -> Answer:
    dynamodb = look.client("dynamodb")

    def off(name: str):
        told = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        status = told.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        return None if status == "ENABLED" else f"is {status}"

    wrong = _each(look, tables.KINDS.values(), off)
    step = "aws dynamodb update-continuous-backups --table-name … --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
    return Answer(FAIL, "; ".join(wrong), step) if wrong else Answer(PASS, "three tables")


def protection(look) -> Answer:
    dynamodb, wanted = look.client("dynamodb"), look.parameters.get("DeletionProtection", "true") == "true"
    unprotected = _each(
        look, tables.KINDS.values(),
        lambda name: None if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled") else "isn't protected",
    )
    if not unprotected:
        return Answer(PASS, "three tables")
    if not wanted:
        return Answer(PASS, "off, as DeletionProtection=false says")
    return Answer(FAIL, "; ".join(unprotected), f"run {look.desk.account.make('deploy')} again, which switches it on at its end")


def expiry(look) -> Answer:
    dynamodb = look.client("dynamodb")

    def off(name: str):
        told = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        right = told.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") and told.get("AttributeName") == "expiresAt"
        return None if right else f"is {told.get('TimeToLiveStatus')}"

    wrong = _each(look, [kind for kind in tables.KINDS.values() if kind.expires], off)
    step = "aws dynamodb update-time-to-live --table-name … --time-to-live-specification AttributeName=expiresAt,Enabled=true"
    return Answer(FAIL, "; ".join(wrong), step) if wrong else Answer(PASS, "two tables")


def aliases(look) -> Answer:
    functions, wrong, versions = look.client("lambda"), [], []
    for logical, name in look.of_type("AWS::Lambda::Function").items():
        alias = functions.get_alias(FunctionName=name, Name="live")
        versions.append(alias["FunctionVersion"])
        if alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
            wrong.append(f"{logical} is between two versions")
    mappings = functions.get_paginator("list_event_source_mappings").paginate()
    ours = [one for page in mappings for one in page["EventSourceMappings"] if f":function:{look.stack}-" in one["FunctionArn"]]
    wrong += [f"{one['FunctionArn'].rpartition('function:')[2]} is fed past the alias" for one in ours if not one["FunctionArn"].endswith(":live")]
    wrong += [f"the feeder of {one['FunctionArn'].rpartition('function:')[2]} is {one['State']}" for one in ours if one["State"] != "Enabled"]
    if not ours:
        wrong.append("no queue feeds a function")
    if wrong:
        return Answer(FAIL, "; ".join(wrong), "wait until CodeDeploy is done, then look at the deployment and deploy again")
    return Answer(PASS, f"live is at version {', '.join(sorted(set(versions)))}")


def tracing(look) -> Answer:
    functions = look.client("lambda")
    off = [
        logical for logical, name in look.of_type("AWS::Lambda::Function").items()
        if functions.get_function_configuration(FunctionName=name, Qualifier="live").get("TracingConfig", {}).get("Mode") != "Active"
    ]
    if off:
        return Answer(FAIL, f"{', '.join(off)} are not traced", "deploy again; the template has Tracing: Active")
    from datetime import timedelta

    now = look.desk.clock.utc()

    def seen():
        pages = look.client("xray").get_paginator("get_trace_summaries").paginate(StartTime=now - timedelta(minutes=30), EndTime=look.desk.clock.utc())
        return [one for page in pages for one in page["TraceSummaries"] if any(look.stack in (id_.get("Name") or "") for id_ in one.get("ServiceIds", []))]

    found = look.until(seen, "a trace")
    if found:
        return Answer(PASS, f"{len(found)} traces of the last half hour")
    return Answer(CANT_TELL, "no trace of the last half hour", "send some requests and ask again; X-Ray samples one a second and a twentieth of the rest")


def shifts(look) -> Answer:
    """P2: with AllAtOnce no red alarm may stop a fix."""
    deploy, wrong = look.client("codedeploy"), []
    at_once = look.parameters.get("DeploymentType", "AllAtOnce") == "AllAtOnce"
    applications = look.of_type("AWS::CodeDeploy::Application").values()
    groups = look.of_type("AWS::CodeDeploy::DeploymentGroup").values()
    for application in applications:
        for group in groups:
            told = deploy.get_deployment_group(applicationName=application, deploymentGroupName=group)["deploymentGroupInfo"]
            watched = told.get("alarmConfiguration", {})
            if watched.get("enabled") and watched.get("alarms") and at_once:
                wrong.append(f"{group} still looks at {', '.join(one['name'] for one in watched['alarms'])}")
            if not at_once and not (watched.get("enabled") and watched.get("alarms")):
                wrong.append(f"{group} looks at no alarm")
    if at_once and not groups:
        return Answer(PASS, "a deploy at once goes past CodeDeploy")
    if not groups:
        return Answer(FAIL, "the stack has no deployment groups", "was it deployed with this template?")
    if wrong:
        return Answer(
            FAIL, "; ".join(wrong),
            "aws deploy update-deployment-group --application-name … --current-deployment-group-name … --alarm-configuration enabled=false"
            if at_once else "deploy again, and look at the template's DeploymentPreference",
        )
    return Answer(PASS, "no alarm stops a deploy at once" if at_once else "each group has its alarms")


def addresses(look) -> Answer:
    pages = look.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=f"/{look.stack}/")
    found = {one["Name"].rpartition("/")[2]: one["Value"] for page in pages for one in page["Parameters"]}
    wanted = {"api-url": look.outputs["ApiUrl"], "webhook-url": look.outputs.get("WebhookUrl"), "bookings-table": look.outputs.get("BookingsTable")}
    wrong = sorted(name for name, value in wanted.items() if found.get(name) != value)
    if wrong:
        return Answer(FAIL, f"{', '.join(wrong)} differ from the outputs", "deploy again")
    return Answer(PASS, f"{len(found)} parameters below /{look.stack}/")


CHECKS = (
    Check("Is the stack whole?", stack),
    Check("Is point-in-time recovery on?", recovery, only_aws=True),
    Check("Are tables protected from deletion?", protection),
    Check("Do records expire?", expiry, only_aws=True),
    Check("Do callers reach the alias live?", aliases, only_aws=True),
    Check("May a fix be deployed past a red alarm?", shifts, only_aws=True),
    Check("Are calls traced?", tracing, only_aws=True),
    Check("Do SSM parameters tell addresses?", addresses),
)
