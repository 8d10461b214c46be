"""`entrepot dev` and `entrepot serve`: run a project until told to end."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

from entrepot.cli.logs import readable
from entrepot.cli.options import common, environment_option, told_of
from entrepot.cli.output import colours
from entrepot.cli.session import Session

if TYPE_CHECKING:
    from entrepot.control.building import Recipe
    from entrepot.control.events import Event, Ready
    from entrepot.ir.release import Mode

Edge = Literal["envoy", "none"]
_NAME_COLOURS = ("cyan", "magenta", "green", "yellow", "blue")


_OPTIONS = (
    environment_option,
    click.option("--host", default="", metavar="ADDRESS", help="Listen here, not where declared."),
    click.option("--port", default=0, type=click.IntRange(0, 65535), help="Listen here, not where declared."),
    click.option("--workers", default=0, type=click.IntRange(0, 256), help="Processes of each pool."),
    click.option(
        "--edge", default="envoy", type=click.Choice(["envoy", "none"]), help="none: one worker, where no Envoy runs."
    ),
)


def _serving_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command()
@click.argument("target", metavar="[TARGET]", default=".", type=click.Path(exists=True, path_type=Path))
@_serving_options
@click.option("--watch", is_flag=True, help="Bring live what is saved, as it is saved.")
@common
def dev(session: Session, target: Path, **options: Any) -> None:
    """Serve TARGET for development.

    Every protocol is served, every output is checked, and requests and logs are shown on the
    terminal. TARGET is a project's directory (by default the present one) or one Python file.
    With --watch a file that is saved is applied at once: what does not compile is told, and what ran
    goes on running. Ctrl-C ends it, with exit code 0.

    \b
    Examples:
      entrepot dev
      entrepot dev shop.py --port 9000
      entrepot dev --watch
    """
    if options["watch"] and options["edge"] == "none":
        raise click.UsageError("Without an edge nothing is applied while it runs, so --watch has nothing to do.")
    with suppress(KeyboardInterrupt):
        _run(session, target, "dev", **options)


class _Directory(click.Path):
    """A project's directory; who names one Python file is told the command for that."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(value)
        if path.suffix == ".py" and path.is_file():
            self.fail(f"{path} is one Python file: serve it with `entrepot dev {shlex.quote(str(path))}`.", param, ctx)
        return super().convert(value, param, ctx)


@click.command()
@click.argument("project", metavar="[DIR]", default=".", type=_Directory(exists=True, file_okay=False, path_type=Path))
@_serving_options
@click.option("--last-good", is_flag=True, help="Start the release that served last, without compiling.")
@common
def serve(session: Session, project: Path, **options: Any) -> None:
    """Serve the project in DIR as entrepot.yaml declares it.

    SIGTERM or Ctrl-C ends it in order: requests in progress are answered. A second one ends it at once.

    \b
    Examples:
      entrepot serve
      entrepot serve /srv/shop --env production --workers 4
    """
    _run(session, project, "serve", **options)


def _run(
    session: Session,
    target: Path,
    mode: Mode,
    environment: str,
    host: str,
    port: int,
    workers: int,
    edge: Edge,
    last_good: bool = False,
    watch: bool = False,
) -> None:
    from entrepot.control.building import Recipe
    from entrepot.control.start import has_last_good, start
    from entrepot.kit.diagnostics import Refused

    recipe = Recipe(
        target=target, mode=mode, environment=environment, host=host, port=port, workers=workers, watch=watch
    )
    session.output.progress(f"compiling {target}")
    echo = _echo if mode == "dev" and not session.output.as_json else None
    report = partial(_show, session, recipe)
    try:
        start(recipe, session.catalog, report, echo, with_edge=edge == "envoy", last_good=last_good)
    except Refused:
        if mode == "serve" and has_last_good(recipe):
            session.output.notice("the release that served last can still be started: --last-good")
        raise


def _show(session: Session, recipe: Recipe, event: Event) -> None:
    from entrepot.control import events

    match event:
        case events.Ready():
            _show_ready(session, recipe, event)
        case events.Ended():
            again = f"starting again in {event.delay:g} s" if event.delay else "starting again"
            session.output.notice(f"{event.cause}\n{again}")
        case events.Restored():
            session.output.notice("the edge kept failing: its last good files are back")
        case events.Draining():
            after_key = "\n" if sys.stderr.isatty() else ""  # the terminal has shown ^C without ending the line
            session.output.notice(f"{after_key}ending: letting requests finish (again to end at once)")


def _show_ready(session: Session, recipe: Recipe, ready: Ready) -> None:
    from entrepot.cli import addresses

    text = session.output.text
    text(f"{ready.release.project} is served at {ready.base_url} (ready in {ready.seconds:.2f} s)")
    listings = addresses.listings(ready.release, session.catalog, ready.base_url)
    all_by = told_of("explain --dev" if recipe.mode == "dev" else "explain", recipe.target)
    for line in addresses.lines(listings, ready.release, all_by):
        text(line)
    if ready.held:
        session.output.notice(f"release {ready.number} is held since a rollback, whatever is on disk by now")
    text(_how_to_change(recipe, ready))
    for missing in ready.missing:
        session.output.notice(f"missing without an edge: {missing}")
    session.output.json(
        {
            "ok": True,
            "project": ready.release.project,
            "release": ready.number,
            "held": ready.held,
            "url": ready.base_url,
            "seconds": round(ready.seconds, 3),
            "addresses": msgspec.to_builtins(listings),
            "missing": list(ready.missing),
        }
    )


def _how_to_change(recipe: Recipe, ready: Ready) -> str:
    if ready.missing:  # without an edge there is no control either
        return "a change takes effect when it is started again"
    if recipe.watch:
        return "a change is brought live as it is saved"
    return f"a change is brought live by: {told_of('apply', recipe.target)}"


def _echo(source: str, line: str) -> None:
    colour = _NAME_COLOURS[sum(source.encode()) % len(_NAME_COLOURS)]
    said = readable(line) if sys.stderr.isatty() else line
    click.echo(f"{click.style(source, fg=colour)} {said}", err=True, color=colours(sys.stderr))
