"""Releases on disk: numbered, immutable, with what became of each, and which one is live.

A release is stored before it is delivered, the live one is recorded after it is confirmed. Whatever
is killed in between, the record names a release that served.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from entrepot.ir.layout import Layout
from entrepot.ir.release import Made, Release, Sealed
from entrepot.kit.clock import Clock, SystemClock
from entrepot.kit.files import replace_file, write_together

_Value = TypeVar("_Value")


class Live(msgspec.Struct, frozen=True):
    """The release that serves."""

    number: int
    loaded: int
    """The release that its workers have loaded; an older one when only the edge has changed since."""
    held: bool = False
    """A rollback made it live: `serve` starts it and not what is on disk, until the next apply."""


_DIGITS = 64
"""Of a digest, hexadecimal: the name of a kept file, and the beginning of what Python compiles of it."""

State = Literal["delivering", "live", "rejected", "replaced"]


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a release."""

    number: int
    state: State
    at: datetime
    """When it came to this state."""
    live_at: datetime | None = None
    """When it went live first; None for one that never did."""
    reason: str = ""
    """Why it was rejected."""
    again: int = 0
    """The release that it is once more, after a rollback; 0 when it was compiled."""


class NoSuchRelease(Exception):
    """The release asked for is not kept."""


class _Files(msgspec.Struct):
    """Of a stored release only this, which is a fraction of the work of reading it."""

    files: dict[str, str]


class Releases:
    """The releases of one project."""

    def __init__(self, layout: Layout, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._directory = layout.releases
        self._files = layout.files
        self._live = layout.state / "live.json"
        self._paths: tuple[int, tuple[str, ...]] = (0, ())
        """Of the release that was asked about last: it never changes."""

    def add(self, sealed: Sealed) -> int:
        """Store a release under the next number, and give that number. Files that are kept already need no content."""
        number = self.newest() + 1
        self.keep(sealed)
        replace_file(self.path(number), sealed.release.canonical())
        self._prune(sealed.release.kept)
        return number

    def keep(self, sealed: Sealed) -> None:
        """Store the files of a release as far as they are not there."""
        write_together(self._files, sealed.contents)

    def path(self, number: int) -> Path:
        """The file of a release."""
        return self._directory / f"{number:06d}.json"

    def read(self, number: int) -> Release:
        """A stored release. Raises FileNotFoundError, or ValueError when the file is damaged or another version's."""
        path = self.path(number)
        try:
            return Release.of(path.read_bytes())
        except ValueError as error:
            raise ValueError(
                f"{path} is damaged, or another version wrote it ({error}); start the project again"
            ) from None

    def paths(self, number: int) -> tuple[str, ...]:
        """The files that a release runs on, as they lie in the project; none when it cannot be read."""
        if self._paths[0] != number:
            files = _read(self.path(number), _Files)
            self._paths = number, tuple(files.files) if files is not None else ()
        return self._paths[1]

    def live(self) -> Live | None:
        """The release recorded as live; None before the first, and when the record is damaged or another version's."""
        return _read(self._live, Live)

    def digest(self, number: int) -> str:
        """SHA-256 of a stored release, as `Release.digest` gives it; "" when it is gone."""
        try:
            return hashlib.sha256(self.path(number).read_bytes()).hexdigest()
        except FileNotFoundError:
            return ""

    def made(self, number: int) -> Made | None:
        """How a stored release was made; None when it is gone, or another version's."""
        return _read(self.path(number), Made)

    def go_live(self, live: Live) -> None:
        """Record the release that serves from now on, in place of the one before."""
        before = self.live()
        replace_file(self._live, msgspec.json.encode(live))
        if before is not None and before.number != live.number:
            self.record(before.number, "replaced")
        self.record(live.number, "live")

    def record(self, number: int, state: State, reason: str = "", *, again: int = 0) -> None:
        """Write down what became of a release; which one it is again is written down once."""
        before = _read(self._record_path(number), Record)
        again = again or (before.again if before else 0)
        now = self._clock.now()
        live_at = before.live_at if before else None
        if state == "live":
            live_at = live_at or now
        record = Record(number=number, state=state, at=now, live_at=live_at, reason=reason, again=again)
        replace_file(self._record_path(number), msgspec.json.encode(record))

    def records(self) -> list[Record]:
        """What is known of every release, the newest first; a damaged record tells nothing."""
        paths = sorted(self._directory.glob("[0-9]*.record"), reverse=True)
        return [record for path in paths if (record := _read(path, Record)) is not None]

    def kept(self, number: int) -> Release:
        """A release that somebody names. Raises `NoSuchRelease`, or ValueError as `read` does."""
        try:
            return self.read(number)
        except FileNotFoundError:
            numbers = ", ".join(map(str, self._numbers())) or "none"
            raise NoSuchRelease(f"release {number} is not kept; those kept: {numbers}") from None

    def before(self, number: int) -> int:
        """The release that served last before this one. Raises `NoSuchRelease` when none has, or it is not kept."""
        served = (record.number for record in self.records() if record.state == "replaced" and record.number < number)
        for found in served:
            if self.path(found).exists():
                return found
        raise NoSuchRelease(f"no release that served before release {number} is kept")

    def newest(self) -> int:
        """The highest number given out; 0 before the first."""
        return max(self._numbers(), default=0)

    def _record_path(self, number: int) -> Path:
        return self._directory / f"{number:06d}.record"

    def _numbers(self) -> list[int]:
        return sorted(int(path.stem) for path in self._directory.glob("[0-9]*.json"))

    def _prune(self, most: int) -> None:
        """The oldest go, but never what serves."""
        live = self.live()
        kept = {live.number, live.loaded} if live else set()
        surplus = [number for number in self._numbers()[:-most] if number not in kept]
        orphaned = not all(map(self._has_its_files_kept, surplus))
        for number in surplus:
            self.path(number).unlink(missing_ok=True)
            self._record_path(number).unlink(missing_ok=True)
        if orphaned:
            self._forget_files()

    def _has_its_files_kept(self, number: int) -> bool:
        """Whether the newest release runs on all that it runs on, as it does when the edge alone has changed."""
        files, newest = (_read(self.path(each), _Files) for each in (number, self.newest()))
        return files is not None and newest is not None and {*files.files.values()} <= {*newest.files.values()}

    def _forget_files(self) -> None:
        """Remove the files that no kept release runs on, with what Python has compiled of them."""
        used: set[str] = set()
        for number in self._numbers():
            files = _read(self.path(number), _Files)
            if files is None:  # of another version's form: what it runs on is not known
                return
            used.update(files.files.values())
        for path in (*self._files.iterdir(), *self._files.glob("__pycache__/*")):
            if path.is_file() and path.name[:_DIGITS] not in used:
                path.unlink(missing_ok=True)


def _read(path: Path, kind: type[_Value]) -> _Value | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, ValueError):
        return None
