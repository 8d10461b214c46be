from __future__ import annotations

import hashlib
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from entrepot.control import directories, sockets
from entrepot.control.releases import Live, NoSuchRelease, Releases
from entrepot.ir.release import Sealed
from entrepot.ir.worker import UpstreamSource
from entrepot.model.operation import Example, Operation, Service
from entrepot.model.shape import Json
from support.tables import release_of, service_table, worker_table
from support.virtual_clock import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def releases(tmp_path: Path, clock: VirtualClock) -> Releases:
    layout = directories.layout_of(tmp_path)
    layout = msgspec.structs.replace(layout, run=tmp_path / "run")
    directories.create(layout)
    return Releases(layout, clock)


KEPT = 5


def release(code: str) -> Sealed:
    return Sealed(release_of(code, kept=KEPT), {})


def test_releases_are_numbered_and_kept_as_they_are(releases: Releases) -> None:
    assert [releases.add(release(code)) for code in "abc"] == [1, 2, 3]
    assert releases.read(2) == release("b").release
    assert releases.digest(2) == release("b").release.digest
    assert releases.path(2).name == "000002.json"


def test_numbers_of_documents_stay_exact(releases: Releases) -> None:
    schema = {"not": {"multipleOf": Decimal("0.010")}}
    operation = Operation(
        name="price", output=Json(schema=schema), examples=(Example(name="a", output=Decimal("1.50")),)
    )
    table = service_table(Service(name="shop", operations=(operation,)), source=UpstreamSource("rest", "shop"))
    number = releases.add(Sealed(release_of(worker=worker_table(services=(table,))), {}))
    [found] = releases.read(number).worker.services[0].service.operations
    assert str((found.output, found.examples[0].output)) == str((operation.output, Decimal("1.50")))


def test_what_went_live_replaces_what_was(releases: Releases) -> None:
    for code in "ab":
        number = releases.add(release(code))
        releases.go_live(Live(number, number))
    assert releases.live() == Live(2, 2)
    assert [(record.number, record.state) for record in releases.records()] == [(2, "live"), (1, "replaced")]


def test_going_live_again_is_no_replacement(releases: Releases) -> None:
    releases.add(release("a"))
    for _ in range(2):
        releases.go_live(Live(1, 1))
    assert [(record.number, record.state) for record in releases.records()] == [(1, "live")]


def test_old_releases_go_but_never_what_serves(releases: Releases) -> None:
    releases.add(release("workers"))
    releases.add(release("edge"))
    releases.go_live(Live(2, 1))
    for number in range(KEPT + 10):
        releases.record(releases.add(release(str(number))), "rejected", "no")
    kept = {int(path.stem) for path in releases.path(1).parent.glob("*.json")}
    assert len(kept) == KEPT + 2
    assert {1, 2} <= kept
    assert {record.number for record in releases.records()} <= kept


def test_what_another_version_has_recorded_is_not_live(releases: Releases) -> None:
    releases.go_live(Live(1, 1))
    next(releases.path(1).parents[1].glob("live.json")).write_text('{"number": 1, "generation": "000001"}')
    assert releases.live() is None


@pytest.mark.parametrize("content", [b"", b'{"num', b"\xff{", b"[1]"])
def test_a_damaged_record_is_none(releases: Releases, content: bytes) -> None:
    releases.add(release("a"))
    releases.go_live(Live(1, 1))
    for file in ("live.json", "releases/000001.record"):
        (releases.path(1).parents[1] / file).write_bytes(content)
    assert releases.live() is None
    assert releases.records() == []


@pytest.mark.parametrize("content", [b"", b'{"num', b"\xff{", b"[1]"])
def test_a_damaged_release_is_named(releases: Releases, content: bytes) -> None:
    releases.path(1).write_bytes(content)
    with pytest.raises(ValueError, match=r"000001\.json is damaged"):
        releases.read(1)


@pytest.mark.parametrize("lacking", ["carried", "refused", "timeout"])
def test_a_release_of_another_form_is_not_read_as_if_it_said_nothing(releases: Releases, lacking: str) -> None:
    table = service_table(
        Service(name="shop"), UpstreamSource("rest", "shop"), refused={"rest": {"a": "it carries a file"}}
    )
    stored = msgspec.to_builtins(release_of(worker=worker_table(services=(table,))))
    stored["worker"]["services"][0]["omit"] = stored["worker"]["services"][0].pop(lacking)
    releases.path(1).write_bytes(msgspec.json.encode(stored))
    with pytest.raises(ValueError, match=rf"another version wrote it .*`{lacking}`.*start the project again"):
        releases.read(1)


def test_nothing_is_live_at_first(releases: Releases) -> None:
    assert releases.live() is None
    assert releases.records() == []
    assert releases.digest(1) == ""


def test_what_a_killed_process_left_half_written_is_swept(tmp_path: Path) -> None:
    layout = directories.layout_of(tmp_path)
    layout = msgspec.structs.replace(layout, run=tmp_path / "run")
    directories.create(layout)
    kept = layout.releases / "000001.json"
    for file in (layout.state / ".live.json.7.tmp", layout.releases / ".000002.json.7.tmp", kept):
        file.write_text("{")
    sockets.listen_unix(layout.worker_socket("000001", "operations", 0)).close()
    directories.sweep(layout)
    assert not [*layout.run.iterdir()]
    assert [*layout.releases.iterdir()] == [kept]
    assert not [*layout.state.glob(".*.tmp")]


def sealed(contents: dict[str, bytes]) -> Sealed:
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    return Sealed(release_of(files=digests, kept=KEPT), {digests[path]: content for path, content in contents.items()})


def test_files_are_kept_once_and_as_long_as_a_release_runs_on_them(releases: Releases, tmp_path: Path) -> None:
    kept = directories.layout_of(tmp_path).files
    one, both = sealed({"a.py": b"old"}), sealed({"a.py": b"new", "b.py": b"same"})
    (kept / "__pycache__").mkdir()
    for digest in {**one.contents, **both.contents}:
        (kept / "__pycache__" / f"{digest}cpython-311.pyc").touch()
    releases.add(one)
    for _ in range(KEPT):
        assert {path.name for path in kept.iterdir() if path.is_file()} >= one.contents.keys()
        releases.go_live(Live(number := releases.add(both), number))
    assert {path.name: path.read_bytes() for path in kept.iterdir() if path.is_file()} == both.contents
    assert {path.name[:64] for path in (kept / "__pycache__").iterdir()} == set(both.contents)


def test_a_kept_file_that_got_lost_is_kept_again(releases: Releases, tmp_path: Path) -> None:
    one = sealed({"a.py": b"old"})
    releases.add(one)
    [file] = directories.layout_of(tmp_path).files.iterdir()
    file.unlink()
    releases.keep(one)
    assert file.read_bytes() == b"old"


def test_the_release_before_is_the_last_that_served(releases: Releases) -> None:
    for code in "ab":
        releases.go_live(Live(number := releases.add(release(code)), number))
    releases.record(releases.add(release("c")), "rejected", "no")
    releases.go_live(Live(number := releases.add(release("d")), number))
    assert [releases.before(number) for number in (4, 2)] == [2, 1]
    with pytest.raises(NoSuchRelease, match="before release 1"):
        releases.before(1)
    releases.path(2).unlink()
    assert releases.before(4) == 1


def test_when_it_went_live_stays_on_record(releases: Releases, clock: VirtualClock) -> None:
    begun = clock.now()
    for code in "ab":
        releases.go_live(Live(number := releases.add(release(code)), number))
        clock.seconds += 60
    releases.go_live(Live(2, 2, held=True))
    releases.record(releases.add(release("c")), "rejected", "no")
    minute = timedelta(seconds=60)
    assert [(each.number, each.live_at) for each in releases.records()] == [(3, None), (2, begun + minute), (1, begun)]
    assert releases.records()[2].at == begun + minute


def test_how_a_release_was_made_is_told(releases: Releases) -> None:
    releases.add(Sealed(release_of(mode="dev", target="a.py", environment="here"), {}))
    assert str(releases.made(1)) == "dev a.py --env here"
    assert releases.made(2) is None


def test_a_release_that_is_not_kept_is_told_with_those_that_are(releases: Releases) -> None:
    with pytest.raises(NoSuchRelease, match="release 7 is not kept; those kept: none"):
        releases.kept(7)
    for code in "ab":
        releases.add(release(code))
    with pytest.raises(NoSuchRelease, match="release 7 is not kept; those kept: 1, 2"):
        releases.kept(7)


def test_which_release_it_is_again_stays_on_record(releases: Releases) -> None:
    releases.record(2, "delivering", again=1)
    releases.go_live(Live(2, 2, held=True))
    assert [(record.state, record.again) for record in releases.records()] == [("live", 1)]
    assert releases.live() == Live(2, 2, held=True)
