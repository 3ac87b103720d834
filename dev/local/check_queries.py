"""Runs every query of the docs and the template over a run's log lines: python3 dev/local/check_queries.py [LOG_DIR]

A query that finds nothing in a full run of the tests, though everything happened there, would find nothing
in the night, either: a field was renamed, a message or its level changed. Without LOG_DIR it only reads
them. What log_queries/ can't read must not be in the docs.
"""

import json
import re
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from log_queries import Unread, filter_pattern, insights
from venv import ROOT

ACCESS_LOG = "http-api"
PLACEHOLDERS = ("…", "put the tracking id here")
# Lines that only AWS writes, as it documents them.
# https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report
REPORT = {
    "time": "2027-01-10T12:00:00.000Z",
    "type": "platform.report",
    "record": {
        "requestId": "00000000-0000-0000-0000-000000000000",
        "status": "timeout",
        "metrics": {
            "durationMs": 60000.0, "billedDurationMs": 60000, "memorySizeMB": 512, "maxMemoryUsedMB": 99,
            "initDurationMs": 116.67,
        },
    },
}
# What API Gateway writes for a request that it answered itself.
CONTEXT = {"$context.status": "503"}
# Queries that find nothing in the tests' runs: the reason. The code must have their texts, at least.
SELDOM = {
    '{ $.message = "a sync job comes back" }': "a job comes back when AWS fails, or a record that a store holds",
    '{ $.message = "something could not be looked at" }': "a look fails when AWS does",
    '{ $.message = "panic" }': "no stack test makes the code panic; the worker's own tests do",
}


@dataclass(frozen=True)
class Asked:
    """A query, where it is written, and whose log lines it is for."""

    where: str
    text: str
    groups: tuple[str, ...]
    is_pattern: bool


# -------------------------------------------------------------------- gathering


def of_docs(name: str, text: str) -> list[Asked]:
    """What a page has people run. Raises `Unread` for one that it can't make out."""
    lines = text.replace("\\\n", " ")
    found = []
    for tail in re.finditer(r"aws logs tail (\S+)([^\n]*?)--filter-pattern '([^']*)'", lines):
        found.append(Asked(name, tail[3], (_group(tail[1]),), True))
    patterns = lines.count("--filter-pattern")
    if patterns != len(found):
        told = f"{patterns - len(found)} of {patterns} filter patterns are in no command aws logs tail … '…'"
        raise Unread(f"{name}: {told}")
    for block in re.finditer(r"^    ((?:fields|filter|stats) [^\n]*)$", text, re.MULTILINE):
        # The paragraph before says so where it is not of the functions' logs.
        led = text[: block.start()].rstrip().rpartition("\n\n")[2]
        found.append(Asked(name, block[1], (ACCESS_LOG,) if "access log" in led else FUNCTIONS, False))
    piped = len(re.findall(r"\| *(?:filter|stats|sort|fields) ", text))
    if piped and not any(not one.is_pattern for one in found):
        raise Unread(f"{name}: a query of Logs Insights that is no line of its own")
    return found


FUNCTIONS = ("webhook", "worker", "oauth", "sync", "api")


def _group(path: str) -> str:
    """/aws/lambda/$STACK-worker → worker."""
    return path.rsplit("/", 1)[-1] if path.startswith("/aws/vendedlogs/") else path.rsplit("-", 1)[-1]


def of_template(template: dict) -> list[Asked]:
    """Saved queries, and those on the dashboard."""
    found = []
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties") or {}
        if resource["Type"] == "AWS::Logs::QueryDefinition":
            groups = tuple(_of_resource(group["Ref"]) for group in properties["LogGroupNames"])
            found.append(Asked(logical_id, properties["QueryString"], groups, False))
        if resource["Type"] == "AWS::CloudWatch::Dashboard":
            body = properties["DashboardBody"]["Fn::Sub"]
            body = body[0] if isinstance(body, list) else body
            for query in re.findall(r'"query": ("(?:[^"\\]|\\.)*")', body):
                text = json.loads(query)
                groups = tuple(map(_of_resource, re.findall(r"SOURCE '\$\{(\w+)\}'", text)))
                found.append(Asked(logical_id, text, groups, False))
    return found


def _of_resource(logical_id: str) -> str:
    return ACCESS_LOG if logical_id == "HttpApiLogGroup" else logical_id.removesuffix("LogGroup").lower()


def access_line(template: dict) -> str:
    """A line of the API's access log, by the format that the template gives it."""
    made = template["Resources"]["HttpApi"]["Properties"]["AccessLogSettings"]["Format"]
    return re.sub(r"\$context(\.\w+)+", lambda name: CONTEXT.get(name[0], "x"), made)


# --------------------------------------------------------------------- checking


def unreadable(asked: list[Asked]) -> list[str]:
    """Those that are in no language that is known here: a line each."""
    wrong = []
    for one in asked:
        try:
            (filter_pattern if one.is_pattern else insights).read(one.text)
        except (Unread, ValueError) as why:
            wrong.append(f"{one.where}: can't be read: {why}")
    return wrong


def finds_nothing(one: Asked, lines: dict[str, list[str]]) -> str | None:
    """What is wrong with a query, given the log lines by group; None where it finds what it should."""
    if one.is_pattern:
        matches = filter_pattern.read(one.text)
        held = [line for group in one.groups for line in lines[group]]
        return None if any(map(matches, held)) else f"none of {len(held)} lines of {', '.join(one.groups)} matches"
    rows = [
        insights.parsed(line, group, number) for group in one.groups for number, line in enumerate(lines[group])
    ]
    text = one.text
    for placeholder in PLACEHOLDERS:
        text = text.replace(placeholder, _busiest(rows))
    query = insights.read(text)
    unknown = sorted(name for name in query.fields if not any(name in row for row in rows))
    if unknown:
        return f"no line of {', '.join(one.groups)} has the field {', '.join(unknown)}"
    return None if query.run(rows) else f"it finds none of {len(rows)} lines of {', '.join(one.groups)}"


def _busiest(rows: list[dict]) -> str:
    """The tracking id that the most functions speak of, for the place of one in a query."""
    functions, times = defaultdict(set), Counter()
    for row in rows:
        if isinstance(row.get("trackingId"), str):
            functions[row["trackingId"]].add(row["@log"])
            times[row["trackingId"]] += 1
    return max(times, key=lambda one: (len(functions[one]), times[one]), default="none")


def wrong_in(asked: list[Asked], lines: dict[str, list[str]], seldom: dict[str, str], code: str) -> list[str]:
    """All that is wrong with the queries over a run's lines, given the code's text: a line each."""
    wrong = []
    for one in asked:
        if one.text in seldom:
            why = next((f"the code has no {text}" for text in re.findall(r'"[^"]*"', one.text) if text not in code), None)
        else:
            why = finds_nothing(one, lines)
        if why:
            wrong.append(f"{one.where}: {one.text.strip()!r}: {why}")
    texts = {one.text for one in asked}
    return wrong + [f"in SELDOM, and no query: {text!r}" for text in seldom if text not in texts]


def lines_of(log_dir: Path, template: dict) -> dict[str, list[str]]:
    """Group → its lines, with those that only AWS writes."""
    report = json.dumps(REPORT)
    found = {
        name: (log_dir / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines() + [report]
        for name in FUNCTIONS
    }
    return {**found, ACCESS_LOG: [access_line(template)]}


def _code() -> str:
    """All that the functions are made of."""
    files = [file for folder in ("functions", "shared") for file in (ROOT / folder).rglob("*.rs")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def main() -> int:
    import runtime_env

    runtime_env.enter()
    from samtranslator.yaml_helper import yaml_parse

    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    try:
        asked = of_template(template)
        for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
            asked += of_docs(page.relative_to(ROOT).as_posix(), page.read_text(encoding="utf-8"))
    except Unread as why:
        print(why)
        return 1
    wrong = unreadable(asked)
    if not wrong and sys.argv[1:]:
        wrong = wrong_in(asked, lines_of(Path(sys.argv[1]), template), SELDOM, _code())
    for line in wrong:
        print(line)
    if not wrong:
        done = "finds what it is for" if sys.argv[1:] else "can be read"
        print(f"ok     each of {len(asked)} log queries of the docs and the template {done}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
