"""Tests of check_deployable.py: each rule finds its fault in this very template, and is silent without it."""

import copy
import os
import unittest

import check_deployable as rules
from expand import Expanded, combinations, translated
from venv import ROOT

KEY = {"KmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"}


def setUpModule() -> None:
    from samcli.yamlhelper import yaml_parse

    global TEMPLATE, MADE
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    MADE = translated(TEMPLATE)


class Planted(unittest.TestCase):
    def found(self, rule, plant=lambda resources: None, **given: str) -> list[str]:
        made = copy.deepcopy(MADE)
        plant({logical_id: one.setdefault("Properties", {}) for logical_id, one in made["Resources"].items()})
        return list(rule(Expanded(TEMPLATE, given, made=made)))

    def refuses(self, rule, plant, logical_id: str, **given: str) -> None:
        """The rule names the resource with the fault, and nothing where there is none."""
        self.assertEqual(self.found(rule, **given), [])
        found = self.found(rule, plant, **given)
        self.assertTrue(found and all(text.startswith(logical_id) for text in found), found)

    def test_a_query_with_or_and_a_search(self):
        for expression in ('SELECT SUM(X) FROM "AWS/DynamoDB" WHERE TableName = \'a\' OR TableName = \'b\'', "SUM(SEARCH('{AWS/SQS}', 'Sum', 300))"):
            self.refuses(rules.queries, lambda all: all["TableErrorsAlarm"]["Metrics"][0].update(Expression=expression), "TableErrorsAlarm")

    def test_an_eleventh_metric(self):
        def plant(all):
            all["TableWritesThrottledAlarm"]["Metrics"] += copy.deepcopy(all["TableWritesThrottledAlarm"]["Metrics"][-1:])

        self.refuses(rules.metric_counts, plant, "TableWritesThrottledAlarm")

    def test_a_metric_of_dynamodb_without_its_zeros(self):
        def without(all):
            first = all["TableReadsThrottledAlarm"]["Metrics"][0]
            first["Expression"] = first["Expression"].replace("FILL(bookings, 0)", "bookings")

        self.refuses(rules.zeros, without, "TableReadsThrottledAlarm")
        self.refuses(rules.zeros, lambda all: all["LagAlarm"].update(Namespace="AWS/DynamoDB"), "LagAlarm")

    def test_an_alarm_that_looks_back_too_far(self):
        self.refuses(rules.spans, lambda all: all["StaleSignaturesAlarm"].update(EvaluationPeriods=169), "StaleSignaturesAlarm")
        self.refuses(rules.spans, lambda all: all["OldMessagesAlarm"].update(EvaluationPeriods=289), "OldMessagesAlarm")
        self.refuses(rules.spans, lambda all: all["TableErrorsAlarm"].update(EvaluationPeriods=289), "TableErrorsAlarm")
        # No alarm looks back as long as a parameter says: what it reads is a state.
        self.assertEqual(self.found(rules.spans, SyncOverdueHours="169", QuietHours="169"), [])

    def test_deletion_protection_at_creation(self):
        self.refuses(rules.protection, lambda all: all["BookingsTable"].update(DeletionProtectionEnabled=False), "BookingsTable")

    def test_encryption_that_costs_and_none_where_a_key_is_given(self):
        self.refuses(rules.encryption, lambda all: all["BookingsTable"].update(SSESpecification={"SSEEnabled": True}), "BookingsTable")
        self.refuses(rules.encryption, lambda all: all["BookingsTable"].pop("SSESpecification"), "BookingsTable", **KEY)

    def test_fail_on_warnings_settings_of_a_route_and_a_log_that_says_too_little(self):
        self.refuses(rules.api_settings, lambda all: all["HttpApi"].update(FailOnWarnings=True), "HttpApi")
        stage = next(name for name, one in MADE["Resources"].items() if one["Type"] == "AWS::ApiGatewayV2::Stage")
        one = {"GET /v1/health": {"ThrottlingRateLimit": 1}}
        self.refuses(rules.api_settings, lambda all: all[stage].update(RouteSettings=one), stage)
        self.refuses(rules.api_settings, lambda all: all[stage]["AccessLogSettings"].update(Format="$context.error.message"), stage)

    def test_a_loop_that_lambda_would_end_and_one_that_is_none(self):
        for function in ("SyncFunction", "WorkerFunction"):
            self.refuses(rules.loops, lambda all: all[function].pop("RecursiveLoop"), function)
        self.refuses(rules.loops, lambda all: all["ApiFunction"].update(RecursiveLoop="Allow"), "ApiFunction")

    def test_too_little_memory(self):
        self.refuses(rules.memory, lambda all: all["ApiFunction"].update(MemorySize=128), "ApiFunction")

    def test_a_name_that_is_too_long_in_a_stack_with_a_long_name(self):
        longer = {"Fn::Sub": "${AWS::StackName}-webhooks"}
        self.refuses(rules.lengths, lambda all: all["WebhookQueue"].update(QueueName=longer), "WebhookQueue")
        unknown = {"Fn::Sub": "${AWS::StackName}-hook"}
        self.refuses(rules.lengths, lambda all: all["SyncQueue"].update(SomeName=unknown), "SyncQueue")

    def test_two_indexes_in_one_update_and_one_that_is_changed(self):
        now = dict(Expanded(TEMPLATE, {}, made=MADE).of_type("AWS::DynamoDB::Table"))["BookingsTable"]["GlobalSecondaryIndexes"]
        found = lambda before: self.found(lambda expanded: rules.indexes(expanded, {"BookingsTable": before}))
        self.assertEqual(found(now), [])
        self.assertEqual(found(now[1:]), [])
        self.assertEqual(len(found(now[2:])), 1)
        changed = [{**now[0], "Projection": {"ProjectionType": "INCLUDE"}}, *now[1:]]
        self.assertIn("can't be changed", *found(changed))
        self.assertEqual(self.found(lambda expanded: rules.indexes(expanded, {"OtherTable": []})), [])

    def test_an_action_that_is_none_and_one_that_does_not_fit(self):
        def plant(action):
            return lambda all: all["ApiRole"]["Policies"][0]["PolicyDocument"]["Statement"][0].update(Action=action)

        self.refuses(rules.policies, plant(["logs:PutLogEvnts"]), "ApiRole")
        self.refuses(rules.policies, plant(["sqs:SendMessage"]), "ApiRole")

    def test_a_parameter_of_a_path_that_the_path_does_not_have(self):
        def plant(all):
            body = all["HttpApi"]["Body"]
            body["paths"]["/v1/events/{other}"] = body["paths"].pop("/v1/events/{id}")

        self.refuses(rules.api_document, plant, "HttpApi")

    def test_a_condition_that_no_combination_tries(self):
        tried = lambda rows: list(rules.both_sides([Expanded(TEMPLATE, given, made=MADE) for given in rows]))
        self.assertEqual(tried(combinations(TEMPLATE)), [])
        self.assertIn("condition HasKey", "".join(tried([{}])))

    def test_each_two_choices_meet_in_all_ways(self):
        rows = combinations(TEMPLATE)
        for one, other in (("Watching", "DeploymentType"), ("KmsKeyArn", "DomainName"), ("AlarmEmail", "QuietHours")):
            met = {(one in row, other in row) for row in rows}
            self.assertEqual(len(met), 4, (one, other))


if __name__ == "__main__":
    unittest.main()
