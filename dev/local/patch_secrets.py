"""What the emulator's Secrets Manager must do as AWS does it.

Each patch replaces one small thing of ministack 1.5.33, and says why.
"""

from ministack.services import secretsmanager as secrets


def apply() -> None:
    """Call once, before the emulator serves."""
    _name_first_versions()


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
