"""Tests of stamp_release.py: python3 -m unittest discover -s dev/local."""

import copy
import tempfile
import unittest
from pathlib import Path

from stamp_release import VARIABLE, set_shift, settings_hash, stamp, wrong_machines

TEMPLATE = {
    "Parameters": {"Tolerance": {"Type": "Number", "Default": 180}},
    "Globals": {"Function": {"Runtime": "provided.al2023", "Environment": {"Variables": {"STAGE": {"Ref": "Stage"}}}}},
    "Resources": {
        "WebhookFunction": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "Webhook", "Timeout": 10, "Events": {}}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 360}},
    },
}
OVERRIDES = ["Stage=prod", "Tolerance=300"]


class Stamped(unittest.TestCase):
    def changed(self, change, overrides=OVERRIDES) -> bool:
        template = copy.deepcopy(TEMPLATE)
        change(template)
        return settings_hash(template, overrides) != settings_hash(TEMPLATE, OVERRIDES)

    def test_settings_count(self):
        function = lambda template: template["Resources"]["WebhookFunction"]["Properties"]
        self.assertTrue(self.changed(lambda template: None, ["Stage=prod", "Tolerance=301"]))
        self.assertTrue(self.changed(lambda template: template["Parameters"]["Tolerance"].update(Default=181)))
        self.assertTrue(self.changed(lambda template: function(template).update(Timeout=11)))
        self.assertTrue(self.changed(lambda template: template["Globals"]["Function"].update(Tracing="Active")))

    def test_code_order_and_other_resources_do_not(self):
        function = lambda template: template["Resources"]["WebhookFunction"]["Properties"]
        self.assertFalse(self.changed(lambda template: function(template).update(CodeUri="Elsewhere")))
        self.assertFalse(self.changed(lambda template: function(template).update(Events={"More": {}})))
        self.assertFalse(self.changed(lambda template: template["Resources"]["Queue"]["Properties"].update(VisibilityTimeout=1)))
        self.assertFalse(self.changed(lambda template: None, OVERRIDES[::-1]))

    def test_every_function_gets_the_hash_and_a_second_time_the_same(self):
        template = copy.deepcopy(TEMPLATE)
        stamp(template, OVERRIDES)
        once = copy.deepcopy(template)
        stamp(template, OVERRIDES)
        variables = template["Globals"]["Function"]["Environment"]["Variables"]
        self.assertEqual(variables, {"STAGE": {"Ref": "Stage"}, VARIABLE: settings_hash(TEMPLATE, OVERRIDES)})
        self.assertEqual(template, once)

    def test_a_shift_at_once_leaves_codedeploy_out_and_one_by_steps_has_it_in_again(self):
        template = copy.deepcopy(TEMPLATE)
        preference = {"Type": {"Ref": "DeploymentType"}, "Alarms": ["one"]}
        template["Resources"]["WebhookFunction"]["Properties"]["DeploymentPreference"] = dict(preference)
        found = lambda: template["Resources"]["WebhookFunction"]["Properties"]["DeploymentPreference"]
        hashed = settings_hash(template, OVERRIDES)
        set_shift(template, "AllAtOnce")
        self.assertEqual(found(), {**preference, "Enabled": False})
        self.assertEqual(settings_hash(template, OVERRIDES), hashed)
        set_shift(template, "Canary10Percent5Minutes")
        self.assertEqual(found(), preference)

    def test_a_program_for_another_processor_is_refused(self):
        elf = lambda machine: b"\x7fELF".ljust(18, b"\0") + machine.to_bytes(2, "little")
        with tempfile.TemporaryDirectory() as folder:
            built = Path(folder)
            self.assertEqual(wrong_machines(TEMPLATE, built, "x86_64"), ["WebhookFunction is not built"])
            (built / "WebhookFunction").mkdir()
            program = built / "WebhookFunction" / "bootstrap"
            program.write_bytes(elf(0x3E))
            self.assertEqual(wrong_machines(TEMPLATE, built, "x86_64"), [])
            self.assertEqual(wrong_machines(TEMPLATE, built, "arm64"), ["WebhookFunction is built for x86_64"])
            program.write_bytes(elf(0xB7))
            self.assertEqual(wrong_machines(TEMPLATE, built, "arm64"), [])
            program.write_bytes(b"#!/bin/sh")
            self.assertEqual(len(wrong_machines(TEMPLATE, built, "arm64")), 1)


if __name__ == "__main__":
    unittest.main()
