"""Tests of the Makefile: python3 -m unittest discover -s dev/local."""

import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Words that are data to us, and programs to a shell that is given them bare.
HARMFUL = (
    "a b",
    "a; touch {mark}",
    "a' ; touch {mark} ; '",
    'a" ; touch {mark} ; "',
    "a`touch {mark}`",
    "a$$(touch {mark})",
    "a && touch {mark} #",
    "a | touch {mark}",
    "a > {mark}",
)
# Every variable that a recipe hands on in its command, with a target that does so.
HANDED_ON = (("invoke", "FUNCTION"), ("invoke", "EVENT"), ("fuzz-api", "SEED"), ("build", "STAGE"))


class Makefile(unittest.TestCase):
    def test_what_is_in_a_variable_is_not_run(self):
        # In place of the programs, one that tells its arguments, a line each.
        tell = "printf '%s\\n'"
        for target, variable in HANDED_ON:
            for form in HARMFUL:
                with self.subTest(target=target, variable=variable, value=form), tempfile.TemporaryDirectory() as folder:
                    mark = Path(folder) / "mark"
                    value = form.format(mark=mark)
                    given = [f"PYTHON={tell}", f"SAM={tell}", f"{variable}={value}"]
                    run = subprocess.run(["make", "--silent", target, *given], cwd=ROOT, capture_output=True, text=True)
                    self.assertEqual((run.returncode, run.stderr), (0, ""))
                    self.assertFalse(mark.exists())
                    self.assertIn(value, run.stdout.splitlines())

    def test_nor_is_what_is_in_a_name(self):
        with tempfile.TemporaryDirectory() as folder:
            mark = Path(folder) / "mark"
            given = ["PYTHON=printf '%s\\n'", f"a';touch${{IFS}}{mark};'=1"]
            run = subprocess.run(["make", "--silent", "status", *given], cwd=ROOT, capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stderr, mark.exists()), (0, "", False))


if __name__ == "__main__":
    unittest.main()
