"""Real processes: their output, their end, and that none is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from entrepot.control.child import Command, spawn
from entrepot.control.logs import LogBook


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[LogBook]:
    book = LogBook(tmp_path)
    yield book
    book.close()


def python(program: str, **options: Any) -> Command:
    argv = (sys.executable, "-c", program)
    return Command(name="child", log="child", argv=argv, directory=Path(), environment=os.environ, **options)


async def test_output_is_kept_and_its_end_is_remembered(logs: LogBook, tmp_path: Path) -> None:
    child = await spawn(python("import sys; print('out'); sys.stdout.flush(); sys.exit('err')"), logs)
    assert await child.wait() == 1
    assert child.last_lines == ("out", "err")
    assert (tmp_path / "child.log").read_text() == "out\nerr\n"


async def test_it_inherits_what_it_is_given_and_nothing_else(logs: LogBook) -> None:
    reader, writer = os.pipe()
    program = f"import os; os.write({writer}, b'here'); print(sorted(map(int, os.listdir('/proc/self/fd'))))"
    child = await spawn(python(program, descriptors=(writer,)), logs)
    await child.wait()
    os.close(writer)
    assert os.read(reader, 10) == b"here"
    assert os.read(reader, 10) == b""
    os.close(reader)


async def test_it_has_a_group_of_its_own(logs: LogBook) -> None:
    child = await spawn(python("import os; print(os.getpid() == os.getpgrp())"), logs)
    await child.wait()
    assert child.last_lines == ("True",)


async def test_what_it_left_behind_ends_with_it(logs: LogBook) -> None:
    program = (
        "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid)"
    )
    child = await spawn(python(program), logs)
    async with asyncio.timeout(30):
        await child.wait()
    assert await asyncio.to_thread(_ends, int(child.last_lines[0]))


async def test_sigterm_reaches_the_process(logs: LogBook) -> None:
    child = await spawn(python("import signal; print('up', flush=True); signal.pause()"), logs)
    while not child.last_lines:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    child.signal(signal.SIGTERM)
    assert await child.wait() == -signal.SIGTERM


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
def test_it_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    program = """
import asyncio, os, signal, sys
from pathlib import Path
from entrepot.control.child import Command, spawn
from entrepot.control.logs import LogBook
async def main():
    argv = (sys.executable, "-c", "import time; time.sleep(600)")
    command = Command(name="c", log="c", argv=argv, directory=Path(), environment=os.environ)
    child = await spawn(command, LogBook(Path(sys.argv[1])))
    print(child.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    parent = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, check=False)
    assert parent.returncode == -signal.SIGKILL
    assert _ends(int(parent.stdout))


def _ends(pid: int) -> bool:
    """Whether the process is gone soon; a zombie that nobody has buried yet counts as gone."""
    for _ in range(3000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False
