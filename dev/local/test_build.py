"""Tests that `sam build` builds for what samconfig.toml says, with a cargo that only writes down what it is asked."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import stages
from venv import ROOT

# A program of the name after --bin, where cargo-lambda would leave it.
CARGO = """#!/bin/sh
echo "$@" >> "$ASKED"
case "$1" in
  metadata) echo "{\\"target_directory\\": \\"$PWD/target\\", \\"packages\\": []}" ;;
  *) for word; do last=$word; done
     mkdir -p "target/lambda/$last" && echo x > "target/lambda/$last/bootstrap" ;;
esac
"""


class Build(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("template.yaml", "samconfig.toml", "Cargo.toml", "Cargo.lock"):
            shutil.copy(ROOT / name, self.folder)
        (self.folder / "bin").mkdir()
        for name in ("cargo", "cargo-lambda"):
            (self.folder / "bin" / name).write_text(CARGO, encoding="utf-8")
            (self.folder / "bin" / name).chmod(0o755)

    def built(self, stage: str) -> list[str]:
        """What cargo was asked to build."""
        asked = self.folder / "asked"
        asked.unlink(missing_ok=True)
        done = subprocess.run(
            [str(Path(sys.executable).parent / "sam"), "build", "--config-env", stage],
            cwd=self.folder, text=True, capture_output=True, check=False,
            env={
                "PATH": f"{self.folder}/bin{os.pathsep}{os.environ['PATH']}", "HOME": str(self.folder), "ASKED": str(asked),
                "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1",
            },
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line for line in asked.read_text(encoding="utf-8").splitlines() if line.startswith("lambda build")]

    def test_the_architecture_of_samconfig_reaches_the_build_and_needs_no_credentials(self):
        path = self.folder / "samconfig.toml"
        text = path.read_text(encoding="utf-8")
        for architecture, arm in (("arm64", True), ("x86_64", False)):
            path.write_text(text.replace("Architecture=x86_64", f"Architecture={architecture}"), encoding="utf-8")
            self.assertEqual(stages.read("prod", path).parameters["Architecture"], architecture)
            built = self.built("prod")
            self.assertTrue(built)
            self.assertEqual({"--arm64" in line for line in built}, {arm}, built)


if __name__ == "__main__":
    unittest.main()
