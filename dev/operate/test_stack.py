import json
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import keys
from bench import OperateCase
from stack import ROOT
from stand_in import KEY
from trouble import Trouble

SAMCONFIG = """\
version = 0.1
[prod.build.parameters]
stack_name = "not this"
[prod.deploy.parameters]
stack_name = "bookings-prod" # the name
region = 'eu-west-1'
parameter_overrides = [
    "Stage=prod",
]
[staging.global.parameters]
stack_name = "bookings-staging"
[staging.deploy.parameters]
confirm_changeset = true
"""
SECRETS = "arn:aws:secretsmanager:eu-west-1:123456789012:secret"
ARN, READ_ARN = f"{SECRETS}:api-key-AbC", f"{SECRETS}:read-key-DeF"


class Found(OperateCase):
    def setUp(self):
        super().setUp()
        self.bin = self.root / "bin"
        self.bin.mkdir()
        self.log = self.root / "aws.log"
        (self.root / "samconfig.toml").write_text(SAMCONFIG)

    def dev_env(self, folder=".local", key=KEY):
        (self.root / folder).mkdir(parents=True)
        (self.root / folder / "dev.env").write_text(f"BASE_URL={self.stack.url}\nAPI_KEY={key}\nX=a=b\n")

    def aws(self, secret=None, outputs=None, fails=None):
        """An `aws` that answers so, and notes how it was called."""
        if outputs is None:
            outputs = {"ApiUrl": self.stack.url + "/", "ApiKeySecretArn": ARN, "ReadKeySecretArn": READ_ARN}
        told = [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]
        answers = {
            "cloudformation": {"Stacks": [{"Outputs": told}]},
            "secretsmanager": {"SecretString": secret or json.dumps({"name": "ops", "key": KEY})},
        }
        path = self.bin / "aws"
        path.write_text(
            f"#!{sys.executable}\nimport json, sys\n"
            f"open({str(self.log)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
            f"fails = {fails!r}\nif fails: sys.exit(fails)\n"
            f"print(json.dumps({answers!r}[sys.argv[1]]))\n"
        )
        path.chmod(0o755)

    def deployed(self, stage="prod", command="status", **variables):
        return self.operate(command, environ={"PATH": str(self.bin), "STAGE": stage}, **variables)

    def test_the_address_and_key_in_the_environment_win(self):
        self.dev_env(key="wrong")
        self.assertEqual(self.operate("status", STAGE="prod").code, 0)
        self.assertFalse(self.log.exists())

    def test_half_of_it_or_a_bad_address_is_an_error(self):
        for environ, says in [
            ({"API_URL": self.stack.url}, "API_KEY isn't"),
            ({"API_URL": "bookings.example.com", "API_KEY": KEY}, "must be the stack's address"),
            ({"API_URL": "http://bookings.example.com", "API_KEY": KEY}, "must begin with https://"),
        ]:
            done = self.operate("status", environ=environ)
            self.assertEqual(done.code, 2)
            self.assertIn(says, done.err)

    def test_the_local_stack(self):
        self.dev_env()
        done = self.operate("status", environ={})
        self.assertEqual(done.code, 0)
        self.assertIn(f"the local stack at {self.stack.url}", done.out)

    def test_another_local_stack_is_named_in_further_commands(self):
        self.dev_env("here/b")
        self.stack.delivery("d1", "dead")
        done = self.operate("status", environ={"LOCAL_DIR": "here/b"})
        self.assertIn("make redrive DRY_RUN=1 LOCAL_DIR=here/b", done.out)

    def test_no_local_stack(self):
        done = self.operate("deliveries", environ={})
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "Run `make dev` in another terminal", "make deliveries STAGE=prod")

    def test_a_local_stack_that_answers_no_more(self):
        self.dev_env()
        self.stack.close()
        done = self.operate("status", environ={})
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "Nothing answers", "Run `make dev`", "make status STAGE=prod")

    def test_a_deployed_stack(self):
        self.dev_env(key="wrong")
        self.aws()
        self.stack.delivery("d1", "dead")
        done = self.deployed()
        self.assertEqual(done.code, 1)
        self.assertEqual(self.log.read_text().splitlines(), [
            "cloudformation describe-stacks --stack-name bookings-prod --output json --region eu-west-1",
            f"secretsmanager get-secret-value --secret-id {READ_ARN} --output json --region eu-west-1",
        ])
        self.assertSays(done.out, f"bookings-prod at {self.stack.url}\n", "make redrive DRY_RUN=1 STAGE=prod")

    def test_only_what_changes_something_asks_for_the_key_that_may(self):
        self.aws()
        self.stack.delivery("d1", "dead")
        for command, variables, arn in [
            ("status", {}, READ_ARN), ("deliveries", {}, READ_ARN),
            ("replay", {"ID": "d1"}, ARN), ("redrive", {}, ARN),
        ]:
            self.log.write_text("")
            self.deployed(command=command, **variables)
            asked = [line for line in self.log.read_text().splitlines() if "get-secret-value" in line]
            self.assertEqual([line.split()[3] for line in asked], [arn], command)

    def test_a_region_comes_from_the_profile_where_samconfig_names_none(self):
        self.aws()
        self.assertEqual(self.deployed(stage="staging").code, 0)
        self.assertIn("--stack-name bookings-staging --output json\n", self.log.read_text())
        self.deployed(stage="staging", AWS_REGION="eu-north-1")
        self.assertIn("--stack-name bookings-staging --output json --region eu-north-1", self.log.read_text())

    def test_the_key_of_a_deployed_stack_is_named_when_it_is_refused(self):
        self.aws(secret=json.dumps({"name": "ops", "key": "rotated"}))
        done = self.deployed()
        self.assertEqual(done.code, 2)
        self.assertIn("the key 'ops' of the secret read-key-DeF", done.err)
        self.assertNotIn("rotated\n", done.err)

    def test_a_stage_that_samconfig_does_not_have(self):
        done = self.deployed(stage="test")
        self.assertEqual(done.code, 2)
        self.assertIn("no stack for the stage 'test'; it has: prod, staging", done.err)

    def test_without_the_aws_cli(self):
        done = self.deployed()
        self.assertEqual(done.code, 2)
        self.assertSays(done.err, "(aws) isn't installed", "API_URL and API_KEY")

    def test_what_aws_refuses_is_told_with_the_next_step(self):
        for said, step in [
            ("Stack with id bookings-prod does not exist", "make deploy STAGE=prod"),
            ("An error occurred (AccessDenied): not authorized", "cloudformation:DescribeStacks"),
            ("Unable to locate credentials. You can log in", "aws sso login"),
            ("You must specify a region.", "AWS_REGION"),
            ("Could not connect to the endpoint URL", "by hand"),
        ]:
            self.aws(fails=f"\n{said}\n")
            done = self.deployed()
            self.assertEqual(done.code, 2)
            self.assertSays(done.err, said, step, "Or set API_URL and API_KEY")

    def test_a_stack_without_its_outputs(self):
        self.aws(outputs={"ApiUrl": self.stack.url})
        self.assertIn("no output ReadKeySecretArn", self.deployed().err)
        self.assertIn("no output ApiKeySecretArn", self.deployed(command="redrive").err)


class Keys(unittest.TestCase):
    def pick(self, secret, *scopes):
        text = secret if isinstance(secret, str) else json.dumps(secret)
        return keys.pick(text, set(scopes), "the secret s")

    def test_the_least_key_that_can_do_it(self):
        secret = {"name": "all", "key": "k-all", "keys": [
            {"name": "boss", "key": "k-boss", "scopes": ["read", "operate", "admin"]},
            {"name": "reader", "key": "k-read", "scopes": ["read"]},
            {"name": "ops", "key": "k-ops", "scopes": ["operate", "read"]},
        ]}
        self.assertEqual(self.pick(secret, "read")[0], "k-read")
        self.assertEqual(self.pick(secret, "read", "operate")[0], "k-ops")
        self.assertEqual(self.pick({**secret, "keys": secret["keys"][1:2]}, "operate")[0], "k-all")
        self.assertEqual(self.pick({"key": "k"}, "read")[0], "k")

    def test_no_key_that_can_do_it(self):
        for secret in ({"keys": [{"name": "r", "key": "hidden", "scopes": ["read"]}]}, {}, "hidden", "[]"):
            with self.assertRaises(Trouble) as raised:
                self.pick(secret, "operate", "read")
            self.assertNotIn("hidden", str(raised.exception))


@unittest.skipUnless(shutil.which("make"), "make isn't installed")
class Make(OperateCase):
    def make(self, *words):
        return subprocess.run(
            ["make", "-s", "-C", str(ROOT), f"PYTHON={sys.executable}", *words], text=True,
            capture_output=True, timeout=30, check=False,
            env={"PATH": str(Path(shutil.which("make")).parent) + ":/usr/bin:/bin", "API_KEY": KEY},
        )

    def test_the_command_lines_variables_reach_the_command(self):
        self.stack.delivery("d1", "dead", event="it's; $HOME")
        done = self.make("deliveries", f"API_URL={self.stack.url}", "STATUS=dead", "LIMIT=1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.stack.calls, ["GET /v1/deliveries?limit=1&status=dead"])

    def test_a_misspelt_variable_is_told(self):
        self.stack.delivery("d1", "dead")
        done = self.make("redrive", f"API_URL={self.stack.url}", "DRYRUN=1")
        self.assertEqual(done.returncode, 2)
        self.assertIn("redrive takes no DRYRUN", done.stderr)
        self.assertEqual(self.stack.calls, [])

    def test_the_stage_of_deploys_is_not_taken_for_one_that_was_named(self):
        done = self.make("status", f"LOCAL_DIR={self.root}/none")
        self.assertIn("No stack runs here", done.stderr)
        self.assertIn("no stack for the stage 'nowhere'", self.make("status", "STAGE=nowhere").stderr)
