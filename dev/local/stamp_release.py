"""Makes what was built ready for a stage, between build and deploy. `make deploy` runs it.

**Settings go live.** It marks the built template with a hash of the stage's settings.

SAM publishes a new version of a function when its code or the text of its variables has changed. The value of
a parameter is neither: a deploy with another SignatureToleranceSeconds would change the function and leave
what callers reach, its alias, at the version with the old one. The hash becomes a variable of each function:
other settings, other text, a new version.

**AllAtOnce looks at no alarm.** SAM can't say "no alarms" to CodeDeploy, only nothing, and CodeDeploy then keeps
those of the deployment before: a red alarm would stop the very deploy that mends it. So where the stage shifts
traffic at once, CodeDeploy is left out, and CloudFormation itself moves the aliases.

**Built for what it runs on.** It refuses programs that were built for another processor than the stage's.

    stamp_release.py prod        marks .aws-sam/build/template.yaml
"""

import copy
import hashlib
import json
import os
import sys
from pathlib import Path

import stages
import venv

VARIABLE = "SETTINGS_HASH"
BUILT = venv.ROOT / ".aws-sam" / "build" / "template.yaml"
# The word for a processor in the header of a Linux program (e_machine, at byte 18).
MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}


def settings_hash(template: dict, overrides: list[str]) -> str:
    """A hash of a stage's parameters and of what functions are set to; their code is not in it."""
    everywhere = copy.deepcopy(template.get("Globals", {}).get("Function", {}))
    everywhere.get("Environment", {}).get("Variables", {}).pop(VARIABLE, None)
    functions = {
        logical_id: {name: value for name, value in resource["Properties"].items() if name not in ("CodeUri", "Events")}
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    for function in functions.values():
        if "DeploymentPreference" in function:
            preference = {name: value for name, value in function["DeploymentPreference"].items() if name != "Enabled"}
            function["DeploymentPreference"] = preference
    everywhere.pop("CodeUri", None)
    defaults = {name: parameter.get("Default") for name, parameter in template.get("Parameters", {}).items()}
    settings = json.dumps([sorted(overrides), defaults, everywhere, functions], sort_keys=True)
    return hashlib.sha256(settings.encode()).hexdigest()[:16]


def stamp(template: dict, overrides: list[str]) -> None:
    """Gives every function the hash as a variable."""
    marked = settings_hash(template, overrides)
    function = template.setdefault("Globals", {}).setdefault("Function", {})
    function.setdefault("Environment", {}).setdefault("Variables", {})[VARIABLE] = marked


def set_shift(template: dict, deployment_type: str) -> None:
    """Leaves CodeDeploy out where traffic is shifted at once, and has it in otherwise."""
    for resource in template["Resources"].values():
        preference = resource.get("Properties", {}).get("DeploymentPreference")
        if resource["Type"] != "AWS::Serverless::Function" or preference is None:
            continue
        if deployment_type == "AllAtOnce":
            preference["Enabled"] = False
        else:
            preference.pop("Enabled", None)


def wrong_machines(template: dict, built: Path, architecture: str) -> list[str]:
    """The functions whose program isn't for this processor, or isn't there: a line each."""
    wrong = []
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        try:
            header = (built / logical_id / "bootstrap").read_bytes()[:20]
        except OSError:
            wrong.append(f"{logical_id} is not built")
            continue
        machine = MACHINES.get(int.from_bytes(header[18:20], "little")) if header[:4] == b"\x7fELF" else None
        if machine != architecture:
            wrong.append(f"{logical_id} is built for {machine or 'nothing that Lambda runs'}")
    return wrong


def main() -> None:
    bin_dir = venv.ensure("venv-sam", "requirements-sam.txt")
    # Compared unresolved: the interpreter of an environment is a link to the one outside.
    if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
        os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])
    from samcli.yamlhelper import yaml_dump, yaml_parse

    if len(sys.argv) != 2:
        sys.exit("Name the stage: stamp_release.py prod")
    try:
        stage = stages.read(sys.argv[1])
        template = yaml_parse(BUILT.read_text(encoding="utf-8"))
    except stages.Unknown as error:
        sys.exit(str(error))
    except FileNotFoundError:
        sys.exit(f"Nothing is built yet: run `make build STAGE={sys.argv[1]}` first.")
    architecture = stage.value(template, "Architecture")
    wrong = wrong_machines(template, BUILT.parent, architecture)
    if wrong:
        sys.exit(
            f"{stage.name} runs on {architecture} (Architecture in samconfig.toml), but {', '.join(wrong)}. "
            f"Nothing was deployed; build again: make build STAGE={stage.name}"
        )
    stamp(template, list(stage.overrides))
    set_shift(template, stage.value(template, "DeploymentType"))
    BUILT.write_text(yaml_dump(template), encoding="utf-8")


if __name__ == "__main__":
    main()
