"""Lets containers reach the local stack, which listens on 127.0.0.1 only.

On Linux a container sees this machine at the address of Docker's bridge. While `Forwarder` runs, a
port of that address, which no other machine can reach, leads to the stack.
"""

import ipaddress
import json
import select
import socket
import socketserver
import subprocess
import threading


class Forwarder:
    """Takes connections at `host` and hands their bytes on to 127.0.0.1:`port`."""

    def __init__(self, host: str, port: int) -> None:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as other:
                    other.settimeout(None)
                    _relay(self.request, other)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *_args) -> None:
                pass  # A connection that broke; its two ends know.

        self._server = Server((host, 0), Handler)
        self.address = "{}:{}".format(*self._server.server_address[:2])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


def _relay(one: socket.socket, other: socket.socket) -> None:
    ways = {one: other, other: one}
    while ways:
        for source in select.select(list(ways), [], [])[0]:
            data = source.recv(65536)
            if data:
                ways[source].sendall(data)
                continue
            ways.pop(source).shutdown(socket.SHUT_WR)


def bridge_address(environment: dict[str, str]) -> str | None:
    """This machine's address on Docker's default bridge, or None where there is none."""
    command = ["docker", "network", "inspect", "bridge"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    try:
        pool = json.loads(done.stdout)[0]["IPAM"]["Config"][0]
        # Docker leaves the gateway out where it chose it itself: the first address.
        return pool.get("Gateway") or str(ipaddress.ip_network(pool["Subnet"])[1])
    except (ValueError, LookupError, TypeError):
        return None
