"""Marks the built template with a hash of a stage's settings, so that a change of these goes live.

SAM publishes a new version of a function when its code or the text of its variables has changed. The value of
a parameter is neither: a deploy with another SignatureToleranceSeconds would change the function and leave
what callers reach, its alias, at the version with the old one. So `make deploy` runs this between build and
deploy. The hash becomes a variable of each function: other settings, other text, a new version.

    stamp_release.py prod        marks .aws-sam/build/template.yaml
"""

import copy
import hashlib
import json
import os
import sys
from pathlib import Path

import venv

VARIABLE = "SETTINGS_HASH"
BUILT = venv.ROOT / ".aws-sam" / "build" / "template.yaml"


def settings_hash(template: dict, overrides: list[str]) -> str:
    """A hash of a stage's parameters and of what functions are set to; their code is not in it."""
    everywhere = copy.deepcopy(template.get("Globals", {}).get("Function", {}))
    everywhere.get("Environment", {}).get("Variables", {}).pop(VARIABLE, None)
    functions = {
        logical_id: {name: value for name, value in resource["Properties"].items() if name not in ("CodeUri", "Events")}
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    everywhere.pop("CodeUri", None)
    defaults = {name: parameter.get("Default") for name, parameter in template.get("Parameters", {}).items()}
    settings = json.dumps([sorted(overrides), defaults, everywhere, functions], sort_keys=True)
    return hashlib.sha256(settings.encode()).hexdigest()[:16]


def stamp(template: dict, overrides: list[str]) -> None:
    """Gives every function the hash as a variable."""
    marked = settings_hash(template, overrides)
    function = template.setdefault("Globals", {}).setdefault("Function", {})
    function.setdefault("Environment", {}).setdefault("Variables", {})[VARIABLE] = marked


def main() -> None:
    bin_dir = venv.ensure("venv-sam", "requirements-sam.txt")
    # Compared unresolved: the interpreter of an environment is a link to the one outside.
    if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
        os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])
    import tomlkit
    from samcli.yamlhelper import yaml_dump, yaml_parse

    if len(sys.argv) != 2:
        sys.exit("Name the stage: stamp_release.py prod")
    config = tomlkit.parse((venv.ROOT / "samconfig.toml").read_text(encoding="utf-8")).unwrap()
    deploy = config.get(sys.argv[1], {}).get("deploy", {}).get("parameters")
    if deploy is None:
        sys.exit(f"samconfig.toml has no stage {sys.argv[1]!r}; it has: {', '.join(name for name in config if name != 'version')}.")
    try:
        template = yaml_parse(BUILT.read_text(encoding="utf-8"))
    except FileNotFoundError:
        sys.exit("Nothing is built yet: run `make build` first.")
    stamp(template, deploy.get("parameter_overrides", []))
    BUILT.write_text(yaml_dump(template), encoding="utf-8")


if __name__ == "__main__":
    main()
