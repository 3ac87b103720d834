"""Asks AWS where a deployed stack is, and for its API key: by the AWS CLI, with your credentials."""

import json
import os
import subprocess

from trouble import Trouble

OTHERWISE = "Or set API_URL and API_KEY, then no AWS access is needed."
SECONDS = 60


class Aws:
    """The AWS CLI, for one stage's stack."""

    def __init__(self, stage: str, stack: str, region: str | None, environ: dict):
        self.stage, self.stack, self.region, self.environ = stage, stack, region, environ

    def outputs(self) -> dict:
        """The stack's outputs by name."""
        answer = self._call("cloudformation", "describe-stacks", "--stack-name", self.stack)
        stacks = answer.get("Stacks") or [{}]
        return {one["OutputKey"]: one["OutputValue"] for one in stacks[0].get("Outputs") or []}

    def secret(self, arn: str) -> str:
        """What a secret holds."""
        answer = self._call("secretsmanager", "get-secret-value", "--secret-id", arn)
        return answer.get("SecretString") or ""

    def _call(self, service: str, *words: str) -> dict:
        command = ["aws", service, *words, "--output", "json"]
        if self.region:
            command += ["--region", self.region]
        path = self.environ.get("PATH", os.defpath)
        # A pager would wait for a key.
        environ = {**self.environ, "AWS_PAGER": "", "PATH": path}
        try:
            # execvpe looks the program up on the PATH that it is given.
            done = subprocess.run(
                command, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False,
                stdin=subprocess.DEVNULL,
            )
        except FileNotFoundError:
            raise Trouble(
                f"The AWS CLI (aws) isn't installed; it tells where the stack {self.stack} is. "
                f"Install it. {OTHERWISE}"
            ) from None
        except subprocess.TimeoutExpired:
            raise Trouble(
                f"aws {service} {words[0]} did not answer in {SECONDS} s. Check the network. {OTHERWISE}"
            ) from None
        if done.returncode != 0:
            raise Trouble(self._failed(f"aws {service} {words[0]}", done.stderr))
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise Trouble(f"aws {service} {words[0]} answered no JSON. {OTHERWISE}") from None

    def _failed(self, call: str, stderr: str) -> str:
        lines = [line.strip() for line in stderr.splitlines() if line.strip()]
        said = lines[-1] if lines else "it gave no reason"
        where = f" than {self.region}" if self.region else ""
        if "does not exist" in said:
            step = (
                f"Is it in another account or region{where}? Set AWS_PROFILE or AWS_REGION, or deploy it: "
                f"make deploy STAGE={self.stage}."
            )
        elif "AccessDenied" in said or "not authorized" in said:
            step = (
                "These credentials need cloudformation:DescribeStacks, and secretsmanager:GetSecretValue: on "
                "the secret ReadKeySecretArn to look, on ApiKeySecretArn to change something. Use others: "
                "AWS_PROFILE=…."
            )
        elif "region" in said.lower():
            step = "Set AWS_REGION, or a region in your AWS profile."
        elif "credentials" in said.lower() or "token" in said.lower():
            step = "Log in (aws sso login, or aws configure), or name a profile: AWS_PROFILE=…."
        else:
            step = "Try that call by hand."
        return f"{call} for the stack {self.stack} failed: {said}\n  {step} {OTHERWISE}"
