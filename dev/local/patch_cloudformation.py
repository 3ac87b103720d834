"""What the emulator's CloudFormation needs to take the whole template.

It refuses a template with a resource type, or an alarm with metric math, that it doesn't know. Those
below change nothing that runs here, so they are taken as made: a name, an ARN, and nothing behind them.
"""

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners

ALARM = "cloudwatch:{region}:{account}:alarm:{name}"


def apply() -> None:
    """Call once, before the emulator serves."""
    known = provisioners._RESOURCE_HANDLERS
    # Should the emulator learn a type, its own way is the better one.
    known.setdefault("AWS::CloudWatch::CompositeAlarm", _as_if_made(ALARM))
    known.setdefault("AWS::Logs::QueryDefinition", _as_if_made("logs:{region}:{account}:query-definition:{name}"))

    alarm, mathematical = known["AWS::CloudWatch::Alarm"], _as_if_made(ALARM)

    def create(logical_id, properties, stack_name):
        how = mathematical if "Metrics" in properties else alarm
        return how["create"](logical_id, properties, stack_name)

    def update(physical_id, old, new, stack_name, logical_id=None):
        if "Metrics" in new:
            return mathematical["create"](logical_id, new, stack_name)
        return alarm["update"](physical_id, old, new, stack_name, logical_id)

    known["AWS::CloudWatch::Alarm"] = {**alarm, "create": create, "update": update}


def _as_if_made(arn: str) -> dict:
    def create(logical_id, properties, stack_name):
        name = properties.get("AlarmName") or properties.get("Name") or f"{stack_name}-{logical_id}"
        full = "arn:aws:" + arn.format(region=get_region(), account=get_account_id(), name=name)
        return name, {"Arn": full}

    return {"create": create, "delete": lambda physical_id, properties: None}
