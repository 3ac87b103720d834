"""Gets a script of this folder running under the Python environment of the local AWS.

`make` starts these scripts with whatever `python3` is there. `enter` makes the
environment when it is missing and starts the same script again inside it, so
that nobody has to make or activate anything by hand.
"""

import os
import sys

OLDEST = (3, 10)


def enter() -> None:
    """Returns at once inside the environment; otherwise replaces this process by one inside it."""
    if sys.version_info < OLDEST:
        sys.exit(
            "The local AWS needs Python {}.{} or newer; this is {}.{}. "
            "Start it with another one, for example: python3.12 {}".format(
                *OLDEST, *sys.version_info[:2], " ".join(sys.argv)
            )
        )
    import venv as environments  # the one in this folder, not the standard one

    binaries = environments.ensure("venv-cloud", "requirements-cloud.txt")
    home = str(binaries.parent)
    # The mark ends the circle where the paths look different (links), and is for this process only.
    if os.environ.pop("LOCAL_ENTERED", None) != home and sys.prefix != home:
        os.environ["LOCAL_ENTERED"] = home
        python = str(binaries / "python")
        os.execv(python, [python, *sys.argv])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a terminal without UTF-8 is no reason to fail
    _forget_real_aws()


def _forget_real_aws() -> None:
    # Nothing that runs here may reach an account that this shell happens to be logged in to,
    # and no proxy may stand between the programs of this machine.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AWS_ACCESS_KEY_ID="local",
        AWS_SECRET_ACCESS_KEY="local",
        AWS_REGION="us-east-1",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )
    direct = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    direct = ",".join(filter(None, [direct, "127.0.0.1", "localhost"]))
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = direct
