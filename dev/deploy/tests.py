"""Runs the tests of this folder, in the environment that has boto3: python3 dev/deploy/tests.py."""

import sys
import unittest

import paths

if __name__ == "__main__":
    paths.enter()
    found = unittest.defaultTestLoader.discover(str(paths.HERE))
    done = unittest.TextTestRunner(verbosity=0).run(found)
    sys.exit(0 if done.wasSuccessful() else 1)
