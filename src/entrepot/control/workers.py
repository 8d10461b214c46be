"""Which worker processes should run: the file between control and the supervisor, and the difference.

Control writes the file, the supervisor makes it so. A generation is a set of workers that run one
release; while a release is delivered two of them run side by side.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import msgspec

from entrepot.ir.worker import Pool
from entrepot.kit.files import replace_file


class PoolSize(msgspec.Struct, frozen=True):
    """How many processes a pool has."""

    name: str
    processes: int


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """The workers of one release, or of several that differ at the edge alone."""

    release: int
    """Number of the release that its workers load: the first of several."""
    pools: tuple[PoolSize, ...]

    @property
    def name(self) -> str:
        """As it stands in names of sockets and clusters."""
        return f"{self.release:06d}"

    @classmethod
    def of(cls, release: int, pools: Collection[Pool]) -> Generation:
        """The generation that a release brings with it."""
        sizes = tuple(PoolSize(pool.name, pool.processes) for pool in pools)
        return cls(release=release, pools=sizes)


class WorkerId(NamedTuple):
    """One worker process; it keeps its socket across restarts."""

    generation: str
    pool: str
    position: int
    """In its pool, from 0."""

    def __str__(self) -> str:
        return f"worker {self.pool}.{self.position} of {self.generation}"


class Wanted(msgspec.Struct, frozen=True):
    """The generations that should run, the older first."""

    generations: tuple[Generation, ...] = ()

    def workers(self) -> dict[WorkerId, int]:
        """Every worker process, with the number of the release it loads."""
        return {
            WorkerId(generation.name, pool.name, position): generation.release
            for generation in self.generations
            for pool in generation.pools
            for position in range(pool.processes)
        }


class Changes(msgspec.Struct, frozen=True):
    """What must be done to get from the running workers to the wanted ones."""

    start: dict[WorkerId, int]
    """With the number of the release each loads."""
    stop: tuple[WorkerId, ...]


def changes(wanted: Wanted, running: Collection[WorkerId]) -> Changes:
    """The difference between what is wanted and what runs; nothing when they agree."""
    workers = wanted.workers()
    start = {worker: release for worker, release in workers.items() if worker not in running}
    return Changes(start=start, stop=tuple(worker for worker in running if worker not in workers))


def write(path: Path, wanted: Wanted) -> None:
    """Put the file in place in one step, so that a reader sees the old or the new."""
    replace_file(path, msgspec.json.encode(wanted))


def read(path: Path) -> Wanted:
    """What the file says; nothing is wanted when there is none. Raises ValueError on other content."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Wanted)
    except FileNotFoundError:
        return Wanted()
