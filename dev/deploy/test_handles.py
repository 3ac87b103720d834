"""What companies ask of a template, for each resource that it concerns, those that SAM adds among them."""

import json
import unittest

import tables
import translated
from translated import branches, listed


class Handles(unittest.TestCase):
    def of_type(self, kind: str) -> dict:
        return {name: one["Properties"] for name, one in translated.resources().items() if one["Type"] == kind}

    def test_every_role_has_the_boundary(self):
        for name, role in self.of_type("AWS::IAM::Role").items():
            self.assertEqual(role.get("PermissionsBoundary"), {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}, name)

    def test_who_may_use_the_key_may_use_the_second_one_as_well(self):
        for name, role in self.of_type("AWS::IAM::Role").items():
            statements = [one for policy in branches(role.get("Policies", [])) for one in branches(listed(policy["PolicyDocument"]["Statement"]))]
            of = lambda key: [sorted(one["Action"]) for one in statements if one["Resource"] == {"Ref": key}]
            self.assertEqual(of("KmsKeyArn"), of("SecondKmsKeyArn"), name)

    def test_secrets_that_are_made_at_run_time_get_the_key_and_tags(self):
        variables = self.of_type("AWS::Lambda::Function")["OauthFunction"]["Environment"]["Variables"]
        self.assertEqual(variables["TOKEN_SECRET_KEY_ARN"], {"Ref": "KmsKeyArn"})
        self.assertIn("${Stage}", json.dumps(variables["TOKEN_SECRET_TAGS"]))

    def test_addresses_have_fixed_names_below_the_stacks(self):
        names = [one["Name"]["Fn::Sub"] for one in self.of_type("AWS::SSM::Parameter").values()]
        self.assertTrue(all(name.startswith("/${AWS::StackName}/") for name in names), names)
        told = json.dumps([one["Value"] for one in self.of_type("AWS::SSM::Parameter").values()])
        for kind in ("AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SNS::Topic"):
            for name in self.of_type(kind):
                if name != "LimitsTable":
                    self.assertIn(f'"{name}"', told)

    def test_the_tables_that_are_restored_are_the_templates(self):
        found = self.of_type("AWS::DynamoDB::Table")
        kept = {name for name in found if "PointInTimeRecoverySpecification" in found[name]}
        self.assertEqual({kind.logical for kind in tables.KINDS.values()}, kept)
        for kind in tables.KINDS.values():
            table = found[kind.logical]
            self.assertEqual(tuple(key["AttributeName"] for key in table["KeySchema"]), kind.keys)
            self.assertEqual(table.get("TimeToLiveSpecification", {}).get("AttributeName"), kind.expires)
