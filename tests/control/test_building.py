"""An earlier release, as a project that runs now takes it."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from entrepot.control.building import Recipe, again, other_versions
from entrepot.kit.diagnostics import Refused
from support.tables import edge_table, release_of


def test_a_kept_release_listens_where_the_project_was_told_to() -> None:
    recipe = Recipe(target=Path(), port=9000)
    assert again(release_of(edge=edge_table(port=8080)), recipe).edge.port == 9000


@pytest.mark.parametrize("made", [{"mode": "dev"}, {"environment": "production"}, {"target": "a.py"}])
def test_a_release_that_was_made_another_way_is_refused(made: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        again(release_of(**made), Recipe(target=Path()))
    [diagnostic] = refused.value.diagnostics
    assert diagnostic.code == "E931"
    assert "and this is `entrepot serve entrepot.yaml`" in diagnostic.message


def test_versions_that_differ_from_then_are_named() -> None:
    now = {"python": platform.python_version()}
    assert other_versions(release_of(dependencies=now)) == ""
    one = other_versions(release_of(dependencies={**now, "no-such-lib": "1.2"}))
    assert one == "the release was made with no-such-lib 1.2 (now none)"
    many = other_versions(release_of(dependencies={f"lib{number}": "1" for number in range(8)}))
    assert many.endswith("lib4 1 (now none) and 3 more")
