"""An exchange behind a real HTTP server, for clients that are not asynchronous or not Python."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from entrepot.ports.exchange import Exchange
from entrepot.wire.asgi import asgi_app

PATIENCE = 10.0
"""Seconds within which the server must have started."""


@contextmanager
def serving(exchange: Exchange) -> Iterator[str]:
    """Serve it on the loopback from a thread of its own; gives the base URL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(asgi_app(exchange), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        give_up = time.monotonic() + PATIENCE
        try:
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                assert time.monotonic() < give_up, "the server did not start in time"
                time.sleep(0.005)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()
