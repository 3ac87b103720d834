"""Tests of stamp_release.py: python3 -m unittest discover -s dev/local."""

import copy
import unittest

from stamp_release import VARIABLE, settings_hash, stamp

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


if __name__ == "__main__":
    unittest.main()
