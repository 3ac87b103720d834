"""The template as CloudFormation gets it, for chosen parameters: SAM's part done, conditions and values put in.

What only AWS knows is made up: an account, a region, and a name or ARN for each resource. So an expanded
template has no condition and no function of its own left but references between resources, and a rule can
look at what would really be made.
"""

import copy
import itertools
import json
import logging
import random
import re

ACCOUNT, REGION, PARTITION = "123456789012", "eu-central-1", "aws"
NOTHING = object()
# What a parameter is set to beside its default, where that decides what is made. A condition that these
# leave one-sided is refused (check_deployable.both_sides), so a new one can't go unnoticed.
OTHERWISE = {
    "Architecture": "arm64",
    "DeletionProtection": "true",
    "KmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "DeploymentType": "Canary10Percent5Minutes",
    "WebhookReservedConcurrency": "20",
    "ApiReservedConcurrency": "10",
    "DomainName": "bookings.example.com",
    "CertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1234abcd-12ab-34cd-56ef-1234567890ab",
    "HostedZoneId": "Z0123456789ABCDEFGHIJ",
    "TestEndpoint": "true",
    "PublicUrl": "https://calendar.example.com",
    "AlarmEmail": "people@example.com",
    "QuietHours": "72",
    "Watching": "small",
    "CorsAllowOrigins": "https://console.example.com",
    "LogLevel": "error",
    "SecondKmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/4321abcd-12ab-34cd-56ef-1234567890ab",
    "PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    "SecretTags": "owner=bookings",
}
# Parameters that the template's rules take together only.
TOGETHER = (("DomainName", "CertificateArn"),)


def combinations(template: dict) -> list[dict[str, str]]:
    """Sets of parameters in which each two of the choices meet in each of their four ways.

    The first has the defaults alone, the second everything else. All are the same at each run.
    """
    chosen = [name for name in OTHERWISE if name in template["Parameters"]]
    rows: list[dict[str, bool]] = [dict.fromkeys(chosen, False), dict.fromkeys(chosen, True)]
    missing = {
        (one, other, first, second)
        for one, other in itertools.combinations(chosen, 2)
        for first in (False, True)
        for second in (False, True)
    }
    seed = random.Random(1)
    met = lambda row: {(one, other, row[one], row[other]) for one, other in itertools.combinations(chosen, 2)}
    possible = lambda row: all(row.get(one) == row.get(other) for one, other in TOGETHER) and (
        row.get("DomainName", False) or not row.get("HostedZoneId", False)
    )
    for row in rows:
        missing -= met(row)
    for _ in range(40):
        tries = [{name: seed.random() < 0.5 for name in chosen} for _ in range(200)]
        best = max(filter(possible, tries), key=lambda row: len(missing & met(row)))
        if not missing & met(best):
            break
        rows.append(best)
        missing -= met(best)
    return [{name: OTHERWISE[name] for name, other in row.items() if other} for row in rows]


def translated(template: dict) -> dict:
    """What SAM makes of a template, conditions and references as they are."""
    from samtranslator.public.translator import ManagedPolicyLoader
    from samtranslator.translator.transform import transform

    class NoPolicies(ManagedPolicyLoader):
        def load(self):
            return {}

    # It tells of features that only AWS itself can switch on.
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    whole = copy.deepcopy(template)
    # Only a package in S3 can be translated.
    whole["Globals"]["Function"]["CodeUri"] = "s3://packages/function.zip"
    return transform(whole, {}, NoPolicies(None))


class Expanded:
    """A template for one set of parameters and one stack."""

    def __init__(self, template: dict, given: dict[str, str], stack: str = "calendly-serverless-prod", made: dict | None = None):
        self.template, self.given = made or translated(template), given
        defaults = {name: str(one["Default"]) for name, one in template["Parameters"].items()}
        self.values = {
            **defaults, **given, "AWS::StackName": stack, "AWS::AccountId": ACCOUNT, "AWS::Region": REGION,
            "AWS::Partition": PARTITION, "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackId": f"arn:{PARTITION}:cloudformation:{REGION}:{ACCOUNT}:stack/{stack}/0",
        }
        self.conditions = {name: self._holds(rule) for name, rule in self.template.get("Conditions", {}).items()}
        # References stay, for a linter; `resources` has them as names, for rules that read what is made.
        self.kept = self._resources(keep=True)
        self.resources = self._resources(keep=False)

    def of_type(self, kind: str):
        """Logical id and properties of each resource of a type."""
        for logical_id, resource in self.resources.items():
            if resource["Type"] == kind:
                yield logical_id, resource.get("Properties", {})

    def document(self) -> dict:
        """A template without parameters and conditions."""
        outputs = {
            name: {key: value for key, value in self._put_in(output, True).items() if key != "Condition"}
            for name, output in self.template.get("Outputs", {}).items()
            if self.conditions.get(output.get("Condition"), True)
        }
        return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": self.kept, "Outputs": outputs}

    def _resources(self, keep: bool) -> dict:
        there = {
            logical_id: resource
            for logical_id, resource in self.template["Resources"].items()
            if self.conditions.get(resource.get("Condition"), True)
        }
        return {
            logical_id: {key: value for key, value in self._put_in(resource, keep).items() if key not in ("Condition", "Metadata")}
            for logical_id, resource in there.items()
        }

    def _holds(self, rule: object) -> bool:
        (kind, operands), = rule.items()
        if kind == "Condition":
            return self._holds(self.template["Conditions"][operands])
        if kind == "Fn::Equals":
            one, other = (self._put_in(value, False) for value in operands)
            return str(one) == str(other)
        if kind == "Fn::Not":
            return not self._holds(operands[0])
        return {"Fn::And": all, "Fn::Or": any}[kind](self._holds(one) for one in operands)

    def _put_in(self, value: object, keep: bool) -> object:
        if isinstance(value, list):
            items = (self._put_in(item, keep) for item in value)
            return [item for item in items if item is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (kind, operand), = value.items()
            made = self._function(kind, operand, keep)
            if made is not None:
                return made
        items = ((key, self._put_in(item, keep)) for key, item in value.items())
        return {key: item for key, item in items if item is not NOTHING}

    def _function(self, kind: str, operand: object, keep: bool) -> object:
        if kind == "Ref":
            if operand == "AWS::NoValue":
                return NOTHING
            if operand in self.values:
                return self.values[operand]
            return None if keep else self._named(operand)
        if kind == "Fn::If":
            return self._put_in(operand[1] if self._holds({"Condition": operand[0]}) else operand[2], keep)
        if kind == "Fn::FindInMap":
            name, first, second = (self._put_in(one, keep) for one in operand)
            return self.template["Mappings"][name][first][second]
        if kind == "Fn::GetAtt" and not keep:
            logical_id, _, attribute = (operand if isinstance(operand, str) else ".".join(operand)).partition(".")
            return self._attribute(logical_id, attribute)
        if kind == "Fn::Sub":
            return self._substituted(operand, keep)
        if kind == "Fn::Join" and not keep:
            return operand[0].join(str(self._put_in(one, keep)) for one in operand[1])
        return None

    def _substituted(self, operand: object, keep: bool) -> object:
        text, names = (operand, {}) if isinstance(operand, str) else operand
        names = {name: self._put_in(value, keep) for name, value in names.items()}
        open_names = {name: value for name, value in names.items() if not isinstance(value, str)}

        def one(found: re.Match) -> str:
            name = found[1]
            if name in open_names:
                return found[0]
            known = names.get(name, self.values.get(name))
            if known is not None:
                return str(known)
            if keep:
                return found[0]
            logical_id, _, attribute = name.partition(".")
            return str(self._attribute(logical_id, attribute) if attribute else self._named(logical_id))

        made = re.sub(r"\$\{([\w:.]+)\}", one, text)
        if keep and re.search(r"\$\{[\w:.]+\}", made):
            used = {name: value for name, value in open_names.items() if f"${{{name}}}" in made}
            return {"Fn::Sub": [made, used] if used else made}
        return made

    def _named(self, logical_id: str) -> str:
        """What `Ref` answers: the ARN of what is known by it, else a name."""
        resource = self.template["Resources"].get(logical_id)
        kind = resource["Type"] if resource else ""
        if kind in ("AWS::SecretsManager::Secret", "AWS::SNS::Topic", "AWS::Lambda::Alias", "AWS::Lambda::Version"):
            return self._attribute(logical_id, "Arn")
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{logical_id}"
        return logical_id

    def _attribute(self, logical_id: str, attribute: str) -> str:
        resource = self.template["Resources"].get(logical_id)
        kind = resource["Type"] if resource else ""
        if attribute != "Arn":
            return f"{logical_id}.{attribute}"
        return f"arn:{PARTITION}:" + {
            "AWS::DynamoDB::Table": f"dynamodb:{REGION}:{ACCOUNT}:table/{logical_id}",
            "AWS::SQS::Queue": f"sqs:{REGION}:{ACCOUNT}:{logical_id}",
            "AWS::SecretsManager::Secret": f"secretsmanager:{REGION}:{ACCOUNT}:secret:{logical_id}-AbCdEf",
            "AWS::SNS::Topic": f"sns:{REGION}:{ACCOUNT}:{logical_id}",
            "AWS::Lambda::Alias": f"lambda:{REGION}:{ACCOUNT}:function:{logical_id}:live",
            "AWS::Lambda::Version": f"lambda:{REGION}:{ACCOUNT}:function:{logical_id}:1",
            "AWS::Lambda::Function": f"lambda:{REGION}:{ACCOUNT}:function:{logical_id}",
            "AWS::Serverless::Function": f"lambda:{REGION}:{ACCOUNT}:function:{logical_id}",
            "AWS::Logs::LogGroup": f"logs:{REGION}:{ACCOUNT}:log-group:{logical_id}:*",
            "AWS::IAM::Role": f"iam::{ACCOUNT}:role/{logical_id}",
            "AWS::Events::EventBus": f"events:{REGION}:{ACCOUNT}:event-bus/{logical_id}",
        }.get(kind, f"cloudwatch:{REGION}:{ACCOUNT}:alarm:{logical_id}")


def shown(given: dict[str, str]) -> str:
    """A set of parameters, for people."""
    return ", ".join(f"{name}={value}" for name, value in given.items()) or "the defaults"


def dumped(expanded: Expanded) -> str:
    """A template for a linter to read."""
    return json.dumps(expanded.document(), indent=1, default=str)
