"""The catalog: the only file that names the members of the shelves.

Everything else receives the catalog as an argument. A member is loaded when it is first used, so
that a worker pays only for the protocols that it serves, and `entrepot version` for none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from entrepot.ports.protocol import Catalog, Protocol

PROTOCOLS = (
    "entrepot.protocols.rest",
    "entrepot.protocols.jsonrpc",
)


class _Shelf(Mapping[str, "Protocol"]):
    """Protocols by name: the last part of their folder's import name."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = {module.rpartition(".")[2]: module for module in modules}

    def __getitem__(self, name: str) -> Protocol:
        return cast("Protocol", import_module(self._modules[name]).PROTOCOL)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


CATALOG: Catalog = _Shelf(PROTOCOLS)
