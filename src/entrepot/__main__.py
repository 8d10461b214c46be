"""`entrepot` and `python -m entrepot`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from entrepot.cli.main import run

if TYPE_CHECKING:
    from entrepot.ports.protocol import Protocol


def _catalog() -> Mapping[str, Protocol]:
    from entrepot.app import Catalog  # `entrepot version` needs none

    return Catalog()


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(_catalog))


if __name__ == "__main__":
    main()
