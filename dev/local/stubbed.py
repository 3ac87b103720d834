"""For the tests: AWS as botocore's Stubber has it, which holds each call and answer against AWS's own models."""

import boto3
from botocore.stub import Stubber


class Aws:
    """Clients by service, each of which knows what it will be asked and what it answers."""

    def __init__(self) -> None:
        self.stubs: dict[str, Stubber] = {}
        self.clients: dict[str, object] = {}

    def client(self, service: str):
        """The one client of a service."""
        if service not in self.clients:
            made = boto3.client(service, region_name="eu-central-1", aws_access_key_id="none", aws_secret_access_key="none")
            self.clients[service] = made
            self.stubs[service] = Stubber(made)
            self.stubs[service].activate()
        return self.clients[service]

    def answer(self, service: str, operation: str, answer: dict, asked: dict | None = None) -> None:
        """The next call of a service is this one, and answered so."""
        self.client(service)
        self.stubs[service].add_response(operation, answer, asked)

    def refuse(self, service: str, operation: str, code: str, message: str = "", asked: dict | None = None) -> None:
        """The next call of a service is this one, and refused so."""
        self.client(service)
        self.stubs[service].add_client_error(operation, code, message, expected_params=asked)

    def all_asked(self) -> None:
        """Everything that was to be asked was."""
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()
