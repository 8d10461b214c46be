"""`entrepot init`: a project to start from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from entrepot.cli.options import common
from entrepot.cli.session import Session

_DECLARATION = """\
# What is served, and how. `entrepot check` says what is wrong with it.
entrepot: 1
name: {name}
services:
  {name}: {{python: services}}
"""

_CODE = '''\
"""The operations of {name}: `entrepot dev` serves them, `entrepot check` checks them."""

from typing import Annotated

from entrepot import Service
from msgspec import Meta

api = Service("{name}")


@api.get("/hello/{{who}}")
async def hello(who: str, times: Annotated[int, Meta(ge=1, le=100)] = 1) -> str:
    """A greeting, as often as you like."""
    return " ".join(["Hello", *[who] * times])
'''

_IGNORED = ".entrepot/\n__pycache__/\n"


class Exists(Exception):
    """A file that would be created is there already."""


def _named(_context: click.Context, _argument: click.Parameter, directory: str) -> Path:
    if not directory:
        raise click.BadParameter("it is empty; the present directory is `.`")
    return Path(directory)


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False), callback=_named)
@common
def init(session: Session, directory: Path) -> None:
    """Create a small project in DIR.

    Files that exist are never touched.

    \b
    Example:
      entrepot init hello && cd hello && entrepot dev
    """
    files = _files(directory.resolve().name)
    taken = [name for name in files if (directory / name).exists()]
    if taken:
        raise Exists(f"{directory / taken[0]} exists already; choose another directory, or remove it")
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (directory / name).write_text(content, encoding="utf-8")
        session.output.text(f"created {directory / name}")
    session.output.text(f"\nNext:  cd {shlex.quote(str(directory))} && entrepot dev")
    session.output.json({"ok": True, "created": [str(directory / name) for name in files]})


def _files(directory_name: str) -> dict[str, str]:
    from entrepot.kit.names import snake
    from entrepot.spec.declaration import NAME_MAX

    name = snake(directory_name)[:NAME_MAX]
    return {
        "entrepot.yaml": _DECLARATION.format(name=name),
        "services.py": _CODE.format(name=name),
        ".gitignore": _IGNORED,
    }
