"""One write for the head of a response and what follows it.

uvicorn writes head and body one after the other, and each write is a system call of its own: a
tenth of what a small answer costs. So the head waits for the next write. An application that
begins a response and has nothing of its body yet sends an empty piece of it, which lets the head go.
"""

from __future__ import annotations

import asyncio
from typing import Any

from entrepot.runtime.typed_refusals import TypedRefusals

_JOINED_BYTES_MAX = 64 * 1024
"""Copying a longer body costs more than a second write."""
_CONTINUE = b"HTTP/1.1 100 "
"""How an interim response begins, which the caller waits for (RFC 9110, §15.2.1)."""


class JoiningProtocol(TypedRefusals):
    """uvicorn's protocol, writing through `JoinedWrites`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller has come."""
        self._joined = JoinedWrites(transport)
        super().connection_made(self._joined)  # type: ignore[arg-type]

    def on_response_complete(self) -> None:
        """Nothing follows any more, as after the head that is all of a response to HEAD."""
        self._joined.end_response()
        super().on_response_complete()


class JoinedWrites:
    """A transport that holds the head of each response until more is written. All else is the inner one's."""

    def __init__(self, inner: asyncio.Transport) -> None:
        self._inner = inner
        self._write = inner.write
        self._held = b""
        self._at_head = True
        # What is asked for with every request.
        self.is_closing = inner.is_closing

    def write(self, data: bytes) -> None:
        """Hold a head; send what comes next together with it, and all else at once."""
        held = self._held
        if held:
            self._held = b""
            if len(data) <= _JOINED_BYTES_MAX:
                data = held + data
            else:
                self._write(held)
        elif self._at_head and not data.startswith(_CONTINUE):
            self._at_head, self._held = False, data
            return
        self._write(data)

    def end_response(self) -> None:
        """Send what is held. What is written next is another response's head."""
        self._send_held()
        self._at_head = True

    def close(self) -> None:
        """Send what is held, and close."""
        self._send_held()
        self._inner.close()

    def _send_held(self) -> None:
        held, self._held = self._held, b""
        if held:
            self._write(held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
