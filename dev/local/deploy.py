"""Deploys the project's own template.yaml to the local AWS, as `sam deploy` would to a real one.

SAM CLI takes long to install, so its part (package, deploy, wait) is done here.
What the emulator leaves out of a template, the HTTP API's routes, is added; published versions are
left out. docs/local.md lists what this doesn't check.
"""

import hashlib
import json
import os
import platform
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

import binaries
from venv import ROOT

STACK_NAME = "calendly-local"
BUCKET = "local-packages"
DEADLINE_SECONDS = 120


class Failed(Exception):
    """The deployment failed; the message says why."""


def client(service: str, endpoint: str):
    """A client of the local AWS that doesn't hide a fault behind retries."""
    settings = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
    return boto3.client(service, endpoint_url=endpoint, config=settings)


def deploy(endpoint: str, programs: dict, ours: dict) -> dict:
    """Packages and deploys with our own parameters; answers {"outputs": {…}, "resources": {logical id: physical id}}."""
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    _without_versions(template)
    with_routes = json.loads(json.dumps(template))
    s3 = client("s3", endpoint)
    s3.create_bucket(Bucket=BUCKET)
    _package(template, programs, s3)
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template).encode())

    stacks = client("cloudformation", endpoint)
    _apply(stacks, f"{endpoint}/{BUCKET}/template.json", _parameters(template, ours))
    resources = {
        item["LogicalResourceId"]: item["PhysicalResourceId"]
        for page in stacks.get_paginator("list_stack_resources").paginate(StackName=STACK_NAME)
        for item in page["StackResourceSummaries"]
    }
    _make_routes(with_routes, resources, endpoint)
    described = stacks.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    outputs = {out["OutputKey"]: out["OutputValue"] for out in described.get("Outputs", [])}
    return {"outputs": outputs, "resources": resources}


def functions(template: dict):
    """Logical id and properties of each function of a template, with its program's name."""
    for logical_id, resource in template["Resources"].items():
        if resource.get("Type") == "AWS::Serverless::Function":
            build = (resource.get("Metadata") or {}).get("BuildProperties") or {}
            yield logical_id, resource["Properties"], build.get("Binary")


def _without_versions(template: dict) -> None:
    # A published version never changes, and takes over by CodeDeploy, which isn't here. Tests change
    # a function's variables while it runs, and see what it does then: so here callers reach the
    # function itself, as they reach the alias on AWS.
    everywhere = template.get("Globals", {}).get("Function", {})
    for properties in (everywhere, *(properties for _, properties, _ in functions(template))):
        properties.pop("AutoPublishAlias", None)
        properties.pop("DeploymentPreference", None)


def _package(template: dict, programs: dict, s3) -> None:
    uploaded = {}
    for logical_id, properties, program in functions(template):
        if program not in programs:
            raise Failed(
                f"{logical_id} wants the program {program!r} (Metadata.BuildProperties.Binary), "
                f"and there is {', '.join(sorted(programs)) or 'none'}."
            )
        if program not in uploaded:
            package = binaries.pack(programs[program])
            uploaded[program] = f"{program}-{hashlib.sha256(package).hexdigest()[:16]}.zip"
            s3.put_object(Bucket=BUCKET, Key=uploaded[program], Body=package)
        properties["CodeUri"] = {"Bucket": BUCKET, "Key": uploaded[program]}


def _parameters(template: dict, ours: dict) -> list:
    """The host's architecture, RETRY_SCHEDULE, ours, and PARAM_<Name>; defaults for the rest."""
    arm = platform.machine().lower() in ("arm64", "aarch64")
    values = {"Architecture": "arm64" if arm else "x86_64", **ours}
    if os.environ.get("RETRY_SCHEDULE"):
        values["RetrySchedule"] = os.environ["RETRY_SCHEDULE"]
    declared = template.get("Parameters") or {}
    for name, value in os.environ.items():
        if name.startswith("PARAM_"):
            values[name[len("PARAM_"):]] = value
    unknown = sorted(set(values) - set(declared) - {"Architecture", "RetrySchedule"})
    if unknown:
        raise Failed(
            f"template.yaml has no parameter {', '.join(unknown)}; it has {', '.join(declared)}."
        )
    return [
        {"ParameterKey": name, "ParameterValue": value}
        for name, value in values.items()
        if name in declared
    ]


def _apply(stacks, template_url: str, parameters: list) -> None:
    request = {
        "StackName": STACK_NAME,
        "TemplateURL": template_url,
        "Parameters": parameters,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    try:
        stacks.create_stack(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise Failed(error.response["Error"]["Message"]) from None
        try:
            stacks.update_stack(**request)
        except ClientError as refused:
            if "No updates are to be performed" in str(refused):
                return
            raise Failed(refused.response["Error"]["Message"]) from None

    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        stack = stacks.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        status = stack["StackStatus"]
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return
        if not status.endswith("_IN_PROGRESS"):
            raise Failed(f"The stack is {status}:\n{_reasons(stacks, stack)}")
        if time.monotonic() > deadline:
            raise Failed(f"The stack is still {status} after {DEADLINE_SECONDS} s.")
        time.sleep(0.05)


def _reasons(stacks, stack: dict) -> str:
    events = stacks.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
    reasons = [
        f"  {event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason")
    ]
    return "\n".join(reasons) or f"  {stack.get('StackStatusReason', 'no reason was given')}"


def _make_routes(template: dict, resources: dict, endpoint: str) -> None:
    # The emulator ignores the OpenAPI body that SAM makes of the HttpApi events; an API that
    # is put together call by call works. Routes of an earlier deployment go first.
    apis = client("apigatewayv2", endpoint)
    emptied = set()
    for logical_id, properties, _ in functions(template):
        integration = {}
        for event in (properties.get("Events") or {}).values():
            if event["Type"] != "HttpApi":
                continue
            wanted = event.get("Properties") or {}
            reference = wanted.get("ApiId") or {"Ref": "ServerlessHttpApi"}
            api = resources[reference["Ref"]] if isinstance(reference, dict) else reference
            if api not in emptied:
                emptied.add(api)
                for old in apis.get_routes(ApiId=api)["Items"]:
                    apis.delete_route(ApiId=api, RouteId=old["RouteId"])
                for old in apis.get_integrations(ApiId=api)["Items"]:
                    apis.delete_integration(ApiId=api, IntegrationId=old["IntegrationId"])
            if api not in integration:
                integration[api] = apis.create_integration(
                    ApiId=api,
                    IntegrationType="AWS_PROXY",
                    IntegrationUri=(
                        "arn:aws:lambda:us-east-1:000000000000:function:" + resources[logical_id]
                    ),
                    PayloadFormatVersion="2.0",
                )["IntegrationId"]
            apis.create_route(
                ApiId=api,
                RouteKey=route_key(wanted),
                Target=f"integrations/{integration[api]}",
            )


def route_key(wanted: dict) -> str:
    """An HttpApi event's properties as a route: `GET /v1/events`, `ANY /x/{proxy+}`, `$default`."""
    path = wanted.get("Path", "$default")
    if path == "$default":
        return path
    method = wanted.get("Method", "ANY").upper()
    return f"{'ANY' if method == 'X-AMAZON-APIGATEWAY-ANY-METHOD' else method} {path}"
