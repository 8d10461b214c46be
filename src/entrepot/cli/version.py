"""`entrepot version`."""

from __future__ import annotations

import click

from entrepot.cli.options import common
from entrepot.cli.session import Session


@click.command()
@common
def version(session: Session) -> None:
    """Print the version.

    \b
    Example:
      entrepot version --json
    """
    import platform
    from importlib.metadata import version as version_of

    ours = version_of("entrepot")
    python = platform.python_version()
    session.output.text(f"entrepot {ours} (Python {python})")
    session.output.json({"entrepot": ours, "python": python})
