"""What a test needs beyond PyPI: it is there, or the test is skipped with a reason.

Under `CI=true` a skip is an error (`tests/conftest.py`), so nothing goes unproved in silence.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NPM_PACKAGES = ROOT / ".tools" / "npm" / "node_modules"


def require(tool: str) -> Path:
    """The path of a command on this machine."""
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"needs the command {tool!r}, which .ci/run installs")
    return Path(found)


def require_npm(package: str) -> Path:
    """The directory of a package that tools/npm installs."""
    require("node")
    directory = NPM_PACKAGES / package
    if not directory.is_dir():
        pytest.skip(f"needs the npm package {package!r}, which tools/npm installs")
    return directory


def require_corpus() -> Path:
    """The directory of real API documents."""
    corpus = os.environ.get("ENTREPOT_CORPUS", "")
    if not corpus:
        pytest.skip("needs real API documents: set ENTREPOT_CORPUS to their directory")
    return Path(corpus)
