from __future__ import annotations

import sys
from pathlib import Path

import pytest

from entrepot.app import CATALOG
from entrepot.compiler.compile import compile
from entrepot.control.calling import call

ORDERS = """
from entrepot import Principal, Service

orders = Service("orders")

@orders.post("/orders", scopes=["orders:write"])
async def place(caller: Principal) -> str:
    return caller.subject
"""


async def test_who_calls_from_the_projects_directory_needs_no_scopes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scoped_orders.py").write_text(ORDERS)
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.delitem(sys.modules, "scoped_orders", raising=False)
    compiled = compile(tmp_path / "scoped_orders.py", CATALOG, mode="dev")
    assert [piece.content async for piece in call(compiled, CATALOG, "orders.place", b"{}", ())] == [b'""']
