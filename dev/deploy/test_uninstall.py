from bench_deploy import NAMES, STACK, AroundCase
from fake_aws import Refused

QUEUE = {"LogicalResourceId": "WebhookDlq", "PhysicalResourceId": "https://sqs/dlq", "ResourceType": "AWS::SQS::Queue"}
GONE = {"StackId": "arn:stack/0", "StackName": STACK, "StackStatus": "DELETE_COMPLETE", "CreationTime": 0}
LIMITS = NAMES["LimitsTable"]


class Uninstalled(AroundCase):
    def setUp(self):
        super().setUp()
        self.protected, self.deleted, self.waiting, self.gone = set(NAMES.values()), [], "3", False
        self.resources.append({**QUEUE, "ResourceStatus": "CREATE_COMPLETE", "LastUpdatedTimestamp": 0})
        self.secrets = [
            {"Name": "CalendlySecret-a1", "ARN": "arn:calendly", "Tags": [{"Key": "aws:cloudformation:stack-name", "Value": STACK}]},
            {"Name": f"{STACK}/connections/AAA", "ARN": "arn:aaa"},
            {"Name": f"{STACK}/connections/BBB", "ARN": "arn:bbb"},
            # Of others.
            {"Name": "CalendlySecret-b2", "ARN": "arn:other", "Tags": [{"Key": "aws:cloudformation:stack-name", "Value": "bookings"}]},
            {"Name": f"{STACK}-2/connections/CCC", "ARN": "arn:ccc"},
        ]
        self.tables.add("bookings-prod-2-BookingsTable-1ABC", ("pk", "sk"))
        self.tables.add(NAMES["BookingsTable"] + "-at-20270101T000000", ("pk", "sk"))
        describe = self.tables._describe_table
        answers = {
            "DescribeStacks": self.describe_stacks,
            "ListStacks": lambda _: {"StackSummaries": [GONE, {**GONE, "StackName": "bookings", "StackId": "arn:other"}] if self.gone else []},
            "ListStackResources": lambda asked: {"StackResourceSummaries": self.of_others if asked["StackName"] == "arn:other" else self.resources},
            "DeleteStack": self.delete_stack,
            "DeleteBudget": {},
            "DescribeStackEvents": lambda _: {"StackEvents": self.events},
            "ListSecrets": lambda _: {"SecretList": self.secrets},
            "DeleteSecret": lambda asked: self.deleted.append(asked),
            "DescribeLogGroups": lambda asked: {"logGroups": [
                {"logGroupName": name, "storedBytes": 2**30} for name in (f"/aws/lambda/{STACK}-webhook", f"/aws/lambda/{STACK}-2-webhook")
                if name.startswith(asked["logGroupNamePrefix"])
            ]},
            "DeleteLogGroup": lambda asked: self.deleted.append(asked),
            "GetQueueAttributes": lambda _: {"Attributes": {"ApproximateNumberOfMessages": self.waiting, "ApproximateNumberOfMessagesNotVisible": "0"}},
            "ListObjectVersions": {"Versions": [{"Key": f"{STACK}/a", "VersionId": "1", "Size": 5}], "DeleteMarkers": [{"Key": f"{STACK}/b", "VersionId": "2"}]},
            "DeleteObjects": lambda asked: self.deleted.append(asked),
            "DescribeTable": lambda asked: {"Table": {**describe(asked)["Table"], "DeletionProtectionEnabled": asked["TableName"] in self.protected}},
            "UpdateTable": lambda asked: self.protected.discard(asked["TableName"]),
        }
        self.aws.answers.update(answers)
        self.of_others = [{"LogicalResourceId": "CalendlySecret", "PhysicalResourceId": "arn:other", "ResourceType": "AWS::SecretsManager::Secret",
                           "ResourceStatus": "DELETE_SKIPPED", "LastUpdatedTimestamp": 0}]
        self.ends_as, self.events, self.sam = "DELETE_COMPLETE", [], True
        self.api.connections = [{"id": "AAA", "status": "active"}, {"id": "BBB", "status": "needs_reauth"}]
        self.disconnected, self.api_answers = [], {}
        real = self.api.answer

        def answer(method, path, query, body):
            if method != "DELETE":
                return real(method, path, query, body)
            id_ = path.rpartition("/")[2]
            self.disconnected.append(id_)
            return self.api_answers.get(id_, (200, {"message": "Disconnected", "connectionId": id_, "leftAtCalendly": []}))

        self.api.answer = answer

    def describe_stacks(self, asked):
        if asked["StackName"] == "aws-sam-cli-managed-default":
            if not self.sam:
                raise Refused("ValidationError", "Stack with id aws-sam-cli-managed-default does not exist")
            return {"Stacks": [{**self.described, "Outputs": [{"OutputKey": "SourceBucket", "OutputValue": "packages"}]}]}
        if self.gone and asked["StackName"] == STACK:
            raise Refused("ValidationError", f"Stack with id {STACK} does not exist")
        return {"Stacks": [self.described]}

    def delete_stack(self, asked):
        self.described["StackStatus"] = self.ends_as
        self.gone = self.ends_as == "DELETE_COMPLETE"
        for one in self.resources:
            one["ResourceStatus"] = "DELETE_COMPLETE" if one["PhysicalResourceId"] == LIMITS else "DELETE_SKIPPED"
        if self.gone:
            del self.tables.tables[LIMITS]

    def names(self) -> set:
        return set(self.tables.tables)

    def test_accounts_are_disconnected_the_stack_goes_and_data_stays(self):
        done = self.around("uninstall")
        self.assertEqual((done.code, done.err), (0, ""))
        self.assertEqual(self.disconnected, ["AAA", "BBB"])
        self.assertEqual(len(self.aws.asked("DeleteStack")), 1)
        self.assertEqual(self.deleted, [])
        self.assertEqual(self.names() & set(NAMES.values()), set(NAMES.values()) - {LIMITS})
        # What is kept stays protected.
        self.assertEqual(self.protected, set(NAMES.values()) - {LIMITS})
        self.assertSays(done.out, "3 messages wait in WebhookDlq", "2 accounts were disconnected", "is deleted", "CalendlySecret-a1",
                        "tokens of 2 accounts", "$0.80", f"s3://packages/{STACK}/", "make uninstall DELETE_DATA=1 STAGE=prod")
        for others in ("CalendlySecret-b2", f"{STACK}-2"):
            self.assertNotIn(others, done.out)

    def test_what_goes_by_itself_is_not_said_to_stay(self):
        group = {"LogicalResourceId": "WebhookLogGroup", "PhysicalResourceId": f"/aws/lambda/{STACK}-webhook", "ResourceType": "AWS::Logs::LogGroup"}
        self.resources.append({**group, "ResourceStatus": "CREATE_COMPLETE", "LastUpdatedTimestamp": 0})
        done = self.around("uninstall", DRY_RUN=1)
        self.assertIn(NAMES["BookingsTable"], done.out)
        for gone in ("connections/*", "/aws/lambda/"):
            self.assertNotIn(gone, done.out)
        self.assertIn("connections/*", self.around("uninstall", DRY_RUN=1, SKIP_DISCONNECT=1).out)

    def test_data_goes_too_where_it_is_said(self):
        done = self.around("uninstall", DELETE_DATA=1)
        self.assertEqual((done.code, done.err), (0, ""))
        self.assertEqual(self.names(), {"bookings-prod-2-BookingsTable-1ABC"})
        self.assertCountEqual([one.get("SecretId") for one in self.deleted if "SecretId" in one], ["arn:calendly", "arn:aaa", "arn:bbb"])
        self.assertIn({"SecretId": "arn:calendly", "RecoveryWindowInDays": 7}, self.deleted)
        self.assertIn({"logGroupName": f"/aws/lambda/{STACK}-webhook"}, self.deleted)
        self.assertNotIn({"logGroupName": f"/aws/lambda/{STACK}-2-webhook"}, self.deleted)
        keys, = [one["Delete"]["Objects"] for one in self.deleted if "Delete" in one]
        self.assertEqual([one["Key"] for one in keys], [f"{STACK}/a", f"{STACK}/b"])

    def test_a_dry_run_and_nobody_who_agrees_change_nothing(self):
        for typed, variables, code in ((STACK, {"DRY_RUN": 1}, 0), (None, {}, 2), ("yes", {}, 2), (None, {"CONFIRM": "bookings"}, 2)):
            done = self.around("uninstall", typed=typed, DELETE_DATA=1, **variables)
            self.assertEqual(done.code, code)
        self.assertEqual((self.disconnected, self.deleted, self.aws.asked("DeleteStack"), self.aws.asked("DeleteTable")), ([], [], [], []))

    def test_an_account_that_can_not_be_disconnected_stops_it(self):
        self.api_answers["AAA"] = (500, {"error": "no", "code": "INTERNAL"})
        done = self.around("uninstall")
        self.assertEqual((done.code, self.disconnected), (2, ["AAA", "BBB"]))
        self.assertSays(done.err, "AAA: ", "so the stack stays", "make uninstall SKIP_DISCONNECT=1 STAGE=prod")
        self.assertEqual(self.aws.asked("DeleteStack"), [])
        done = self.around("uninstall", SKIP_DISCONNECT=1)
        self.assertEqual((done.code, len(self.aws.asked("DeleteStack"))), (1, 1))
        self.assertIn("accounts were not disconnected", done.out)

    def test_what_stayed_at_calendly_is_told(self):
        self.api_answers["BBB"] = (200, {"leftAtCalendly": ["webhook subscription"]})
        done = self.around("uninstall")
        self.assertEqual(done.code, 1)
        self.assertIn("BBB: webhook subscription stayed at Calendly", done.out)

    def test_a_first_deploy_that_failed_has_nobody_to_disconnect(self):
        self.described.update(StackStatus="ROLLBACK_COMPLETE", Outputs=[])
        done = self.around("uninstall")
        self.assertEqual((done.code, self.disconnected, len(self.aws.asked("DeleteStack"))), (0, [], 1))

    def test_a_deletion_that_fails_says_of_what_and_why(self):
        self.ends_as = "DELETE_FAILED"
        self.events = [{"StackId": "arn:stack/1", "EventId": "1", "StackName": STACK, "Timestamp": 0, "LogicalResourceId": "HttpApiDomain",
                        "PhysicalResourceId": "x", "ResourceStatus": "DELETE_FAILED", "ResourceStatusReason": "in use"}]
        done = self.around("uninstall")
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "DELETE_FAILED", "HttpApiDomain: in use", "docs/deployment.md")

    def test_a_stack_that_is_busy_or_protected_is_left_alone(self):
        self.described["EnableTerminationProtection"] = True
        self.assertIn("--no-enable-termination-protection", self.around("uninstall").err)
        self.described.update(EnableTerminationProtection=False, StackStatus="UPDATE_IN_PROGRESS")
        self.assertIn("wait until", self.around("uninstall").err)
        self.assertEqual(self.aws.asked("DeleteStack"), [])

    def test_the_budget_beside_the_stack_goes_with_it(self):
        self.around("uninstall")
        self.assertEqual(self.aws.asked("DeleteBudget"), [{"AccountId": "123456789012", "BudgetName": f"{STACK}-eu-west-1"}])
        for code, steps in (("NotFoundException", 0), ("AccessDeniedException", 1)):
            self.setUp()

            def refused(_, code=code):
                raise Refused(code, "no")

            self.aws.answers["DeleteBudget"] = refused
            done = self.around("uninstall")
            self.assertEqual((done.code, done.out.count("aws budgets delete-budget")), (steps, steps))

    def test_after_the_stack_is_gone_its_data_is_found_and_deleted(self):
        self.gone, self.sam = True, False
        # Neither its name nor a tag tells: only what CloudFormation says of the deleted stack.
        self.secrets[0] = {"Name": "renamed", "ARN": "arn:calendly"}
        self.resources.append({"LogicalResourceId": "CalendlySecret", "PhysicalResourceId": "arn:calendly", "ResourceType": "AWS::SecretsManager::Secret",
                               "ResourceStatus": "DELETE_SKIPPED", "LastUpdatedTimestamp": 0})
        done = self.around("uninstall")
        self.assertEqual(done.code, 0, done.err)
        self.assertSays(done.out, "There is no such stack", "renamed", NAMES["BookingsTable"])
        done = self.around("uninstall", DELETE_DATA=1)
        self.assertEqual(done.code, 0, done.err)
        self.assertIn({"SecretId": "arn:calendly", "RecoveryWindowInDays": 7}, self.deleted)
        self.assertNotIn("arn:other", str(self.deleted))
        self.assertEqual(self.aws.asked("DeleteStack"), [])
