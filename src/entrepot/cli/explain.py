"""`entrepot explain`: who answers what, where, and why there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from entrepot.cli.options import common, dev_option, environment_option, mode_of
from entrepot.cli.output import table
from entrepot.cli.session import Session

if TYPE_CHECKING:
    from entrepot.compiler.compile import Compiled
    from entrepot.compiler.draft import Placement
    from entrepot.ir.worker import ServiceTable
    from entrepot.model.operation import Operation


@click.command()
@click.argument("project", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.argument("operation", metavar="[SERVICE.OPERATION]", default="")
@environment_option
@dev_option
@common
def explain(session: Session, project: Path, operation: str, environment: str, dev: bool) -> None:
    """Show who answers what, where, and why there.

    Every operation and route of the project in DIR is listed, and what is left out, with the reason.
    With SERVICE.OPERATION: everything about that one.

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
    return Path(), str(given)


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
        if (placement.service, placement.operation) == (service.service.name, operation.name)
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
        yield f"  {operation.summary or operation.docs.splitlines()[0]}"
    yield from _section("addresses", [[p.protocol, p.address] for p in placements if p.where != "nowhere"])
    yield from _section("left out", [[p.protocol, p.why] for p in placements if p.where == "nowhere"])
    yield from _section("where", [list(row) for row in {p.where: p.why for p in placements if p.address}.items()])
    yield from _section("input", [[facts["input"]]])
    yield from _section("output", [[facts["output"]]])
    yield from _section("types", [[name, notation] for name, notation in facts["types"].items()])
    yield from _section("faults", [[fault["name"], fault["kind"], fault["docs"]] for fault in facts["faults"]])
    yield from _section("rules", [[name, str(value)] for name, value in facts["rules"].items()])
    yield from _section("limits", [[name, f"{value:,}"] for name, value in facts["limits"].items()])


def _section(title: str, rows: list[list[str]]) -> Iterator[str]:
    if rows:
        yield f"\n  {title}"
        yield from table(rows, indent="    ")


def _facts(
    service: ServiceTable, operation: Operation, compiled: Compiled, placements: list[Placement]
) -> dict[str, Any]:
    from entrepot.cli import notation

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
        "types": notation.named(service.service.types, operation.shapes),
        "faults": [{"name": fault.name, "kind": fault.kind, "docs": fault.docs} for fault in operation.faults],
        "rules": {
            "safe": "yes" if operation.safe else "no",
            "idempotent": "yes" if operation.idempotent else "no",
            "deprecated": "yes" if operation.deprecated else "no",
            "scopes": " ".join(operation.scopes) or "none",
            "timeout": f"{service.timeout if operation.timeout is None else operation.timeout:g} s",
        },
        "limits": {name: getattr(compiled.release.worker.limits, name) for name in _limit_names()},
    }


def _limit_names() -> tuple[str, ...]:
    from entrepot.kit.limits import Limits

    return Limits.__struct_fields__


def _row(placement: Placement) -> tuple[str, str, str, str, str]:
    what = f"{placement.service}.{placement.operation}" if placement.operation else "route"
    return what, placement.protocol, placement.address, placement.where, placement.why


def _plain(placement: Placement) -> dict[str, str]:
    return {name: getattr(placement, name) for name in placement.__struct_fields__}
