"""HTTP/1.1 responses from octets, one at a time, without I/O (RFC 9112).

httptools (llhttp) reads strictly; what is decided here is where a body ends, how much may come
without any body, and that nothing after a response is taken for the next one.
"""

from __future__ import annotations

from typing import Any

import httptools

from entrepot.model.faults import UpstreamFailed
from entrepot.model.headers import Headers

HEAD_BYTES_MAX = 64 * 1024
"""Most octets of response heads, chunk framing or trailers without an octet of body among them."""

_CONNECTION_HEADERS = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding"))


class ResponseParser:
    """Takes octets; tells how far the response has come. `expect` makes it ready for the next one."""

    def __init__(self) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self.expect("GET")

    def expect(self, method: str) -> None:
        """Forget the last response; the next one answers a request with this method."""
        self._bodiless = method == "HEAD"
        self._chunked = False
        self._chunks: list[bytes] = []
        self._fruitless = 0
        self.status = 0
        self.headers: Headers = []
        """Without those that concern the connection only."""
        self.length: int | None = None
        """Of the body, as announced."""
        self.begun = False
        """An octet has come."""
        self.headed = False
        """The head is complete: status, headers and length are final."""
        self.complete = False
        self.keep_alive = False
        """Another response may follow this one."""

    @property
    def ends_with_connection(self) -> bool:
        """The body is as long as the connection lasts (RFC 9112, §6.3)."""
        return self.headed and self.length is None and not self._chunked

    def feed(self, data: bytes) -> None:
        """Read on. Raises `UpstreamFailed` on what is no response, unless the response is complete."""
        self.begun = True
        self._fruitless += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.keep_alive = False
            if not self.complete:
                cause = error.__context__
                reason = str(cause if isinstance(cause, UpstreamFailed) else error)
                raise UpstreamFailed(f"the answer is not as HTTP/1.1 wants it: {reason}") from None
        if self._fruitless > HEAD_BYTES_MAX and not self.complete:
            raise UpstreamFailed(f"the answer holds more than {HEAD_BYTES_MAX} octets of headers or framing")

    def take(self) -> bytes:
        """The octets of the body that have come since the last time."""
        data = b"".join(self._chunks)
        self._chunks.clear()
        return data

    # What httptools calls

    def on_message_begin(self) -> None:
        if self.complete:
            raise UpstreamFailed("a second answer follows the first")
        self.headers = []
        self.length = None
        self._chunked = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.headed:
            return  # a trailer
        name = name.lower()
        if name == b"content-length":
            self.length = int(value)
        elif name == b"transfer-encoding":
            if value.lower() != b"chunked":
                raise UpstreamFailed("its transfer coding is not chunked")
            self._chunked = True
        if name not in _CONNECTION_HEADERS:
            self.headers.append((name, value.rstrip()))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            return
        if not 200 <= status <= 599:
            raise UpstreamFailed(f"it has the status {status}, which was not asked for")
        self.status = status
        self.headed = True
        self.keep_alive = self._parser.should_keep_alive()
        if self._bodiless:
            self.complete = True
            # llhttp cannot be told, and would take what comes next for the body.
            self._parser = httptools.HttpResponseParser(self)

    def on_body(self, chunk: bytes) -> None:
        if self.complete or not self.headed:
            raise UpstreamFailed("it has a body where none may be")
        self._fruitless = 0
        self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        if self.headed:
            self.complete = True
