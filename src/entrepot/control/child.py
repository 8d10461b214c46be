"""One process that the supervisor started: in a group of its own, and never outliving its parent."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from entrepot.control.logs import TAIL_LINES_MAX, Lines, LogBook
from entrepot.kit.orphans import ends_with_parent

_CHUNK = 64 * 1024


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What to start."""

    name: str
    """For people; no two running processes have the same."""
    log: str
    """The log file's name; the processes of two generations share one."""
    argv: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    """All of it: nothing is inherited."""
    descriptors: tuple[int, ...] = ()
    """Open files that the process inherits under the same numbers."""


class Child:
    """A running process and the end of its output."""

    def __init__(
        self, process: asyncio.subprocess.Process, output: asyncio.StreamReader, command: Command, logs: LogBook
    ) -> None:
        self.pid = process.pid
        self._tail: deque[str] = deque(maxlen=TAIL_LINES_MAX)
        self._process = process
        self._command = command
        self._logs = logs
        self._output = asyncio.create_task(self._read(output))

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The end of its output, to tell why it ended."""
        return tuple(self._tail)

    async def wait(self) -> int:
        """Its exit code, negative for a signal, once it has ended and its output is read.

        What it started and left behind ends with it, or its output would never end.
        """
        code = await self._process.wait()
        self.kill()
        await self._output
        return code

    def signal(self, number: signal.Signals) -> None:
        """Signal the process; nothing happens when it has ended."""
        if self._process.returncode is None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End the process and all that it started, at once."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    async def _read(self, output: asyncio.StreamReader) -> None:
        lines = Lines()
        while data := await output.read(_CHUNK):
            self._keep(lines.feed(data))
        self._keep(lines.end())

    def _keep(self, lines: list[str]) -> None:
        if lines:
            self._tail.extend(lines)
            self._logs.write(self._command.log, lines)


async def spawn(command: Command, logs: LogBook) -> Child:
    """Start the process. Raises OSError when the system refuses."""
    ask = ends_with_parent()  # where it cannot, a killed supervisor leaves its children to be ended by hand
    reading, writing = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command.argv,
            cwd=command.directory,
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.STDOUT,
            pass_fds=command.descriptors,
            process_group=0,
            preexec_fn=None if ask is None else partial(ask, os.getpid()),
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return Child(process, await _stream(reading), command, logs)


async def _stream(descriptor: int) -> asyncio.StreamReader:
    # A pipe of our own: asyncio's would keep `wait` waiting until whoever inherited it has ended, too.
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    return reader
