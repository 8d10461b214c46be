"""What is known of a project while it is compiled; each pass fills in its part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from entrepot.ir.edge import EdgeIR
from entrepot.ir.release import Mode, Sealed
from entrepot.ir.worker import PythonSource, UpstreamSource, WorkerIR
from entrepot.kit.diagnostics import NOWHERE, Diagnostic, Place
from entrepot.kit.limits import Limits
from entrepot.kit.pointers import pointer
from entrepot.model.operation import Service
from entrepot.model.upstream import Upstream
from entrepot.ports.protocol import Address, Catalog, Mount
from entrepot.spec.declaration import Declaration, OperationEntry, RouteEntry, ServiceEntry
from entrepot.spec.load import Loaded
from entrepot.spec.positions import Positions

_ENVIRONMENT = re.compile("^/environments/[^/]*(?=/)")


class CompileRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the compiler."""

    target: Path
    catalog: Catalog
    mode: Mode = "serve"
    environment: str = ""
    dependencies: Mapping[str, str] = {}
    """By name: the versions of what is installed, which become part of the release."""

    @property
    def exposed_by_default(self) -> tuple[str, ...]:
        """The protocols of a service that names none."""
        return tuple(name for name, each in self.catalog.items() if self.mode == "dev" or each.by_default)


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that is to be served over a protocol, if the protocol can."""

    operation: str
    protocol: str
    named: bool
    """An `expose` or the operation's own code asks for it, rather than a default."""
    refusal: str = ""
    """Why the protocol cannot carry it; "" when it can."""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A service in one protocol: the operations it carries there, and where."""

    protocol: str
    operations: tuple[str, ...]
    """Their names, in the order of the service."""
    mounts: tuple[Mount, ...]
    addresses: Mapping[str, Address]
    """By operation."""


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A service of the project, on its way."""

    key: str
    """Its entry under `services`."""
    service: Service
    source: PythonSource | UpstreamSource
    server_path: str = ""
    """For a document: the path of the server that it names."""
    elsewhere: Mapping[str, str] = {}
    """By operation that its document has on another server: the URL of that."""
    places: Mapping[str, Place] = {}
    """By operation: where it is written."""
    place: Place = NOWHERE
    """Where the entry stands."""
    written: Place = NOWHERE
    """Where the service itself is written, when that is in code."""
    worded: Mapping[str, str] = {}
    """By operation: the protocol in whose words its code speaks, which is then meant to carry it."""
    timeout: float = 0.0
    """Seconds an operation may take that sets none itself."""
    exposures: tuple[Exposure, ...] = ()
    served: tuple[Served, ...] = ()
    """What is left of the exposures where a protocol cannot carry an operation; none that is empty."""

    def place_of(self, operation: str) -> Place:
        """Where the operation is written; the entry when that is unknown."""
        return self.places.get(operation, self.place)


class DeclaredRoute(msgspec.Struct, frozen=True, gc=False):
    """A route with its path taken apart."""

    entry: RouteEntry
    path: str
    """Without its star."""
    exact: bool
    index: int
    """Among the routes of the declaration."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for the project as a whole, with every default filled in."""

    name: str = "project"
    address: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    threads: int = 16
    timeout: float = 30.0
    """Seconds."""
    limits: Limits = Limits()
    connections_max: int = 10_000
    edge_memory_max: int = 2 * 2**30
    """Octets."""
    releases: int = 50
    """How many are kept."""


class Placement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A row of what `explain` prints: who answers an address, and why there."""

    service: str = ""
    """"" for a route that is no operation."""
    operation: str = ""
    """"" for all of the service."""
    protocol: str = ""
    address: str = ""
    """As a person reads it; "" where there is none."""
    where: Literal["edge", "worker", "nowhere"]
    why: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A project, as far as it is compiled. What a pass has not yet filled in is empty."""

    request: CompileRequest
    diagnostics: tuple[Diagnostic, ...] = ()
    loaded: Loaded = Loaded(Path(), Declaration(), Positions(""))
    units: tuple[Unit, ...] = ()
    routes: tuple[DeclaredRoute, ...] = ()
    """In the order of the declaration; one whose path is wrong is left to its rule."""
    settings: Settings = Settings()
    upstreams: Mapping[str, Upstream] = {}
    """By name; those whose addresses could be read."""
    placements: tuple[Placement, ...] = ()
    edge: EdgeIR | None = None
    worker: WorkerIR | None = None
    sealed: Sealed | None = None

    @property
    def declaration(self) -> Declaration:
        """What the author wrote."""
        return self.loaded.declaration

    @property
    def catalog(self) -> Catalog:
        """The protocols."""
        return self.request.catalog

    def is_read(self, place: Place) -> bool:
        """Whether nothing is wrong with the form of what stands there, in it or around it."""
        here = _merged(place.pointer) + "/"
        return not any(here.startswith(f"{each}/") or f"{each}/".startswith(here) for each in self._unread)

    def knows_all(self, section: str) -> bool:
        """Whether every name under a key of the top level could be read."""
        misspelt = not getattr(self.declaration, section)  # the key itself may be
        paths = [each.split("/")[1:] for each in self._unread]
        return not any(
            path == [] or (path[:1] == [section] and len(path) < 3) or (misspelt and len(path) == 1) for path in paths
        )

    @property
    def _unread(self) -> frozenset[str]:
        """Pointers to the parts that have the wrong form, which the declaration goes without."""
        return frozenset(_merged(each.place.pointer) for each in self.loaded.diagnostics if each.severity == "error")

    def entry(self, unit: Unit) -> ServiceEntry:
        """What the declaration says of a service."""
        return self.declaration.services[unit.key]

    def operation_entry(self, unit: Unit, operation: str) -> OperationEntry:
        """What the declaration says of an operation."""
        return self.entry(unit).operations.get(operation, OperationEntry())

    def at_route(self, route: DeclaredRoute) -> Place:
        """Where the path of a route stands."""
        return self.at("routes", route.index, "path")

    def at(self, *path: str | int) -> Place:
        """Where a value of the declaration stands."""
        return self.loaded.positions.value(pointer(path))

    def at_key(self, *path: str | int) -> Place:
        """Where a key of the declaration stands."""
        return self.loaded.positions.key(pointer(path))


def _merged(pointer: str) -> str:
    """The same as seen from the whole, where the pointer leads into what an environment changes."""
    return _ENVIRONMENT.sub("", pointer)


def placed(diagnostic: Diagnostic, place: Place) -> Diagnostic:
    """The diagnostic, at this place if it has none of its own."""
    return msgspec.structs.replace(diagnostic, place=place) if diagnostic.place == NOWHERE else diagnostic
