"""Files that are whole or not there, and no more of them than is asked for."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

_TEMPORARY = ".tmp"


def read_regular(path: Path, bytes_max: int) -> bytes:
    """A file's content, or one byte more than `bytes_max` of a longer one, by which its reader knows.

    Raises OSError, also for what is no regular file: a pipe would be waited for, a device may never end.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # or opening a pipe would wait already
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        return file.read(bytes_max + 1)


def replace_file(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Write a file of this mode in one step: temporary name, rename.

    `durable` syncs file and directory, so that the content survives the machine's end, not the
    process's alone. Raises OSError when the disk refuses; the former content then stands.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{_TEMPORARY}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        _sync(path.parent)


def write_together(directory: Path, contents: Mapping[str, bytes]) -> None:
    """Write files that are not there yet, by name, and return when all of them are safe on the disk.

    One after the other would cost a wait for each: the first sync takes most of the others along.
    Raises OSError when the disk refuses; what is there then is whole, if not safe.
    """
    new = [name for name in contents if not (directory / name).exists()]
    for name in new:
        replace_file(directory / name, contents[name], durable=False)
    for path in (*(directory / name for name in new), *([directory] if new else [])):
        _sync(path)


def sweep(directory: Path) -> None:
    """Remove what a process that was killed while it replaced a file here has left. Nobody may be at it."""
    for left in directory.glob(f".*{_TEMPORARY}"):
        left.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
