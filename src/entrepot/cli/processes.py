"""The processes that the supervisor starts; nobody else needs these commands."""

from __future__ import annotations

from pathlib import Path

import click

from entrepot.cli.options import common
from entrepot.cli.session import Session


@click.command(hidden=True)
@click.option("--release", "release_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--pool", required=True, help="The pool this worker belongs to.")
@click.option("--fd", "descriptor", required=True, type=int, help="Descriptor of the listening socket.")
@common
def worker(session: Session, release_file: Path, pool: str, descriptor: int) -> None:
    """Serve one pool of a release on an inherited socket.

    \b
    Example:
      entrepot worker --release 000001.json --pool operations --fd 5
    """
    from entrepot.runtime.worker import run_worker

    run_worker(release_file, pool, descriptor, session.catalog)
