"""What the emulator's Secrets Manager must do as AWS does it.

Each patch replaces one small thing of ministack 1.5.33, and says why.
"""

from ministack.services import secretsmanager as secrets
from ministack.services.cloudformation import provisioners


def apply() -> None:
    """Call once, before the emulator serves."""
    _name_first_versions()
    _refer_by_arn()


def _name_first_versions() -> None:
    # AWS: the token of CreateSecret becomes the id of the secret's first version, as that of
    # PutSecretValue does of its version. The emulator made one up.
    create = secrets._create_secret

    def named(data):
        name, version = data.get("Name"), data.get("ClientRequestToken")
        is_new = name and name not in secrets._secrets
        answer = create(data)
        if not (is_new and version and name in secrets._secrets):
            return answer
        secret = secrets._secrets[name]
        [made] = secret["Versions"].values()
        secret["Versions"] = {version: made}
        return secrets.json_response({"ARN": secret["ARN"], "Name": name, "VersionId": version})

    secrets._create_secret = named


def _refer_by_arn() -> None:
    # In a template `Ref` of a secret is its ARN, and so are the roles' resources and the functions'
    # variables. The emulator gave the name.
    known = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]

    def name_of(arn):
        return next((name for name, secret in secrets._secrets.items() if secret["ARN"] == arn), arn)

    def create(logical_id, properties, stack_name):
        _, attributes = known["create"](logical_id, properties, stack_name)
        return attributes["Arn"], attributes

    def update(physical_id, old, new, stack_name, logical_id=None):
        _, attributes = known["update"](name_of(physical_id), old, new, stack_name, logical_id)
        return attributes["Arn"], attributes

    def delete(physical_id, properties):
        return known["delete"](name_of(physical_id), properties)

    provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"] = {
        **known, "create": create, "update": update, "delete": delete,
    }
