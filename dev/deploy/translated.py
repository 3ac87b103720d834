"""For the tests: template.yaml as CloudFormation gets it, with what SAM adds."""

import copy
import functools
import logging
import os

import paths


@functools.cache
def resources() -> dict:
    """The resources by their logical ids."""
    from samcli.yamlhelper import yaml_parse
    from samtranslator.public.translator import ManagedPolicyLoader
    from samtranslator.translator.transform import transform

    class NoPolicies(ManagedPolicyLoader):
        def load(self):
            return {}

    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    # It tells of features that only AWS itself can switch on.
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    whole = copy.deepcopy(yaml_parse((paths.HERE.parents[1] / "template.yaml").read_text(encoding="utf-8")))
    # Only a package in S3 can be translated.
    whole["Globals"]["Function"]["CodeUri"] = "s3://packages/function.zip"
    return transform(whole, {}, NoPolicies(None))["Resources"]


def branches(values):
    """The values of a list, of a Fn::If among them both."""
    for value in values:
        if isinstance(value, dict) and value.keys() == {"Fn::If"}:
            yield from branches(value["Fn::If"][1:])
        elif value != {"Ref": "AWS::NoValue"}:
            yield value


def listed(value) -> list:
    """A list as it is, anything else as a list of its own."""
    return value if isinstance(value, list) else [value]
