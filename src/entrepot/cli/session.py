"""What every command is given: the catalog, and how to talk to whoever called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.cli.output import Output

if TYPE_CHECKING:
    from entrepot.ports.protocol import Catalog

DONE, REFUSED, INTERRUPTED = 0, 1, 130
"""Exit codes; 2 is click's own, for wrong use."""


class Session:
    """One run of the command line."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.output = Output()
        self.debug = False
        """Whether an unexpected error shows its traceback."""
