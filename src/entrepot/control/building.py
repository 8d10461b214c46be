"""Compiling a project the same way each time: at the start, and at every apply."""

from __future__ import annotations

from pathlib import Path

import msgspec

from entrepot.compiler.compile import Compiled, compile
from entrepot.compiler.installed import installed
from entrepot.ir.release import Mode, Release, Sealed
from entrepot.ports.protocol import Catalog
from entrepot.spec.load import DECLARATION_FILE


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What is compiled and how. Control is given the supervisor's, so that an apply changes nothing else."""

    target: Path
    """A project directory, its declaration, or one Python file."""
    mode: Mode = "serve"
    environment: str = ""
    host: str = ""
    """Instead of the declared one; "" keeps it."""
    port: int = 0
    """Instead of the declared one; 0 keeps it."""
    workers: int = 0
    """Processes of each pool, instead of the declared number; 0 keeps it."""

    @property
    def project(self) -> Path:
        """The project's directory."""
        target = self.target.resolve()
        return target if target.is_dir() else target.parent

    @property
    def serves(self) -> str:
        """What is compiled, as a person names it beside the project's directory."""
        return self.target.name if self.target.suffix == ".py" else DECLARATION_FILE

    @property
    def arguments(self) -> tuple[str, ...]:
        """The same as options of a command line."""
        return (
            "--target", str(self.target.resolve()), "--mode", self.mode, "--env", self.environment,
            "--host", self.host, "--port", str(self.port), "--workers", str(self.workers),
        )  # fmt: skip


def build(recipe: Recipe, catalog: Catalog) -> Compiled:
    """Compile by the recipe. Raises `Refused` with every diagnostic."""
    compiled = compile(
        recipe.target, catalog, mode=recipe.mode, environment=recipe.environment, dependencies=installed()
    )
    sealed = Sealed(adjusted(compiled.release, recipe), compiled.sealed.contents)
    return msgspec.structs.replace(compiled, sealed=sealed)


def adjusted(release: Release, recipe: Recipe) -> Release:
    """A release with what the recipe sets instead of the declaration."""
    replace = msgspec.structs.replace
    edge = replace(release.edge, address=recipe.host or release.edge.address, port=recipe.port or release.edge.port)
    if not recipe.workers:
        return replace(release, edge=edge)
    pools = tuple(replace(pool, processes=recipe.workers) for pool in release.worker.pools)
    return replace(release, edge=edge, worker=replace(release.worker, pools=pools))
