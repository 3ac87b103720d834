"""Picks an API key from the secret's JSON."""

import json

from trouble import Trouble


def pick(text: str, scopes: set, source: str) -> tuple:
    """The key that can do what is needed and the least beside it, and how to speak of it.

    The secret is `{"name", "key"}`, whose key may do all that its secret is for, or
    `{"keys": [{"name", "key", "scopes"}]}`, or both. It is never quoted: it is secret.
    """
    try:
        secret = json.loads(text)
    except ValueError:
        secret = None
    if not isinstance(secret, dict):
        raise Trouble(f"{source} is no JSON object: put a key into it, as the README says.")
    found = []
    for entry in secret.get("keys") or []:
        if isinstance(entry, dict) and entry.get("key") and scopes <= set(entry.get("scopes") or []):
            found.append((len(entry["scopes"]), entry))
    if secret.get("key"):
        found.append((99, secret))
    if not found:
        raise Trouble(
            f"{source} has no key with the scope{'s' if len(scopes) > 1 else ''} "
            f"{' and '.join(sorted(scopes))}: add one, or set API_URL and API_KEY."
        )
    entry = min(found, key=lambda one: one[0])[1]
    return entry["key"], f"the key {entry.get('name') or 'without a name'!r} of {source}"
