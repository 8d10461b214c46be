"""`entrepot` and `python -m entrepot`."""

from __future__ import annotations

import sys

from entrepot.app import CATALOG
from entrepot.cli.main import run


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(CATALOG))


if __name__ == "__main__":
    main()
