"""A request's body, read to its end before a thread is taken for it.

A thread that reads from a slow caller is a thread that nobody else has: a few dozen such callers
could keep an application from everybody.
"""

from __future__ import annotations

from tempfile import SpooledTemporaryFile

from entrepot.model.faults import TooLarge
from entrepot.wire.asgi import Receive

_MEMORY_MAX = 64 * 1024
"""Octets of a body that are held in memory; a longer one goes into a file."""
_CHUNK = 64 * 1024


class Spool:
    """One body, to be closed when the request is answered."""

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._file = SpooledTemporaryFile(max_size=_MEMORY_MAX)  # noqa: SIM115  (closed by `close`)

    async def fill(self, receive: Receive) -> bool:
        """Read the body to its end; False when the caller left amid it.

        Raises `TooLarge` for a body of more than `size_max` octets.
        """
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return False
            self._file.write(message.get("body", b""))
            if self._file.tell() > self._size_max:
                raise TooLarge(f"the body is longer than {self._size_max} bytes")
            more = message.get("more_body", False)
        self._file.seek(0)
        return True

    def replayed(self, receive: Receive) -> Receive:
        """A `receive` that gives the body without waiting, and then what else comes."""
        ended = False

        async def again() -> dict[str, object]:
            nonlocal ended
            if ended:
                return dict(await receive())
            chunk = self._file.read(_CHUNK)
            ended = len(chunk) < _CHUNK
            return {"type": "http.request", "body": chunk, "more_body": not ended}

        return again

    def close(self) -> None:
        """Forget the body."""
        self._file.close()
