"""The roles of the deployed functions, with everything resolved, kept beside the logs of a run."""

import json
from pathlib import Path

from strict.iam import listed

FILE = "roles.json"


def keep(client, resources: dict[str, str], functions: dict[str, str], log_dir: Path) -> None:
    """Writes down each function's statements, and which name in this stack is whose.

    `client` makes a client of a service, `functions` is name → logical id.
    """
    lambdas, roles = client("lambda"), client("iam")
    found = {}
    for name, logical_id in functions.items():
        arn = lambdas.get_function_configuration(FunctionName=resources[logical_id])["Role"]
        role = arn.rsplit("/", 1)[-1]
        documents = [
            roles.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for policy in roles.list_role_policies(RoleName=role)["PolicyNames"]
        ]
        for attached in roles.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            version = roles.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
            got = roles.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)
            documents.append(got["PolicyVersion"]["Document"])
        found[name] = [statement for document in documents for statement in listed(document["Statement"])]
    (log_dir / FILE).write_text(json.dumps({"roles": found, "resources": resources}, indent=1), encoding="utf-8")


def read(log_dir: Path | str) -> tuple[dict[str, list[dict]], dict[str, str]]:
    """Function → statements, and logical id → physical id."""
    kept = json.loads((Path(log_dir) / FILE).read_text(encoding="utf-8"))
    return kept["roles"], kept["resources"]
