"""Tests of rules of check_template.py and check_watching.py: each finds its fault in this very project."""

import copy
import os
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import check_template
import check_watching
from venv import ROOT


def setUpModule() -> None:
    global WHOLE
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    WHOLE = check_template.Template((ROOT / "template.yaml").read_text(encoding="utf-8"))


class Planted(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("samconfig.toml", "stack-policy.json"):
            shutil.copy(ROOT / name, self.folder)

    def found(self, rule, plant=lambda resources: None) -> list[str]:
        template = copy.deepcopy(WHOLE)
        plant({logical_id: one.get("Properties", {}) for logical_id, one in template.resources.items()})
        with mock.patch.object(check_template, "ROOT", self.folder):
            rule(template)
        return template.wrong

    def write(self, name: str, *pairs: tuple[str, str]) -> None:
        """Puts a fault into a copy of a file."""
        text = (ROOT / name).read_text(encoding="utf-8")
        for before, after in pairs:
            self.assertIn(before, text)
            text = text.replace(before, after)
        (self.folder / name).write_text(text, encoding="utf-8")

    def refuses(self, rule, says: str, plant=lambda resources: None) -> None:
        found = self.found(rule, plant)
        self.assertTrue(found and all(says in text for text in found), found)

    def test_this_project_is_right(self):
        for rule in (check_template.samconfig, check_template.stack_policy, check_watching.alarms, check_watching.paging):
            self.assertEqual(self.found(rule), [])

    def test_a_stage_whose_architecture_the_build_does_not_read_or_nobody_says(self):
        self.write("samconfig.toml", ('    "Architecture=x86_64",\n', ""))
        self.refuses(check_template.samconfig, "must name Architecture")
        self.write("samconfig.toml", ("[staging.global.parameters]", "[staging.deploy.parameters.more]\n[staging.other.parameters]"))
        self.assertIn("samconfig.toml, staging: Stage is None", self.found(check_template.samconfig))
        here = '[prod.deploy.parameters]\nstack_name'
        self.write("samconfig.toml", (here, here.replace("\n", '\nparameter_overrides = ["Stage=prod", "Architecture=arm64"]\n')))
        self.assertIn("must be in [prod.global.parameters]", " ".join(self.found(check_template.samconfig)))

    def test_a_stack_policy_that_forgets_an_address_or_a_secret(self):
        for name in ("HttpApi", "WebhookQueue", "ReadKeySecret"):
            self.write("stack-policy.json", (f'"LogicalResourceId/{name}"', '"LogicalResourceId/DeliveriesTable"'))
            self.refuses(check_template.stack_policy, name)

    def test_an_index_that_no_table_has_and_a_call_that_no_code_makes(self):
        def dimension(alarm: str, number: int, value: str):
            return lambda all: all[alarm]["Metrics"][number]["MetricStat"]["Metric"]["Dimensions"][1].update(Value=value)

        self.refuses(check_watching.alarms, "has no index byNothing", dimension("TableWritesThrottledAlarm", 2, "byNothing"))
        self.refuses(check_watching.alarms, "no code of ours calls Scan", dimension("TableErrorsAlarm", 1, "Scan"))

    def test_a_pager_that_waits_for_an_alarm_which_is_not_there(self):
        template = copy.deepcopy(WHOLE)
        template.resources["DeliveriesFailAlarm"]["Condition"] = "HasEmail"
        check_watching.paging(template)
        self.assertEqual(len(template.wrong), 1)
        self.assertIn("not in every stack that has PagingAlarm", template.wrong[0])

    def test_alarms_that_say_ok_where_nobody_knows_or_stay_calm_where_nobody_looks(self):
        def change(alarm: str, **values):
            return lambda all: all[alarm].update(values)

        def without(alarm: str, name: str):
            return lambda all: all[alarm].pop(name)

        topic = [{"Ref": "AlarmTopic"}]
        self.refuses(check_watching.alarms, "TreatMissingData must be ignore", change("DeadLettersAlarm", TreatMissingData="notBreaching"))
        self.refuses(check_watching.alarms, "as it is on a state", without("NeedsReauthAlarm", "OKActions"))
        self.refuses(check_watching.alarms, "a state is written every 300 s", change("SyncFailingAlarm", Period=900))
        self.refuses(check_watching.alarms, "worst look", change("SubscriptionRetryingAlarm", Statistic="Maximum"))
        self.refuses(check_watching.alarms, "looks that are missing", change("WatchNotRunningAlarm", TreatMissingData="ignore"))
        self.refuses(check_watching.alarms, "it is on events", change("StaleSignaturesAlarm", OKActions=topic))
        self.refuses(check_watching.alarms, "no event is no fault", change("WorkerErrorsAlarm", TreatMissingData="ignore"))

    def test_a_state_that_no_alarm_reads_and_looks_that_nobody_takes(self):
        self.refuses(check_watching.states, "LostConnections is a state that no alarm reads", lambda all: all["NeedsReauthAlarm"].update(MetricName="DeadDeliveries"))
        self.refuses(check_watching.states, "nobody looks at the states", lambda all: all["WatchNotRunningAlarm"].update(Statistic="Maximum"))
        self.refuses(check_watching.states, "one schedule must look", lambda all: all["SyncFunction"]["Events"]["Watch"]["Properties"].update(ScheduleExpression="rate(1 hour)"))

    def test_a_deployment_that_its_own_faults_do_not_stop_or_strangers_do(self):
        def guards(function: str, alarms: list):
            return lambda all: all[function]["DeploymentPreference"].update(Alarms=[{"Ref": alarm} for alarm in alarms])

        self.refuses(check_watching.guards, "api: no alarm on its own ServerErrors", guards("ApiFunction", ["ApiErrorsAlarm", "WebhookAnswersAlarm"]))
        self.refuses(check_watching.guards, "fails at every delivery", guards("WorkerFunction", ["WorkerErrorsAlarm"]))
        self.refuses(check_watching.guards, "strangers could stop", guards("WebhookFunction", ["WebhookErrorsAlarm", "WebhookAnswersAlarm", "RefusedSignaturesAlarm"]))


if __name__ == "__main__":
    unittest.main()
