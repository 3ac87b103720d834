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

    def after(self, protection="true") -> after_deploy.After:
        now = datetime.datetime(2027, 1, 31)
        outputs = [{"OutputKey": "DeletionProtection", "OutputValue": protection}]
        stack = {"StackName": "stack", "StackStatus": "UPDATE_COMPLETE", "CreationTime": now, "Outputs": outputs}
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
        self.routes(["$default", "GET /v1/events"])
        said = []
        wrong = after_deploy.run(after, said.append)
        self.aws.all_asked()
        self.assertEqual((len(wrong), len(said)), (2, 1))
        self.assertIn("With credentials that may do it, deploy again", wrong[0])


if __name__ == "__main__":
    unittest.main()
