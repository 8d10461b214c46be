"""`entrepot call`: one operation, called here and now."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from entrepot.cli.options import common, environment_option, home_of
from entrepot.cli.output import visible
from entrepot.cli.session import DONE, REFUSED, Session

if TYPE_CHECKING:
    from entrepot.control.calling import Piece


@click.command()
@click.argument("operation", metavar="SERVICE.OPERATION")
@click.argument("arguments", metavar="[JSON]", default="{}")
@click.option(
    "--project", default=".", metavar="DIR", type=click.Path(exists=True, path_type=Path), help="Directory or file."
)
@click.option("--over", default="", metavar="PROTOCOL", help="By its server and client, such as rest; else directly.")
@environment_option
@common
def call(session: Session, operation: str, arguments: str, project: Path, over: str, environment: str) -> int:
    """Call one operation, without a server.

    Its arguments are one JSON object, and what it answers is printed as JSON. A service of an
    upstream needs the project to run.

    `-` reads the JSON from standard input. Of an operation that takes a stream, the items follow
    there, one JSON value to a line; of one that answers with a stream, every item is printed on a
    line of its own.

    Nothing passes a protocol, unless --over names one: then its client calls its server here in
    memory, and what the protocol refuses or changes shows.

    Without entrepot.yaml in DIR, the service is looked for in the file SERVICE.py.

    \b
    Examples:
      entrepot call shop.product '{"id": 1}'
      entrepot call shop.product '{"id": 1}' --over jsonrpc
      echo '{"items": []}' | entrepot call shop.quote - --project examples/shop
    """
    from entrepot.control import calling
    from entrepot.control.building import Recipe, build
    from entrepot.control.lookup import find

    recipe = Recipe(target=home_of(project, operation), mode="dev", environment=environment)
    compiled = build(recipe, session.catalog)
    _, found = find(compiled, operation)
    content = _arguments(arguments, takes_stream=found.stream_input is not None)
    answer = calling.call(compiled, session.catalog, operation, content, _items(), over)
    try:
        asyncio.run(_print(session, answer))
    except calling.Failed as failed:
        _show_fault(session, failed.members)
        if failed.members["kind"] == "malformed" and not session.output.as_json:
            session.output.notice(f'arguments are one JSON object: entrepot call {operation} \'{{"name": "Ada"}}\'')
        return REFUSED
    return DONE


def _arguments(given: str, *, takes_stream: bool) -> bytes:
    if given != "-":
        return given.encode()
    return sys.stdin.buffer.readline() if takes_stream else sys.stdin.buffer.read()


def _items() -> Iterator[bytes]:
    return (line for line in sys.stdin.buffer if line.strip())


async def _print(session: Session, answer: AsyncGenerator[Piece, None]) -> None:
    async with aclosing(answer):
        async for piece in answer:
            if piece.kind == "file":
                _write(piece.content)
            elif piece.kind == "output" and session.output.as_json:
                _write_json(b'{"ok": true, "output": ' + piece.content + b"}")
            else:
                _write_json(piece.content)


def _write_json(content: bytes) -> None:
    _write(visible(content.decode()).encode() + b"\n")


def _write(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _show_fault(session: Session, fault: dict[str, Any]) -> None:
    from entrepot.ports.faults import encode_members

    if session.output.as_json:
        _write_json(b'{"ok": false, "fault": ' + encode_members(fault) + b"}")
    session.output.notice(f"fault {fault.get('name', fault['kind'])}: {fault.get('detail') or fault['title']}")
    for issue in fault.get("errors", ()):
        session.output.notice(f"    {issue['pointer'] or '/'}: {issue['message']}")
    if "data" in fault:
        session.output.notice(f"    data: {encode_members(fault['data']).decode()}")
