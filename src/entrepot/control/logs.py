"""Where the children's output goes: bounded files and, in `dev`, the terminal."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path

FILE_BYTES_MAX = 10 * 1024 * 1024
LINE_BYTES_MAX = 64 * 1024
"""A longer line is cut into several."""
TAIL_LINES_MAX = 20

FOLLOWED_BYTES_MAX = 64 * 1024
"""Most of another process's log that is shown at a time."""
FOLLOW_SECONDS = 0.1

Echo = Callable[[str, str], None]
"""Takes a source's name and one line."""


class LogFile:
    """A file that is moved aside when it is full, so that a log takes twice `FILE_BYTES_MAX` at most."""

    def __init__(self, path: Path, bytes_max: int = FILE_BYTES_MAX) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._file = path.open("ab", buffering=0)
        self._size = self._file.tell()

    def write(self, data: bytes) -> None:
        """Append; a full file becomes `<name>.1` first."""
        if self._size and self._size + len(data) > self._bytes_max:
            self._file.close()
            self._path.replace(_aside(self._path))
            self._file = self._path.open("wb", buffering=0)
            self._size = 0
        self._file.write(data)
        self._size += len(data)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def move_full_aside(files: Iterable[Path], bytes_max: int = FILE_BYTES_MAX) -> bool:
    """Move files that another process writes to `<name>.1` when they are full.

    True when that process must open its files again, because it still writes into one that was moved.
    """
    for file in files:
        if file.exists() and file.stat().st_size > bytes_max:
            file.replace(_aside(file))
    return any(_aside(file).exists() and not file.exists() for file in files)


def _aside(file: Path) -> Path:
    return file.with_name(f"{file.name}.1")


class Lines:
    """Cuts a stream of bytes into lines of a bounded length."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete with this data."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        while len(self._rest) > LINE_BYTES_MAX:
            lines.append(self._rest[:LINE_BYTES_MAX])
            self._rest = self._rest[LINE_BYTES_MAX:]
        return [line.decode(errors="replace") for line in lines]

    def end(self) -> list[str]:
        """What is left when the stream has ended."""
        rest, self._rest = self._rest, b""
        return [rest.decode(errors="replace")] if rest else []


class Follower:
    """What another process adds to a file, read bit by bit; the file may be moved aside meanwhile."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb") if path.exists() else None
        if self._file is not None:
            self._file.seek(0, os.SEEK_END)
        self._lines = Lines()

    def more(self) -> list[str]:
        """The lines that were added since the last time; of very many the last."""
        lines = self._rest()
        if self._was_replaced():
            self.close()
            self._file = self._path.open("rb")
            lines += self._rest()
        return lines

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()

    def _rest(self) -> list[str]:
        if self._file is None:
            return []
        behind = os.fstat(self._file.fileno()).st_size - self._file.tell()
        if behind > FOLLOWED_BYTES_MAX:
            self._file.seek(-FOLLOWED_BYTES_MAX, os.SEEK_END)
            self._file.readline()
            self._lines = Lines()
        return self._lines.feed(self._file.read(FOLLOWED_BYTES_MAX))

    def _was_replaced(self) -> bool:
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        return self._file is None or not os.path.samestat(there, os.fstat(self._file.fileno()))


class LogBook:
    """The log files of one running project, by the name of who writes."""

    def __init__(self, directory: Path, echo: Echo | None = None) -> None:
        self._directory = directory
        self._echo = echo
        self._files: dict[str, LogFile] = {}

    def write(self, source: str, lines: list[str]) -> None:
        """Keep the lines and show them.

        A full disk or a closed terminal must not stop what serves: the lines are then lost.
        """
        try:
            self._file(source).write("".join(f"{line}\n" for line in lines).encode())
        except OSError:
            self._files.pop(source, None)
        self._show(source, lines)

    async def follow(self, source: str, file: Path) -> None:
        """Show what another process writes into a file of its own, until cancelled."""
        if self._echo is None:
            return
        with closing(Follower(file)) as follower:
            try:
                while True:
                    self._show(source, follower.more())
                    await asyncio.sleep(FOLLOW_SECONDS)
            finally:
                self._show(source, follower.more())

    def _show(self, source: str, lines: list[str]) -> None:
        if self._echo is not None:
            with suppress(OSError):
                for line in lines:
                    self._echo(source, line)

    def close(self) -> None:
        """Give all files back."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _file(self, source: str) -> LogFile:
        if source not in self._files:
            self._files[source] = LogFile(self._directory / f"{source}.log")
        return self._files[source]
