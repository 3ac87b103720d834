"""The front door: `/v1/…` on the emulator's port is the deployed HTTP API.

The emulator serves an API under a path with the API's generated id. People and
Calendly want plain URLs, and a signature check needs the very bytes that were
sent, so the way from a request to a function's event (payload format 2.0) is
built here, as API Gateway does it: nothing decoded, unpacked or added on the way.
"""

import asyncio
import base64
import json
import logging
import os
import time
import uuid
from email.utils import formatdate
from urllib.parse import parse_qs

from ministack.core.concurrency import run_reentrant
from ministack.core.responses import request_scope
from ministack.services import apigateway, lambda_svc

PREFIX = "/v1"
MAX_BODY = 10 * 1024 * 1024  # API Gateway's
MAX_WAIT = 30.0  # API Gateway's
# These an HTTP server sets itself, whatever the function says.
NOT_PASSED = {"connection", "content-length", "date", "keep-alive", "transfer-encoding", "upgrade"}
log = logging.getLogger("http-api")


def front(emulator):
    """An ASGI application: the API for its paths, the emulator for all else."""

    async def application(scope, receive, send):
        if scope["type"] == "http" and is_ours(scope):
            await _serve(scope, receive, send)
        else:
            await emulator(scope, receive, send)

    return application


def is_ours(scope) -> bool:
    """Whether a request is for the HTTP API."""
    path = scope["path"]
    if path != PREFIX and not path.startswith(PREFIX + "/"):
        return False
    # A few AWS services have paths like this too; their requests are signed.
    return not any(
        name == b"authorization" and value.startswith(b"AWS4-") for name, value in scope["headers"]
    )


async def _serve(scope, receive, send) -> None:
    body = await _read(receive)
    if body is None:
        return
    if len(body) > MAX_BODY:
        status, headers, answer = _message(413, "Request Too Long")
    else:
        try:
            status, headers, answer = await _answer(scope, body)
        except Exception:
            log.exception("%s %s", scope["method"], scope["path"])
            status, headers, answer = _message(500, "Internal Server Error")
    headers.append((b"content-length", str(len(answer)).encode()))
    headers.append((b"date", formatdate(usegmt=True).encode()))
    headers.append((b"apigw-requestid", base64.b64encode(os.urandom(11))))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def _read(receive):
    chunks = []
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return None  # the client has gone
        chunks.append(event.get("body", b""))
        if not event.get("more_body"):
            return b"".join(chunks)


async def _answer(scope, body):
    found = _api()
    if found is None:
        return _message(503, "No API is deployed yet")
    account, region, api_id = found
    with request_scope(account, region):
        raw_path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        path = apigateway.decode_http_api_path(raw_path)
        route = apigateway._match_route(api_id, scope["method"], path)
        if route is None:
            return _message(404, "Not Found")
        event = _event(scope, body, api_id, account, path, route["routeKey"])
        integration = apigateway._integrations[api_id][route["target"].rsplit("/", 1)[-1]]
        arn = apigateway._extract_lambda_ref_from_integration_uri(integration["integrationUri"])
        function, config, _ = lambda_svc._get_func_record_for_ref_in_scope(
            arn, account_id=account, region=region
        )
        if function is None:
            return _message(500, "Internal Server Error")
        record = lambda_svc._execution_record_for_config(function, config)
        running = asyncio.ensure_future(
            run_reentrant(lambda_svc._execute_function_with_config_scope, record, event)
        )
        done, _ = await asyncio.wait({running}, timeout=MAX_WAIT)
    if not done:
        return _message(503, "Service Unavailable")
    result = running.result()
    if result.get("throttle"):
        return _message(503, "Service Unavailable")
    if result.get("error"):
        return _message(500, "Internal Server Error")
    return _response(result.get("body"))


def _api():
    for (account, region, api_id), api in list(apigateway._apis._data.items()):
        if api.get("protocolType") == "HTTP" and apigateway._routes._data.get(
            (account, region, api_id)
        ):
            return account, region, api_id
    return None


def _event(scope, body, api_id, account, path, route_key) -> dict:
    client = (scope.get("client") or ("127.0.0.1",))[0]
    headers, cookies = _headers(scope["headers"], client)
    headers["x-forwarded-port"] = str((scope.get("server") or ("", ""))[1])
    query = scope.get("query_string", b"").decode("latin-1")
    now = time.time()
    event = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": account,
            "apiId": api_id,
            "domainName": headers.get("host", ""),
            "domainPrefix": api_id,
            "http": {
                "method": scope["method"],
                "path": path,
                "protocol": f"HTTP/{scope.get('http_version', '1.1')}",
                "sourceIp": client,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": route_key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    # What a request doesn't have is left out, not null.
    if cookies:
        event["cookies"] = cookies
    if query:
        pairs = parse_qs(query, keep_blank_values=True)
        event["queryStringParameters"] = {name: ",".join(values) for name, values in pairs.items()}
    if " " in route_key:
        parameters = apigateway._extract_path_params(route_key.split(" ", 1)[1], path)
        if parameters:
            event["pathParameters"] = parameters
    if body:
        event["body"], event["isBase64Encoded"] = _body(body, headers.get("content-type"))
    return event


def _headers(raw, client):
    """Names in lower case, repeated ones joined by commas, cookies apart."""
    headers, cookies = {}, []
    for name, value in raw:
        name, value = name.decode("latin-1").lower(), value.decode("latin-1")
        if name == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";")]
        else:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    forwarded = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{forwarded}, {client}" if forwarded else client
    headers["x-forwarded-proto"] = "http"
    headers.setdefault("x-amzn-trace-id", f"Root=1-{int(time.time()):08x}-{os.urandom(12).hex()}")
    return headers, cookies


def _body(body, content_type):
    """Text for a few text types, Base64 for all others and for what isn't UTF-8."""
    if apigateway._v2_request_body_is_text(content_type):
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode("ascii"), True


def _response(answer):
    if not (isinstance(answer, dict) and "statusCode" in answer):
        # API Gateway's inferred response: whatever the function returned, as JSON.
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return 200, [(b"content-type", b"application/json")], text.encode()
    headers = []
    for name, value in (answer.get("headers") or {}).items():
        if name.lower() not in NOT_PASSED:
            headers.append((name.lower().encode("latin-1"), str(value).encode("latin-1")))
    for cookie in answer.get("cookies") or []:
        headers.append((b"set-cookie", cookie.encode("latin-1")))
    if not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"text/plain;charset=UTF-8"))
    body = answer.get("body") or ""
    if not isinstance(body, str):
        body = json.dumps(body)
    decoded = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    return int(answer["statusCode"]), headers, decoded


def _message(status, text):
    return status, [(b"content-type", b"application/json")], json.dumps({"message": text}).encode()
