"""Listening sockets that the supervisor binds and hands to its children.

They stay open while a child starts or restarts, so that connections wait instead of failing.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

BACKLOG = 2048
"""Connections that may wait in one socket."""


class PortTaken(Exception):
    """The address is in use."""


def listen_unix(path: Path) -> socket.socket:
    """A listening Unix socket of mode 0600; a stale one at the same path is replaced."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(mask)
    listener.listen(BACKLOG)
    return listener


def is_listened_to(path: Path) -> bool:
    """Whether somebody takes connections on a Unix socket; a stale one is there and refuses."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


@contextmanager
def turned_away(listener: socket.socket) -> Iterator[None]:
    """Close what connects, and what waits to be taken. Needs a running event loop."""
    loop = asyncio.get_running_loop()
    listener.setblocking(False)
    loop.add_reader(listener, _turn_away, listener)
    try:
        yield
    finally:
        loop.remove_reader(listener)


def _turn_away(listener: socket.socket) -> None:
    with suppress(OSError):  # it may have left again
        listener.accept()[0].close()


def unlink(listener: socket.socket) -> None:
    """Take the name of a Unix socket away; who is connected or waiting stays so."""
    if listener.family == socket.AF_UNIX:
        Path(listener.getsockname()).unlink(missing_ok=True)


def listen_tcp(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises `PortTaken` when another process listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        option = "PORT= (make demo PORT=9000), which is its --port" if "MAKELEVEL" in os.environ else "--port"
        reason = os.strerror(error.errno or 0)
        raise PortTaken(f"cannot listen on {host}:{port}: {reason}; choose another with {option}") from error
    listener.listen(BACKLOG)
    return listener


def require_free(host: str, port: int) -> None:
    """Raise `PortTaken` when the port is in use.

    Envoy itself would share it in silence with another Envoy (SO_REUSEPORT), which would go on
    answering with its own release.
    """
    listen_tcp(host, port).close()
