"""All that a worker needs to know.

What the compiler decides has no default here: a stored release that lacks it is of another version's form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from entrepot.kit.limits import Limits
from entrepot.model.operation import Service
from entrepot.model.security import KeptCredential

KEEP_ALIVE_SECONDS = 60
"""How long a worker keeps an idle connection; the edge gives its own up earlier."""


HEALTH_PATH = "/-/health"
"""Where a worker says that it is ready to serve."""


class PythonSource(msgspec.Struct, frozen=True, tag="python"):
    """The operations are functions of a Python module."""

    module: str
    """Import name."""
    attribute: str
    """The Service object's name in the module."""
    path: str
    """Directory put before sys.path, relative to the project; "" for none."""


class Called(msgspec.Struct, frozen=True):
    """An upstream, and how it is called."""

    upstream: str
    """Its name at the egress."""
    base_path: str = ""
    credentials: Mapping[str, KeptCredential] = {}
    """By security scheme of the service: where that is kept which the upstream is shown."""


class UpstreamSource(msgspec.Struct, frozen=True, tag="upstream"):
    """The operations are an upstream's, called through the egress."""

    protocol: str
    """The protocol's name, as app.py lists it."""
    upstream: str
    """Its name at the egress."""
    base_path: str = ""
    credentials: Mapping[str, KeptCredential] = {}
    """By security scheme of the service: where that is kept which the upstream is shown."""
    elsewhere: Mapping[str, Called] = {}
    """By operation that another upstream has: that."""
    replies: Literal["strict", "lenient"] = "strict"
    """Whether a reply that is not what the contract says is a fault, or repaired where that can be done."""

    @property
    def upstreams(self) -> set[str]:
        """All that are called, by name."""
        return {self.upstream, *(called.upstream for called in self.elsewhere.values())}

    def upstream_of(self, operation: str) -> str:
        """The name of the one that has the operation."""
        return self.elsewhere[operation].upstream if operation in self.elsewhere else self.upstream


class ServiceTable(msgspec.Struct, frozen=True, kw_only=True):
    """A service, where its operations live, and what of it each protocol serves."""

    service: Service
    source: PythonSource | UpstreamSource
    carried: dict[str, tuple[str, ...]]
    """By protocol that serves it: the names of the operations it has there."""
    refused: dict[str, dict[str, str]]
    """By protocol that should serve it: the operations that it cannot carry, each with the reason."""
    timeout: float
    """Seconds an operation may take that sets none itself."""

    def served_over(self, protocol: str) -> Service:
        """The service with the operations alone that the protocol carries, as its callers see it.

        What an upstream demands is shown to it by us: it is nothing that our own callers could show.
        """
        service = self.service.only(frozenset(self.carried[protocol]))
        return service.open() if isinstance(self.source, UpstreamSource) else service


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """A group of like worker processes."""

    name: str
    kind: Literal["operations", "wsgi", "asgi"] = "operations"
    app: str = ""
    """For a hosted application: `module:attribute`."""
    path: str = ""
    """For a hosted application: directory put before sys.path, relative to the project; "" for none."""
    mount: str = ""
    """For a hosted application: the prefix it is served under, without a slash at its end."""
    processes: int
    threads: int
    """Most plain `def` handlers, or WSGI requests, at work at once in one process."""


class WorkerIR(msgspec.Struct, frozen=True, kw_only=True):
    """The workers of one release."""

    services: tuple[ServiceTable, ...]
    """In order of their names."""
    pools: tuple[Pool, ...]
    limits: Limits
    check_output: bool
    """Whether every output is checked all the way down against its shape (`dev` does), or at its top only."""
