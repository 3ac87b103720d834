"""Virtual environments for the tools of dev/, made when they are first needed.

The local AWS and the SAM CLI pin clashing versions of botocore, so each has an
environment of its own under .local/. `ensure` makes one, or makes it anew when
its requirements file has changed, and costs a few milliseconds when there is
nothing to do. Two processes may call it at once: the second waits for the first.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".local"
STAMP = "requirements.sha256"


def ensure(name: str, requirements: Path | str) -> Path:
    """Returns the bin folder of .local/<name>, with the requirements installed.

    `requirements` is a pip requirements file; a relative path starts at this folder.
    """
    wanted = Path(__file__).resolve().parent / requirements
    home = STATE / name
    digest = _digest(wanted, home)
    if _ready(home, digest):
        return home / "bin"

    STATE.mkdir(parents=True, exist_ok=True)
    with open(STATE / f"{name}.lock", "w", encoding="utf-8") as lock:
        # The kernel drops the lock when a process ends, however it ends.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _ready(home, digest):
            return home / "bin"
        print(
            f"Installing the Python tools of {wanted.name} into .local/{name} (once) …",
            file=sys.stderr,
            flush=True,
        )
        shutil.rmtree(home, ignore_errors=True)
        # A process of its own, and isolated (-I): this module hides the standard one of its name.
        make = [sys.executable, "-I", "-m", "venv", str(home)]
        if subprocess.run(make, check=False, stdout=sys.stderr).returncode != 0:
            sys.exit(
                "Python could not make a virtual environment (see above). On Debian and Ubuntu, "
                "`apt-get install python3-venv` adds what is missing."
            )
        pip = [
            str(home / "bin" / "python"), "-m", "pip", "install",
            "--quiet", "--disable-pip-version-check", "--no-input",
            "--requirement", str(wanted),
        ]
        if subprocess.run(pip, check=False, stdout=sys.stderr).returncode != 0:
            sys.exit(
                f"pip could not install {wanted.name} (see above). It needs a package index: "
                "check the network, or pip's own configuration."
            )
        # Written last and in one step: a half-made environment never has a stamp.
        fresh = home / "requirements.new"
        fresh.write_text(digest, encoding="utf-8")
        os.replace(fresh, home / STAMP)
    return home / "bin"


def _digest(requirements: Path, home: Path) -> str:
    # The place and the interpreter are part of it: an environment holds absolute
    # paths, so one that was moved, or whose Python was upgraded, is made anew.
    python = "{}.{}".format(*sys.version_info[:2])
    parts = [requirements.read_bytes(), str(home).encode(), python.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _ready(home: Path, digest: str) -> bool:
    # The interpreter is a link to the one outside, which may have gone.
    try:
        made_for = (home / STAMP).read_text(encoding="utf-8")
    except OSError:
        return False
    return made_for == digest and (home / "bin" / "python").exists()
