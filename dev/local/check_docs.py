"""Checks README.md and docs/ against what they speak of.

Links lead somewhere; a log line that a command looks for is one that the code writes; parameters that
are set are the template's, constants the code's, and `make` commands the Makefile's. It can't know
whether a sentence is true, but a name that was changed elsewhere doesn't stay wrong here.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Words of AWS's that look like constants of the code's.
NOT_OURS = {"INSUFFICIENT_DATA", "CLOUDFRONT"}
CODE = "".join(
    path.read_text(encoding="utf-8")
    for folder in ("functions", "shared")
    for path in sorted((ROOT / folder).rglob("*.rs"))
)
PROGRAMS = "".join(
    path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "dev").rglob("*"))
    if path.suffix in (".py", ".rs")
)
TEMPLATE = (ROOT / "template.yaml").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def anchor(heading: str) -> str:
    """The name that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def prose(text: str) -> str:
    """A page without its blocks of code, in which a # is no heading."""
    return re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)


def anchors(text: str) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", prose(text), re.M)}


def links(path: Path, text: str):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(text)):
        if "://" in target:
            continue
        file, _, name = target.partition("#")
        page = (path.parent / file).resolve() if file else path
        if not page.exists():
            yield f"no such file: {target}"
        elif name and name not in anchors(page.read_text(encoding="utf-8")):
            yield f"no such heading: {target}"


def log_lines(text: str):
    """Fields of log lines that a filter compares with a text of the code's."""
    for field, value in re.findall(r'\$\.(message|code|outcome) = "([^"]+)"', text):
        if f'"{value.removesuffix("*")}' not in CODE:
            yield f'no log line has {field} "{value}"'


def names(text: str):
    ours = set(re.findall(r"^  (\w+):$", TEMPLATE, re.M))
    for name in re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)=", text):
        if name not in ours:
            yield f"no parameter {name} in template.yaml"
    for name in re.findall(r"`([A-Z][A-Z_]{3,})`", text):
        written = re.search(rf"(const|static) {name}\b|\"{name}\"", CODE + PROGRAMS)
        if not written and name not in NOT_OURS:
            yield f"nothing in the code is called {name}"
    for name in re.findall(r"(?:^    |`)make ([a-z][a-z-]+)", text, re.M):
        if not re.search(rf"^{name}:", MAKEFILE, re.M):
            yield f"no command make {name}"


def main() -> None:
    wrong = []
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        found = [*links(path, text), *log_lines(text), *names(text)]
        wrong += [f"{path.relative_to(ROOT)}: {what}" for what in found]
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
