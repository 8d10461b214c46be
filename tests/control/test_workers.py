from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.control import directories, workers
from entrepot.control.wanted_fleet import WantedFleet
from entrepot.control.workers import Generation, PoolSize, Wanted, WorkerId, changes
from support.tables import worker_pool

pools = st.lists(
    st.builds(PoolSize, st.sampled_from(["operations", "old", "new"]), st.integers(0, 4)),
    unique_by=lambda pool: pool.name,
).map(tuple)
generations = st.builds(Generation, release=st.integers(1, 3), pools=pools)
wishes = st.lists(generations, unique_by=lambda generation: generation.release).map(lambda found: Wanted(tuple(found)))


@given(wishes, wishes)
def test_carrying_out_the_changes_gives_what_is_wanted(wanted: Wanted, before: Wanted) -> None:
    running = set(before.workers())
    todo = changes(wanted, running)
    assert (running | set(todo.start)) - set(todo.stop) == set(wanted.workers())
    assert running.isdisjoint(todo.start)
    assert running.issuperset(todo.stop)


@given(wishes)
def test_nothing_is_done_when_all_runs_that_should(wanted: Wanted) -> None:
    todo = changes(wanted, set(wanted.workers()))
    assert (todo.start, todo.stop) == ({}, ())


@given(wishes)
def test_the_file_says_what_was_written(tmp_path_factory: pytest.TempPathFactory, wanted: Wanted) -> None:
    path = tmp_path_factory.mktemp("state") / "processes.json"
    workers.write(path, wanted)
    assert workers.read(path) == wanted


def test_nothing_is_wanted_before_the_file_is_there(tmp_path: Path) -> None:
    assert workers.read(tmp_path / "processes.json") == Wanted()


def test_a_damaged_file_tells_control_nothing_and_stops_no_worker(tmp_path: Path) -> None:
    layout = directories.layout_of(tmp_path)
    layout.state.mkdir()
    layout.processes.write_bytes(b'{"gen')
    assert WantedFleet(layout, notify=-1).wanted() == Wanted()
    with pytest.raises(ValueError, match="truncated"):
        workers.read(layout.processes)


def test_a_generation_has_every_process_of_every_pool() -> None:
    generation = Generation.of(7, [worker_pool("operations", processes=2), worker_pool("old", kind="wsgi")])
    assert Wanted((generation,)).workers() == {
        WorkerId("000007", "operations", 0): 7,
        WorkerId("000007", "operations", 1): 7,
        WorkerId("000007", "old", 0): 7,
    }
