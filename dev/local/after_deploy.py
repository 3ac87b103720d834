"""Does what CloudFormation can't, after a deploy, and holds what is deployed against the template.

- Puts stack-policy.json on the stack: no later update may replace or delete what it names.
- Switches on the deletion protection of the tables, where the stage wants it. In the template it would have
  to be taken back by a deploy that fails, and DynamoDB refuses that: the stack would be stuck.
- Makes a budget, where there is an address to tell. CloudFormation knows no budget in half of the regions, eu-north-1
  among them, and refuses a template that has one.
- Compares the API's routes with the template's, and shows what API Gateway warned of.

    after_deploy.py prod [--region …] [--profile …]

`make deploy` runs it after each deploy; all of it can be repeated.
"""

import os
import sys
from pathlib import Path

import preflight
import stages
import venv

POLICY = venv.ROOT / "stack-policy.json"


SPENT = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0, "ThresholdType": "PERCENTAGE"}
FORECAST = {**SPENT, "NotificationType": "FORECASTED", "Threshold": 100.0}


def budget_name(stack: str, region: str) -> str:
    """A budget is of the whole account, and its name the only one in all regions."""
    return f"{stack}-{region}"


class Trouble(Exception):
    """Something that a person has to look at; the message says what to do."""


def routes_of(template: dict) -> set[str]:
    """The routes that the functions' events ask for."""
    from deploy import functions, route_key

    return {
        route_key(event.get("Properties") or {})
        for _, properties, _ in functions(template)
        for event in (properties.get("Events") or {}).values()
        if event["Type"] == "HttpApi"
    }


def protected_tables(template: dict) -> list[str]:
    """The tables that stay when the stack goes: a table that goes with it must not refuse to."""
    return sorted(
        logical_id
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::DynamoDB::Table" and resource.get("DeletionPolicy") != "Delete"
    )


class After:
    """The steps, for one stack. `client` makes a client of an AWS service, by its name."""

    def __init__(self, stack: str, template: dict, client):
        self.stack, self.template, self.client = stack, template, client
        stacks = client("cloudformation")
        described = stacks.describe_stacks(StackName=stack)["Stacks"][0]
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])}
        self.email = parameters.get("AlarmEmail", "")
        self.region, self.account = described["StackId"].split(":")[3:5]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}
        self.resources = {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for page in stacks.get_paginator("list_stack_resources").paginate(StackName=stack)
            for one in page["StackResourceSummaries"]
            if "PhysicalResourceId" in one
        }

    def set_policy(self) -> str:
        """Refuses updates that lose data or addresses, from whatever machine or pipeline."""
        policy = POLICY.read_text(encoding="utf-8")
        self.client("cloudformation").set_stack_policy(StackName=self.stack, StackPolicyBody=policy)
        return "Updates that would replace or delete a table, a secret, the API's address or the webhook queues are refused."

    def protect(self) -> str:
        """Has DynamoDB refuse to delete the tables, where the stage wants that."""
        if self.outputs.get("DeletionProtection") != "true":
            return "The tables may be deleted (DeletionProtection=false)."
        dynamodb, left = self.client("dynamodb"), []
        for logical_id in protected_tables(self.template):
            name = self.resources[logical_id]
            table = dynamodb.describe_table(TableName=name)["Table"]
            if table.get("DeletionProtectionEnabled"):
                continue
            if table["TableStatus"] != "ACTIVE":
                left.append(f"{name} is {table['TableStatus']}")
                continue
            dynamodb.update_table(TableName=name, DeletionProtectionEnabled=True)
        if left:
            raise Trouble(f"Not protected from deletion yet: {', '.join(left)}. Wait until they are ACTIVE, then deploy again.")
        return "DynamoDB refuses to delete the tables."

    def set_budget(self) -> str:
        """Has AWS tell AlarmEmail when the account costs more than MonthlyBudget."""
        from botocore.exceptions import ClientError

        budgets, amount = self.client("budgets"), float(self.outputs.get("MonthlyBudget", "0"))
        name = budget_name(self.stack, self.region)
        wanted = (amount, self.email) if self.email and amount else None
        which = {"AccountId": self.account, "BudgetName": name}
        try:
            before = float(budgets.describe_budget(**which)["Budget"]["BudgetLimit"]["Amount"]), self._told(which)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "AccessDeniedException" and wanted is None:
                code = "NotFoundException"
            if code != "NotFoundException":
                raise Trouble(
                    f"There is no budget: {error}. These credentials need budgets:ViewBudget and ModifyBudget. Where the account "
                    "can't have one, set MonthlyBudget=0."
                ) from None
            before = None
        if before and before != wanted:
            budgets.delete_budget(**which)
        if wanted and before != wanted:
            limit = {"Amount": f"{amount:g}", "Unit": "USD"}
            budgets.create_budget(
                AccountId=self.account,
                Budget={"BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit},
                NotificationsWithSubscribers=[
                    {"Notification": notification, "Subscribers": [{"SubscriptionType": "EMAIL", "Address": self.email}]}
                    for notification in (SPENT, FORECAST)
                ],
            )
        if wanted:
            return f"{self.email} is told when the account has cost 80 % of ${amount:g} in a month, or will cost more."
        return "There is no budget (MonthlyBudget=0, or no AlarmEmail)."

    def _told(self, which: dict) -> str:
        told = self.client("budgets").describe_subscribers_for_notification(**which, Notification=SPENT)
        return ", ".join(one["Address"] for one in told["Subscribers"])

    def compare_routes(self) -> str:
        """The API has the template's routes, no more and no less."""
        apis, api = self.client("apigatewayv2"), self.resources["HttpApi"]
        deployed, token = set(), {}
        while True:
            page = apis.get_routes(ApiId=api, MaxResults="100", **token)
            deployed |= {route["RouteKey"] for route in page.get("Items", [])}
            if not page.get("NextToken"):
                break
            token = {"NextToken": page["NextToken"]}
        told = apis.get_api(ApiId=api)
        warnings = [*told.get("Warnings", []), *told.get("ImportInfo", [])]
        said = "".join(f"\n  API Gateway says: {text}" for text in warnings)
        wanted = routes_of(self.template)
        if deployed != wanted:
            lines = [f"missing: {route}" for route in sorted(wanted - deployed)]
            lines += [f"not ours: {route}" for route in sorted(deployed - wanted)]
            raise Trouble(
                f"The API {api} has other routes than template.yaml:\n  " + "\n  ".join(lines) + said
                + "\n  A missing route is answered 404. Deploy again; if that changes nothing, its definition was not understood: see above."
            )
        return f"The API has all {len(wanted)} routes.{said}"


def run(after: After, say) -> list[str]:
    """Takes all steps, whatever becomes of one; answers what went wrong."""
    from botocore.exceptions import BotoCoreError, ClientError

    wrong = []
    for step in (after.set_policy, after.protect, after.set_budget, after.compare_routes):
        try:
            say(step())
        except Trouble as trouble:
            wrong.append(str(trouble))
        except (BotoCoreError, ClientError) as error:
            wrong.append(f"{(step.__doc__ or '').strip()} Not done: {error}. With credentials that may do it, deploy again.")
    return wrong


def main() -> None:
    bin_dir = venv.ensure("venv-sam", "requirements-sam.txt")
    # Compared unresolved: the interpreter of an environment is a link to the one outside.
    if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
        os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])
    from botocore.exceptions import BotoCoreError, ClientError
    from samcli.yamlhelper import yaml_parse

    known = preflight.options(sys.argv[1:])
    stage = stages.read(known.stage)
    template = yaml_parse((venv.ROOT / "template.yaml").read_text(encoding="utf-8"))
    try:
        after = After(stage.stack, template, preflight.session(known, stage).client)
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"The stack {stage.stack} can't be read ({error}): its policy, its tables' protection and its routes were left as they are.")
    wrong = run(after, print)
    if wrong:
        sys.exit("The stack is deployed, but:\n" + "\n".join(wrong))
    for name in ("ApiUrl", "DashboardUrl"):
        if after.outputs.get(name):
            print(f"{name}: {after.outputs[name]}")


if __name__ == "__main__":
    main()
