"""The functions' programs: built by Cargo, or taken from a folder, and packed as Lambda wants them."""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from venv import ROOT


class Missing(Exception):
    """A program that can't be had; the message says what to do."""


def programs(which=("--workspace",)) -> dict:
    """Program name → path: of LOCAL_BIN_DIR, where that is set, or else freshly built.

    `which` of them to build, as Cargo is told; all of them by default.
    """
    folder = os.environ.get("LOCAL_BIN_DIR")
    if folder:
        home = (ROOT / folder).resolve()
        if not home.is_dir():
            raise Missing(f"LOCAL_BIN_DIR={folder} is not a folder.")
        return {path.name: path for path in home.iterdir() if os.access(path, os.X_OK)}
    return build(which)


def build(which=("--workspace",)) -> dict:
    """Builds the workspace's programs with Cargo, whose progress people see, and says where they are."""
    cargo = shutil.which("cargo")
    if cargo is None:
        raise Missing("Cargo is not installed. Rust comes with https://rustup.rs.")
    print("Building the programs …", file=sys.stderr, flush=True)
    # Cargo's own report of what it made: right with any target directory or configuration.
    command = [cargo, "build", *which, "--bins", "--message-format=json-render-diagnostics"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    built = {}
    try:
        for line in process.stdout:
            message = json.loads(line)
            if message.get("reason") == "compiler-artifact" and message.get("executable"):
                built[message["target"]["name"]] = Path(message["executable"])
    except BaseException:
        process.terminate()
        raise
    finally:
        code = process.wait()
    if code != 0:
        raise Missing("The build failed; Cargo's messages are above.")
    return built


def pack(program: Path) -> bytes:
    """A deployment package: the program as `bootstrap`, without its symbols where `strip` is there.

    Stored, not deflated: packing a debug build would take longer than it saves.
    """
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, so that the mode below counts
    entry.external_attr = 0o100755 << 16
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as package:
        package.writestr(entry, _stripped(program))
    return archive.getvalue()


def _stripped(program: Path) -> bytes:
    strip = shutil.which("strip")
    # On macOS a stripped program has no valid signature and isn't run.
    if strip is None or not sys.platform.startswith("linux"):
        return program.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "bootstrap"
        done = subprocess.run([strip, "-o", str(small), str(program)], capture_output=True)
        return (small if done.returncode == 0 else program).read_bytes()
