"""What is saved is applied once, when it is whole; and what counts as saved."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from entrepot.control import directories
from entrepot.control.applying import Applied
from entrepot.control.building import Recipe
from entrepot.control.releases import Live, Releases
from entrepot.control.watching import INTERVAL, WORK_SHARE, Seen, look_at, told, watch
from entrepot.ir.release import Sealed
from entrepot.kit.diagnostics import Diagnostic
from support.tables import release_of
from support.virtual_clock import VirtualClock


async def applies(looks: Sequence[Seen], seconds: float = 0.0) -> tuple[list[int], VirtualClock]:
    """After which of the looks something was applied; each takes so many seconds."""
    clock, applied, count, over = VirtualClock(), [], 0, asyncio.Event()

    def look() -> Seen:
        nonlocal count
        clock.seconds += seconds
        if count == len(looks):
            over.set()
            raise InterruptedError
        count += 1
        return looks[count - 1]

    async def apply() -> None:
        applied.append(count)

    with pytest.raises(InterruptedError):
        await watch(look, apply, clock)
    return applied, clock


A, B, C = ({"a.py": (version, 1, 1)} for version in (1, 2, 3))


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([A, A, A], [2]),
        ([A, A, B, B, B], [2, 4]),
        ([A, B, C, C, C], [4]),
        ([A, A, B, C, C, C], [2, 5]),
        ([A, B, B, C, C], [3, 5]),
        ([A, A, B, A, A], [2]),
        ([A, A, {}, {}, A, A], [2, 4, 6]),
    ],
)
async def test_a_change_is_applied_once_when_it_has_settled(looks: Sequence[Seen], expected: list[int]) -> None:
    assert (await applies(looks))[0] == expected


async def test_looks_that_take_long_are_rare() -> None:
    assert (await applies([A, A, A]))[1].sleeps[1:] == [INTERVAL] * 2
    assert (await applies([A, A, A], seconds=1.0))[1].sleeps[1:] == [WORK_SHARE] * 2


def test_what_a_release_is_made_of_is_looked_at(tmp_path: Path) -> None:
    layout = msgspec.structs.replace(directories.layout_of(tmp_path), run=tmp_path / "run")
    directories.create(layout)
    releases, recipe = Releases(layout), Recipe(target=tmp_path)
    releases.add(Sealed(release_of(files={"specs/crm.json": "a" * 64}), {}))
    (tmp_path / "specs").mkdir()
    for name in ("entrepot.yaml", "entrepot.lock", "shop.py", "specs/crm.json", "readme.md"):
        (tmp_path / name).write_text("")
    assert [*look_at(recipe, releases)] == ["entrepot.lock", "entrepot.yaml", "shop.py"]
    releases.go_live(Live(1, 1))
    before = look_at(recipe, releases)
    assert [*before] == ["entrepot.lock", "entrepot.yaml", "shop.py", "specs/crm.json"]
    for name in before:
        os.utime(tmp_path / name, ns=(1, 1))
        assert look_at(recipe, releases) != before
        before = look_at(recipe, releases)
    (tmp_path / "readme.md").write_text("other")
    assert look_at(recipe, releases) == before
    shutil.rmtree(tmp_path / "specs")
    assert "specs/crm.json" not in look_at(recipe, releases)


def test_what_became_of_it_is_told() -> None:
    assert told(Applied(state="unchanged", number=1)) == ""
    assert told(Applied(state="live", number=2, workers_replaced=True)).startswith("release 2 is live after")
    assert told(Applied(state="rejected", number=2, reason="because")).endswith("goes on serving:\nbecause")
    refused = told(Applied(state="refused", diagnostics=(Diagnostic("E1", "no"),)))
    assert refused == "error E1: no\nnothing was changed: the release that serves goes on serving"
