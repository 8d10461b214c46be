"""What is said between the compiler and the child process that imports modules."""

from __future__ import annotations

import msgspec

from entrepot.kit.diagnostics import Diagnostic, Place
from entrepot.model.operation import Service
from entrepot.spec.applications import Kind


class Source(msgspec.Struct, frozen=True):
    """A module to import, and what is wanted of it: a service, or an application to host."""

    module: str
    """Import name."""
    attribute: str = ""
    """The wanted name in the module; "" for every service."""
    path: str = ""
    """Directory put before sys.path, relative to the project; "" for none."""
    hosted: Kind | None = None
    """The kind of an application to host, when one is wanted: it need only be there, and of that kind."""


class ProbeRequest(msgspec.Struct, frozen=True):
    """What to import."""

    project: str
    """The project's directory; the child's working directory too."""
    sources: tuple[Source, ...]
    seconds_max: float
    """Seconds that one import may take."""


class FoundService(msgspec.Struct, frozen=True):
    """A service of a module."""

    attribute: str
    service: Service
    place: Place
    """Where it is made."""
    places: dict[str, Place]
    """By operation: where its function stands."""
    worded: dict[str, str]
    """By operation: the protocol in whose words its decorator speaks."""


class Probed(msgspec.Struct, frozen=True):
    """What came of one module."""

    services: tuple[FoundService, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
