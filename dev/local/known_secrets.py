"""The keys of the local stack: random, made once, the same at each start.

The template lets AWS generate the signing key and the API key, and people put in their OAuth app.
On a laptop it is handier when a key in a shell's history, or in a script, still works after a
restart.
"""

import json
import os
import secrets
from pathlib import Path

from deploy import client

# Secret (logical id), key in its JSON, name in dev.env.
KNOWN = [
    ("CalendlySecret", "signingKey", "CALENDLY_SIGNING_KEY"),
    ("CalendlySecret", "clientId", "CALENDLY_CLIENT_ID"),
    ("CalendlySecret", "clientSecret", "CALENDLY_CLIENT_SECRET"),
    ("ApiKeySecret", "key", "API_KEY"),
    ("ReadKeySecret", "key", "READ_KEY"),
]


def put(endpoint: str, resources: dict, values: dict) -> dict:
    """Puts the known values into the stack's secrets; answers them by their name in dev.env."""
    manager = client("secretsmanager", endpoint)
    known = {}
    for secret in sorted({secret for secret, _, _ in KNOWN} & resources.keys()):
        content = json.loads(
            manager.get_secret_value(SecretId=resources[secret])["SecretString"]
        )
        ours = {key: name for owner, key, name in KNOWN if owner == secret}
        wanted = {**content, **{key: values[name] for key, name in ours.items()}}
        if wanted != content:
            manager.put_secret_value(
                SecretId=resources[secret], SecretString=json.dumps(wanted)
            )
        known.update({name: values[name] for name in ours.values()})
    return known


def kept(local_dir: Path) -> dict:
    """The values by their name in dev.env: those of the last start, or new ones."""
    path = local_dir / "keys.json"
    values = json.loads(path.read_text()) if path.exists() else {}
    missing = [name for _, _, name in KNOWN if name not in values]
    if missing:
        values.update({name: secrets.token_hex(24) for name in missing})
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(values))
        os.replace(fresh, path)
    return values
