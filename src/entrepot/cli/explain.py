"""`entrepot explain`: who answers what, where, and why there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from entrepot.cli.options import common, dev_option, environment_option, home_of, mode_of
from entrepot.cli.output import on_one_line, table
from entrepot.cli.session import Session

if TYPE_CHECKING:
    from entrepot.compiler.compile import Compiled
    from entrepot.compiler.draft import Placement
    from entrepot.ir.worker import ServiceTable
    from entrepot.model.operation import Operation
    from entrepot.model.shape import Shape


@click.command()
@click.argument("project", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.argument("operation", metavar="[SERVICE.OPERATION]", default="")
@environment_option
@dev_option
@common
def explain(session: Session, project: Path, operation: str, environment: str, dev: bool) -> None:
    """Show who answers what, where, and why there.

    Every operation and route of the project in DIR is listed, and what is left out, with the reason.
    With SERVICE.OPERATION: everything about that one; without entrepot.yaml in DIR, it is looked
    for in the file SERVICE.py.

    \b
    Examples:
      entrepot explain
      entrepot explain examples/shop shop.place_order
      entrepot explain --dev examples/shop shop.photo
    """
    from entrepot.control.building import Recipe, build

    if not project.exists():
        project, operation = _operation_alone(project, operation)
    compiled = build(Recipe(target=project, mode=mode_of(dev), environment=environment), session.catalog)
    if operation:
        _explain_one(session, compiled, operation)
    else:
        _explain_all(session, compiled)


def _operation_alone(given: Path, operation: str) -> tuple[Path, str]:
    """`explain shop.quote` means the present directory."""
    if operation or "." not in given.name:
        raise click.UsageError(f"there is no directory {str(given)!r}; an operation is given as SERVICE.OPERATION")
    return home_of(Path(), str(given)), str(given)


def _explain_all(session: Session, compiled: Compiled) -> None:
    rows = [_row(placement) for placement in compiled.placements]
    for line in table([("WHAT", "PROTOCOL", "ADDRESS", "WHERE", "WHY"), *rows]):
        session.output.text(line)
    session.output.json({"ok": True, "placements": [_plain(placement) for placement in compiled.placements]})


def _explain_one(session: Session, compiled: Compiled, name: str) -> None:
    from entrepot.control.lookup import find

    service, operation = find(compiled, name)
    placements = [
        placement
        for placement in compiled.placements
        if placement.service == service.service.name and placement.operation in (operation.name, "")
    ]
    for line in _lines(service, operation, compiled, placements):
        session.output.text(line)
    session.output.json(_facts(service, operation, compiled, placements))


def _lines(
    service: ServiceTable, operation: Operation, compiled: Compiled, placements: list[Placement]
) -> Iterator[str]:
    facts = _facts(service, operation, compiled, placements)
    yield f"{service.service.name}.{operation.name}"
    if operation.summary or operation.docs:
        yield on_one_line(f"  {operation.summary or _first_line(operation.docs)}")
    yield from _section("addresses", [[p.protocol, p.address] for p in placements if p.where != "nowhere"])
    yield from _section("left out", [[p.protocol, p.why] for p in placements if p.where == "nowhere"])
    yield from _section("where", [list(row) for row in {p.where: p.why for p in placements if p.address}.items()])
    yield from _section("input", _written(operation.input, operation.stream_input))
    yield from _section("output", [[facts["output"]]] if operation.stream_output else _written(operation.output))
    yield from _section("headers", [[name, written] for name, written in facts["headers"].items()])
    yield from _section("types", list(_types(service, operation)))
    yield from _section("sends", [[sent["operation"], sent["address"], sent["input"]] for sent in facts["sends"]])
    yield from _section("faults", [[fault.name, fault.kind, _first_line(fault.docs)] for fault in operation.faults])
    yield from _section("rules", [[name, str(value)] for name, value in facts["rules"].items()])
    yield from _section("limits", [[name, f"{value:,}"] for name, value in facts["limits"].items()])


def _written(what: Shape, stream: Shape | None = None) -> list[list[str]]:
    from entrepot.shapes import notation

    beside = [] if stream is None else [[f"and a stream of {notation.written(stream)}"]]
    return [[line] for line in notation.lines(what)] + beside


def _types(service: ServiceTable, operation: Operation) -> Iterator[list[str]]:
    from entrepot.shapes import notation

    types = service.service.types
    for name in notation.named(types, operation.shapes):
        for number, line in enumerate(notation.lines(types[name])):
            yield ["" if number else name, line]


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _section(title: str, rows: list[list[str]]) -> Iterator[str]:
    if rows:
        yield f"\n  {title}"
        yield from table(rows, indent="    ")


def _facts(
    service: ServiceTable, operation: Operation, compiled: Compiled, placements: list[Placement]
) -> dict[str, Any]:
    from entrepot.compiler.inherit import LIMIT_KEYS
    from entrepot.shapes import notation

    inbound = operation.stream_input
    stream = "" if inbound is None else f", and a stream of {notation.written(inbound)}"
    return {
        "ok": True,
        "service": service.service.name,
        "operation": operation.name,
        "docs": operation.docs,
        "placements": [_plain(placement) for placement in placements],
        "input": notation.written(operation.input) + stream,
        "output": ("stream of " if operation.stream_output else "") + notation.written(operation.output),
        "headers": {field.name: notation.written(field.shape) for field in operation.headers},
        "types": notation.named(service.service.types, operation.shapes),
        "faults": [{"name": fault.name, "kind": fault.kind, "docs": fault.docs} for fault in operation.faults],
        "sends": [
            {"operation": sent.operation.name, "address": sent.address, "input": notation.written(sent.operation.input)}
            for sent in service.service.outgoing
            if sent.of == operation.name
        ],
        "rules": {
            "safe": "yes" if operation.safe else "no",
            "idempotent": "yes" if operation.idempotent else "no",
            "deprecated": _since(operation),
            "sunset": "none" if operation.sunset is None else operation.sunset.isoformat(),
            "scopes": " ".join(operation.scopes) or "none",
            **_of_upstream(service, operation),
            "timeout": f"{service.timeout if operation.timeout is None else operation.timeout:g} s",
        },
        "limits": {key: getattr(compiled.release.worker.limits, name) for name, key in LIMIT_KEYS.items()},
    }


def _since(operation: Operation) -> str:
    if operation.deprecated_since is None:
        return "yes" if operation.deprecated else "no"
    return f"since {operation.deprecated_since.isoformat()}"


def _of_upstream(service: ServiceTable, operation: Operation) -> dict[str, str]:
    """Which upstream has the operation, what it demands, and what becomes of replies outside the contract."""
    from entrepot.ir.worker import UpstreamSource

    source = service.source
    if not isinstance(source, UpstreamSource):
        return {}
    called = {"upstream": source.upstream_of(operation.name), "replies": source.replies}
    alternatives = [" and ".join(each.scheme for each in one) or "nothing" for one in operation.security]
    return called | ({"upstream demands": ", or ".join(alternatives)} if alternatives else {})


def _row(placement: Placement) -> tuple[str, str, str, str, str]:
    what = f"{placement.service}.{placement.operation}" if placement.operation else placement.service or "route"
    return what, placement.protocol, placement.address, placement.where, placement.why


def _plain(placement: Placement) -> dict[str, str]:
    return {name: getattr(placement, name) for name in placement.__struct_fields__}
