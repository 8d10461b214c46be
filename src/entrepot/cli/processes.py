"""The processes that the supervisor starts; nobody else needs these commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from entrepot.cli.options import common, environment_option
from entrepot.cli.session import Session

if TYPE_CHECKING:
    from entrepot.ir.release import Mode

_directory = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(hidden=True)
@click.option("--release", "release_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--pool", required=True, help="The pool this worker belongs to.")
@click.option("--fd", required=True, type=int, help="Descriptor of the listening socket.")
@click.option("--project", default=".", type=_directory, help="The project's directory.")
@click.option("--kept", required=True, type=_directory, help="The directory with the release's files.")
@click.option("--egress", default="", help="The egress's Unix socket.")
@click.option("--drain", default=10.0, help="Seconds that calls may take to end after SIGTERM.")
@common
def worker(
    session: Session, release_file: Path, pool: str, fd: int, project: Path, kept: Path, egress: str, drain: float
) -> None:
    """Serve one pool of a release on an inherited socket.

    \b
    Example:
      entrepot worker --release releases/000001.json --kept files --pool operations --fd 5
    """
    from entrepot.runtime.worker import run_worker

    run_worker(release_file, pool, fd, session.catalog, egress, project, kept, drain)


@click.command(hidden=True)
@click.option("--target", required=True, type=click.Path(exists=True, path_type=Path), help="What is compiled.")
@click.option("--mode", required=True, type=click.Choice(["dev", "serve"]), help="As the supervisor was started.")
@click.option("--host", default="", help="Instead of the declared address.")
@click.option("--port", default=0, help="Instead of the declared port.")
@click.option("--workers", default=0, help="Instead of the declared number.")
@click.option("--watch", is_flag=True, help="Apply what is saved.")
@click.option("--fd", required=True, type=int, help="Descriptor of the listening socket.")
@click.option("--notify", required=True, type=int, help="Descriptor on which a byte reaches the supervisor.")
@environment_option
@common
def control(
    session: Session,
    target: Path,
    mode: Mode,
    host: str,
    port: int,
    workers: int,
    watch: bool,
    fd: int,
    notify: int,
    environment: str,
) -> None:
    """Serve the admin API of a running project on an inherited socket.

    \b
    Example:
      entrepot control --target . --mode serve --fd 5 --notify 6
    """
    from entrepot.control.building import Recipe
    from entrepot.control.process import run_control

    recipe = Recipe(
        target=target, mode=mode, environment=environment, host=host, port=port, workers=workers, watch=watch
    )
    run_control(recipe, session.catalog, fd, notify)
