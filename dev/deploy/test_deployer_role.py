"""docs/deployer-role.yaml lets CloudFormation do what template.yaml's resources take, and no more.

What each type takes is from its schema's handlers (CloudFormation's registry), and for those that have none
there (API Gateway, CodeDeploy, alarms, versions, aliases, permissions) from each service's own page. It was
not tried on AWS.
"""

import json
import subprocess
import sys
import unittest
from pathlib import Path

import paths
import translated
from translated import branches, listed

ROLE = paths.HERE.parents[1] / "docs" / "deployer-role.yaml"
HTTP_API = {"apigateway:GET", "apigateway:POST", "apigateway:PUT", "apigateway:PATCH", "apigateway:DELETE"}
NEEDS = {
    "AWS::ApiGatewayV2::Api": HTTP_API,
    # The access log needs the delivery of logs to be set up.
    "AWS::ApiGatewayV2::Stage": HTTP_API | {
        "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery", "logs:ListLogDeliveries",
        "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
    },
    "AWS::ApiGatewayV2::DomainName": HTTP_API | {"iam:CreateServiceLinkedRole"},
    "AWS::ApiGatewayV2::ApiMapping": HTTP_API,
    "AWS::CloudWatch::Alarm": {
        "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:TagResource",
        "cloudwatch:UntagResource", "cloudwatch:ListTagsForResource",
    },
    "AWS::CloudWatch::CompositeAlarm": {
        "cloudwatch:PutCompositeAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:TagResource",
        "cloudwatch:UntagResource", "cloudwatch:ListTagsForResource",
    },
    "AWS::CloudWatch::Dashboard": {"cloudwatch:PutDashboard", "cloudwatch:GetDashboard", "cloudwatch:DeleteDashboards"},
    "AWS::CodeDeploy::Application": {
        "codedeploy:CreateApplication", "codedeploy:GetApplication", "codedeploy:UpdateApplication", "codedeploy:DeleteApplication",
        "codedeploy:TagResource", "codedeploy:UntagResource", "codedeploy:ListTagsForResource",
    },
    "AWS::CodeDeploy::DeploymentGroup": {
        "codedeploy:CreateDeploymentGroup", "codedeploy:GetDeploymentGroup", "codedeploy:UpdateDeploymentGroup",
        "codedeploy:DeleteDeploymentGroup", "codedeploy:GetDeploymentConfig", "iam:PassRole",
    },
    "AWS::DynamoDB::Table": {
        "dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:UpdateTable", "dynamodb:DeleteTable", "dynamodb:DescribeTimeToLive",
        "dynamodb:UpdateTimeToLive", "dynamodb:DescribeContinuousBackups", "dynamodb:UpdateContinuousBackups",
        "dynamodb:DescribeContributorInsights", "dynamodb:UpdateContributorInsights", "dynamodb:DescribeKinesisStreamingDestination",
        "dynamodb:GetResourcePolicy", "dynamodb:ListTagsOfResource", "dynamodb:TagResource", "dynamodb:UntagResource",
    },
    "AWS::IAM::Role": {
        "iam:CreateRole", "iam:GetRole", "iam:UpdateRole", "iam:UpdateRoleDescription", "iam:UpdateAssumeRolePolicy", "iam:DeleteRole",
        "iam:PutRolePolicy", "iam:GetRolePolicy", "iam:DeleteRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies",
        "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:TagRole", "iam:UntagRole",
    },
    # A new version takes over by a deployment of CodeDeploy's.
    "AWS::Lambda::Alias": {
        "lambda:CreateAlias", "lambda:GetAlias", "lambda:UpdateAlias", "lambda:DeleteAlias", "lambda:GetProvisionedConcurrencyConfig",
        "codedeploy:CreateDeployment", "codedeploy:GetDeployment", "codedeploy:StopDeployment", "codedeploy:RegisterApplicationRevision",
        "codedeploy:GetApplicationRevision",
    },
    "AWS::Lambda::EventSourceMapping": {
        "lambda:CreateEventSourceMapping", "lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping",
        "lambda:DeleteEventSourceMapping", "lambda:ListEventSourceMappings", "lambda:TagResource", "lambda:ListTags",
    },
    "AWS::Lambda::Function": {
        "lambda:CreateFunction", "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration", "lambda:DeleteFunction", "lambda:GetFunctionCodeSigningConfig",
        "lambda:GetRuntimeManagementConfig", "lambda:GetFunctionRecursionConfig", "lambda:PutFunctionRecursionConfig",
        "lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency", "lambda:TagResource", "lambda:UntagResource", "lambda:ListTags",
        "s3:GetObject", "s3:GetObjectVersion", "iam:PassRole",
    },
    "AWS::Lambda::Permission": {"lambda:AddPermission", "lambda:RemovePermission", "lambda:GetPolicy"},
    "AWS::Lambda::Version": {"lambda:PublishVersion", "lambda:ListVersionsByFunction", "lambda:GetFunction", "lambda:DeleteFunction"},
    "AWS::Logs::LogGroup": {
        "logs:CreateLogGroup", "logs:DescribeLogGroups", "logs:DeleteLogGroup", "logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy",
        "logs:AssociateKmsKey", "logs:DisassociateKmsKey", "logs:ListTagsForResource", "logs:TagResource", "logs:UntagResource",
        "logs:GetDataProtectionPolicy",
    },
    "AWS::Logs::QueryDefinition": {"logs:PutQueryDefinition", "logs:DeleteQueryDefinition", "logs:DescribeQueryDefinitions"},
    "AWS::Route53::RecordSet": {
        "route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", "route53:GetHostedZone", "route53:GetChange",
    },
    "AWS::SNS::Subscription": {
        "sns:Subscribe", "sns:Unsubscribe", "sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:ListSubscriptionsByTopic",
    },
    "AWS::SNS::Topic": {
        "sns:CreateTopic", "sns:DeleteTopic", "sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:ListSubscriptionsByTopic",
        "sns:GetDataProtectionPolicy", "sns:ListTagsForResource", "sns:TagResource", "sns:UntagResource",
    },
    "AWS::SNS::TopicPolicy": {"sns:SetTopicAttributes"},
    "AWS::SQS::Queue": {
        "sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags",
        "sqs:TagQueue", "sqs:UntagQueue",
    },
    "AWS::SSM::Parameter": {
        "ssm:PutParameter", "ssm:GetParameters", "ssm:DeleteParameter", "ssm:AddTagsToResource", "ssm:RemoveTagsFromResource",
    },
    "AWS::Scheduler::Schedule": {
        "scheduler:CreateSchedule", "scheduler:GetSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule", "iam:PassRole",
    },
    "AWS::SecretsManager::Secret": {
        "secretsmanager:CreateSecret", "secretsmanager:DescribeSecret", "secretsmanager:UpdateSecret", "secretsmanager:DeleteSecret",
        "secretsmanager:GetSecretValue", "secretsmanager:GetRandomPassword", "secretsmanager:TagResource", "secretsmanager:UntagResource",
    },
}
# For a key of the stack's own: what who chooses a key needs on it, for tables, functions' variables and secrets.
WITH_A_KEY = {
    "kms:DescribeKey", "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:RevokeGrant",
}
# AWS's limits, in characters without white space: all inline policies of a role, and a managed one.
INLINE, MANAGED = 10_240, 6_144


class DeployerRole(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        from samcli.yamlhelper import yaml_parse

        cls.types = {one["Type"] for one in translated.resources().values()}
        role = yaml_parse(ROLE.read_text(encoding="utf-8"))
        cls.policies = role["Resources"]["ServiceRole"]["Properties"]["Policies"]
        cls.people = role["Resources"]["DeployPolicy"]["Properties"]["PolicyDocument"]
        cls.statements = [one for policy in cls.policies for one in branches(policy["PolicyDocument"]["Statement"])]
        cls.granted = {action for one in cls.statements for action in listed(one["Action"])}

    def test_each_type_of_resource_has_its_actions(self):
        self.assertEqual(self.types - NEEDS.keys(), set(), "say in NEEDS what the deployer must be allowed for these")
        for kind in sorted(self.types):
            self.assertEqual(NEEDS[kind] - self.granted, set(), f"{kind} needs more")
        self.assertEqual(WITH_A_KEY - self.granted, set())

    def test_nothing_is_granted_that_no_resource_takes(self):
        self.assertEqual(self.granted - set().union(*NEEDS.values(), WITH_A_KEY), set())

    def test_what_may_be_done_to_everything_knows_no_resource(self):
        unbounded = {action for one in self.statements if one["Resource"] == "*" and "Condition" not in one for action in listed(one["Action"])}
        reads = {action for action in unbounded if action.partition(":")[2].startswith(("Describe", "Get", "List"))}
        self.assertEqual({action.partition(":")[0] for action in unbounded - reads}, {"logs"})

    def test_rights_are_given_within_the_boundary_and_roles_handed_to_three_services(self):
        by_sid = {one["Sid"]: one for one in self.statements}
        self.assertEqual(by_sid["GiveRights"]["Condition"]["Fn::If"][1]["StringEquals"], {"iam:PermissionsBoundary": {"Ref": "PermissionsBoundaryArn"}})
        self.assertEqual(len(by_sid["HandRolesOn"]["Condition"]["StringEquals"]["iam:PassedToService"]), 3)
        # Nobody can take a boundary off again.
        self.assertNotIn("iam:DeleteRolePermissionsBoundary", self.granted)
        self.assertNotIn("iam:AttachRolePolicy", self.granted)

    def test_the_linter_knows_every_action(self):
        lint = subprocess.run([Path(sys.executable).with_name("cfn-lint"), str(ROLE)], capture_output=True, text=True, check=False)
        self.assertEqual((lint.returncode, lint.stdout), (0, ""))

    def test_the_policies_fit(self):
        size = lambda document: len(json.dumps(document, separators=(",", ":")).replace(" ", ""))
        self.assertLess(sum(size(policy["PolicyDocument"]) for policy in self.policies), INLINE)
        self.assertLess(size(self.people), MANAGED)
