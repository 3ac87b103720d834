"""Reads the name and region of a stage's stack from samconfig.toml.

Only what that takes, as Python reads TOML by itself from 3.11 on.
"""

import re
from pathlib import Path

from trouble import Trouble

SECTION = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+)\s*\.\s*(deploy|global)\s*\.\s*parameters\s*\]\s*(#.*)?$")
VALUE = re.compile(r"""\s*(stack_name|region)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def stack_of(stage: str, path: Path) -> tuple:
    """The stack's name, and its region, or nothing where that comes from the AWS profile."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise Trouble(f"{path.name} can't be read ({error.strerror}): run make where it lies.") from None
    stages, section = {}, None
    for line in lines:
        if line.lstrip().startswith("["):
            found = SECTION.match(line)
            section = stages.setdefault(found[1], {}).setdefault(found[2], {}) if found else None
        elif section is not None and (found := VALUE.match(line)):
            section[found[1]] = found[2] if found[2] is not None else found[3]
    stages = {name: {**parts.get("global", {}), **parts.get("deploy", {})} for name, parts in stages.items()}
    name = stages.get(stage, {}).get("stack_name")
    if not name:
        known = ", ".join(sorted(known for known, values in stages.items() if "stack_name" in values))
        raise Trouble(f"{path.name} names no stack for the stage {stage!r}; it has: {known or 'none'}.")
    return name, stages[stage].get("region")
