"""Options that several commands share."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from entrepot.cli.session import Session

if TYPE_CHECKING:
    from entrepot.ir.release import Mode

Function = Callable[..., Any]


def common(function: Function) -> Function:
    """The options of every command; the session becomes its first argument."""
    return _json(_debug(click.pass_obj(function)))


project_argument = click.argument("project", metavar="[DIR]", default=".", type=click.Path(exists=True, path_type=Path))
"""The project's directory, by default the present one; or one Python file."""

environment_option = click.option(
    "--env", "environment", default="", metavar="NAME", help="The environment, one of those in entrepot.yaml."
)

dev_option = click.option(
    "--dev", is_flag=True, help="As `entrepot dev` serves it: over every protocol that carries it."
)


def told_of(command: str, target: Path) -> str:
    """A command of ours on a project, to paste."""
    return f"entrepot {command}" + ("" if target == Path() else f" {shlex.quote(str(target))}")


def home_of(project: Path, operation: str) -> Path:
    """The project that has the operation: without entrepot.yaml in the directory, the file SERVICE.py in it.

    Raises `UsageError` for a name that cannot tell it.
    """
    from entrepot.spec.load import DECLARATION_FILE

    if not project.is_dir() or (project / DECLARATION_FILE).exists():
        return project
    service, dot, _ = operation.partition(".")
    if not dot:
        raise click.UsageError(f"{operation!r} is not SERVICE.OPERATION, such as hello.greet")
    return project / f"{service}.py"


def mode_of(dev: bool) -> Mode:
    """How a project is compiled for a command that takes `--dev`."""
    return "dev" if dev else "serve"


def _set_json(context: click.Context, _option: click.Parameter, value: bool) -> None:
    _session(context).output.as_json = value


def _set_debug(context: click.Context, _option: click.Parameter, value: bool) -> None:
    _session(context).debug = value


def _session(context: click.Context) -> Session:
    session = context.find_object(Session)
    assert session is not None
    return session


_json = click.option(
    "--json", is_flag=True, expose_value=False, callback=_set_json, help="Print one JSON value instead of text."
)
_debug = click.option(
    "--debug", is_flag=True, expose_value=False, callback=_set_debug, help="Show the traceback of an error."
)
