"""`entrepot check`: everything that is wrong with a project, at once."""

from __future__ import annotations

from pathlib import Path

import click

from entrepot.cli.options import common, dev_option, environment_option, mode_of, project_argument
from entrepot.cli.output import count, plain
from entrepot.cli.session import Session


@click.command()
@project_argument
@environment_option
@dev_option
@common
def check(session: Session, project: Path, environment: str, dev: bool) -> None:
    """Say everything that is wrong with a project.

    Nothing is started or changed. DIR may also be one Python file.

    \b
    Examples:
      entrepot check
      entrepot check examples/shop --json
    """
    from entrepot.cli.addresses import declared_paths
    from entrepot.control.building import Recipe, build

    compiled = build(Recipe(target=project, mode=mode_of(dev), environment=environment), session.catalog)
    session.output.diagnostics(compiled.diagnostics)
    services = compiled.release.worker.services
    operations = sum(len(table.service.operations) for table in services)
    found = f", {count(len(compiled.diagnostics), 'remark')}" if compiled.diagnostics else ""
    routes = len(declared_paths(compiled.release))
    served = [f"{count(len(services), 'service')} with {count(operations, 'operation')}"] if services else []
    served += [count(routes, "route")] if routes else []
    session.output.text(f"{' and '.join(served) or 'nothing is served'}: no errors{found}")
    session.output.json({"ok": True, "digest": compiled.release.digest, "diagnostics": plain(compiled.diagnostics)})
