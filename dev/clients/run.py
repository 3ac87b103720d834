"""`make test-clients`: clients of Calendly that other people wrote, against the sandbox.

What they expect of Calendly the sandbox must do, or it is not Calendly that this project is tested
with. Each is used as it is published, in a fixed version that is installed into .local/ once:

- tap-calendly (PyPI), a Singer tap: every stream it has must hold what the sandbox holds;
- n8n's Calendly trigger (npm, n8n-nodes-base): it makes, finds and deletes its subscription, and
  checks the signature of the webhooks. It needs Node 18 or newer, and npm to fetch it.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "local"))

import binaries
import sandbox
import venv

KEYS = {
    "CALENDLY_SIGNING_KEY": "clients-signing-key-0123456789abcdef",
    "CALENDLY_CLIENT_ID": "clients",
    "CALENDLY_CLIENT_SECRET": "clients-secret",
}
# The one that the sandbox takes where it is given no other.
TOKEN = "sandbox-personal-access-token"
# More than two of the pages that the tap asks for.
BOOKINGS = 230

N8N = "n8n-nodes-base@2.41.2"
N8N_SHA512 = (
    "qUItyawxR1aR/t6Fgk0whYwBSDR+VOu5RkgAI3AElVI3dqPLLcCAawAMFc/N3GFG35//quOVRUwuc7a3mVLC0g=="
)
# The node and what it reads; the rest of the package, with its 400 others, is left out.
N8N_PARTS = ("package/package.json", "package/dist/nodes/Calendly/", "package/dist/utils/")


class Wrong(Exception):
    """A client does not find what it should."""


def control(url: str, path: str, body=None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"{url}/_sandbox{path}", data, timeout=30) as answer:
        return json.load(answer)


def fill(url: str) -> None:
    """Something for every stream, and more than one page of bookings."""
    control(url, "/bookings/bulk", {"count": BOOKINGS})
    start = {"startTime": "2030-01-01T10:00:00Z"}
    for place in ("zoom", "physical", "custom_empty", "ask_invitee", "none"):
        person = {"name": "Ada Booker", "email": "ada@example.com", "place": place}
        made = control(url, "/bookings", {**start, **person, "guests": ["guest@example.net"]})
    moved = {"startTime": "2030-01-02T10:00:00Z"}
    control(url, f"/bookings/{made['inviteeId']}/reschedule", moved)


def held(url: str) -> dict:
    """How many records each of the tap's streams must have."""
    state = control(url, "/state")
    organization = state["users"][0]["current_organization"]
    ours = [user for user in state["users"] if user["current_organization"] == organization]
    ids = {user["uri"].rsplit("/", 1)[1] for user in ours}
    return {
        "events": state["eventCount"],
        "event_invitees": sum(len(event["invitees"]) for event in state["events"]),
        "event_types": sum(kind["hosts"][0] in ids for kind in state["eventTypes"]),
        "organization_memberships": len(ours),
        "organization_invitations": 0,
    }


def tap(url: str) -> str:
    """A full run of the tap."""
    programs = venv.ensure("venv-tap", HERE / "requirements-tap.txt")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump({"calendly_api_token": TOKEN, "start_date": "2020-01-01T00:00:00Z"}, config)
        config.flush()
        command = [programs / "python", HERE / "tap.py", url, config.name]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if ran.returncode != 0:
        raise Wrong(f"it ended with {ran.returncode}:\n{ran.stderr[-4000:]}")
    messages = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    records = [message for message in messages if message["type"] == "RECORD"]
    counts, wanted = Counter(record["stream"] for record in records), held(url)
    if counts != Counter(wanted):
        raise Wrong(f"it read {dict(counts)}, and there are {wanted}")
    distinct = {(record["stream"], record["record"]["uri"]) for record in records}
    if len(distinct) != len(records):
        raise Wrong(f"of {len(records)} records, {len(records) - len(distinct)} came twice")
    return f"{len(records)} records in {len(wanted)} streams"


def n8n_package() -> Path:
    """The package's folder in .local/, fetched when it is not there."""
    home = venv.STATE / f"npm-{N8N.replace('@', '-')}"
    if (home / "package.json").is_file():
        return home
    npm = shutil.which("npm")
    if npm is None:
        raise Wrong("npm is not installed, which fetches it. Node 18 or newer comes with npm.")
    print(f"Fetching {N8N} into .local/ (once) …", file=sys.stderr, flush=True)
    venv.STATE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=venv.STATE) as folder:
        command = [npm, "pack", "--silent", N8N, "--pack-destination", folder]
        if subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL).returncode != 0:
            raise Wrong("npm could not fetch it (see above).")
        [archive] = Path(folder).glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if digest != N8N_SHA512:
            raise Wrong(f"{archive.name} is not the package that this test was written for.")
        with tarfile.open(archive) as packed:
            parts = [part for part in packed if part.name.startswith(N8N_PARTS)]
            packed.extractall(folder, members=parts, filter="data")
        os.replace(Path(folder) / "package", home)
    return home


def n8n(url: str) -> str:
    """Both versions of the node, with both of its scopes."""
    node = shutil.which("node")
    if node is None:
        raise Wrong("Node 18 or newer is not installed, which runs it.")
    command = [node, HERE / "n8n.js", url, TOKEN, n8n_package()]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if ran.returncode != 0:
        raise Wrong(f"it ended with {ran.returncode}:\n{ran.stderr[-4000:]}")
    return f"{len(ran.stdout.splitlines())} subscriptions made, used and deleted"


def main() -> int:
    failed = 0
    programs = binaries.programs(["--package", "sandbox"])
    venv.STATE.mkdir(parents=True, exist_ok=True)
    calendly = sandbox.Sandbox(programs["sandbox"], KEYS, venv.STATE / "clients-sandbox.log")
    try:
        fill(calendly.url)
        for name, client in (("tap-calendly", tap), ("n8n's trigger", n8n)):
            try:
                print(f"{name}: {client(calendly.url)}", flush=True)
            except (Wrong, subprocess.TimeoutExpired) as error:
                print(f"{name}: {error}", file=sys.stderr, flush=True)
                failed = 1
    finally:
        calendly.stop()
    return failed


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (binaries.Missing, OSError) as error:
        sys.exit(str(error))
