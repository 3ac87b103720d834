import json
from datetime import timedelta
from pathlib import Path

from bench import TestClock
from bench_deploy import NAMES, STACK, AroundCase
from fake_aws import NOW, Refused

import checks_api
import paths

FUNCTIONS = ("WebhookFunction", "WorkerFunction")
ROUTE = {"AuthorizationType": "NONE", "ApiKeyRequired": False}
LINE = {"requestId": "r-1", "time": "t", "route": "GET /v1/health", "status": "200", "latencyMs": "4", "integrationLatencyMs": "3",
        "integrationStatus": "200", "responseBytes": "20", "errorType": "-"}


class Checked(AroundCase):
    """A stack on which all is as it should be, and each thing that can be otherwise."""

    def setUp(self):
        super().setUp()
        self.described["Parameters"] = [
            {"ParameterKey": "DeletionProtection", "ParameterValue": "true"}, {"ParameterKey": "DeploymentType", "ParameterValue": "Canary10Percent5Minutes"},
        ]
        self.described["Outputs"] += [
            {"OutputKey": name, "OutputValue": value} for name, value in
            {"WebhookUrl": f"{self.api.url}/hook", "BookingsTable": NAMES["BookingsTable"], "AlarmTopicArn": "arn:aws:sns:eu-west-1:1:topic",
             "CalendlySecretArn": "arn:calendly"}.items()
        ]
        for logical, physical, kind in (
            *((name, f"{STACK}-{name}-1", "AWS::Lambda::Function") for name in FUNCTIONS), ("HttpApi", "api1", "AWS::ApiGatewayV2::Api"),
            ("App", "app", "AWS::CodeDeploy::Application"), ("Group", "group", "AWS::CodeDeploy::DeploymentGroup"),
            ("DeadLettersAlarm", f"{STACK}-dead-letters", "AWS::CloudWatch::Alarm"), ("PagingAlarm", f"{STACK}-paging", "AWS::CloudWatch::CompositeAlarm"),
        ):
            self.resources.append({"LogicalResourceId": logical, "PhysicalResourceId": physical, "ResourceType": kind,
                                   "ResourceStatus": "CREATE_COMPLETE", "LastUpdatedTimestamp": 0})
        self.group = {"alarmConfiguration": {"enabled": True, "alarms": [{"name": "a"}]}}
        self.stage = {"StageName": "$default", "RouteSettings": {}}
        self.gateway = {"Name": "x", "ProtocolType": "HTTP", "RouteSelectionExpression": "x"}
        self.protected, self.expiry, self.history, self.points = True, "ENABLED", "Successfully executed action arn:topic", [NOW]
        self.ticks, self.line = [NOW - timedelta(minutes=5)], json.dumps(LINE)
        self.mappings = [{"FunctionArn": f"arn:aws:lambda:eu-west-1:1:function:{STACK}-WorkerFunction-1:live", "State": "Enabled"}]
        self.subscriptions = [{"SubscriptionArn": "arn:s", "Endpoint": "ops@example.com"}]
        self.alarms, self.tracing = {"dead-letters": "OK", "paging": "INSUFFICIENT_DATA"}, "Active"
        self.named = {"api-url": self.api.url, "webhook-url": f"{self.api.url}/hook", "bookings-table": NAMES["BookingsTable"]}
        describe = self.tables._describe_table
        self.aws.answers.update({
            "DescribeTable": lambda asked: {"Table": {**describe(asked)["Table"], "DeletionProtectionEnabled": self.protected}},
            "DescribeTimeToLive": lambda _: {"TimeToLiveDescription": {"TimeToLiveStatus": self.expiry, "AttributeName": "expiresAt"}},
            "GetAlias": {"FunctionVersion": "3"},
            "ListEventSourceMappings": lambda _: {"EventSourceMappings": self.mappings},
            "GetFunctionConfiguration": lambda _: {"TracingConfig": {"Mode": self.tracing}},
            "GetTraceSummaries": {"TraceSummaries": [{"ServiceIds": [{"Name": f"{STACK}-WebhookFunction-1"}]}]},
            "GetDeploymentGroup": lambda _: {"deploymentGroupInfo": self.group},
            "GetParametersByPath": lambda _: {"Parameters": [{"Name": f"/{STACK}/{name}", "Value": value} for name, value in self.named.items()]},
            "GetApi": lambda _: self.gateway,
            "GetRoutes": lambda _: {"Items": [{"RouteKey": "GET /v1/health", **ROUTE}, {"RouteKey": "GET /v1/events/{id}", **ROUTE}]},
            "GetStages": lambda _: {"Items": [self.stage]},
            "FilterLogEvents": self.filter_log_events,
            "GetMetricStatistics": lambda _: {"Datapoints": [{"Timestamp": point, "Sum": 1.0} for point in self.points]},
            "ListSubscriptionsByTopic": lambda _: {"Subscriptions": self.subscriptions},
            "SetAlarmState": {},
            "DescribeAlarmHistory": lambda _: {"AlarmHistoryItems": [{"HistorySummary": self.history}] if self.history else []},
            "DescribeAlarms": lambda _: {"MetricAlarms": [{"AlarmName": f"{STACK}-{name}", "StateValue": state} for name, state in self.alarms.items()]},
            "GetSecretValue": lambda asked: {"SecretString": json.dumps({"signingKey": "s"} if "calendly" in asked["SecretId"] else {"key": "the-operators-key"})},
        })
        self.forged, self.raw = (401, {"code": "INVALID_SIGNATURE"}), 400
        self.api.sync_looks = [{"state": "done", "connections": 0, "finished": 0}]
        self.api._checked = self.checked(self.api._checked)

    def checked(self, real):
        def answer(method, target, key, raw):
            ids = {"apigw-requestid": "r-1", "x-tracking-id": "t"}
            if method == "POST" and target == "/v1/webhooks/calendly":
                return (*(self.forged if raw == b"{}" else (200, {"ignored": True, "deliveryId": "d"})), ids)
            if target == "/v1/openapi.json":
                return 200, {"paths": {"/v1/health": {"get": {}}, "/v1/events/{eventId}": {"get": {}}}}, ids
            if any(character in target for character in '"<>%'):
                return self.raw, {"error": "no"}, ids
            status, body, headers = real(method, target, key, raw)
            return status, body, {**headers, **ids}

        return answer

    def filter_log_events(self, asked):
        if asked["logGroupName"].endswith("http-api"):
            return {"events": [{"message": self.line}] if self.line else []}
        return {"events": [{"timestamp": int(tick.timestamp() * 1000)} for tick in self.ticks]}

    def ask(self, **variables):
        return self.around("check-deploy", clock=AtNow(), **{"SEND": 1, **variables})

    def assertFails(self, question: str, *says: str):
        done = self.ask()
        line = next(line for line in done.out.splitlines() if question in line)
        self.assertTrue(line.startswith("failed"), line)
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "1 failed, 0 that can't", *says)

    def test_all_is_well(self):
        done = self.ask()
        self.assertEqual((done.code, done.err), (0, ""), done.out)
        self.assertSays(done.out, "21 ok, 0 failed, 0 that can't be told.", "version 1.2.3")

    def test_without_leave_nothing_is_sent_that_somebody_notices(self):
        done = self.ask(SEND=0)
        self.assertEqual(done.code, 1)
        self.assertIn("18 ok, 0 failed, 3 that can't be told.", done.out)
        self.assertEqual(self.aws.asked("SetAlarmState"), [])
        self.assertNotIn("POST /v1/sync", self.api.calls)

    def test_what_was_made(self):
        for change, question, says in (
            (lambda: self.described.update(StackStatus="UPDATE_ROLLBACK_COMPLETE"), "whole", "the way back"),
            (lambda: self.tables.recovery.update({NAMES["BookingsTable"]: False}), "recovery", "is DISABLED"),
            (lambda: setattr(self, "protected", False), "protected", "make deploy STAGE=prod again"),
            (lambda: setattr(self, "expiry", "DISABLED"), "expire", "update-time-to-live"),
            (lambda: self.mappings[0].update(State="Disabled"), "alias", "is Disabled"),
            (lambda: self.mappings[0].update(FunctionArn=self.mappings[0]["FunctionArn"].removesuffix(":live")), "alias", "past the alias"),
            (lambda: self.group.update(alarmConfiguration={"enabled": False}), "red alarm", "looks at no alarm"),
            (lambda: self.described["Parameters"].pop(), "red alarm", "enabled=false"),
            (lambda: setattr(self, "tracing", "PassThrough"), "traced", "are not traced"),
            (lambda: self.named.pop("webhook-url"), "SSM", "webhook-url differ"),
        ):
            with self.subTest(says):
                self.setUp()
                change()
                self.assertFails(question, says)

    def test_what_comes_through_the_api(self):
        for change, question, says in (
            (lambda: self.gateway.update(Warnings=["paths./v1/x is missing"]), "warning", "paths./v1/x"),
            (lambda: self.aws.answers.update(GetRoutes={"Items": [{"RouteKey": "GET /v1/health", **ROUTE}]}), "routed", "no route for GET /v1/events/{}"),
            (lambda: self.stage.update(RouteSettings={"GET /v1/old": {}}), "gone", "delete-route-settings --api-id api1 --stage-name '$default' --route-key 'GET /v1/old'"),
            (lambda: setattr(self, "raw", 502), "raw", "answers 502"),
            (lambda: setattr(self, "forged", (500, {"code": "SIGNING_KEY_UNAVAILABLE"})), "forged", "may use its KMS key"),
            (lambda: setattr(self.api, "sync_looks", [{"state": "failed", "errors": ["AAA: authorize again"]}]), "sync", "AAA: authorize again"),
            (lambda: setattr(self, "line", ""), "access log", "CreateLogDelivery"),
            (lambda: setattr(self, "line", json.dumps({**LINE, "latencyMs": "-"})), "access log", "nothing in latencyMs"),
            (lambda: setattr(self, "line", json.dumps({**LINE, "agent": "check-deploy"})), "access log", "of the caller"),
            (lambda: setattr(self, "line", "{" + '"a": ""b"}'), "access log", "no JSON"),
        ):
            with self.subTest(says):
                self.setUp()
                change()
                self.assertFails(question, says)

    def test_who_would_notice(self):
        for change, question, says in (
            (lambda: setattr(self, "points", []), "within two minutes", "a tick 300 s ago is not counted"),
            (lambda: setattr(self, "points", [NOW - timedelta(hours=1)]), "within two minutes", "the function's log format"),
            (lambda: self.subscriptions[0].update(SubscriptionArn="PendingConfirmation"), "reads the alarms", "ops@example.com did not confirm"),
            (lambda: self.subscriptions.clear(), "reads the alarms", "AlarmEmail"),
            (lambda: setattr(self, "history", "Failed to execute action arn:topic"), "reach the topic", "cloudwatch.amazonaws.com"),
            (lambda: self.alarms.update({"dead-letters": "ALARM"}), "none red", f"red: {STACK}-dead-letters"),
            (lambda: self.alarms.pop("paging"), "none red", "1 of 2 alarms"),
        ):
            with self.subTest(says):
                self.setUp()
                change()
                self.assertFails(question, says)

    def test_a_small_stack_rings_an_alarm_that_it_has_and_goes_past_codedeploy(self):
        self.resources[:] = [one for one in self.resources if "CodeDeploy" not in one["ResourceType"]]
        self.described["Parameters"][1]["ParameterValue"] = "AllAtOnce"
        next(one for one in self.resources if one["LogicalResourceId"] == "DeadLettersAlarm")["PhysicalResourceId"] = f"{STACK}-webhook-errors"
        self.alarms["webhook-errors"] = self.alarms.pop("dead-letters")
        done = self.ask()
        self.assertEqual(done.code, 0, done.out)
        self.assertEqual({asked["AlarmName"] for asked in self.aws.asked("SetAlarmState")}, {f"{STACK}-webhook-errors"})

    def test_an_alarm_that_was_rung_is_put_back_whatever_happens(self):
        def refused(_):
            raise Refused("AccessDenied", "not you")

        self.aws.answers["DescribeAlarmHistory"] = refused
        done = self.ask()
        self.assertEqual([asked["StateValue"] for asked in self.aws.asked("SetAlarmState")], ["ALARM", "OK"])
        self.assertSays(done.out, "1 that can't be told", "use credentials that may look at this")

    def test_what_is_not_there_yet_is_waited_for_and_then_not_known(self):
        self.ticks, self.points, self.history = [], [], ""
        done = self.ask()
        self.assertSays(done.out, "no tick of the schedule so far", "2 that can't be told")
        self.assertLessEqual(done.clock.passed, 200)

    def test_the_fields_of_the_access_log_are_the_templates(self):
        template = (Path(paths.HERE).parents[1] / "template.yaml").read_text(encoding="utf-8")
        for field in checks_api.FIELDS:
            self.assertIn(f'"{field}":"$context.', template)


class AtNow(TestClock):
    """It is the time at which the fake account is."""

    def utc(self):
        return NOW + timedelta(seconds=self.passed)
