"""A client that sends any octets, and reads what comes back as HTTP/1.1 responses."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

SECONDS_MAX = 30.0
_ENDED_SECONDS_MAX = 5.0
"""How long is waited for a connection's end, when it is not sure to come."""


@dataclass
class Answer:
    """A response, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """Of the fault it tells, over REST or JSON-RPC; "" when it tells none."""
        if not self.headers.get("content-type", "").endswith("json"):
            return ""
        told = self.json()
        error = told.get("error", told) if isinstance(told, dict) else {}
        return str(error.get("data", error).get("kind", "")) if isinstance(error, dict) else ""

    @property
    def places(self) -> list[str]:
        """The pointers of the fault's issues."""
        told = self.json()
        return [issue["pointer"] for issue in told.get("errors") or told["error"]["data"].get("errors", ())]


class RawClient:
    """Opens a connection for each use."""

    def __init__(self, port: int) -> None:
        self.port = port

    def connect(self, seconds: float = SECONDS_MAX) -> socket.socket:
        """A connection whose every read and write takes at most so long."""
        return socket.create_connection(("127.0.0.1", self.port), seconds)

    def send(self, *pieces: bytes, method: str = "GET") -> Answer:
        """Send the pieces, and give the first response.

        That the server answers and closes before it has everything is no error.
        """
        with self.connect() as connection:
            with suppress(ConnectionError):
                for piece in pieces:
                    connection.sendall(piece)
            return read_answer(connection, method)

    def send_all(self, octets: bytes) -> list[Answer]:
        """Send octets of which the last request ends the connection, and give every response until it is ended."""
        with self.connect(_ENDED_SECONDS_MAX) as connection:
            connection.sendall(octets)
            received = b"".join(iter(lambda: _received(connection), b""))
        return list(_answers_in(received))

    def request(
        self, method: str, path: str, body: object = b"", *headers: str, content_type: str = "application/json"
    ) -> Answer:
        """One well-formed request; what is no bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send(head(method, path, content, *headers, content_type=content_type) + content, method=method)

    def rpc(self, method: str, params: object = b"{}") -> Answer:
        """One JSON-RPC call. `params` as bytes are taken for JSON text."""
        text = params if isinstance(params, bytes) else json.dumps(params).encode()
        call = b'{"jsonrpc":"2.0","id":1,"method":"%b","params":%b}' % (method.encode(), text)
        return self.request("POST", "/jsonrpc", call)


def head(method: str, path: str, content: bytes, *headers: str, content_type: str = "application/json") -> bytes:
    """The head of a request with this body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: attacked.test", "Connection: close"]
    if content or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(content)}")
        lines += [f"Content-Type: {content_type}"] if content_type else []
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1")


def chunked(method: str, path: str, *headers: str, content_type: str = "application/json") -> bytes:
    """The head of a request whose body comes in chunks."""
    lines = [f"{method} {path} HTTP/1.1", "Host: attacked.test", "Connection: close", "Transfer-Encoding: chunked"]
    return "\r\n".join([*lines, f"Content-Type: {content_type}", *headers, "", ""]).encode("latin-1")


def chunks(pieces: Iterable[bytes]) -> Iterable[bytes]:
    """The pieces as a chunked body, its end included."""
    for piece in pieces:
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def read_answer(connection: socket.socket, method: str = "GET") -> Answer:
    """The next response; one that breaks off has the body that came."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    try:
        body = response.read()
    except http.client.IncompleteRead as broken:
        body = broken.partial
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def _answers_in(octets: bytes) -> Iterator[Answer]:
    """The responses, each of which says its length."""
    while octets:
        first, _, octets = octets.partition(b"\r\n\r\n")
        status, *lines = first.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        yield Answer(int(status.split()[1]), headers, octets[:length])
        octets = octets[length:]


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except (ConnectionError, TimeoutError):
        return b""
