"""Writes into docs/security.md what each function's role may do, as template.yaml has it.

A statement's Sid is its reason, in words: that is why each has one. `--check` says whether the page
is up to date; the template checks run it so.
"""

import os
import re
import sys
from pathlib import Path

import venv
from generated import ROOT, keep


def words(name: str) -> str:
    """DeliveriesTable → deliveries table."""
    return re.sub(r"(?<!^)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", " ", name).lower()


def resource(value: object) -> str:
    """What a statement is about, for people."""
    if isinstance(value, str):
        return "everything" if value == "*" else f"`{value}`"
    (kind, target), = value.items()
    if kind == "Ref":
        return words(target)
    if kind == "Fn::GetAtt":
        return words(target[0] if isinstance(target, list) else target.split(".")[0])
    if kind == "Fn::If":
        return f"{resource(target[1])} (if {words(target[0])})"
    if kind == "Fn::Sub":
        text = target if isinstance(target, str) else target[0]
        if index := re.fullmatch(r"\$\{(\w+)\.Arn\}/index/(\w+)", text):
            return f"{words(index[1])}, index {index[2]}"
        if secret := re.search(r":secret:(.+)$", text):
            return f"secrets `{secret[1].replace('${AWS::StackName}', '<stack>')}`"
        return f"`{text}`"
    sys.exit(f"dev/local/policy_table.py: can't put a resource into words: {value}")


def each(value: object) -> list:
    return value if isinstance(value, list) else [value]


def chosen(value: dict, when: str = ""):
    """What a condition may choose, each with when."""
    if "Fn::If" not in value:
        if value != {"Ref": "AWS::NoValue"}:
            yield value, when
        return
    condition, then, otherwise = value["Fn::If"]
    yield from chosen(then, f"{when}, if {words(condition)}")
    yield from chosen(otherwise, f"{when}, unless {words(condition)}")


def statements(role: dict):
    """The statements of a role, each with when it holds."""
    for one in role.get("Policies", []):
        for policy, when in chosen(one):
            for statement in each(policy["PolicyDocument"]["Statement"]):
                yield from chosen(statement, when)


def table(template: dict) -> str:
    """One line a statement."""
    lines = ["| function | may | on | why |", "|---|---|---|---|"]
    for logical_id, one in template["Resources"].items():
        if one["Type"] != "AWS::Serverless::Function":
            continue
        role = template["Resources"][one["Properties"]["Role"]["Fn::GetAtt"][0]]
        name = logical_id.removesuffix("Function").lower()
        for statement, when in statements(role["Properties"]):
            actions = ", ".join(each(statement["Action"]))
            targets = "; ".join(resource(target) for target in each(statement["Resource"]))
            lines.append(f"| {name} | {actions} | {targets} | {words(statement['Sid'])}{when} |")
    return "\n".join(lines)


def main() -> None:
    bin_dir = venv.ensure("venv-sam", "requirements-sam.txt")
    # Compared unresolved: the interpreter of an environment is a link to the one outside.
    if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
        os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])
    from samcli.yamlhelper import yaml_parse

    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    keep("docs/security.md", "policies", table(template), "dev/local/policy_table.py")


if __name__ == "__main__":
    main()
