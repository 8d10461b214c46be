"""Compiling a project the same way each time: at the start, and at every apply."""

from __future__ import annotations

from pathlib import Path

import msgspec

from entrepot.compiler.compile import Compiled, compile
from entrepot.compiler.installed import installed
from entrepot.ir.release import Made, Mode, Release, Sealed
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.ports.protocol import Catalog
from entrepot.spec.load import file_of

MADE_OTHERWISE = "E931"
"""A kept release was made by the other command, of another target, or for another environment."""

_DIFFERENCES_TOLD = 5
"""Most versions named that are not as a release was made with."""


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
    watch: bool = False
    """Whether what is saved is applied at once."""

    @property
    def project(self) -> Path:
        """The project's directory."""
        target = self.target.resolve()
        return target if target.is_dir() else target.parent

    @property
    def serves(self) -> str:
        """What is compiled, as a person names it beside the project's directory."""
        return file_of(self.target).name

    @property
    def made(self) -> Made:
        """How a release is made by it."""
        return Made(mode=self.mode, environment=self.environment, target=self.serves)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The same as options of a command line."""
        return (
            "--target", str(self.target.resolve()), "--mode", self.mode, "--env", self.environment,
            "--host", self.host, "--port", str(self.port), "--workers", str(self.workers),
            *(["--watch"] if self.watch else []),
        )  # fmt: skip


def build(recipe: Recipe, catalog: Catalog) -> Compiled:
    """Compile by the recipe. Raises `Refused` with every diagnostic."""
    compiled = compile(
        recipe.target, catalog, mode=recipe.mode, environment=recipe.environment, dependencies=installed()
    )
    sealed = Sealed(adjusted(compiled.release, recipe), compiled.sealed.contents)
    return msgspec.structs.replace(compiled, sealed=sealed)


def again(release: Release, recipe: Recipe) -> Release:
    """A kept release as it runs by the recipe. Raises `Refused` when it was made by another."""
    if release.made != recipe.made:
        message = f"the release was made by `entrepot {release.made}`, and this is `entrepot {recipe.made}`"
        remedy = "Name one that was made the same way: `entrepot releases` lists them."
        raise Refused([Diagnostic(MADE_OTHERWISE, message, remedy=remedy)])
    return adjusted(release, recipe)


def other_versions(release: Release) -> str:
    """What is installed in other versions than when the release was made; "" when nothing is."""
    now = installed()
    names = [name for name, version in release.dependencies.items() if now.get(name) != version]
    told = [f"{name} {release.dependencies[name]} (now {now.get(name, 'none')})" for name in names[:_DIFFERENCES_TOLD]]
    more = f" and {len(names) - len(told)} more" if len(names) > len(told) else ""
    return f"the release was made with {', '.join(told)}{more}" if names else ""


def adjusted(release: Release, recipe: Recipe) -> Release:
    """A release with what the recipe sets instead of the declaration."""
    replace = msgspec.structs.replace
    edge = replace(release.edge, address=recipe.host or release.edge.address, port=recipe.port or release.edge.port)
    if not recipe.workers:
        return replace(release, edge=edge)
    pools = tuple(replace(pool, processes=recipe.workers) for pool in release.worker.pools)
    return replace(release, edge=edge, worker=replace(release.worker, pools=pools))
