"""Runs tap-calendly against the sandbox, in the environment of requirements-tap.txt.

    python tap.py SANDBOX_URL CONFIG_FILE

The tap is used as it is published; only where Calendly is, which it has no setting for, is changed.
"""

import sys

from tap_calendly.client import CalendlyStream
from tap_calendly.tap import TapCalendly

url, config = sys.argv[1:]
CalendlyStream.url_base = url
TapCalendly.cli(["--config", config])
