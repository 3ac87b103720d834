"""What the gate must know of the running cloud: its functions' roles, and what is there. In its process."""

import json
from functools import lru_cache

from ministack.core.iam_evaluator import _resolve_managed_policy_document
from ministack.services import dynamodb, iam, lambda_svc, secretsmanager, sqs

from patch_lambda import short_name
from strict import iam as iam_rules
from strict.actions import Action, Place

ACCOUNT = "000000000000"


class Cloud:
    """The emulator, in one account and region, with one stack's functions."""

    def __init__(self, region: str, stack_name: str):
        self.region, self.stack_name = region, stack_name
        self.place = Place(region, ACCOUNT, self._secret_arn, self._keys_of)

    def _find(self, records, name: str):
        return records.get_scoped(ACCOUNT, self.region, name)

    def function(self, short: str) -> dict | None:
        """A function's configuration, by the name that its calls and its log file have."""
        for (account, region, name), record in list(lambda_svc._functions._data.items()):
            if (account, region) == (ACCOUNT, self.region) and short_name(name, self.stack_name) == short:
                return record["config"]
        return None

    def statements(self, role_arn: str) -> list[dict]:
        """What a role's policies hold, as they are at this moment."""
        role = self._role(role_arn)
        documents = [*(role.get("InlinePolicies") or {}).values()]
        documents += map(self._managed, role.get("AttachedPolicies") or ())
        return [one for document in documents for one in _parsed(document)]

    def boundary(self, role_arn: str) -> list[dict] | None:
        """What a role's permissions boundary leaves it, where it has one."""
        arn = self._role(role_arn).get("PermissionsBoundary")
        return list(_parsed(self._managed(arn))) if arn else None

    def resource_policy(self, resource: str) -> list[dict]:
        """What a secret's own policy holds, where it has one. Those of queues are not known here."""
        document = self._find(secretsmanager._resource_policies, resource)
        return list(_parsed(document)) if document else []

    def _role(self, arn: str) -> dict:
        return self._find(iam._roles, arn.rsplit("/", 1)[-1]) or {}

    def _managed(self, arn: str) -> str:
        document = _resolve_managed_policy_document(arn, ACCOUNT)
        if document is None:
            raise iam_rules.Unknown(f"the policy {arn}, which is not there")
        return document if isinstance(document, str) else json.dumps(document)

    def is_there(self, action: Action) -> bool:
        """Whether this stack has what an action is on. A new secret comes by being made."""
        service, name = action.name.split(":")[0], action.resource.split(":", 5)[-1]
        if service == "dynamodb":
            return self._find(dynamodb._tables, name.split("/")[1]) is not None
        if service == "sqs":
            return any(url.endswith(f"/{name}") for _, _, url in list(sqs._queues._data))
        if service == "secretsmanager" and action.name != "secretsmanager:CreateSecret":
            return any(secret["ARN"] == action.resource for secret in list(secretsmanager._secrets._data.values()))
        return True

    def _secret_arn(self, name: str) -> str | None:
        secret = self._find(secretsmanager._secrets, name)
        return secret and secret["ARN"]

    def _keys_of(self, table: str, index: str | None = None) -> list[str] | None:
        found = self._find(dynamodb._tables, table)
        if found is None:
            return None
        indexes = [*(found["GlobalSecondaryIndexes"] or ()), *(found["LocalSecondaryIndexes"] or ())]
        schemas = {one["IndexName"]: one["KeySchema"] for one in indexes}
        return [part["AttributeName"] for part in schemas.get(index, found["KeySchema"])]


@lru_cache(maxsize=256)
def _parsed(document: str) -> tuple[dict, ...]:
    statements = json.loads(document)["Statement"]
    return tuple(statements if isinstance(statements, list) else [statements])


def lambdas_calls(config: dict, place: Place) -> list[Action]:
    """What Lambda itself does with a function's role before any code runs.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    logging = config.get("LoggingConfig") or {}
    group = logging.get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    stream = place.arn("logs", f"log-group:{group}:log-stream:any")
    calls = [Action("logs:CreateLogStream", stream), Action("logs:PutLogEvents", stream)]
    if (config.get("TracingConfig") or {}).get("Mode") == "Active":
        calls += [Action("xray:PutTraceSegments", "*"), Action("xray:PutTelemetryRecords", "*")]
    return calls


def pollers_calls(queue_arn: str) -> list[Action]:
    """What Lambda's poller of a queue does with the function's role.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    return [Action(f"sqs:{name}", queue_arn) for name in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")]
