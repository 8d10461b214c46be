from __future__ import annotations

import subprocess
import sys

import pytest

import entrepot


def test_every_public_name_is_there() -> None:
    assert len(entrepot.__all__) <= 30
    for name in entrepot.__all__:
        assert getattr(entrepot, name).__name__ == name
    assert dir(entrepot) == entrepot.__all__


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        _ = entrepot.Nothing  # type: ignore[attr-defined]


def test_importing_the_package_loads_nothing_of_it() -> None:
    code = "import sys, entrepot; print([name for name in sys.modules if name.startswith('entrepot.')])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
