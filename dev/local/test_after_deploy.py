"""Tests of after_deploy.py."""

import datetime
import unittest

import after_deploy
from stubbed import Aws

EVENT = {"Type": "HttpApi", "Properties": {"Method": "GET", "Path": "/v1/events"}}
TEMPLATE = {
    "Resources": {
        "ApiFunction": {"Type": "AWS::Serverless::Function", "Properties": {"Events": {"One": EVENT, "Rest": {"Type": "HttpApi"}}}},
        "BookingsTable": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "RetainExceptOnCreate"},
        "LimitsTable": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Delete"},
    }
}
PHYSICAL = {"HttpApi": "api1", "BookingsTable": "stack-Bookings-1", "LimitsTable": "stack-Limits-1"}


class AfterDeploy(unittest.TestCase):
    def setUp(self) -> None:
        self.aws = Aws()

    def after(self, protection="true", budget="0", email="") -> after_deploy.After:
        now = datetime.datetime(2027, 1, 31)
        outputs = {"DeletionProtection": protection, "MonthlyBudget": budget}
        stack = {
            "StackName": "stack", "StackStatus": "UPDATE_COMPLETE", "CreationTime": now,
            "StackId": "arn:aws:cloudformation:eu-north-1:123456789012:stack/stack/1",
            "Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()],
            "Parameters": [{"ParameterKey": "AlarmEmail", "ParameterValue": email}],
        }
        self.aws.answer("cloudformation", "describe_stacks", {"Stacks": [stack]}, {"StackName": "stack"})
        found = [
            {"LogicalResourceId": logical, "PhysicalResourceId": physical, "ResourceType": "t", "LastUpdatedTimestamp": now,
             "ResourceStatus": "CREATE_COMPLETE"}
            for logical, physical in PHYSICAL.items()
        ]
        self.aws.answer("cloudformation", "list_stack_resources", {"StackResourceSummaries": found}, {"StackName": "stack"})
        return after_deploy.After("stack", TEMPLATE, self.aws.client)

    def table(self, status="ACTIVE", on=False) -> None:
        described = {"TableStatus": status, "DeletionProtectionEnabled": on}
        self.aws.answer("dynamodb", "describe_table", {"Table": described}, {"TableName": "stack-Bookings-1"})

    def routes(self, *pages: list[str], warnings=()) -> None:
        for number, page in enumerate(pages):
            answer = {"Items": [{"RouteKey": key} for key in page]}
            if number + 1 < len(pages):
                answer["NextToken"] = f"t{number}"
            asked = {"ApiId": "api1", "MaxResults": "100", **({"NextToken": f"t{number - 1}"} if number else {})}
            self.aws.answer("apigatewayv2", "get_routes", answer, asked)
        api = {"Name": "stack", "ProtocolType": "HTTP", "RouteSelectionExpression": "r", "Warnings": list(warnings)}
        self.aws.answer("apigatewayv2", "get_api", api, {"ApiId": "api1"})

    def test_tables_that_stay_are_protected_and_the_one_that_goes_is_not(self):
        after = self.after()
        self.table()
        self.aws.answer("dynamodb", "update_table", {}, {"TableName": "stack-Bookings-1", "DeletionProtectionEnabled": True})
        after.protect()
        self.aws.all_asked()

    def test_a_table_that_is_protected_is_left_and_so_are_all_where_the_stage_wants_none(self):
        after = self.after()
        self.table(on=True)
        after.protect()
        self.aws.all_asked()
        self.assertIn("may be deleted", self.after(protection="false").protect())
        self.aws.all_asked()

    def test_a_table_that_is_not_active_is_told(self):
        after = self.after()
        self.table(status="UPDATING")
        with self.assertRaisesRegex(after_deploy.Trouble, "stack-Bookings-1 is UPDATING.*deploy again"):
            after.protect()

    BUDGET = {"AccountId": "123456789012", "BudgetName": "stack-eu-north-1"}

    def budget(self, amount: str, email: str) -> None:
        limit = {"Amount": amount, "Unit": "USD"}
        one = {"BudgetName": "stack-eu-north-1", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit}
        self.aws.answer("budgets", "describe_budget", {"Budget": one}, self.BUDGET)
        told = {"Subscribers": [{"SubscriptionType": "EMAIL", "Address": email}]}
        asked = {**self.BUDGET, "Notification": after_deploy.SPENT}
        self.aws.answer("budgets", "describe_subscribers_for_notification", told, asked)

    def test_a_budget_is_made_where_somebody_is_told_and_kept_as_it_is(self):
        after = self.after(budget="50", email="a@example.com")
        self.aws.refuse("budgets", "describe_budget", "NotFoundException")
        self.aws.answer("budgets", "create_budget", {})
        self.assertIn("a@example.com is told", after.set_budget())
        self.budget("50.0", "a@example.com")
        after.set_budget()
        self.aws.all_asked()

    def test_a_budget_with_another_amount_or_address_is_made_anew_and_one_that_nobody_wants_taken_away(self):
        for amount, email in (("40.0", "a@example.com"), ("50.0", "b@example.com")):
            after = self.after(budget="50", email="a@example.com")
            self.budget(amount, email)
            self.aws.answer("budgets", "delete_budget", {}, self.BUDGET)
            self.aws.answer("budgets", "create_budget", {})
            after.set_budget()
        for given in ({"budget": "0", "email": "a@example.com"}, {"budget": "50"}):
            after = self.after(**given)
            self.budget("50.0", "a@example.com")
            self.aws.answer("budgets", "delete_budget", {}, self.BUDGET)
            self.assertIn("no budget", after.set_budget())
        self.aws.all_asked()

    def test_who_may_not_make_budgets_is_told_the_way_out_unless_none_is_wanted(self):
        self.aws.refuse("budgets", "describe_budget", "AccessDeniedException", "no")
        with self.assertRaisesRegex(after_deploy.Trouble, "MonthlyBudget=0"):
            self.after(budget="50", email="a@example.com").set_budget()
        self.aws.refuse("budgets", "describe_budget", "AccessDeniedException", "no")
        self.assertIn("no budget", self.after().set_budget())

    def test_the_routes_of_all_pages_are_compared_and_warnings_shown(self):
        after = self.after()
        self.routes(["GET /v1/events"], ["$default"], warnings=["odd schema"])
        said = after.compare_routes()
        self.assertIn("all 2 routes", said)
        self.assertIn("odd schema", said)

    def test_a_route_that_is_missing_and_one_that_is_not_ours(self):
        after = self.after()
        self.routes(["$default", "GET /old"])
        with self.assertRaises(after_deploy.Trouble) as raised:
            after.compare_routes()
        self.assertIn("missing: GET /v1/events", str(raised.exception))
        self.assertIn("not ours: GET /old", str(raised.exception))

    def test_a_step_that_is_refused_stops_no_other(self):
        after = self.after()
        self.aws.refuse("cloudformation", "set_stack_policy", "AccessDenied", "no")
        self.table()
        self.aws.refuse("dynamodb", "update_table", "AccessDeniedException", "no")
        self.aws.refuse("budgets", "describe_budget", "NotFoundException")
        self.routes(["$default", "GET /v1/events"])
        said = []
        wrong = after_deploy.run(after, said.append)
        self.aws.all_asked()
        self.assertEqual((len(wrong), len(said)), (2, 2))
        self.assertIn("With credentials that may do it, deploy again", wrong[0])


if __name__ == "__main__":
    unittest.main()
