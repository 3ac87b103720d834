"""Puts stack-policy.json on a stage's stack: no update may replace or delete its tables and secrets.

`make deploy` runs it after each deploy. CloudFormation keeps the policy with the stack, and refuses
every later update that breaks it, from whatever machine or pipeline.
"""

import os
import sys
from pathlib import Path

import venv

sys.path.insert(1, str(venv.ROOT / "dev" / "operate"))
from samconfig import stack_of
from trouble import Trouble


def main() -> None:
    bin_dir = venv.ensure("venv-sam", "requirements-sam.txt")
    # Compared unresolved: the interpreter of an environment is a link to the one outside.
    if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
        os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])

    if len(sys.argv) != 2:
        sys.exit("Name the stage: set_stack_policy.py prod")
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        stack, region = stack_of(sys.argv[1], venv.ROOT / "samconfig.toml")
    except Trouble as trouble:
        sys.exit(str(trouble))
    policy = (venv.ROOT / "stack-policy.json").read_text(encoding="utf-8")
    try:
        boto3.client("cloudformation", region_name=region).set_stack_policy(StackName=stack, StackPolicyBody=policy)
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"The stack {stack} is deployed, but without its policy ({error}). With credentials that "
            f"may cloudformation:SetStackPolicy, run: make deploy STAGE={sys.argv[1]}"
        )
    print(f"The stack {stack} refuses updates that replace or delete its tables and secrets.")


if __name__ == "__main__":
    main()
