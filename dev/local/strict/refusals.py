"""What the gate refused, and why: a JSON line each in refused.jsonl, beside the functions' logs.

A refusal is a fault of the code or of its role, and fails the run that made it. But where a test points a
function at something that this stack doesn't have, AWS's answer is a refusal, too: that one is only kept.
"""

import json
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "refused.jsonl"
# Of the same refusal, as many are written; a function in trouble makes thousands.
OF_ONE = 20


@dataclass(frozen=True)
class Refusal:
    """One request that AWS would refuse."""

    function: str
    call: str
    code: str
    message: str
    # It is on something that this stack doesn't have.
    elsewhere: bool = False

    def told(self) -> str:
        """For people, on one line."""
        return f"{self.function}: {self.call} is refused on AWS: {self.code}: {self.message}"


class Book:
    """Writes refusals down and tells the loud ones."""

    def __init__(self, log_dir: Path):
        self.path = log_dir / FILE
        self.times: dict[Refusal, int] = {}
        self.lock = threading.Lock()

    def add(self, refusal: Refusal) -> None:
        with self.lock:
            self.times[refusal] = self.times.get(refusal, 0) + 1
            if self.times[refusal] > OF_ONE:
                return
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(refusal)) + "\n")
        if not refusal.elsewhere:
            print(f"REFUSED {refusal.told()}", file=sys.stderr, flush=True)


def read(log_dir: Path | str) -> list[Refusal]:
    """All that a run's gate refused, in order."""
    try:
        lines = (Path(log_dir) / FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [Refusal(**json.loads(line)) for line in lines]


def faults(log_dir: Path | str) -> list[str]:
    """What must fail a run: a line each, each once."""
    return list(dict.fromkeys(one.told() for one in read(log_dir) if not one.elsewhere))


def forget(log_dir: Path | str) -> None:
    """After a test that brought refusals about, and has looked at them."""
    (Path(log_dir) / FILE).unlink(missing_ok=True)
