"""Python modules as services, by way of a child process that imports them.

Importing runs the author's code, so it happens in a process that ends at once, sees none of our
secrets, and has its time bounded. What the module prints goes nowhere.
"""

from __future__ import annotations

import contextlib
import linecache
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from entrepot.kit.diagnostics import NOWHERE, Diagnostic, Place
from entrepot.spec import codes
from entrepot.spec.messages import Probed, ProbeRequest, Source

SECONDS_MAX = 10.0
"""Seconds that one module's import may take."""

ENVIRONMENT = (
    "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "TZ", "VIRTUAL_ENV",
)  # fmt: skip
"""Variables that the child may see."""

REASON_MAX = 200
"""Most characters that are quoted of what a child said at its end: a module may have written them."""

_START_SECONDS = 10.0
_CRASH = "Fatal Python error: "
_FRAME = re.compile(r'File "(.+)", line (\d+)')


def probe(project: Path, sources: Sequence[Source], seconds_max: float = SECONDS_MAX) -> list[Probed]:
    """What each module defines. A module that takes the process down costs only itself."""
    results: list[Probed] = []
    while len(results) < len(sources):
        remaining = tuple(sources[len(results) :])
        run = _run(ProbeRequest(str(project), remaining, seconds_max))
        results += run.answers
        if len(run.answers) < len(remaining):
            fatal = remaining[len(run.answers)]
            # A hosted application may live where it has the environment that its workers see.
            deaths = () if fatal.hosted else (_death(fatal, run, project, seconds_max),)
            results.append(Probed(diagnostics=deaths))
    return results


class _Run(msgspec.Struct, frozen=True):
    """What came of one child."""

    answers: list[Probed]
    trace: str
    """What stood after the answers, or what the child said before it began."""
    status: int | None
    """The exit status; None when it had to be killed."""


def _run(request: ProbeRequest) -> _Run:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "entrepot.spec.probe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,  # only our own; the child takes it away from the modules
        cwd=request.project,
        # Sets and dicts keyed by text come out the same each time, so that releases do.
        env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ} | {"PYTHONHASHSEED": "0"},
        start_new_session=True,
    )
    seconds = _START_SECONDS + request.seconds_max * len(request.sources)
    try:
        output, errors = process.communicate(msgspec.json.encode(request), seconds)
    except subprocess.TimeoutExpired as expired:
        output, errors = expired.output or b"", expired.stderr or b""
    finally:
        status = process.poll()
        _kill(process)
    answers, trace = _split(output)
    return _Run(answers, trace or errors.decode(errors="replace"), status)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the child and all that a module may have started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _split(output: bytes) -> tuple[list[Probed], str]:
    answers: list[Probed] = []
    lines = output.split(b"\n")
    for line in lines:
        try:
            answers.append(msgspec.json.decode(line, type=Probed))
        except ValueError:  # a traceback, or what a module wrote where it should not
            break
    return answers, b"\n".join(lines[len(answers) :]).decode(errors="replace")


def _death(source: Source, run: _Run, project: Path, seconds_max: float) -> Diagnostic:
    place = _place(run.trace, project)
    if run.status is None or run.trace.startswith("Timeout"):
        message = f"importing {source.module} takes longer than {seconds_max:g} seconds"
        remedy = "Move what waits or computes long into a resource or a handler."
        return Diagnostic(codes.MODULE_HUNG, message, place, remedy)
    remedy = f"Find out with `python -X faulthandler -c 'import {source.module}'`."
    message = f"importing {source.module} ends the process: {_reason(run)}"
    return Diagnostic(codes.MODULE_DIED, message, place, remedy)


def _reason(run: _Run) -> str:
    first, _, rest = run.trace.strip().partition("\n")
    if first.startswith(_CRASH):
        return first.removeprefix(_CRASH)
    return (rest.rpartition("\n")[2] or first)[:REASON_MAX] or f"exit status {run.status}"


def _place(trace: str, project: Path) -> Place:
    for file, line in _FRAME.findall(trace):
        if Path(file).is_relative_to(project):
            text = linecache.getline(file, int(line))
            column = len(text) - len(text.lstrip()) + 1
            return Place(Path(file).relative_to(project).as_posix(), int(line), column)
    return NOWHERE
