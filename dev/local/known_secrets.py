"""The signing key and the API key of the local stack: random, made once, the same at each start.

The template lets AWS generate both. On a laptop it is handier when a key in a
shell's history, or in a script, still works after a restart.
"""

import json
import os
import secrets
from pathlib import Path

from deploy import client

# Secret (logical id), key in its JSON, name in dev.env.
KNOWN = [
    ("CalendlySecret", "signingKey", "CALENDLY_SIGNING_KEY"),
    ("ApiKeySecret", "key", "API_KEY"),
]


def put(endpoint: str, resources: dict, local_dir: Path) -> dict:
    """Puts the known values into the stack's secrets; answers them by their name in dev.env."""
    values = _kept(local_dir / "keys.json")
    manager = client("secretsmanager", endpoint)
    known = {}
    for secret, key, name in KNOWN:
        if secret not in resources:
            continue
        content = json.loads(
            manager.get_secret_value(SecretId=resources[secret])["SecretString"]
        )
        if content.get(key) != values[name]:
            content[key] = values[name]
            manager.put_secret_value(
                SecretId=resources[secret], SecretString=json.dumps(content)
            )
        known[name] = values[name]
    return known


def _kept(path: Path) -> dict:
    values = json.loads(path.read_text()) if path.exists() else {}
    missing = [name for _, _, name in KNOWN if name not in values]
    if missing:
        values.update({name: secrets.token_hex(24) for name in missing})
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(values))
        os.replace(fresh, path)
    return values
