"""Parts of docs/ that a program writes: each stands between two marks of its page."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def keep(page: str, part: str, text: str, program: str) -> None:
    """Writes a part of a page; with --check on the command line it only says whether it is right."""
    path = ROOT / page
    before = path.read_text(encoding="utf-8")
    begin, end = f"<!-- {part}: made by {program} -->\n", f"<!-- end of {part} -->"
    if before.count(begin) != 1 or before.count(end) != 1:
        sys.exit(f"{page}: must have the lines {begin.strip()} and {end}, once each")
    head, rest = before.split(begin)
    tail = rest.split(end)[1]
    after = f"{head}{begin}\n{text.strip()}\n\n{end}{tail}"
    if after == before:
        return
    if "--check" in sys.argv[1:]:
        sys.exit(f"{page}: the part {part} is out of date; run: python3 {program}")
    path.write_text(after, encoding="utf-8")
    print(f"{page}: {part} written")
