"""`entrepot apply`: bring what is on disk live."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from entrepot.cli.options import common, project_argument
from entrepot.cli.output import plain
from entrepot.cli.session import DONE, REFUSED, Session

if TYPE_CHECKING:
    from entrepot.control.applying import Applied
    from entrepot.ir.layout import Layout


@click.command()
@project_argument
@common
def apply(session: Session, project: Path) -> int:
    """Bring a running project live as it is on disk.

    DIR may also be the Python file that is served.
    No request fails meanwhile. What does not compile, or what the edge or a new worker refuses,
    changes nothing: the reason is shown, and what ran goes on running.

    \b
    Example:
      entrepot apply examples/gateway
    """
    from entrepot.control import directories

    directory, file = (project, "") if project.is_dir() else (project.parent, project.name)
    layout = directories.layout_of(directory)
    session.output.progress("compiling, checking and delivering")
    return applied_by(session, layout, "/apply", {"dir": str(layout.project), "file": file})


def applied_by(session: Session, layout: Layout, path: str, asked: dict[str, Any]) -> int:
    """Ask control to bring a release live, and show what became of it; gives the exit code."""
    import msgspec

    from entrepot.control.applying import Applied
    from entrepot.control.client import ask

    applied = msgspec.convert(ask(layout, "POST", path, asked), Applied)
    ok = applied.state in ("live", "unchanged")
    _show(session, applied)
    session.output.json({"ok": ok, **msgspec.to_builtins(applied), "diagnostics": plain(applied.diagnostics)})
    return DONE if ok else REFUSED


def _show(session: Session, applied: Applied) -> None:
    output = session.output
    match applied.state:
        case "live" | "unchanged":
            output.text(applied.summary)
            if applied.note:
                output.notice(applied.note)
        case "rejected":
            output.notice(f"{applied.summary}\n{applied.reason}")
        case "refused":
            output.diagnostics(applied.diagnostics)
            output.notice(applied.summary)
