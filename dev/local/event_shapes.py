"""The shapes of the sample events: an HTTP API request and an SQS record, as AWS hands them over."""

import hashlib
import uuid

from samples import SAMPLE_TIME

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:calendly-serverless-dev-webhook"


def http_event(name: str, method: str, path: str, route: str, query: str = "") -> dict:
    """An API Gateway HTTP API event, payload version 2.0."""
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "accept": "*/*",
            "host": "api.example.com",
            "user-agent": "curl/8.5.0",
            "x-amzn-trace-id": "Root=1-00000000-000000000000000000000000",
            "x-forwarded-for": "203.0.113.9",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.9",
                "userAgent": "curl/8.5.0",
            },
            "requestId": fixed_uuid(name),
            "routeKey": route,
            "stage": "$default",
            "time": "20/Nov/2026:09:15:01 +0000",
            "timeEpoch": SAMPLE_TIME * 1000,
        },
        "isBase64Encoded": False,
    }
    if query:
        pairs = (pair.partition("=") for pair in query.split("&"))
        event["queryStringParameters"] = {name: value for name, _, value in pairs}
    return event


def sqs_record(name: str, body: str, receives: int) -> dict:
    return {
        "messageId": fixed_uuid(name),
        "receiptHandle": f"sample-receipt-handle-{fixed_uuid(name)}",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(receives),
            "SentTimestamp": str(SAMPLE_TIME * 1000),
            "SenderId": "AROAEXAMPLEEXAMPLE000:calendly-serverless-dev-webhook",
            "ApproximateFirstReceiveTimestamp": str(SAMPLE_TIME * 1000 + 5),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": "us-east-1",
    }


def delivery_id(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def fixed_uuid(name: str) -> str:
    """A UUID that is the same in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://example.com/samples/{name}"))
