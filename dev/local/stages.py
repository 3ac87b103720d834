"""What samconfig.toml says of a stage, as SAM reads it: a command's own settings before those of `global`."""

from dataclasses import dataclass, field
from pathlib import Path

from venv import ROOT


class Unknown(Exception):
    """samconfig.toml has no such stage; the message says which there are."""


@dataclass(frozen=True)
class Stage:
    """One environment of samconfig.toml."""

    name: str
    stack: str
    region: str | None = None
    # What it sets; the rest has the template's defaults, or what the stack has.
    overrides: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters it sets."""
        return dict(item.split("=", 1) for item in self.overrides)

    def value(self, template: dict, name: str) -> str:
        """A parameter's value, or its default."""
        return self.parameters.get(name, str(template["Parameters"][name]["Default"]))


def command(config: dict, stage: str, name: str) -> dict:
    """The settings of one of SAM's commands on a stage."""
    environment = config.get(stage, {})
    return {
        **environment.get("global", {}).get("parameters", {}),
        **environment.get(name, {}).get("parameters", {}),
    }


def read(name: str, path: Path = ROOT / "samconfig.toml") -> Stage:
    """The stage of this name."""
    import tomlkit

    config = tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
    deploy = command(config, name, "deploy")
    if not deploy.get("stack_name"):
        known = ", ".join(stage for stage in config if stage != "version")
        raise Unknown(f"samconfig.toml has no stage {name!r}; it has: {known}.")
    return Stage(
        name,
        deploy["stack_name"],
        deploy.get("region"),
        tuple(deploy.get("parameter_overrides", ())),
        dict(item.split("=", 1) for item in deploy.get("tags", "").split()),
    )
