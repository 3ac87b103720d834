import os
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import account
import paths  # noqa: F401  (the commands for operators are found by it)
from trouble import Trouble

DEV_ENV = """\
BASE_URL=http://127.0.0.1:8787
AWS_ENDPOINT_URL=http://127.0.0.1:8787
AWS_REGION=us-east-1
AWS_ACCESS_KEY_ID=local-key
AWS_SECRET_ACCESS_KEY=local-secret
WEBHOOK_LOG_GROUP=/aws/lambda/calendly-local-webhook
"""


class Found(unittest.TestCase):
    def setUp(self):
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "samconfig.toml").write_text('[prod.deploy.parameters]\nstack_name = "bookings-prod"\n', encoding="utf-8")
        patched = mock.patch.dict(os.environ, {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "HOME": folder.name})
        patched.start()
        self.addCleanup(patched.stop)
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
            os.environ.pop(name, None)

    def test_the_local_stack_is_asked_with_its_own_keys_and_address(self):
        (self.root / "here").mkdir()
        (self.root / "here" / "dev.env").write_text(DEV_ENV, encoding="utf-8")
        found = account.find("restore", {"LOCAL_DIR": "here"}, self.root)
        self.assertEqual((found.stack, found.region, found.make("restore")), ("calendly-local", "us-east-1", "make restore LOCAL_DIR=here"))
        client = found.client("dynamodb")
        self.assertEqual(client.meta.endpoint_url, "http://127.0.0.1:8787")
        self.assertEqual(found.session.get_credentials().access_key, "local-key")

    def test_a_stage_is_on_aws_whatever_runs_here(self):
        (self.root / ".local").mkdir()
        (self.root / ".local" / "dev.env").write_text(DEV_ENV, encoding="utf-8")
        found = account.find("uninstall", {"STAGE": "prod", "AWS_REGION": "eu-west-1"}, self.root)
        self.assertEqual((found.stack, found.region, found.endpoint, found.again), ("bookings-prod", "eu-west-1", None, "STAGE=prod"))

    def test_what_is_missing_is_told(self):
        for environ, says in (({}, "No stack runs here"), ({"STAGE": "prod"}, "Which region"), ({"STAGE": "test"}, "no stack for the stage 'test'")):
            with self.assertRaises(Trouble) as raised:
                account.find("restore", environ, self.root)
            self.assertIn(says, str(raised.exception))

    def test_nobody_at_a_terminal_is_asked_nothing(self):
        with mock.patch("sys.stdin") as stdin:
            stdin.isatty.return_value = False
            self.assertIsNone(account.ask("?"))
