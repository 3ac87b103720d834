"""Runs every sample of events/ through `sam local invoke` and checks the answers: `make sam-local`.

It needs the functions that `sam build` made, the local stack of `make dev` (tables, queues and
secrets are there), and a container engine. Without an engine it says how to have one, and leaves.
Each sample is signed again with the stack's key and the present time; events/expected.json tells
what its answer must hold.
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

import venv
from make_events import ANY_LIST
from samples import (
    EVENTS,
    FUNCTIONS,
    ROOT,
    aws_environment,
    function_environment,
    prepare,
    read_expected,
    running_stack,
)

BUILT = ROOT / ".aws-sam" / "build"
WORK = ROOT / ".local" / "sam-local"
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
The same samples run without containers: make invoke FUNCTION=webhook EVENT=events/webhook/created.json"""

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
    how = f"build them first: sam build --parameter-overrides Architecture={name}"
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


def for_containers(stack: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """How a container reaches the stack, which listens on 127.0.0.1 only."""
    if sys.platform.startswith("linux"):
        return stack, ["--docker-network", "host"]
    # Docker runs in a virtual machine there, and gives the host this name.
    renamed = {
        name: re.sub(r"//(127\.0\.0\.1|localhost)\b", "//host.docker.internal", value)
        for name, value in stack.items()
    }
    return renamed, []


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


def answer_of(output: str) -> object:
    """The function's answer: the last line that SAM writes to its standard output."""
    lines = [line for line in output.splitlines() if line.strip()]
    try:
        return json.loads(lines[-1])
    except (IndexError, ValueError):
        return None


def summary(answer: object) -> str:
    if isinstance(answer, dict) and "statusCode" in answer:
        try:
            body = json.loads(answer.get("body") or "{}")
        except ValueError:
            body = {}
        word = body.get("code") or next((name for name in ("duplicate", "ignored") if body.get(name) is True), "")
        return f"{answer['statusCode']} {word}".strip()
    return json.dumps(answer)[:40]


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs the samples of events/ through `sam local invoke`.")
    parser.add_argument("--only", default="", metavar="TEXT", help="only samples whose name holds this, e.g. webhook/")
    only = parser.parse_args().only

    docker = engine()
    if docker is None:
        print(NO_ENGINE)
        return
    bin_dir = venv.ensure("venv-sam", "requirements-sam.txt")
    if Path(sys.prefix).absolute() != bin_dir.parent.absolute():
        os.execv(bin_dir / "python", [str(bin_dir / "python"), *sys.argv])

    architecture = check_build()
    stack, network = for_containers(running_stack())
    template = local_template(stack)
    WORK.mkdir(parents=True, exist_ok=True)
    variables = WORK / "env.json"
    variables.write_text(
        json.dumps(
            {
                function.logical_id: {
                    **function_environment(name, stack),
                    "AWS_ENDPOINT_URL": stack["AWS_ENDPOINT_URL"],
                }
                for name, function in FUNCTIONS.items()
            },
            indent=2,
        ),
        encoding="utf-8",
    )
    # Only what the tools need: SAM takes a template's variables from it too.
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "TMPDIR", "LANG") if name in os.environ},
        **docker,
        **aws_environment(stack),
        "SAM_CLI_TELEMETRY": "0",
        "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}",
    }
    command = [
        str(bin_dir / "sam"), "local", "invoke", "--template", str(template), "--env-vars", str(variables),
        "--parameter-overrides", f"Architecture={architecture}", *network,
    ]
    if has_image(environment):
        command += ["--invoke-image", ENGINE_IMAGE, "--skip-pull-image"]

    samples = {name: expected for name, expected in read_expected().items() if only in name}
    if not samples:
        sys.exit(f"No sample's name holds {only!r}.")
    width = max(map(len, samples))
    print(f"{'sample':<{width}}  {'answer':<28} {'s':>5}")
    good = 0
    began = time.monotonic()
    for name, expected in samples.items():
        event = json.loads((EVENTS / name).read_text(encoding="utf-8"))
        event = prepare(
            event, expected.get("sign", "valid"), stack["CALENDLY_SIGNING_KEY"], stack["API_KEY"], int(time.time())
        )
        start = time.monotonic()
        done = run(command, FUNCTIONS[expected["function"]].logical_id, event, environment)
        took = time.monotonic() - start
        answer = answer_of(done.stdout)
        wrong = check(expected, answer)
        good += not wrong
        print(f"{name:<{width}}  {summary(answer):<28} {took:5.1f}  {'ok' if not wrong else 'WRONG'}", flush=True)
        for text in wrong:
            print(f"  {text}")
        if wrong:
            log = WORK / (name.replace("/", "-").removesuffix(".json") + ".log")
            log.write_text(f"{done.stdout}\n{done.stderr}", encoding="utf-8")
            print(f"  all it wrote: {log.relative_to(ROOT)}")
    print(
        f"\n{len(samples)} samples: {good} as expected, {len(samples) - good} not "
        f"({time.monotonic() - began:.0f} s)"
    )
    sys.exit(0 if good == len(samples) else 1)


def run(command: list[str], logical_id: str, event: dict, environment: dict[str, str]) -> subprocess.CompletedProcess:
    """One invocation. SAM's runtime takes fixed ports of the host's network, so one at a time, and
    again when it met those of the one before."""
    file = WORK / "event.json"
    file.write_text(json.dumps(event, ensure_ascii=False), encoding="utf-8")
    for attempt in range(3):
        done = subprocess.run(
            [*command, logical_id, "--event", str(file)], env=environment, cwd=ROOT,
            capture_output=True, text=True, check=False,
        )
        if done.stdout.strip() or attempt == 2:
            break
        time.sleep(1)
    return done


if __name__ == "__main__":
    main()
