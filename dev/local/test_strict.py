"""The tests that need the emulator, or AWS's models, in their process: python3 dev/local/test_strict.py

They are in strict_tests/, which is no package, so that no other run of tests finds them, and run in the
environment of the local AWS.
"""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    import runtime_env

    runtime_env.enter()
    # The emulator reads its settings while it is imported.
    import os

    os.environ.update(MINISTACK_REGION="us-east-1", LOG_LEVEL="ERROR", PERSIST_STATE="0")
    tests = unittest.defaultTestLoader.discover(str(HERE / "strict_tests"))
    return 0 if unittest.TextTestRunner().run(tests).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
