"""Where things are: the commands for operators are shared, and boto3 is in the environment of the SAM CLI."""

import importlib.util
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "dev" / "operate")]


def environments():
    """dev/local/venv.py, by its path: the standard library has a module of its name."""
    spec = importlib.util.spec_from_file_location("environments", ROOT / "dev" / "local" / "venv.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def enter() -> None:
    """Returns inside the environment with boto3; otherwise replaces this process by one inside it."""
    bin_dir = environments().ensure("venv-sam", "requirements-sam.txt")
    # Compared unresolved: the interpreter of an environment is a link to the one outside.
    if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
        os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])
