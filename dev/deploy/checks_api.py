"""Questions about the HTTP API: what API Gateway made of the template, and what comes through it."""

import hashlib
import hmac
import json
import re
import uuid

from look import CANT_TELL, FAIL, PASS, Answer, Check
from trouble import Trouble

# Of template.yaml's Format; a request to a route of ours has a value for each.
FIELDS = ("requestId", "time", "route", "status", "latencyMs", "integrationLatencyMs", "integrationStatus", "responseBytes")
# What no line of the access log may hold: addresses, paths and queries of callers.
PERSONAL = re.compile(r"check-deploy|\b\d{1,3}(\.\d{1,3}){3}\b|\?")


def health(look) -> Answer:
    status, _, body = look.send("GET", "/v1/health")
    if status == 200 and isinstance(body, dict):
        return Answer(PASS, f"version {body.get('version')} at {look.url}")
    return Answer(FAIL, f"HTTP {status}: {body}", "look at the api function's log; a domain may take some minutes until its record is known")


def warnings(look) -> Answer:
    """P1: what the importer of OpenAPI did not like."""
    told = look.client("apigatewayv2").get_api(ApiId=look.physical("HttpApi"))
    found = [*told.get("Warnings", []), *told.get("ImportInfo", [])]
    if found:
        return Answer(FAIL, " | ".join(found)[:300], "see whether a route is missing below; if none is, the warnings are harmless: please report them")
    return Answer(PASS, "API Gateway took the document as it is")


def _routes(look) -> set:
    pages = look.client("apigatewayv2").get_paginator("get_routes").paginate(ApiId=look.physical("HttpApi"))
    return {one["RouteKey"] for page in pages for one in page["Items"]}


def routes(look) -> Answer:
    status, _, document = look.send("GET", "/v1/openapi.json")
    if status != 200 or not isinstance(document, dict):
        return Answer(FAIL, f"/v1/openapi.json answers HTTP {status}", "look at the api function's log")
    shape = lambda key: re.sub(r"\{[^}]*\}", "{}", key)
    promised = {
        shape(f"{method.upper()} {path}") for path, one in document["paths"].items() for method in one
        if method in ("get", "post", "put", "patch", "delete")
    }
    missing = sorted(promised - {shape(key) for key in _routes(look)})
    if missing:
        return Answer(FAIL, f"no route for {', '.join(missing)}", "read the warnings above; deploy again")
    return Answer(PASS, f"all {len(promised)} operations of /v1/openapi.json")


def settings(look) -> Answer:
    """C15: settings of a route that is gone make the next update fail."""
    api, known, left = look.physical("HttpApi"), _routes(look), []
    for stage in look.client("apigatewayv2").get_stages(ApiId=api)["Items"]:
        left += [(stage["StageName"], key) for key in stage.get("RouteSettings", {}) if key not in known]
    if left:
        stage, key = left[0]
        return Answer(
            FAIL, f"settings are left of {', '.join(key for _, key in left)}",
            f"aws apigatewayv2 delete-route-settings --api-id {api} --stage-name '{stage}' --route-key '{key}'",
        )
    return Answer(PASS, "none is left of routes that are gone")


def raw_characters(look) -> Answer:
    """T2: does API Gateway hand on what no browser sends, and does the function stand it?"""
    seen = {}
    for target in ('/v1/health?a="', "/v1/health?a=<b>", "/v1/auth/callback?state=\"&code=<>", "/v1/health/%3F%22"):
        status, headers, body = look.send("GET", target)
        who = "the function" if headers.get("x-tracking-id") else "API Gateway"
        seen[target] = (status, who)
        if status >= 500:
            return Answer(FAIL, f"GET {target} answers {status} ({who}): {body}", "look for a panic in the function's log, and report it")
    return Answer(PASS, ", ".join(f"{target} → {status} by {who}" for target, (status, who) in seen.items()))


def forged(look) -> Answer:
    headers = {"content-type": "application/json", "calendly-webhook-signature": "t=1,v1=00"}
    status, _, body = look.send("POST", "/v1/webhooks/calendly", b"{}", headers)
    code = body.get("code") if isinstance(body, dict) else body
    if (status, code) == (401, "INVALID_SIGNATURE"):
        return Answer(PASS, "401 INVALID_SIGNATURE: the function reads its signing key")
    if code == "SIGNING_KEY_UNAVAILABLE":
        return Answer(FAIL, f"{status} {code}", "see whether the secret CalendlySecretArn has a signingKey, and whether the role may use its KMS key")
    return Answer(FAIL, f"{status} {code}", "look at the webhook function's log")


def signed(look) -> Answer:
    secret = look.client("secretsmanager").get_secret_value(SecretId=look.outputs["CalendlySecretArn"])["SecretString"]
    key = json.loads(secret).get("signingKey", "")
    now = int(look.desk.clock.utc().timestamp())
    # An event that nothing here handles: it is logged, and no booking comes of it.
    body = json.dumps({"event": "check.deploy", "created_at": "2027-01-01T00:00:00Z", "payload": {"id": str(uuid.uuid4())}}).encode()
    signature = hmac.new(key.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "calendly-webhook-signature": f"t={now},v1={signature}"}
    status, _, answer = look.send("POST", "/v1/webhooks/calendly", body, headers)
    if status == 200 and isinstance(answer, dict) and answer.get("ignored"):
        return Answer(PASS, f"logged as ignored, delivery {str(answer.get('deliveryId'))[:12]}…")
    return Answer(FAIL, f"HTTP {status}: {answer}", "look at the webhook function's log for the tracking id")


def sync(look) -> Answer:
    api = look.desk.account.api({"read", "operate"}, "check-deploy", look.desk.clock, look.desk.screen.passing)
    id_ = api.post("/v1/sync", {})["syncId"]
    over = lambda: (told := api.get_one("/v1/sync", id_))["state"] in ("done", "failed") and told
    told = look.until(over, "the sync")
    if not told:
        return Answer(FAIL, "the sync is not over", f"{look.desk.account.make('sync', ID=id_)}; look at the sync function's log")
    if told["state"] == "failed":
        return Answer(FAIL, "; ".join(told.get("errors", [])) or "failed", look.desk.account.make("status"))
    return Answer(PASS, f"done: {told.get('finished')} of {told.get('connections')} connections")


def access_log(look) -> Answer:
    logs = look.client("logs")
    group = f"/aws/vendedlogs/{look.stack}/http-api"
    if not look.requests:
        return Answer(CANT_TELL, "API Gateway gave our requests no id", "is something else in front of it?")
    wanted = look.requests[0]
    began = int(look.desk.clock.utc().timestamp() * 1000) - 900_000

    def line():
        found = logs.filter_log_events(logGroupName=group, startTime=began, filterPattern=f'"{wanted}"')["events"]
        return found and found[0]["message"]

    text = look.until(line, "the access log")
    if not text:
        return Answer(FAIL, f"no line for the request {wanted} in {group}", "see whether logs:CreateLogDelivery was refused when the stage was made")
    try:
        found = json.loads(text)
    except ValueError:
        return Answer(FAIL, "a line of the access log is no JSON", "report it; a field may hold a quote")
    empty = [name for name in FIELDS if found.get(name) in (None, "", "-")]
    if empty:
        return Answer(FAIL, f"nothing in {', '.join(empty)}", "report it: a $context variable is not what its name says")
    if PERSONAL.search(text):
        return Answer(FAIL, "a line holds something of the caller", "report it, and take the field out of the Format")
    return Answer(PASS, f"{len(found)} fields, nobody's data")


CHECKS = (
    Check("Does the API answer?", health),
    Check("Did API Gateway take every route without a warning?", warnings, only_aws=True),
    Check("Is every promised operation routed?", routes),
    Check("Are there settings of routes that are gone?", settings, only_aws=True),
    Check("Does a raw \" < or > in a query do harm?", raw_characters),
    Check("Is a forged webhook refused, for the right reason?", forged),
    Check("Is a signed webhook accepted and logged?", signed, sends=True),
    Check("Does a sync come to its end?", sync, sends=True),
    Check("Does the access log have its fields?", access_log, only_aws=True),
)
