"""The head of an HTTP/1.1 request as octets (RFC 9112, §3 and §5), with nothing smuggled in.

Framing belongs to the connection, so the caller's own hop-by-hop headers are left out, and a
name or value that could end its line is refused.
"""

from __future__ import annotations

import re
from functools import lru_cache

from entrepot.http.headers import content_length
from entrepot.model.faults import Invalid
from entrepot.model.headers import header
from entrepot.ports.exchange import Request

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET = re.compile(rb"[/*][\x21\x22\x24-\x7e]*")
_LINE_OCTETS = bytes(octet for octet in range(256) if octet >= 0x20 and octet != 0x7F) + b"\t"
"""What may stand in a line (RFC 9110, §5.5); what is left without them are the line ends."""
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect")
)
_BODY_EXPECTED = frozenset(("POST", "PUT", "PATCH"))


@lru_cache(maxsize=1024)
def _is_token(name: bytes) -> bool:
    return _TOKEN.fullmatch(name) is not None


def declared_length(request: Request) -> int | None:
    """The length that the caller announces for a streamed body; None when it announces none.

    Raises `Invalid` when it is not a number.
    """
    value = header(request.headers, b"content-length")
    if value is None:
        return None
    length = content_length(value)
    if length is None:
        raise Invalid("the content-length header is not a number of octets")
    return length


def encode(request: Request, host: bytes, length: int | None) -> bytes:
    """The head, up to and including its empty line.

    `host` is used when the request has no host header; `length` None sends the body in chunks.
    Raises `Invalid` on a method, target or header that cannot stand in a head.
    """
    lines = [_request_line(request)]
    hosted = False
    for name, value in request.headers:
        if name in _HOP_BY_HOP or name == b"content-length":
            continue
        if not _is_token(name):
            raise Invalid("a header has a name that is not a token (RFC 9110, §5.1)")
        hosted = hosted or name == b"host"
        lines.append(name + b": " + value)
    if not hosted:
        lines.append(b"host: " + host)
    if length is None:
        lines.append(b"transfer-encoding: chunked")
    elif length or request.method in _BODY_EXPECTED:
        lines.append(b"content-length: %d" % length)
    lines.append(b"\r\n")
    head = b"\r\n".join(lines)
    if head.translate(None, _LINE_OCTETS) != b"\r\n" * len(lines):
        raise Invalid(f"the header {_culprit(lines)} holds a line break or another control character")
    return head


def _request_line(request: Request) -> bytes:
    method = request.method.encode("latin-1", "replace")
    target = request.path + b"?" + request.query if request.query else request.path
    if not _is_token(method):
        raise Invalid("the method is not a token (RFC 9110, §9.1)")
    if not _TARGET.fullmatch(target):
        raise Invalid("the path or query holds an octet that must be percent-encoded")
    return method + b" " + target + b" HTTP/1.1"


def _culprit(lines: list[bytes]) -> str:
    """The name of the first header whose value would break its line; values may be secret."""
    broken = next(line for line in lines if line.translate(None, _LINE_OCTETS))
    return broken.partition(b":")[0].decode("latin-1")
