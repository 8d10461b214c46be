"""HTTP/2 frame by frame, so that a test can send what no client would (RFC 9113, RFC 7541)."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS = 1, 4
CLOSED = -1
"""In the place of an error code: the connection was closed without one."""
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_STATUSES = {0x88: 200, 0x8C: 400, 0x8D: 404, 0x8E: 500}
"""Those of the static table (RFC 7541, appendix A), by the octet that a block of headers begins with."""
_SECONDS_MAX = 10.0


@dataclass
class Http2Answer:
    """What came back on the first stream."""

    status: int = 0
    """0 when there were no headers, or none with one of the usual statuses."""
    body: bytes = b""
    ended_by: list[int] = field(default_factory=list)
    """Error codes of frames that ended the stream or the connection before the answer was whole."""

    def json(self) -> Any:
        return json.loads(self.body)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame (RFC 9113, §4.1)."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def block(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Headers as literals that no table remembers (RFC 7541, §6.2.2)."""
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in headers)


def request_headers(method: bytes = b"GET", path: bytes = b"/", authority: bytes = b"edge.test") -> list[Any]:
    """The pseudo headers of a request."""
    return [(b":method", method), (b":scheme", b"http"), (b":path", path), (b":authority", authority)]


def send(port: int, headers: list[tuple[bytes, bytes]]) -> Http2Answer:
    """One request without a body on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS_MAX) as connection:
        begin = frame(HEADERS, END_STREAM | END_HEADERS, 1, block(headers))
        connection.sendall(_PREFACE + frame(SETTINGS, 0, 0) + begin)
        return _answer(connection)


def _answer(connection: socket.socket) -> Http2Answer:
    answer = Http2Answer()
    with connection.makefile("rb") as received:
        while head := received.read(9):
            length, kind, flags, stream = int.from_bytes(head[:3]), head[3], head[4], int.from_bytes(head[5:])
            payload = received.read(length)
            if kind == HEADERS:
                answer.status = _STATUSES.get(payload[0], 0)
            elif kind == DATA:
                answer.body += payload
            elif kind in (RST_STREAM, GOAWAY):
                answer.ended_by.append(int.from_bytes(payload[-4:] if kind == RST_STREAM else payload[4:8]))
                break
            if stream == 1 and kind in (DATA, HEADERS) and flags & END_STREAM:
                return answer
    answer.ended_by = answer.ended_by or [CLOSED]
    return answer


def _text(value: bytes) -> bytes:
    """A string, its length in the prefix of seven bits (RFC 7541, §5.1 and §5.2)."""
    if len(value) < 0x7F:
        return bytes([len(value)]) + value
    octets, left = [0x7F], len(value) - 0x7F
    while left >= 0x80:
        octets.append(left % 0x80 | 0x80)
        left //= 0x80
    return bytes([*octets, left]) + value
