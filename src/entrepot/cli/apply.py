"""`entrepot apply`: bring what is on disk live."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from entrepot.cli.options import common, project_argument
from entrepot.cli.output import plain
from entrepot.cli.session import Session

if TYPE_CHECKING:
    from entrepot.kit.diagnostics import Diagnostic


@click.command()
@project_argument
@common
def apply(session: Session, project: Path) -> int:
    """Bring a running project live as it is on disk.

    No request fails meanwhile. What does not compile, or what the edge or a new worker refuses,
    changes nothing: the reason is shown, and what ran goes on running.

    \b
    Example:
      entrepot apply examples/gateway
    """
    from entrepot.control import directories
    from entrepot.control.client import ask

    layout = directories.layout_of(project if project.is_dir() else project.parent)
    session.output.progress("compiling, checking and delivering")
    answer = ask(layout, "POST", "/apply", {"dir": str(layout.project)})
    ok = answer["state"] in ("live", "unchanged")
    _show(session, answer)
    session.output.json({"ok": ok, **answer, "diagnostics": plain(_diagnostics(answer))})
    return 0 if ok else 1


def _show(session: Session, answer: dict[str, Any]) -> None:
    seconds = f"{answer['seconds']:.2f} s"
    match answer["state"]:
        case "live":
            workers = "with new workers" if answer["workers_replaced"] else "at the edge alone"
            session.output.text(f"release {answer['number']} is live after {seconds}, {workers}")
            if answer["note"]:
                session.output.notice(answer["note"])
        case "unchanged":
            session.output.text(f"nothing to do: release {answer['number']} is what is on disk")
        case "rejected":
            number = answer["number"]
            session.output.notice(f"release {number} was rejected after {seconds}, the one before goes on serving:")
            session.output.notice(answer["reason"])
        case "refused":
            session.output.diagnostics(_diagnostics(answer))
            session.output.notice("nothing was changed: the release that serves goes on serving")


def _diagnostics(answer: dict[str, Any]) -> list[Diagnostic]:
    import msgspec

    from entrepot.kit.diagnostics import Diagnostic

    return msgspec.convert(answer["diagnostics"], list[Diagnostic])
