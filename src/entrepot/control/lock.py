"""One supervisor for a project, held by a lock that ends with its holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HOLDER_BYTES_MAX = 1024


class AlreadyRunning(Exception):
    """Another supervisor holds the project's lock."""

    def __init__(self, holder: str, wanted: str) -> None:
        pid, _, served = holder.partition(" ")
        by = f"pid {pid}" if pid else "another process"
        message = f"the project is already running ({by}); use `entrepot apply` to bring changes live, or stop it first"
        if served != wanted:
            message = f"{served or 'something'} of this directory is already running ({by}), and a directory serves "
            message += f"one thing at a time; stop it first, or give {wanted} a directory of its own"
        super().__init__(message)


@contextmanager
def held(path: Path, serves: str) -> Iterator[None]:
    """Hold the lock while the body runs. Raises `AlreadyRunning` when somebody else does.

    `serves` names what of the project is served, for whoever finds the lock taken.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, _HOLDER_BYTES_MAX, 0).decode(errors="replace")
            raise AlreadyRunning(holder, serves) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()} {serves}".encode())
        yield
    finally:
        os.close(descriptor)
