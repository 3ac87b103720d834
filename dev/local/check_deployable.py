"""Rules for what CloudFormation, CloudWatch or an update would refuse and no linter knows.

Each looks at an expanded template (expand.py), as one deploy would make it, and yields a line for each fault.
Where the fact comes from is said at the rule; test_check_deployable.py plants each fault and sees it found.
check_template.py asks them all. By itself:

    check_deployable.py --release     writes down the indexes that a release has, for `indexes` to compare with
"""

import copy
import json
import os
import re
import sys
import warnings
from pathlib import Path

import preflight
import venv
from expand import Expanded
from venv import ROOT

# PutMetricAlarm: what an alarm may look back over, with periods of an hour or more, and with shorter ones.
LONGEST, LONGEST_IN_SHORT_PERIODS = 604_800, 86_400
MOST_METRICS = 10
# Below, a first answer takes longer than a caller waits: TLS alone takes 745 ms at 128 MB.
LEAST_MEMORY = 256
# The last release's indexes; a table that is not in it was not released yet.
RELEASED = ROOT / "dev" / "local" / "last_release.json"
# How long AWS lets a name be: by type and property.
LENGTHS = {
    ("AWS::SQS::Queue", "QueueName"): 80,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    ("AWS::Logs::QueryDefinition", "Name"): 255,
    ("AWS::CloudWatch::Alarm", "AlarmName"): 255,
    ("AWS::CloudWatch::CompositeAlarm", "AlarmName"): 255,
    ("AWS::CloudWatch::Alarm", "AlarmDescription"): 1024,
    ("AWS::CloudWatch::CompositeAlarm", "AlarmDescription"): 1024,
    ("AWS::CloudWatch::CompositeAlarm", "AlarmRule"): 10_240,
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
    ("AWS::SNS::Topic", "TopicName"): 256,
    ("AWS::SNS::Topic", "DisplayName"): 100,
    ("AWS::Lambda::Function", "FunctionName"): 64,
    ("AWS::Lambda::Function", "Description"): 256,
    ("AWS::IAM::Role", "RoleName"): 64,
    ("AWS::IAM::Role", "Description"): 1000,
    ("AWS::Scheduler::Schedule", "Name"): 64,
    ("AWS::Scheduler::ScheduleGroup", "Name"): 64,
    ("AWS::Events::EventBus", "Name"): 256,
    ("AWS::Events::Rule", "Name"): 64,
    ("AWS::DynamoDB::Table", "TableName"): 255,
    ("AWS::SecretsManager::Secret", "Name"): 512,
    ("AWS::SSM::Parameter", "Name"): 1011,
    ("AWS::ApiGatewayV2::Api", "Name"): 128,
}
# Names without a length here, for which CloudFormation makes one, or which aren't the account's.
OTHER_NAMES = {("AWS::Route53::RecordSet", "Name"), ("AWS::ApiGatewayV2::DomainName", "DomainName")}


def alarm_metrics(expanded: Expanded):
    """Logical id and Metrics of each alarm that has several."""
    for logical_id, alarm in expanded.of_type("AWS::CloudWatch::Alarm"):
        if "Metrics" in alarm:
            yield logical_id, alarm["Metrics"]


def queries(expanded: Expanded):
    """CloudWatch's query language knows WHERE … AND …, no OR; and an alarm takes no SEARCH."""
    for logical_id, metrics in alarm_metrics(expanded):
        for text in (one["Expression"] for one in metrics if "Expression" in one):
            if re.match(r"\s*SELECT\b", text) and re.search(r"\bOR\b", text):
                yield f"{logical_id}: a query (Metrics Insights) has no OR"
            if re.search(r"\bSEARCH\s*\(", text):
                yield f"{logical_id}: an alarm takes no SEARCH"


def metric_counts(expanded: Expanded):
    """An alarm on arithmetic takes ten metrics, and one result."""
    for logical_id, metrics in alarm_metrics(expanded):
        count = sum("MetricStat" in one for one in metrics)
        if count > MOST_METRICS:
            yield f"{logical_id}: has {count} metrics, and CloudWatch takes {MOST_METRICS}"


def zeros(expanded: Expanded):
    """An alarm on DynamoDB's metrics keeps its state where data is missing, whatever TreatMissingData says.

    PutMetricAlarm says so. These are written only when there is something to count: it would never end.
    """
    for logical_id, alarm in expanded.of_type("AWS::CloudWatch::Alarm"):
        if alarm.get("Namespace") == "AWS/DynamoDB":
            yield f"{logical_id}: must fill in zeros (FILL), or it stays as it is when {alarm['MetricName']} ends"
    for logical_id, metrics in alarm_metrics(expanded):
        text = " ".join(one.get("Expression", "") for one in metrics)
        for one in metrics:
            metric = one.get("MetricStat", {}).get("Metric", {})
            if metric.get("Namespace") == "AWS/DynamoDB" and f"FILL({one['Id']}, 0)" not in text:
                yield f"{logical_id}: must fill in zeros, FILL({one['Id']}, 0), or it stays as it is when {metric['MetricName']} ends"


def spans(expanded: Expanded):
    """PutMetricAlarm: period × evaluations is a week at most, or a day with periods below an hour."""
    for logical_id, alarm in expanded.of_type("AWS::CloudWatch::Alarm"):
        periods = [alarm["Period"]] if "Period" in alarm else []
        for one in alarm.get("Metrics", []):
            periods += [one[key] for one in (one, one.get("MetricStat", {})) for key in ("Period",) if key in one]
        longest = max(map(int, periods), default=60)
        span = longest * int(alarm["EvaluationPeriods"])
        if span > (LONGEST if longest >= 3600 else LONGEST_IN_SHORT_PERIODS):
            yield f"{logical_id}: looks back over {span} s, more than CloudWatch takes with periods of {longest} s"


def protection(expanded: Expanded):
    """A deploy that fails has to delete the tables it made, and DynamoDB refuses that for protected ones."""
    for logical_id, table in expanded.of_type("AWS::DynamoDB::Table"):
        if "DeletionProtectionEnabled" in table:
            yield f"{logical_id}: leave DeletionProtectionEnabled to dev/local/after_deploy.py, or a failed deploy gets stuck"


def encryption(expanded: Expanded):
    """SSEEnabled without a key means AWS's managed key, whose every use is billed; without it AWS's own is used."""
    for logical_id, table in expanded.of_type("AWS::DynamoDB::Table"):
        asked = table.get("SSESpecification")
        if asked is not None and "KMSMasterKeyId" not in asked:
            yield f"{logical_id}: SSESpecification without a key of yours costs money and gains nothing"
        if asked is None and expanded.values["KmsKeyArn"]:
            yield f"{logical_id}: is not encrypted with KmsKeyArn"


def api_settings(expanded: Expanded):
    """What makes a later deploy fail, or the first one by chance."""
    for logical_id, api in expanded.of_type("AWS::ApiGatewayV2::Api"):
        if api.get("FailOnWarnings"):
            yield f"{logical_id}: FailOnWarnings fails a deploy for what AWS's parser of the day thinks of SAM's document"
    for logical_id, stage in expanded.of_type("AWS::ApiGatewayV2::Stage"):
        if stage.get("RouteSettings"):
            yield f"{logical_id}: a route with RouteSettings can't be taken away in one deploy; limit it in the function"
        text = stage.get("AccessLogSettings", {}).get("Format", "")
        for name in ("$context.integrationErrorMessage", "$context.error.message"):
            if name not in text:
                yield f"{logical_id}: the access log lacks {name}, so nobody can tell API Gateway's own failures"


def loops(expanded: Expanded):
    """Lambda ends a chain of some 16 messages that comes back to a function, unless it is told that this is meant."""
    functions = dict(expanded.of_type("AWS::Lambda::Function"))
    fed: dict[str, set[str]] = {}
    for _, source in expanded.of_type("AWS::Lambda::EventSourceMapping"):
        for logical_id in functions:
            if logical_id in json.dumps(source["FunctionName"]):
                fed.setdefault(str(source["EventSourceArn"]), set()).add(logical_id)
    roles = dict(expanded.of_type("AWS::IAM::Role"))
    feeds: dict[str, set[str]] = {}
    for logical_id, function in functions.items():
        role = str(function["Role"]).rpartition("/")[2]
        for statement in statements(roles.get(role, {})):
            if "sqs:SendMessage" in listed(statement["Action"]):
                for queue in listed(statement["Resource"]):
                    feeds.setdefault(logical_id, set()).update(fed.get(queue, ()))
    for logical_id, function in functions.items():
        reached, to_see = set(), set(feeds.get(logical_id, ()))
        while to_see:
            one = to_see.pop()
            reached.add(one)
            to_see |= feeds.get(one, set()) - reached
        allowed = function.get("RecursiveLoop") == "Allow"
        if logical_id in reached and not allowed:
            yield f"{logical_id}: its messages come back to it; without RecursiveLoop: Allow Lambda ends the chain after some 16"
        if allowed and logical_id not in reached:
            yield f"{logical_id}: RecursiveLoop: Allow, but none of its messages comes back to it"


def memory(expanded: Expanded):
    """Lambda gives a share of a processor with the memory."""
    for logical_id, function in expanded.of_type("AWS::Lambda::Function"):
        if int(function.get("MemorySize", 128)) < LEAST_MEMORY:
            yield f"{logical_id}: has less than {LEAST_MEMORY} MB, with which a first answer comes too late"


def lengths(expanded: Expanded):
    """Names that begin with the stack's are short enough also for the longest that preflight.py takes."""
    longest = "s" * preflight.LONGEST_STACK_NAME
    long = Expanded({"Parameters": {name: {"Default": value} for name, value in expanded.values.items() if "::" not in name}},
                    expanded.given, longest, expanded.template)
    for logical_id, resource in long.resources.items():
        for name, value in resource.get("Properties", {}).items():
            most = LENGTHS.get((resource["Type"], name))
            if most is None:
                if name.endswith("Name") and longest in str(value) and (resource["Type"], name) not in OTHER_NAMES:
                    yield f"{logical_id}: how long {resource['Type']}'s {name} may be is not in dev/local/check_deployable.py"
            elif isinstance(value, str) and len(value) > most:
                yield f"{logical_id}: {name} has {len(value)} characters in a stack of {len(longest)}, and AWS takes {most}"


def indexes(expanded: Expanded, released: dict | None = None):
    """UpdateTable makes or deletes one index at a time, so an update may change one a table."""
    if released is None:
        released = json.loads(RELEASED.read_text(encoding="utf-8"))["indexes"]
    for logical_id, table in expanded.of_type("AWS::DynamoDB::Table"):
        if logical_id not in released:
            continue
        now = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}
        before = {index["IndexName"]: index for index in released[logical_id]}
        other = sorted(name for name in now.keys() & before.keys() if now[name] != before[name])
        for name in other:
            yield f"{logical_id}: the index {name} can't be changed; make another beside it, and delete it a release later"
        changed = sorted(now.keys() ^ before.keys())
        if len(changed) > 1:
            yield f"{logical_id}: {', '.join(changed)} are made or deleted in one update, and DynamoDB takes one a release"


def policies(expanded: Expanded):
    """AWS's own service reference knows each action, and what it can be about (parliament)."""
    with warnings.catch_warnings():
        # It leaves its own files open as it is imported.
        warnings.simplefilter("ignore", ResourceWarning)
        import parliament

    for logical_id, role in expanded.of_type("AWS::IAM::Role"):
        for policy in role.get("Policies", []):
            analyzed = parliament.analyze_policy_string(json.dumps(policy["PolicyDocument"]))
            for finding in analyzed.findings:
                # check_template.roles says what may have "*"; SAM's own role for the schedule has no Version.
                if finding.issue in ("RESOURCE_STAR", "NO_VERSION"):
                    continue
                yield f"{logical_id}, {policy['PolicyName']}: {finding.issue} {finding.title} {finding.detail}"


def api_document(expanded: Expanded):
    """SAM's OpenAPI document is right, but for what SAM leaves out of every one: schemas, and answers."""
    from openapi_spec_validator import OpenAPIV30SpecValidator

    for logical_id, api in expanded.of_type("AWS::ApiGatewayV2::Api"):
        if "Body" not in api:
            continue
        body = copy.deepcopy(api["Body"])
        for path in body.get("paths", {}).values():
            for operation in path.values():
                if not operation.get("responses"):
                    operation["responses"] = {"default": {"description": "any"}}
                for parameter in operation.get("parameters", []):
                    parameter.setdefault("schema", {"type": "string"})
        for name in [name for name in body["paths"] if name.startswith("$")]:
            body["paths"][f"/{name}"] = body["paths"].pop(name)
        for error in OpenAPIV30SpecValidator(body).iter_errors():
            yield f"{logical_id}: {'/'.join(map(str, error.absolute_path))}: {str(error.message)[:200]}"


RULES = (
    queries, metric_counts, zeros, spans, protection, encryption, api_settings, loops, memory, lengths, indexes, policies, api_document,
)


def both_sides(expanded: list[Expanded]):
    """Each condition holds in one of the combinations and not in another: or it is not tried at all."""
    for name in expanded[0].template.get("Conditions", {}):
        if len({one.conditions[name] for one in expanded}) < 2:
            yield f"condition {name}: no combination of dev/local/expand.py has it otherwise; add its parameter to OTHERWISE"


def extremes(template: dict) -> list[dict[str, str]]:
    """All numbers at their least, and at their most, with everything switched on."""
    on = {"Watching": "full", "AlarmEmail": "people@example.com"}
    numbers = {name: one for name, one in template["Parameters"].items() if one["Type"] == "Number"}
    return [
        {**on, **{name: str(one[end]) for name, one in numbers.items() if end in one}} for end in ("MinValue", "MaxValue")
    ]


def listed(value: object) -> list:
    """A value that may be a list, as one."""
    return value if isinstance(value, list) else [value]


def statements(role: dict):
    """What a role may do."""
    for policy in role.get("Policies", []):
        yield from listed(policy["PolicyDocument"]["Statement"])


def main() -> None:
    bin_dir = venv.ensure("venv-sam", "requirements-sam.txt")
    # Compared unresolved: the interpreter of an environment is a link to the one outside.
    if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
        os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    from samcli.yamlhelper import yaml_parse

    if sys.argv[1:] != ["--release"]:
        sys.exit(__doc__)
    expanded = Expanded(yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8")), {})
    tables = {logical_id: table.get("GlobalSecondaryIndexes", []) for logical_id, table in expanded.of_type("AWS::DynamoDB::Table")}
    RELEASED.write_text(json.dumps({"indexes": tables}, indent=1) + "\n", encoding="utf-8")
    print(f"{RELEASED.relative_to(ROOT)}: the indexes of {len(tables)} tables")


if __name__ == "__main__":
    main()
