"""The shop's OpenAPI document, taken at its word by a tool that knows nothing of Entrepôt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.running import Running


@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing(running_shop: Running, tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        f"--config-file={Path(__file__).with_name('schemathesis.toml')}",
        "run",
        f"{running_shop.url}/api/shop/v1/openapi.json",
        "--checks=all",
        "--mode=all",
        "--max-examples=10",
        "--continue-on-failure",
        "--seed=1",
        "--no-color",
    ]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    paths = running_shop.get("/api/shop/v1/openapi.json").json()["paths"].values()
    operations = sum(len(item.keys() - {"parameters"}) for item in paths)
    assert f"Selected: {operations}/{operations}\n  Tested: {operations}\n" in ran.stdout
