"""Tests of preflight.py."""

import datetime
import os
import re
import shutil
import subprocess
import unittest

import preflight
from stages import Stage
from stubbed import Aws
from venv import ROOT

ACCOUNT = "123456789012"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/me"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CERTIFICATE = f"arn:aws:acm:eu-central-1:{ACCOUNT}:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
DEFAULTS = {
    "Stage": "dev", "WorkerMaximumConcurrency": 4, "SyncMaximumConcurrency": 2, "ThrottleBurst": 200,
    "WebhookReservedConcurrency": 0, "ApiReservedConcurrency": 0, "KmsKeyArn": "", "CertificateArn": "", "DomainName": "",
    "SyncSchedule": "rate(15 minutes)", "DeletionProtection": "false",
}
TEMPLATE = {"Parameters": {name: {"Type": "String", "Default": value} for name, value in DEFAULTS.items()}}
ABSENT = object()


class Preflight(unittest.TestCase):
    def look(self, *overrides: str, stack=ABSENT, name="bookings-prod", has=None, limit=1000, free=None,
             queue=False, groups=(), denied=(), simulate=True, arn=ROLE, more=lambda aws: None) -> preflight.Report:
        """What is said of stage prod in an account that is as the arguments say."""
        aws = Aws()
        aws.answer("sts", "get_caller_identity", {"Account": ACCOUNT, "Arn": arn, "UserId": "u"})
        if stack is ABSENT:
            aws.refuse("cloudformation", "describe_stacks", "ValidationError", f"Stack with id {name} does not exist")
            if queue:
                aws.answer("sqs", "get_queue_url", {"QueueUrl": "https://sqs/1"}, {"QueueName": f"{name}-webhook"})
            else:
                aws.refuse("sqs", "get_queue_url", "AWS.SimpleQueueService.NonExistentQueue")
            aws.answer("logs", "describe_log_groups", {"logGroups": [{"logGroupName": group} for group in groups]})
        else:
            parameters = {"Stage": "prod", **(has or {})} if has != {} else {}
            pairs = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
            now = datetime.datetime(2027, 1, 31)
            one = {"StackName": name, "StackStatus": stack, "CreationTime": now, "Parameters": pairs}
            aws.answer("cloudformation", "describe_stacks", {"Stacks": [one]}, {"StackName": name})
        limits = {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": limit if free is None else free}
        aws.answer("lambda", "get_account_settings", {"AccountLimit": limits})
        if arn == ROLE:
            role = {"Arn": f"arn:aws:iam::{ACCOUNT}:role/ci/deployer", "RoleName": "deployer", "RoleId": "A" * 16, "Path": "/ci/",
                    "CreateDate": datetime.datetime(2027, 1, 1)}
            aws.answer("iam", "get_role", {"Role": role}, {"RoleName": "deployer"})
        if not simulate:
            aws.refuse("iam", "simulate_principal_policy", "AccessDenied")
        elif not arn.endswith(":root"):
            results = [
                {"EvalActionName": action, "EvalDecision": "implicitDeny" if action in denied else "allowed"}
                for action in preflight.NEEDED
            ]
            aws.answer("iam", "simulate_principal_policy", {"EvaluationResults": results, "IsTruncated": False})
        more(aws)
        stage = Stage("prod", name, overrides=("Stage=prod", *overrides))
        report = preflight.Look(stage, TEMPLATE, aws.client, "eu-central-1").look()
        aws.all_asked()
        return report

    def stops(self, says: str, *overrides: str, **account) -> None:
        troubles = self.look(*overrides, **account).troubles
        self.assertEqual(len(troubles), 1, troubles)
        self.assertIn(says, troubles[0])

    def notes(self, says: str, *overrides: str, **account) -> None:
        report = self.look(*overrides, **account)
        self.assertEqual((len(report.warnings), report.troubles), (1, []), report.warnings)
        self.assertIn(says, report.warnings[0])

    def test_a_new_stack_is_told_with_where_it_will_be(self):
        report = self.look()
        self.assertEqual((report.warnings, report.troubles), ([], []))
        facts = dict(report.facts)
        self.assertEqual(
            (facts["account"], facts["region"], facts["stage"], facts["stack"], facts["does"]),
            (ACCOUNT, "eu-central-1", "prod", "bookings-prod", "makes a new stack"),
        )

    def test_the_defaults_fit_a_new_account(self):
        from samcli.yamlhelper import yaml_parse

        real = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))["Parameters"]
        for name in ("WorkerMaximumConcurrency", "SyncMaximumConcurrency"):
            self.assertEqual(real[name]["Default"], DEFAULTS[name])
        self.assertEqual(self.look(limit=10, more=lambda aws: None).troubles, [])
        self.assertEqual([text[:12] for text in self.look(limit=10).warnings], ["ThrottleBurs"])

    def test_more_concurrency_than_the_account_has_is_noted(self):
        self.notes("take 60 of the account's 50", "WorkerMaximumConcurrency=50", "SyncMaximumConcurrency=10", limit=50)

    def test_a_reserve_that_lambda_would_refuse(self):
        self.stops("so 900 can be had", "WebhookReservedConcurrency=950")
        self.assertEqual(self.look("WebhookReservedConcurrency=900").troubles, [])
        # What the stack has reserved already is its own.
        kept = {"WebhookReservedConcurrency": "900"}
        self.assertEqual(self.look("WebhookReservedConcurrency=900", stack="UPDATE_COMPLETE", has=kept, free=100).troubles, [])

    def test_a_stack_that_takes_no_update_comes_with_the_way_out(self):
        for status, says in [
            ("ROLLBACK_COMPLETE", "aws cloudformation delete-stack --stack-name bookings-prod"),
            ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name bookings-prod"),
            ("UPDATE_IN_PROGRESS", "Wait until"),
        ]:
            self.stops(says, stack=status)
        self.assertEqual(self.look(stack="UPDATE_COMPLETE").troubles, [])

    def test_another_stage_and_another_services_stack(self):
        self.stops("is that of stage staging", stack="CREATE_COMPLETE", has={"Stage": "staging"})
        self.stops("another service's", stack="CREATE_COMPLETE", has={})

    def test_what_an_earlier_stack_left_behind(self):
        self.stops("queue bookings-prod-webhook is there already", queue=True)
        groups = ("/aws/lambda/bookings-prod-api", "/aws/lambda/bookings-prod-else")
        self.stops("delete-log-group --log-group-name /aws/lambda/bookings-prod-api", groups=groups)

    def test_a_name_that_no_queue_could_have(self):
        self.stops("72 at most", name="b" * 73)
        self.assertEqual(self.look(name="b" * 72).troubles, [])

    def test_a_parameter_that_stays_as_it_was(self):
        self.notes("SyncSchedule stays rate(1 hour)", stack="UPDATE_COMPLETE", has={"SyncSchedule": "rate(1 hour)"})
        self.assertEqual(
            self.look("SyncSchedule=rate(1 hour)", stack="UPDATE_COMPLETE", has={"SyncSchedule": "rate(2 hours)"}).warnings, []
        )

    def test_a_key_that_is_off_or_elsewhere(self):
        def state(word):
            described = {"KeyMetadata": {"KeyId": "1234", "KeyState": word}}
            return lambda aws: aws.answer("kms", "describe_key", described, {"KeyId": KEY})

        self.stops("is Disabled", f"KmsKeyArn={KEY}", more=state("Disabled"))
        self.assertEqual(self.look(f"KmsKeyArn={KEY}", more=state("Enabled")).troubles, [])
        self.stops("a key of us-east-1", f"KmsKeyArn={KEY.replace('eu-central-1', 'us-east-1')}")

    def test_a_certificate_that_does_not_fit(self):
        def status(word, domain):
            return lambda aws: aws.answer("acm", "describe_certificate", {"Certificate": {"Status": word, "DomainName": domain}})

        given = (f"CertificateArn={CERTIFICATE}", "DomainName=b.example.com")
        self.stops("PENDING_VALIDATION", *given, more=status("PENDING_VALIDATION", "b.example.com"))
        self.stops("not for b.example.com", *given, more=status("ISSUED", "c.example.com"))
        for domain in ("b.example.com", "*.example.com"):
            self.assertEqual(self.look(*given, more=status("ISSUED", domain)).troubles, [])

    def test_what_may_not_be_done_is_noted_and_what_may_not_be_looked_at_left_out(self):
        self.notes("iam:CreateRole, sqs:CreateQueue", denied=("iam:CreateRole", "sqs:CreateQueue"))
        self.notes("permissions: not looked at (AccessDenied on SimulatePrincipalPolicy)", simulate=False)
        self.notes("root user", arn=f"arn:aws:iam::{ACCOUNT}:root")

    def test_who_is_asked(self):
        prod, dev = Stage("prod", "bookings-prod"), Stage("dev", "bookings-dev")
        asked = lambda stage, answer=None, **environ: preflight.agreed(stage, TEMPLATE, environ, answer and (lambda _: answer))
        self.assertIsNone(asked(dev))
        self.assertIsNone(asked(prod, "bookings-prod\n"))
        self.assertIn("Nothing was done", asked(prod, "yes"))
        self.assertIn("YES=1", asked(prod))
        self.assertIsNone(asked(prod, YES="1"))
        guarded = Stage("live", "bookings-live", overrides=("DeletionProtection=true",))
        self.assertIn("YES=1", asked(guarded, YES="0"))

    def test_options_of_sam_deploy_are_understood_and_those_that_would_not_go_live_refused(self):
        known = preflight.options(["prod", "--region", "eu-west-1", "--profile", "p", "--no-confirm-changeset"])
        self.assertEqual((known.stage, known.region, known.profile), ("prod", "eu-west-1", "p"))
        for words in (["--parameter-overrides", "Stage=x"], ["--stack-name", "x"]):
            with self.assertRaises(SystemExit) as stopped:
                preflight.options(["prod", *words])
            self.assertIn("samconfig.toml", str(stopped.exception))


@unittest.skipUnless(shutil.which("make"), "make isn't installed")
class Make(unittest.TestCase):
    def would_run(self, *words: str, **environ: str) -> list[str]:
        done = subprocess.run(
            ["make", "-n", "-C", str(ROOT), *words], text=True, capture_output=True, check=True,
            env={"PATH": os.environ["PATH"], **environ},
        )
        return done.stdout.splitlines()

    def test_all_that_asks_aws_asks_in_the_region_that_the_aws_cli_would(self):
        lines = self.would_run("deploy-built", AWS_REGION="eu-north-1", AWS_DEFAULT_REGION="us-east-1")
        asks = [line for line in lines if "preflight.py" in line or "sam deploy" in line or "after_deploy.py" in line]
        self.assertEqual(len(asks), 3)
        for line in asks:
            self.assertIn("AWS_DEFAULT_REGION='eu-north-1'", line)

    def test_what_is_in_a_variable_is_a_word_and_yes_is_1_alone(self):
        lines = self.would_run("deploy", "STAGE=it's; rm -r x", "YES=1")
        self.assertTrue(any("--config-env 'it'\\''s; rm -r x' --no-confirm-changeset" in line for line in lines), lines)
        self.assertFalse(any("no-confirm" in line for line in self.would_run("deploy", "YES=0")))

    def test_a_deploy_looks_before_it_builds(self):
        words = [re.search(r"preflight\.py|sam build|stamp_release\.py|sam deploy|after_deploy\.py", line) for line in self.would_run("deploy")]
        found = [word[0] for word in words if word]
        self.assertEqual(found, ["preflight.py", "sam build", "stamp_release.py", "sam deploy", "after_deploy.py"])


if __name__ == "__main__":
    unittest.main()
