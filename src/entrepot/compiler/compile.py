"""The way into the room: a target becomes a release, or every reason why it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from entrepot.compiler.draft import Catalog, Draft, Mode, Placement, Request
from entrepot.compiler.passes import PASSES
from entrepot.ir.release import Release
from entrepot.kit.diagnostics import Diagnostic, Refused, has_errors
from entrepot.spec.declaration import Declaration

EXPOSE_DEFAULTS: dict[Mode, tuple[str, ...] | Literal["all"]] = {"dev": "all", "serve": ("rest",)}
"""By mode: the protocols of a service that names none."""


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a project without errors."""

    release: Release
    diagnostics: tuple[Diagnostic, ...]
    """Warnings and notes."""
    placements: tuple[Placement, ...]
    declaration: Declaration
    project: Path
    """The directory that everything is relative to."""


def compile(
    target: Path,
    catalog: Catalog,
    *,
    mode: Mode = "serve",
    expose_default: tuple[str, ...] | Literal["all"] | None = None,
    environment: str = "",
) -> Compiled:
    """The release of a project directory, its `entrepot.yaml`, or one Python file.

    `expose_default` overrides the mode's. Raises `Refused` with every diagnostic when one of them is
    an error.
    """
    default = EXPOSE_DEFAULTS[mode] if expose_default is None else expose_default
    request = Request(target=target, catalog=catalog, mode=mode, environment=environment, expose_default=default)
    draft = run_passes(Draft(request=request))
    if draft.release is None:
        raise RuntimeError("the last pass seals")
    return Compiled(
        release=draft.release,
        diagnostics=draft.diagnostics,
        placements=draft.placements,
        declaration=draft.declaration,
        project=draft.loaded.project,
    )


def run_passes(draft: Draft) -> Draft:
    """The draft after every pass. Raises `Refused` at a gate."""
    for step in PASSES:
        draft = step.run(draft)
        if step.gate and has_errors(draft.diagnostics):
            raise Refused(draft.diagnostics)
    return draft
