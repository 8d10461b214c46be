from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import checked_load
from support.served import Served, serving


@pytest.fixture(autouse=True)
def _full_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("full"):
        monkeypatch.setattr(checked_load, "SIZE", checked_load.FULL_SIZE)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as served:
        yield served
