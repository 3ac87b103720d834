"""For the tests: runs a command on a stack of a fake account, with an API that answers over HTTP."""

import importlib.util
import io
import json
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import account
import paths
from bench import TestClock
from fake_aws import FakeAws, Tables
from screen import Screen
from stand_in import KEY, StandIn

_spec = importlib.util.spec_from_file_location("around", Path(__file__).with_name("__main__.py"))
around = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(around)

STACK = "bookings-prod"
NAMES = {name: f"{STACK}-{name}-1ABC" for name in ("BookingsTable", "DeliveriesTable", "ConnectionsTable", "LimitsTable")}
KEYS = {"BookingsTable": ("pk", "sk"), "DeliveriesTable": ("id",), "ConnectionsTable": ("id",), "LimitsTable": ("id",)}


class AroundCase(unittest.TestCase):
    """A stack with four tables, in an account of its own for each test."""

    def setUp(self):
        self.api = StandIn()
        self.addCleanup(self.api.close)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "samconfig.toml").write_text(f'[prod.deploy.parameters]\nstack_name = "{STACK}"\n', encoding="utf-8")
        self.described = {
            "StackName": STACK, "StackId": "arn:stack/1", "StackStatus": "CREATE_COMPLETE", "CreationTime": 0,
            "Tags": [{"Key": "service", "Value": "bookings"}],
            "Parameters": [{"ParameterKey": "DeletionProtection", "ParameterValue": "true"}],
            "Outputs": [{"OutputKey": "ApiUrl", "OutputValue": self.api.url}, {"OutputKey": "ApiKeySecretArn", "OutputValue": "arn:secret:key"}],
        }
        self.resources = [
            {"LogicalResourceId": logical, "PhysicalResourceId": name, "ResourceType": "AWS::DynamoDB::Table", "ResourceStatus": "CREATE_COMPLETE", "LastUpdatedTimestamp": 0}
            for logical, name in NAMES.items()
        ]
        self.aws = FakeAws(
            DescribeStacks=lambda asked: {"Stacks": [self.described]},
            ListStackResources=lambda asked: {"StackResourceSummaries": self.resources},
            GetSecretValue={"SecretString": json.dumps({"name": "ops", "key": KEY})},
        )
        self.tables = Tables(self.aws)
        for logical, name in NAMES.items():
            self.tables.add(name, KEYS[logical])

    def around(self, command: str, typed: str | None = STACK, clock=None, **variables):
        """Runs a command; answers its code and what it wrote. `typed` is what somebody answers."""
        environ = {"STAGE": "prod", **{name: str(value) for name, value in variables.items()}}
        out, err, clock = io.StringIO(), io.StringIO(), clock or TestClock()
        found = account.Account(STACK, "eu-west-1", "STAGE=prod", None)
        with mock.patch.object(account.Account, "client", lambda _, service: self.aws.client(service)), \
                mock.patch.object(account, "find", lambda *_: found), mock.patch.object(paths, "ROOT", self.root):
            code = around.main([command], environ, Screen(out, err, environ), clock, self.root, lambda _: typed)
        return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue(), clock=clock)

    def assertSays(self, text: str, *wanted: str):
        """Each of the words stands in the text."""
        for one in wanted:
            self.assertIn(one, text)
