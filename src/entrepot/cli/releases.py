"""`entrepot releases`, `diff` and `rollback`: what has served, what differs, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from entrepot.cli.apply import applied_by
from entrepot.cli.options import common, project_argument
from entrepot.cli.output import plain, table
from entrepot.cli.session import DONE, REFUSED, Session

if TYPE_CHECKING:
    from entrepot.control.differences import Difference
    from entrepot.ir.layout import Layout

_DIGEST_SHOWN = 12

_project_option = click.option(
    "--project", default=".", metavar="DIR", type=click.Path(exists=True, path_type=Path), help="Directory or file."
)
_number = click.IntRange(min=1)


@click.command()
@project_argument
@common
def releases(session: Session, project: Path) -> None:
    """List the releases that are kept, the newest first.

    The one marked * serves, or did when the project last ran.

    \b
    Example:
      entrepot releases examples/shop
    """
    import msgspec

    from entrepot.control.releases import Releases

    kept = Releases(_layout(project))
    live = kept.live()
    records = kept.records()
    digests = {record.number: kept.digest(record.number) for record in records}
    made = {record.number: kept.made(record.number) for record in records}
    rows = []
    for record in records:
        mark = "*" if live is not None and record.number == live.number else ""
        about = [f"release {record.again} again" if record.again else "", record.reason]
        held = "held" if mark and live is not None and live.held else ""
        told = "; ".join(filter(None, (*about, held)))
        at = f"{(record.live_at or record.at).astimezone():%Y-%m-%d %H:%M:%S}"
        by = str(made[record.number] or "")
        rows.append([mark, str(record.number), record.state, at, by, digests[record.number][:_DIGEST_SHOWN], told])
    for line in table(rows) if rows else ["no release is kept here yet"]:
        session.output.text(line)
    listed = [
        {
            **msgspec.to_builtins(record),
            **(msgspec.to_builtins(made[record.number]) or {}),
            "digest": digests[record.number],
        }
        for record in records
    ]
    session.output.json({"ok": True, "live": msgspec.to_builtins(live), "releases": listed})


@click.command()
@click.argument("one", metavar="[A]", required=False, type=_number)
@click.argument("other", metavar="[B]", required=False, type=_number)
@_project_option
@common
def diff(session: Session, one: int | None, other: int | None, project: Path) -> int:
    """Show what changes from release A to release B.

    Without B: from A to what is on disk. Without both: what `entrepot apply` would change. What is on
    disk is compiled as the running project was, so it must run for that.

    \b
    Examples:
      entrepot diff
      entrepot diff 3 5 --project examples/shop
    """
    import msgspec

    from entrepot.control.applying import Unapplied
    from entrepot.control.client import ask
    from entrepot.control.differences import differences
    from entrepot.control.releases import Releases

    layout = _layout(project)
    if one is not None and other is not None:
        kept = Releases(layout)
        return _show_differences(session, differences(kept.kept(one), kept.kept(other)))
    found = msgspec.convert(ask(layout, "POST", "/diff", {**_asked(project, layout), "number": one or 0}), Unapplied)
    if found.diagnostics:
        session.output.diagnostics(found.diagnostics)
        session.output.json({"ok": False, "diagnostics": plain(found.diagnostics)})
        return REFUSED
    return _show_differences(session, found.differences)


@click.command()
@click.argument("number", metavar="[N]", required=False, type=_number)
@_project_option
@common
def rollback(session: Session, number: int | None, project: Path) -> int:
    """Bring a kept release live again.

    Nothing is compiled. Without N: the one that served before the present one. It becomes a release
    of its own, and stays when `entrepot serve` is started again, whatever is on disk, until the next
    `entrepot apply`.
    What is installed is not brought back: where it differs from then, that is said.

    \b
    Examples:
      entrepot rollback
      entrepot rollback 3 --project examples/shop
    """
    layout = _layout(project)
    session.output.progress("starting the workers of that release and delivering it")
    return applied_by(session, layout, "/rollback", {**_asked(project, layout), "number": number or 0})


def _layout(project: Path) -> Layout:
    from entrepot.control import directories

    return directories.layout_of(project if project.is_dir() else project.parent)


def _asked(project: Path, layout: Layout) -> dict[str, Any]:
    return {"dir": str(layout.project), "file": "" if project.is_dir() else project.name}


def _show_differences(session: Session, found: Sequence[Difference]) -> int:
    import msgspec

    from entrepot.cli.changes import told

    for line in told(found):
        session.output.text(line)
    session.output.json({"ok": True, "differences": [msgspec.to_builtins(each) for each in found]})
    return DONE
