"""Rules for what watches a stack: metrics, alarms, the dashboard and the saved queries of template.yaml.

A name that nothing writes makes a graph that stays empty, and an alarm that never goes off; CloudWatch
takes both without a word. So each name is held against a list: metrics.json for our own, the table below
for those of AWS.
"""

import json
import re

from samples import FUNCTIONS, ROOT

OWN = json.loads((ROOT / "dev" / "local" / "metrics.json").read_text(encoding="utf-8"))
# The metrics of AWS that are used, with the sets of dimensions that AWS writes them by.
AWS = {
    "AWS/Lambda": (("Invocations", "Errors", "Throttles", "Duration"), ({"FunctionName"},)),
    "AWS/SQS": (
        ("ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"),
        ({"QueueName"},),
    ),
    "AWS/DynamoDB": (
        ("ReadThrottleEvents", "WriteThrottleEvents", "SystemErrors"),
        ({"TableName"}, {"TableName", "GlobalSecondaryIndexName"}, {"TableName", "Operation"}),
    ),
    # Those of HTTP APIs; REST APIs have 4XXError and 5XXError instead.
    "AWS/ApiGateway": (("Count", "4xx", "5xx", "Latency", "IntegrationLatency"), ({"ApiId"},)),
}
# What AWS writes by operation is written by nothing less, and the rest by none.
BY_OPERATION = {"SystemErrors"}
OPERATIONS = {"GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "TransactWriteItems"}
# What a dimension of AWS may name: a type of the template, and how a name is had from it.
NAMED = {
    "FunctionName": ("AWS::Serverless::Function", ""),
    "QueueName": ("AWS::SQS::Queue", ".QueueName"),
    "TableName": ("AWS::DynamoDB::Table", ""),
    "ApiId": ("AWS::Serverless::HttpApi", ""),
}
MISSING = {"breaching", "notBreaching", "ignore", "missing"}
GRID = 24
# What a look of the sync function finds; the seconds between two looks.
STATES = {metric["name"] for metric in OWN["metrics"] if metric.get("state")}
TICK = 300


class Watching:
    """The template's metrics as they are found, for the rules to compare."""

    def __init__(self, template) -> None:
        self.template = template
        self.used: set[str] = set()

    def metric(self, where: str, namespace: object, name: object, dimensions: dict[str, str]) -> None:
        """One metric: dimension values are written as Fn::Sub has them, `${Stage}`."""
        must = self.template.must
        if namespace == OWN["namespace"]:
            known = next((metric for metric in OWN["metrics"] if metric["name"] == name), None)
            if known is None:
                self.template.wrong.append(f"{where}: {name} is none of dev/local/metrics.json")
                return
            self.used.add(known["name"])
            must(sorted(dimensions) in [sorted(one) for one in known["dimensions"]], f"{where}: {name} is not written by {sorted(dimensions)}")
            must(dimensions.get("Stack") == "${AWS::StackName}", f"{where}: {name} must be that of this stack")
            must(dimensions.get("Function", "api") in FUNCTIONS, f"{where}: {name}: there is no function {dimensions.get('Function')}")
            return
        names, sets = AWS.get(namespace, ((), ()))
        must(name in names, f"{where}: {namespace} {name} is not a metric that dev/local/check_watching.py knows")
        must(set(dimensions) in sets, f"{where}: {namespace} {name} is not written by {sorted(dimensions)}")
        must(("Operation" in dimensions) == (name in BY_OPERATION), f"{where}: {name} is not written by {sorted(dimensions)}")
        for dimension, value in dimensions.items():
            if dimension == "Operation":
                must(value in OPERATIONS, f"{where}: {name}: no code of ours calls {value}")
                continue
            if dimension == "GlobalSecondaryIndexName":
                table = self.template.resources.get(dimensions["TableName"].strip("${}"), {}).get("Properties", {})
                indexes = [index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])]
                must(value in indexes, f"{where}: {name}: {dimensions['TableName']} has no index {value}")
                continue
            kind, attribute = NAMED.get(dimension, ("", ""))
            found = re.fullmatch(r"\$\{(\w+)" + re.escape(attribute) + r"\}", value)
            named = found and self.template.resources.get(found[1], {}).get("Type")
            must(named == kind, f"{where}: {name}: {dimension} must be ${{…{attribute}}} of a {kind}, and is {value}")

    def expression(self, where: str, text: str, ids: set[str]) -> None:
        """A search, or arithmetic with the metrics beside it."""
        wrong = self.template.wrong
        search = re.match(r"""SEARCH\('\{([\w/]+),([\w,]+)\} MetricName="(\w+)" TableName=\((.*)\)'""", text)
        if search:
            names, sets = AWS.get(search[1], ((), ()))
            if search[3] not in names or set(search[2].split(",")) not in sets:
                wrong.append(f"{where}: {search[1]} {search[3]} is not written by {search[2]}")
        else:
            for word in set(re.findall(r"\b[a-z]\w*\b", text)) - ids:
                wrong.append(f"{where}: the expression has {word}, which is no metric beside it")
        for table in re.findall(r"\$\{(\w+)\}", text) if search else ():
            if self.template.resources.get(table, {}).get("Type") != "AWS::DynamoDB::Table":
                wrong.append(f"{where}: {table} is no table")


def substituted(value: object) -> str:
    """A value as Fn::Sub would have it: `!Ref X` as ${X}, `!GetAtt X.Y` as ${X.Y}."""
    if isinstance(value, dict):
        (kind, target), = value.items()
        if kind == "Ref":
            return f"${{{target}}}"
        if kind == "Fn::GetAtt":
            return f"${{{target if isinstance(target, str) else '.'.join(target)}}}"
        if kind == "Fn::Sub":
            return target if isinstance(target, str) else target[0]
    return str(value)


def alarms(template) -> None:
    """Each alarm watches a metric that exists, says what it means, and tells the topic."""
    watching = Watching(template)
    names, sections = set(), runbook_sections()
    template.must(sections, "docs/operations.md: the runbook that alarms point to is not there")
    for logical_id, resource in template.of_type("AWS::CloudWatch::Alarm"):
        alarm = resource["Properties"]
        name = substituted(alarm["AlarmName"])
        template.must(re.fullmatch(r"\$\{AWS::StackName\}-[a-z-]+", name) and name not in names, f"{logical_id}: AlarmName must be the stack's name and one of its own, and is {name}")
        names.add(name)
        found = re.fullmatch(r"[A-Z].{20,}[.?] See \$\{RunbookUrl\}#([a-z-]+)", substituted(alarm["AlarmDescription"]))
        section = found and found[1]
        template.must(section, f"{logical_id}: AlarmDescription must be a sentence, then: See ${{RunbookUrl}}#section")
        template.must(not section or not sections or section in sections, f"{logical_id}: docs/operations.md has no section #{section}")
        template.must(alarm.get("TreatMissingData") in MISSING, f"{logical_id}: TreatMissingData is not chosen")
        template.must(alarm.get("AlarmActions") == [{"Ref": "AlarmTopic"}], f"{logical_id}: AlarmActions must be the AlarmTopic")
        kind(template, logical_id, alarm)
        if "Metrics" not in alarm:
            dimensions = {one["Name"]: substituted(one["Value"]) for one in alarm["Dimensions"]}
            watching.metric(logical_id, alarm["Namespace"], alarm["MetricName"], dimensions)
            continue
        ids = {one["Id"] for one in alarm["Metrics"]}
        shown = [one["Id"] for one in alarm["Metrics"] if one.get("ReturnData", True)]
        template.must(len(shown) == 1, f"{logical_id}: exactly one of Metrics must return data")
        for one in alarm["Metrics"]:
            if "Expression" in one:
                watching.expression(logical_id, substituted(one["Expression"]), ids)
                continue
            metric = one["MetricStat"]["Metric"]
            dimensions = {one["Name"]: substituted(one["Value"]) for one in metric["Dimensions"]}
            watching.metric(logical_id, metric["Namespace"], metric["MetricName"], dimensions)


def kind(template, logical_id: str, alarm: dict) -> None:
    """An alarm on a state says OK when it is well, one on events never: that nothing happens mends nothing."""
    must = template.must
    if alarm.get("MetricName") in STATES:
        must(alarm.get("Period") == TICK and "DatapointsToAlarm" not in alarm, f"{logical_id}: a state is written every {TICK} s, and each look counts")
        must(alarm.get("OKActions") == [{"Ref": "AlarmTopic"}], f"{logical_id}: OKActions must be the AlarmTopic, as it is on a state")
        if alarm.get("Statistic") == "SampleCount":
            # On the looks themselves: none of them is the fault.
            must(alarm["TreatMissingData"] == "breaching" and alarm["ComparisonOperator"] == "LessThanThreshold", f"{logical_id}: looks that are missing must be breaching")
            return
        must(alarm["TreatMissingData"] == "ignore", f"{logical_id}: a state that nobody looked at stays as it was: TreatMissingData must be ignore")
        must(alarm.get("EvaluationPeriods") == 1, f"{logical_id}: a state is what the last look found: EvaluationPeriods must be 1")
        falls = alarm["ComparisonOperator"].startswith("LessThan")
        must(alarm.get("Statistic") == ("Minimum" if falls else "Maximum"), f"{logical_id}: Statistic must take the worst look of a period")
    elif alarm.get("Namespace") == "AWS/SQS":
        # SQS writes what lies in a queue, and stops where it is empty and untouched.
        must(alarm["TreatMissingData"] == "notBreaching" and "OKActions" in alarm, f"{logical_id}: a queue's depth is a state, and none is zero")
    else:
        must("OKActions" not in alarm, f"{logical_id}: it is on events: OKActions would say that all is well when nothing happens")
        must(alarm["TreatMissingData"] == "notBreaching", f"{logical_id}: no event is no fault: TreatMissingData must be notBreaching")


def states(template) -> None:
    """Each state rings for somebody, but for those that only tell more of another; and nobody's look is missed."""
    alarms = [resource["Properties"] for _, resource in template.of_type("AWS::CloudWatch::Alarm")]
    watched = {alarm["MetricName"] for alarm in alarms if alarm.get("MetricName") in STATES}
    for name in sorted(STATES - watched - {"HoursWithoutWebhook"}):
        template.wrong.append(f"{name} is a state that no alarm reads")
    template.must(any(alarm.get("Statistic") == "SampleCount" for alarm in alarms), "no alarm rings when nobody looks at the states any more")
    events = template.properties("SyncFunction")["Events"].values()
    looks = [event["Properties"] for event in events if "watch" in json.loads(event["Properties"].get("Input", "{}"))]
    template.must(len(looks) == 1 and looks[0]["ScheduleExpression"] == f"rate({TICK // 60} minutes)", f"SyncFunction: one schedule must look at the states every {TICK} s")


def guards(template) -> None:
    """What stops a new version of a function: what that function alone can break."""
    answers = {}
    for logical_id, resource in template.of_type("AWS::CloudWatch::Alarm"):
        alarm = resource["Properties"]
        if alarm.get("MetricName") == "ServerErrors":
            answers.update({one["Value"]: logical_id for one in alarm["Dimensions"] if one["Name"] == "Function"})
    for name in FUNCTIONS:
        function = template.properties(f"{name.capitalize()}Function")
        alarms = json.dumps(function["DeploymentPreference"]["Alarms"])
        if any(event["Type"] == "HttpApi" for event in function["Events"].values()):
            template.must(f'"{answers.get(name)}"' in alarms, f"{name}: no alarm on its own ServerErrors guards its deployment")
        template.must(f'"{name.capitalize()}ErrorsAlarm"' in alarms, f"{name}: no alarm on its own errors guards its deployment")
    template.must("DeliveriesFailAlarm" in json.dumps(template.properties("WorkerFunction")["DeploymentPreference"]), "worker: a version that fails at every delivery must be stopped")
    # Unsigned requests, of which anybody can send as many as they like, must not.
    template.must("RefusedSignaturesAlarm" not in json.dumps(template.properties("WebhookFunction")["DeploymentPreference"]), "webhook: strangers could stop a deployment by refused signatures")
    template.must("RefusedSignaturesAlarm" not in json.dumps(template.properties("PagingAlarm")), "PagingAlarm: strangers could page people by refused signatures")


def reasons(template) -> None:
    """Each reason that GET /v1/status gives names a section of the runbook."""
    source = (ROOT / "shared" / "platform" / "src" / "health" / "report.rs").read_text(encoding="utf-8")
    named = re.findall(r'^    [A-Z]\w+: "([a-z-]+)",$', source, re.MULTILINE)
    template.must(len(named) > 10, "shared/platform/src/health/report.rs: the reasons are not found")
    for section in sorted(set(named) - runbook_sections()):
        template.wrong.append(f"docs/operations.md has no section #{section}, which a reason of GET /v1/status names")


def paging(template) -> None:
    """The paging alarm stands for what the runbook calls urgent at night, too."""
    pager = template.properties("PagingAlarm")
    section = re.search(r"\$\{RunbookUrl\}#([a-z-]+)$", substituted(pager["AlarmDescription"]))
    template.must(section and section[1] in runbook_sections(), "PagingAlarm: AlarmDescription must end with a section of the runbook")
    pages = set()
    for named in re.findall(r"ALARM\(\"\$\{(\w+)\.Arn\}\"\)", substituted(pager["AlarmRule"])):
        alarm = template.resources.get(named)
        if alarm is None or alarm["Type"] != "AWS::CloudWatch::Alarm":
            template.wrong.append(f"PagingAlarm: {named} is no alarm")
            continue
        there = alarm.get("Condition") in (None, "WatchesAll", "WatchesDeploys")
        template.must(there, f"PagingAlarm: {named} is not in every stack that has PagingAlarm")
        pages.update(re.findall(r"#([a-z-]+)$", substituted(alarm["Properties"]["AlarmDescription"])))
    # The first column of the table's only row.
    row = re.search(r"^\| at once.*\n\|[-|]+\|\n\|([^|]*)\|", runbook(), re.MULTILINE)
    urgent = set(re.findall(r"\(#([a-z-]+)\)", row[1])) if row else set()
    template.must(pages == urgent, f"PagingAlarm and the column 'at once' of docs/operations.md differ in {', '.join(sorted(pages ^ urgent))}")


def runbook() -> str:
    """The runbook's text; none where it is not there."""
    path = ROOT / "docs" / "operations.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def runbook_sections() -> set[str]:
    """The anchors of the runbook's headings, as they are made on the page."""
    text = runbook()
    headings = re.findall(r"^#+ +(.+?) *#*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dashboard(template) -> None:
    """The dashboard is JSON that CloudWatch can draw, and shows every metric and alarm there is."""
    watching = Watching(template)
    (_, resource), = template.of_type("AWS::CloudWatch::Dashboard")
    body = resource["Properties"]["DashboardBody"]["Fn::Sub"]
    try:
        widgets = json.loads(body)["widgets"]
    except ValueError as error:
        template.wrong.append(f"Dashboard: is not JSON: {error}")
        return
    taken: dict[tuple[int, int], str] = {}
    shown: set[str] = set()
    for number, widget in enumerate(widgets):
        properties = widget["properties"]
        title = properties.get("title") or f"widget {number}"
        where = f"Dashboard, {title}"
        x, y, width, height = (widget[side] for side in ("x", "y", "width", "height"))
        template.must(0 <= x and 0 <= y and 1 <= width and 1 <= height and x + width <= GRID, f"{where}: lies outside the grid of {GRID} columns")
        for cell in ((column, line) for column in range(x, x + width) for line in range(y, y + height)):
            if cell in taken:
                template.wrong.append(f"{where}: lies over {taken[cell]}")
                break
            taken[cell] = title
        if widget["type"] == "text":
            template.must(properties["markdown"].strip(), f"{where}: says nothing")
            continue
        template.must("title" in properties, f"{where}: has no title")
        if widget["type"] == "alarm":
            shown |= set(re.findall(r"\$\{(\w+)\.Arn\}", json.dumps(properties["alarms"])))
            continue
        template.must(properties.get("region") == "${AWS::Region}", f"{where}: region must be the stack's")
        if widget["type"] == "log":
            for group in re.findall(r"SOURCE '\$\{(\w+)\}'", properties["query"]):
                template.must(template.resources.get(group, {}).get("Type") == "AWS::Logs::LogGroup", f"{where}: {group} is no log group")
        elif widget["type"] == "metric":
            template.must(properties.get("view") in ("timeSeries", "singleValue") and properties.get("stat") and properties.get("period"), f"{where}: view, stat or period is missing")
            for metric in properties["metrics"]:
                options = metric[-1] if isinstance(metric[-1], dict) else {}
                if "expression" in options:
                    watching.expression(where, options["expression"], set())
                    continue
                namespace, name, *pairs = metric[: len(metric) - bool(options)]
                template.must(options.get("label"), f"{where}: {name} has no label")
                watching.metric(where, namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True)))
        else:
            template.wrong.append(f"{where}: {widget['type']} is no type of widget that dev/local/draw_dashboard.py draws")
    # There is no dashboard where little is watched.
    alarms = {
        logical_id for kind in ("Alarm", "CompositeAlarm") for logical_id, one in template.of_type(f"AWS::CloudWatch::{kind}")
        if one.get("Condition") != "WatchesLittle"
    }
    template.must(shown == alarms, f"Dashboard: these alarms are shown and don't exist, or the other way round: {sorted(shown ^ alarms)}")
    for unseen in [metric["name"] for metric in OWN["metrics"] if metric["name"] not in watching.used]:
        template.wrong.append(f"Dashboard: does not show {unseen}")


def queries(template) -> None:
    """Each saved query stands below the stack's name, over log groups of the template."""
    for logical_id, resource in template.of_type("AWS::Logs::QueryDefinition"):
        query = resource["Properties"]
        template.must(substituted(query["Name"]).startswith("${AWS::StackName}/"), f"{logical_id}: Name must begin with the stack's name and a slash")
        for group in query["LogGroupNames"]:
            named = group.get("Ref") if isinstance(group, dict) else None
            template.must(template.resources.get(named, {}).get("Type") == "AWS::Logs::LogGroup", f"{logical_id}: {group} is no log group of this template")


def written(template) -> None:
    """metrics.json lists what the code writes, no more and no less."""
    source = (ROOT / "shared" / "platform" / "src" / "metrics" / "names.rs").read_text(encoding="utf-8")
    code = dict(re.findall(r"^    ([A-Z]\w+): (Count|Milliseconds|None),$", source, re.MULTILINE))
    listed = {metric["name"]: metric["unit"] for metric in OWN["metrics"]}
    for name in sorted(code.items() ^ listed.items()):
        template.wrong.append(f"dev/local/metrics.json and shared/platform/src/metrics/names.rs differ in {name[0]} ({name[1]})")


RULES = (alarms, states, guards, reasons, paging, dashboard, queries, written)
