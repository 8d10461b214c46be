"""The child process that imports an author's modules: `python -m entrepot.spec.probe`.

Reads a `ProbeRequest` from standard input and writes one JSON line for each module to what was its
standard output; the modules themselves find an empty input and a discarded output. After the
lines, and only if the process dies or hangs, stands the traceback that `faulthandler` wrote.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import re
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, TracebackType

import msgspec

import entrepot
from entrepot.authoring.places import character_place
from entrepot.authoring.service import Service as Authored
from entrepot.kit.diagnostics import NOWHERE, Diagnostic, Place, Refused
from entrepot.kit.orphans import ends_with_parent
from entrepot.kit.suggest import did_you_mean
from entrepot.spec import codes
from entrepot.spec.applications import misfit
from entrepot.spec.messages import FoundService, Probed, ProbeRequest, Source

HABITS = {
    "APIRouter": "Make a `Service`; a module may hold several, and a project several modules.",
    "BackgroundTasks": "Do the work before you answer, or hand it to a queue of your own.",
    "BaseModel": "Write a `msgspec.Struct` or a dataclass; a model of pydantic's own will do, too.",
    "Depends": "Declare a resource (`@service.resource()`), and take a parameter of the type that it yields.",
    "FastAPI": "Make a `Service`.",
    "HTTPException": "Raise a fault: `NotFound`, `Conflict` or a `Fault` of your own.",
    "Meta": "Constraints are `msgspec.Meta`; the headers of a reply are `Reply.of(output, headers={…})`.",
    "Request": "Take a `Context`; its `meta` has the headers.",
    "Response": "Return `Reply.of(output, headers={…})`, or a `File`.",
    "UploadFile": "Take a `File`.",
}
"""Names that people look for in this package because another has them, and what is meant here."""

_MISSING_OF_OURS = re.compile("cannot import name '(.+)' from 'entrepot' ")


def main() -> None:
    """Import every module asked for; never returns."""
    output = os.fdopen(os.dup(1), "wb")
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=ProbeRequest)
    _detach_standard_streams()
    _disown_what_is_forked(output.fileno())
    faulthandler.enable(output)
    for source in request.sources:
        faulthandler.dump_traceback_later(request.seconds_max, exit=True, file=output)
        answer = _probe(source, Path(request.project))
        faulthandler.cancel_dump_traceback_later()
        output.write(msgspec.json.encode(answer) + b"\n")
        output.flush()
    _end()


def _end() -> None:
    """End at once, with all that a module may have started: threads, and processes that hold our output open."""
    if os.getpid() == os.getpgrp():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _detach_standard_streams() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)


def _disown_what_is_forked(output: int) -> None:
    """Let a process that a module forks neither answer for us, hold our output open nor outlive its parent."""
    ask, ours, parent = ends_with_parent(), os.getpid(), os.getpid()

    def remember() -> None:
        nonlocal parent
        parent = os.getpid()

    def disown() -> None:
        if ask is not None:
            ask(parent)
        if parent == ours:  # further down it is closed already
            os.close(output)

    os.register_at_fork(before=remember, after_in_child=disown)


def _probe(source: Source, project: Path) -> Probed:
    if source.path:
        directory = str(project / source.path)
        if directory not in sys.path:
            sys.path.insert(0, directory)
    try:
        module = importlib.import_module(source.module)
        if source.hosted:
            return Probed(diagnostics=tuple(_unfit(source, module)))
        wanted = dict(_services(module))
    except BaseException as error:  # a module may raise anything, and SystemExit is no wish of ours
        if source.hosted and not isinstance(error, ImportError | SyntaxError):
            return Probed()  # its workers see the whole environment, and it may start well there
        return Probed(diagnostics=(_failure(error, source, project),))
    if source.attribute:
        wanted = {name: service for name, service in wanted.items() if name == source.attribute}
    if not wanted:
        return Probed(diagnostics=(_empty(source, module, project),))
    answers = [_described(attribute, authored, source, project) for attribute, authored in wanted.items()]
    return Probed(
        services=tuple(service for answer in answers for service in answer.services),
        diagnostics=tuple(diagnostic for answer in answers for diagnostic in answer.diagnostics),
    )


def _described(attribute: str, authored: Authored, source: Source, project: Path) -> Probed:
    try:
        place = _relative(authored.place, project)
        places = {name: _relative(place, project) for name, place in authored.places.items()}
        found = FoundService(attribute, authored.describe(), place, places, dict(authored.worded))
        return Probed(services=(found,))
    except Refused as refused:
        return Probed(diagnostics=tuple(_relocated(each, project) for each in refused.diagnostics))
    except Exception as error:  # evaluating annotations runs the author's code
        return Probed(diagnostics=(_failure(error, source, project),))


def _services(module: ModuleType) -> Iterator[tuple[str, Authored]]:
    seen: set[int] = set()
    for name, value in vars(module).items():
        if isinstance(value, Authored) and id(value) not in seen:
            seen.add(id(value))
            yield name, value


def _unfit(source: Source, module: ModuleType) -> Iterator[Diagnostic]:
    """An application that is missing, or is of another kind than its route says."""
    if not hasattr(module, source.attribute):
        names = [name for name, value in vars(module).items() if callable(value)]
        remedy = did_you_mean(source.attribute, names) or f"Name it as {source.module} does: `{source.module}:NAME`."
        message = f"the module {source.module} has no application called {source.attribute}"
        yield Diagnostic(codes.MODULE_EMPTY, message, remedy=remedy)
    elif source.hosted and (wrong := misfit(getattr(module, source.attribute), source.attribute, source.hosted)):
        message, remedy = wrong
        yield Diagnostic(codes.APPLICATION_UNFIT, message, remedy=remedy)


def _empty(source: Source, module: ModuleType, project: Path) -> Diagnostic:
    names = [name for name, _ in _services(module)]
    remedy = f'Write `{source.module.rpartition(".")[2]} = Service("…")` at its top level.'
    if source.attribute:
        message = f"the module {source.module} has no service called {source.attribute}"
        remedy = did_you_mean(source.attribute, names) or remedy
        return Diagnostic(codes.MODULE_EMPTY, message, remedy=remedy)
    message = f"the module {source.module} defines no service"
    if not Path(module.__file__ or "").is_relative_to(project):
        remedy = f"Python has a module {source.module} of its own or installed; rename yours, if this is not it."
    return Diagnostic(codes.MODULE_EMPTY, message, remedy=remedy)


def _failure(error: BaseException, source: Source, project: Path) -> Diagnostic:
    if isinstance(error, ModuleNotFoundError) and error.name and source.module.startswith(error.name):
        remedy = "Name a module by its import name, as seen from the project's directory."
        return Diagnostic(codes.MODULE_FAILED, f"there is no module {source.module}", remedy=remedy)
    last = traceback.format_exception_only(error)[-1].strip()
    place = _place(error, project)
    if isinstance(error, SystemExit):
        remedy = "Put what ends the process under `if __name__ == '__main__':`."
        return Diagnostic(codes.MODULE_DIED, f"importing {source.module} ends the process: {last}", place, remedy)
    return Diagnostic(codes.MODULE_FAILED, f"importing {source.module} fails: {last}", place, _remedy(error, source))


def _remedy(error: BaseException, source: Source) -> str:
    if isinstance(error, KeyError) and any("os" in frame.filename for frame in _frames(error)[-1:]):
        return "Modules are imported without the environment's variables; read them in a resource instead."
    missing = _MISSING_OF_OURS.match(str(error)) if isinstance(error, ImportError) else None
    if missing:
        return HABITS.get(missing[1]) or did_you_mean(missing[1], entrepot.__all__)
    if isinstance(error, ModuleNotFoundError):
        return f"Install it beside Entrepôt: `pip install {(error.name or '').partition('.')[0]}`, or correct the name."
    return f"Correct the module; `python -c 'import {source.module}'` shows the whole traceback."


def _place(error: BaseException, project: Path) -> Place:
    if isinstance(error, SyntaxError) and error.filename:
        return _relative(Place(error.filename, error.lineno or 0, error.offset or 0), project)
    own = [frame for frame in _frames(error) if Path(frame.filename).is_relative_to(project)]
    if not own:
        return NOWHERE
    return _relative(character_place(own[-1].filename, own[-1].lineno or 0, own[-1].colno), project)


def _frames(error: BaseException) -> traceback.StackSummary:
    trace: TracebackType | None = error.__traceback__
    return traceback.extract_tb(trace)


def _relocated(diagnostic: Diagnostic, project: Path) -> Diagnostic:
    # A message may name a second place.
    message = diagnostic.message.replace(f"{project}{os.sep}", "")
    return msgspec.structs.replace(diagnostic, message=message, place=_relative(diagnostic.place, project))


def _relative(place: Place, project: Path) -> Place:
    if place.file and Path(place.file).is_relative_to(project):
        return msgspec.structs.replace(place, file=Path(place.file).relative_to(project).as_posix())
    return place


if __name__ == "__main__":
    main()
