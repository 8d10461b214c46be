"""The way into the room: a target becomes a release, or every reason why it does not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from entrepot.compiler.draft import CompileRequest, Draft, Placement
from entrepot.compiler.passes import PASSES
from entrepot.ir.release import Mode, Release, Sealed
from entrepot.kit.diagnostics import Diagnostic, Place, Refused, has_errors
from entrepot.ports.protocol import Catalog


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a project without errors."""

    sealed: Sealed
    diagnostics: tuple[Diagnostic, ...]
    """Warnings and notes."""
    placements: tuple[Placement, ...]
    project: Path
    """The directory that everything is relative to."""
    places: Mapping[str, Place]
    """By name of a service: where it is declared; under "", where services are."""

    @property
    def release(self) -> Release:
        """The release alone."""
        return self.sealed.release


def compile(
    target: Path,
    catalog: Catalog,
    *,
    mode: Mode = "serve",
    environment: str = "",
    dependencies: Mapping[str, str] | None = None,
) -> Compiled:
    """The release of a project directory, its `entrepot.yaml`, or one Python file.

    `dependencies` are the versions of what is installed, by name. Raises `Refused` with every diagnostic
    when one of them is an error.
    """
    request = CompileRequest(
        target=target, catalog=catalog, mode=mode, environment=environment, dependencies=dependencies or {}
    )
    draft = run_passes(Draft(request=request))
    if draft.sealed is None:
        raise RuntimeError("the last pass seals")
    return Compiled(
        sealed=draft.sealed,
        diagnostics=draft.diagnostics,
        placements=draft.placements,
        project=draft.loaded.project,
        places={"": draft.at_key("services"), **{unit.service.name: unit.place for unit in draft.units}},
    )


def run_passes(draft: Draft) -> Draft:
    """The draft after every pass. Raises `Refused` at a gate."""
    for step in PASSES:
        draft = step.run(draft)
        if step.gate and has_errors(draft.diagnostics):
            raise Refused(draft.diagnostics)
    return draft
