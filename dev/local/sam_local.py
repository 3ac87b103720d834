"""Runs every sample of events/ through `sam local invoke` and checks the answers: `make sam-local`.

It needs the functions that `sam build` made, the local stack of `make dev` (tables, queues and
secrets are there), and a container engine. Without an engine it says how to have one, and leaves.
Each sample is signed again with the stack's key and the present time; events/expected.json tells
what its answer must hold. --without-containers runs the same samples as `make invoke` does, in seconds:
for the tests, and for machines with no engine.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import invoke
import venv
from forward import Forwarder, bridge_address
from make_events import ANY_LIST
from samples import (
    EVENTS,
    FUNCTIONS,
    LOCAL,
    ROOT,
    aws_environment,
    function_environment,
    prepare,
    read_expected,
    running_stack,
)

BUILT = ROOT / ".aws-sam" / "build"
WORK = LOCAL / "sam-local"
# What engine.sh makes.
ENGINE_SOCKET = ROOT / ".local" / "engine" / "docker.sock"
ENGINE_IMAGE = "calendly-serverless/lambda-stand-in:local"

NO_ENGINE = """\
make sam-local: nothing was run, because no container engine answers (docker info).

`sam local invoke` runs each function in a container. To have one:
  - on your own machine: install Docker (Docker Engine on Linux, Docker Desktop elsewhere), start it,
    and run `make sam-local` again; the SAM CLI pulls AWS's image by itself;
  - on Debian as root, where no image can be pulled: run `dev/local/engine.sh start`, which installs
    docker.io and debootstrap from Debian's packages and makes a minimal image.
The same samples run without containers: python3 dev/local/sam_local.py --without-containers"""

MACHINES = {"x86_64": ("x86_64", 0x3E), "amd64": ("x86_64", 0x3E), "aarch64": ("arm64", 0xB7), "arm64": ("arm64", 0xB7)}


def engine() -> dict[str, str] | None:
    """The environment in which `docker` answers, or None."""
    docker = shutil.which("docker")
    if docker is None:
        return None
    candidates = [{}]
    if ENGINE_SOCKET.exists():
        candidates.append({"DOCKER_HOST": f"unix://{ENGINE_SOCKET}"})
    for extra in candidates:
        done = subprocess.run(
            [docker, "info"], env={**os.environ, **extra}, capture_output=True, check=False, timeout=60
        )
        if done.returncode == 0:
            return extra
    return None


def has_image(environment: dict[str, str]) -> bool:
    """Whether this is the engine of engine.sh, with its image."""
    command = ["docker", "image", "inspect", ENGINE_IMAGE]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0


def check_build() -> str:
    """The architecture of this machine, for which the functions must have been built."""
    name, machine = MACHINES.get(platform.machine().lower(), (None, None))
    if name is None:
        sys.exit(f"No Lambda runs on this machine's architecture ({platform.machine()}).")
    how = f"build them first: make build, with Architecture={name} in samconfig.toml"
    for function in FUNCTIONS.values():
        binary = BUILT / function.logical_id / "bootstrap"
        if not binary.is_file():
            sys.exit(f"{binary.relative_to(ROOT)} is not there; {how}")
        with open(binary, "rb") as file:
            header = file.read(20)
        # A script has no architecture.
        if header[:4] == b"\x7fELF" and int.from_bytes(header[18:20], "little") != machine:
            sys.exit(f"The functions in .aws-sam/build are not for {name}; {how}")
    return name


def local_template(stack: dict[str, str]) -> Path:
    """A copy of the built template that also declares AWS_ENDPOINT_URL.

    SAM hands a function no variable that its template doesn't declare.
    """
    from samcli.yamlhelper import yaml_dump, yaml_parse

    template = yaml_parse((BUILT / "template.yaml").read_text(encoding="utf-8"))
    for function in FUNCTIONS.values():
        properties = template["Resources"][function.logical_id]["Properties"]
        variables = properties.setdefault("Environment", {}).setdefault("Variables", {})
        variables["AWS_ENDPOINT_URL"] = stack["AWS_ENDPOINT_URL"]
    path = BUILT / "template-local.yaml"  # beside the original, whose CodeUri are relative
    path.write_text(yaml_dump(template), encoding="utf-8")
    return path


def for_containers(stack: dict[str, str], environment: dict[str, str]) -> dict[str, str]:
    """The same stack under an address at which a container reaches it."""
    endpoint = urlsplit(stack["AWS_ENDPOINT_URL"])
    # What Docker Desktop calls this machine, on which 127.0.0.1 is reached through it.
    address = f"host.docker.internal:{endpoint.port}"
    bridge = bridge_address(environment) if sys.platform.startswith("linux") else None
    if bridge:
        try:
            address = Forwarder(bridge, endpoint.port).address
        except OSError:
            pass  # Docker's bridge is not on this machine but in one of its own.
    there = re.compile(rf"//(127\.0\.0\.1|localhost):{endpoint.port}\b")
    return {name: there.sub(f"//{address}", value) for name, value in stack.items()}


def differences(expected: object, got: object, where: str = "") -> list[str]:
    """What an answer lacks. An expected object names only the keys that matter."""
    if expected == ANY_LIST:
        return [] if isinstance(got, list) else [f"{where or 'it'} is no list"]
    if isinstance(expected, dict) and isinstance(got, dict):
        found = []
        for name, value in expected.items():
            place = f"{where}.{name}" if where else name
            if name not in got:
                found.append(f"{place} is missing")
            else:
                found += differences(value, got[name], place)
        return found
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        pairs = enumerate(zip(expected, got))
        return [text for n, (one, other) in pairs for text in differences(one, other, f"{where}[{n}]")]
    return [] if expected == got else [f"{where or 'answer'} is {json.dumps(got)}, not {json.dumps(expected)}"]


def check(expected: dict, answer: object) -> list[str]:
    """What is wrong with an answer, for a row of expected.json."""
    if "answer" in expected:
        return differences(expected["answer"], answer)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return [f"no HTTP answer: {json.dumps(answer)[:200]}"]
    body = answer.get("body") or ""
    try:
        body = json.loads(body)
    except ValueError:
        return [f"the body is not JSON: {body[:200]}"]
    wrong = differences(expected["statusCode"], answer["statusCode"], "statusCode")
    wrong += differences(expected["body"], body)
    headers = {name.lower(): value for name, value in (answer.get("headers") or {}).items()}
    if not headers.get("x-tracking-id"):
        wrong.append("header x-tracking-id is missing")
    return wrong


def summary(answer: object) -> str:
    if isinstance(answer, dict) and "statusCode" in answer:
        try:
            body = json.loads(answer.get("body") or "{}")
        except ValueError:
            body = {}
        word = body.get("code") or next((name for name in ("duplicate", "ignored") if body.get(name) is True), "")
        return f"{answer['statusCode']} {word}".strip()
    return json.dumps(answer)[:40]


class Containers:
    """Runs functions by `sam local invoke`. Made only inside the environment of requirements-sam.txt."""

    def __init__(self, docker: dict[str, str], bin_dir: Path) -> None:
        architecture = check_build()
        stack = running_stack()
        kept = ("HOME", "DOCKER_HOST", "DOCKER_CONFIG", "TMPDIR", "LANG")
        # Only what the tools need: SAM takes a template's variables from its own environment too.
        self._environment = {
            **{name: os.environ[name] for name in kept if name in os.environ},
            **docker,
            "SAM_CLI_TELEMETRY": "0",
            "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}",
        }
        self.stack = for_containers(stack, self._environment)
        self._environment.update(aws_environment(self.stack))
        WORK.mkdir(parents=True, exist_ok=True)
        variables = WORK / "env.json"
        variables.write_text(json.dumps(self._variables(), indent=2), encoding="utf-8")
        self._command = [
            str(bin_dir / "sam"), "local", "invoke", "--template", str(local_template(self.stack)),
            "--env-vars", str(variables), "--parameter-overrides", f"Architecture={architecture}",
        ]
        if has_image(self._environment):
            self._command += ["--invoke-image", ENGINE_IMAGE, "--skip-pull-image"]

    def _variables(self) -> dict[str, dict[str, str]]:
        endpoint = {"AWS_ENDPOINT_URL": self.stack["AWS_ENDPOINT_URL"]}
        return {
            function.logical_id: {**function_environment(name, self.stack), **endpoint}
            for name, function in FUNCTIONS.items()
        }

    def run(self, function: str, event: dict) -> tuple[object, str]:
        """The answer, and all that was written."""
        file = WORK / "event.json"
        file.write_text(json.dumps(event, ensure_ascii=False), encoding="utf-8")
        command = [*self._command, FUNCTIONS[function].logical_id, "--event", str(file)]
        done = subprocess.run(
            command, env=self._environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        # The answer is the last line of SAM's standard output.
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        return parsed(lines[-1] if lines else ""), f"{done.stdout}\n{done.stderr}"


class Processes:
    """Runs functions as invoke.py does."""

    def __init__(self) -> None:
        self.stack = running_stack()
        WORK.mkdir(parents=True, exist_ok=True)

    def run(self, function: str, event: dict) -> tuple[object, str]:
        environment = {**aws_environment(self.stack), **function_environment(function, self.stack)}
        log = WORK / "function.log"
        with open(log, "wb") as output:
            kind, answer = invoke.run(function, event, environment, FUNCTIONS[function].timeout, output)
        text = answer.decode(errors="replace")
        written = f"{kind}: {text}\n{log.read_text(encoding='utf-8', errors='replace')}"
        return (parsed(text) if kind == "response" else None), written


def parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs the samples of events/ through `sam local invoke`.")
    parser.add_argument("--only", default="", metavar="TEXT", help="only samples whose name holds this, e.g. webhook/")
    parser.add_argument("--without-containers", action="store_true", help="run the programs of target/debug as `make invoke` does")
    arguments = parser.parse_args()
    samples = {name: expected for name, expected in read_expected().items() if arguments.only in name}
    if not samples:
        sys.exit(f"No sample's name holds {arguments.only!r}.")

    if arguments.without_containers:
        runner = Processes()
    else:
        docker = engine()
        if docker is None:
            print(NO_ENGINE)
            return
        bin_dir = venv.ensure("venv-sam", "requirements-sam.txt")
        # Compared unresolved: the interpreter of an environment is a link to the one outside.
        if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
            os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])
        runner = Containers(docker, bin_dir)
    sys.exit(0 if run_all(runner, samples) else 1)


def run_all(runner: Containers | Processes, samples: dict[str, dict]) -> bool:
    width = max(map(len, samples))
    print(f"{'sample':<{width}}  {'answer':<28} {'s':>5}")
    good = 0
    began = time.monotonic()
    for name, expected in samples.items():
        event = prepare(
            json.loads((EVENTS / name).read_text(encoding="utf-8")),
            expected.get("sign", "valid"),
            runner.stack["CALENDLY_SIGNING_KEY"],
            runner.stack["API_KEY"],
            int(time.time()),
        )
        start = time.monotonic()
        # What a sample shows may still be on its way through the queue.
        patience = start + 10 if name.startswith("api/get-") else start
        while True:
            answer, written = runner.run(expected["function"], event)
            wrong = check(expected, answer)
            if not wrong or time.monotonic() >= patience:
                break
            time.sleep(0.2)
        took = time.monotonic() - start
        good += not wrong
        print(f"{name:<{width}}  {summary(answer):<28} {took:5.1f}  {'WRONG' if wrong else 'ok'}", flush=True)
        for text in wrong:
            print(f"  {text}")
        log = WORK / (name.replace("/", "-").removesuffix(".json") + ".log")
        log.write_text(written, encoding="utf-8")
        if wrong:
            print(f"  all it wrote: {log.relative_to(ROOT)}")
    bad = len(samples) - good
    print(f"\n{len(samples)} samples: {good} as expected, {bad} not ({time.monotonic() - began:.0f} s)")
    return bad == 0


if __name__ == "__main__":
    main()
