"""The shop's OpenAPI document, taken at its word by a tool that knows nothing of Entrepôt."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.running import Running
from support.schemathesis import finds_nothing


@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing(running_shop: Running, tmp_path: Path) -> None:
    report = finds_nothing(f"{running_shop.url}/api/shop/v1/openapi.json", tmp_path, "--max-examples=10")
    paths = running_shop.get("/api/shop/v1/openapi.json").json()["paths"].values()
    operations = sum(len(item.keys() - {"parameters"}) for item in paths)
    assert f"Selected: {operations}/{operations}\n  Tested: {operations}\n" in report
