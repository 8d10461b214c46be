"""What every command is given: the catalog, and how to talk to whoever called."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from entrepot.cli.output import Output

if TYPE_CHECKING:
    from entrepot.ports.protocol import Catalog

DONE, REFUSED, INTERRUPTED = 0, 1, 130
"""Exit codes; 2 is click's own, for wrong use."""

LoadCatalog = Callable[[], "Catalog"]


class Session:
    """One run of the command line."""

    def __init__(self, load_catalog: LoadCatalog) -> None:
        self._load_catalog = load_catalog
        self.output = Output()
        self.debug = False
        """Whether an unexpected error shows its traceback."""

    @cached_property
    def catalog(self) -> Catalog:
        """The protocols by name, each loaded on use."""
        return self._load_catalog()
