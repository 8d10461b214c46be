"""An answer on its way to a caller who may be slower than what answers."""

from __future__ import annotations

import asyncio
import logging

from entrepot.http.spool import Spool
from entrepot.wire.asgi import Message, Send

log = logging.getLogger("entrepot.runtime")

_BODY = "http.response.body"


class Outbound:
    """Takes an answer's messages as fast as they come, and sends what they hold as fast as the caller takes it.

    Between the two lie at most `unsent_max` octets, beyond `memory_max` of them in a file; what would be more waits.
    What is taken after the sending has failed is dropped.
    """

    def __init__(self, send: Send, memory_max: int, unsent_max: int) -> None:
        self._send = send
        self._memory_max, self._unsent_max = memory_max, unsent_max
        self._start: Message | None = None
        self._spool = Spool(memory_max)
        self._spooling = asyncio.Lock()
        self._unsent = 0
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._whole = self._ended = False
        self.is_lost = False
        """Whether what is taken goes nowhere any more."""

    async def take(self, message: Message) -> None:
        """The next message of the answer. It never raises: what answers could not be told from what failed."""
        if message["type"] != _BODY:
            self._start = message
        elif not self.is_lost:
            await self._keep(message.get("body", b""))
            self._whole = not self.is_lost and not message.get("more_body", False)
        self._news.set()

    def end(self) -> None:
        """No further message comes; what has been taken is still sent."""
        self._ended = True
        self._news.set()

    async def forward(self) -> None:
        """Send until the end, of the answer or of what came of it. Raises what sending raises."""
        try:
            over = False
            while not over:
                await self._news.wait()
                self._news.clear()
                over = self._whole or self._ended
                await self._send_on()
            if self._whole:
                await self._send({"type": _BODY, "body": b""})
        finally:
            self.is_lost = True
            self._room.set()

    async def _keep(self, data: bytes) -> None:
        while data and not self.is_lost:
            room = self._unsent_max - self._unsent
            if room <= 0:
                self._room.clear()
                await self._room.wait()
                continue
            piece, data = data[:room], data[room:]
            self._unsent += len(piece)
            try:
                async with self._spooling:
                    await self._spool.write(piece)
            except OSError:
                log.exception("an answer breaks off: no file can hold what its caller has not read yet")
                self.is_lost = True
            self._news.set()

    async def _send_on(self) -> None:
        """All that has been taken by now."""
        if self._start is not None:
            start, self._start = self._start, None
            await self._send(start)
        async with self._spooling:
            spool, self._spool = self._spool, Spool(self._memory_max)
        async for chunk in spool.read():
            await self._send({"type": _BODY, "body": chunk, "more_body": True})
            self._unsent -= len(chunk)
            self._room.set()
