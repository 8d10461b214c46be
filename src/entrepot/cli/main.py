"""The command line's root: finds commands, and turns whatever happens into an exit code.

0 done, 1 refused with diagnostics or failed, 2 wrong use, 130 interrupted.
"""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING

import click

from entrepot.cli.output import plain
from entrepot.cli.session import DONE, INTERRUPTED, REFUSED, Session

if TYPE_CHECKING:
    from entrepot.ports.protocol import Catalog

COMMANDS = {
    "init": ("entrepot.cli.init", "init"),
    "dev": ("entrepot.cli.run", "dev"),
    "serve": ("entrepot.cli.run", "serve"),
    "import": ("entrepot.cli.import_document", "import_document"),
    "check": ("entrepot.cli.check", "check"),
    "explain": ("entrepot.cli.explain", "explain"),
    "apply": ("entrepot.cli.apply", "apply"),
    "releases": ("entrepot.cli.releases", "releases"),
    "diff": ("entrepot.cli.releases", "diff"),
    "rollback": ("entrepot.cli.releases", "rollback"),
    "call": ("entrepot.cli.call", "call"),
    "version": ("entrepot.cli.version", "version"),
    "worker": ("entrepot.cli.processes", "worker"),
    "control": ("entrepot.cli.processes", "control"),
}
"""Every command with its module and attribute, in the order of `--help`."""

HIDDEN = ("worker", "control")
"""Processes that the supervisor starts."""


class Commands(click.Group):
    """Loads a command's file when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [name for name in COMMANDS if name not in HIDDEN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from entrepot.kit.suggest import did_you_mean

            remedy = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(f"No such command '{args[0]}'. {remedy}", ctx) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="entrepot", message="entrepot %(version)s")
def entrepot() -> None:
    """Any API in, any API out.

    \b
    Examples:
      entrepot dev shop.py          serve the services of a Python file
      entrepot serve .              serve what entrepot.yaml declares
      entrepot import openapi:https://api.example/openapi.json --name crm
    """


def run(catalog: Catalog, arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit code and never raises."""
    session = Session(catalog)
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = entrepot.main(arguments, prog_name="entrepot", standalone_mode=False, obj=session)
        return code if isinstance(code, int) else DONE
    except click.ClickException as error:
        error.show()
        session.output.as_json = "--json" in given  # a command line that cannot be read has not set it
        session.output.json({"ok": False, "error": error.format_message()})
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return _quiet_pipe()
    except Exception as error:
        return _failed(error, session)


def _failed(error: Exception, session: Session) -> int:
    from entrepot.kit.diagnostics import Refused

    if isinstance(error, Refused):
        session.output.diagnostics(error.diagnostics)
        session.output.json({"ok": False, "diagnostics": plain(error.diagnostics)})
        return REFUSED
    if session.debug:
        traceback.print_exception(error)
    session.output.error(_words(error))
    return REFUSED


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def _quiet_pipe() -> int:
    sys.stdout = None  # whoever read us has left; do not complain at exit
    return REFUSED
