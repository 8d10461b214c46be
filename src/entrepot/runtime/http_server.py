"""uvicorn as a worker runs it: on an inherited socket, behind the edge, ended by a signal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any, Literal

import uvicorn

from entrepot.ir.worker import KEEP_ALIVE_SECONDS
from entrepot.runtime.whole_answers import AnsweringWhole

_STREAMS_SHARE = 0.9
"""When this share of the drain limit has passed, streams are told to end."""

_UNWINDING_SECONDS = 1.0
"""How long cancelled requests may take to clean up."""


class HttpServer(uvicorn.Server):
    """Serves until SIGTERM or SIGINT, then finishes what is in progress within the limit."""

    def __init__(
        self,
        app: Any,
        *,
        drain_seconds: float,
        end_streams: Callable[[], None] = lambda: None,
        lifespan: Literal["auto", "off"] = "off",
        trusts_edge: bool = False,
    ) -> None:
        """`trusts_edge` lets `X-Forwarded-Proto` and `-For` name the caller: the edge alone can set them."""
        super().__init__(
            uvicorn.Config(
                app,
                http=AnsweringWhole,
                ws="none",
                interface="asgi3",
                lifespan=lifespan,
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=trusts_edge,
                forwarded_allow_ips="*" if trusts_edge else None,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=max(1, round(drain_seconds)),
            )
        )
        self._drain_seconds = drain_seconds
        self._end_streams = end_streams

    async def run_on(self, fd: int) -> None:
        """Serve on the listening socket with this descriptor until told to stop."""
        await self.serve([socket.socket(fileno=fd)])
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_UNWINDING_SECONDS)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal, and end with exit code 0 rather than by the signal itself."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting; streams end by themselves, or are told to shortly before the limit."""
        loop = asyncio.get_running_loop()
        last_call = loop.call_later(self._drain_seconds * _STREAMS_SHARE, self._end_streams)
        try:
            await super().shutdown(sockets)
        finally:
            last_call.cancel()
