from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from entrepot.control.logs import FOLLOWED_BYTES_MAX, LINE_BYTES_MAX, Follower, Lines, LogBook, LogFile, move_full_aside


@given(st.lists(st.text(alphabet="ab ", max_size=5)), st.data())
def test_lines_are_the_same_however_they_arrive(lines: list[str], data: st.DataObject) -> None:
    stream = "".join(f"{line}\n" for line in lines).encode()
    cut = data.draw(st.integers(0, len(stream)))
    reader = Lines()
    assert reader.feed(stream[:cut]) + reader.feed(stream[cut:]) == lines
    assert reader.end() == []


def test_what_has_no_end_of_line_is_a_line_at_the_end() -> None:
    reader = Lines()
    assert reader.feed(b"last words") == []
    assert reader.end() == ["last words"]


def test_an_endless_line_is_cut() -> None:
    reader = Lines()
    lines = reader.feed(b"x" * (LINE_BYTES_MAX * 3 + 1)) + reader.end()
    assert [len(line) for line in lines] == [LINE_BYTES_MAX] * 3 + [1]


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert Lines().feed(b"\xff\xfe\n") == ["\ufffd\ufffd"]


def test_a_log_takes_twice_its_limit_at_most(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "a.log", bytes_max=10)
    for number in range(100):
        log.write(b"%07d\n" % number)
    log.close()
    assert (tmp_path / "a.log").read_bytes() == b"0000099\n"
    assert (tmp_path / "a.log.1").read_bytes() == b"0000098\n"


def test_a_log_goes_on_where_it_ended(tmp_path: Path) -> None:
    for words in (b"one\n", b"two\n"):
        log = LogFile(tmp_path / "a.log")
        log.write(words)
        log.close()
    assert (tmp_path / "a.log").read_bytes() == b"one\ntwo\n"


def test_a_disk_that_refuses_stops_nothing(tmp_path: Path) -> None:
    shown: list[tuple[str, str]] = []
    book = LogBook(tmp_path / "missing", lambda source, line: shown.append((source, line)))
    book.write("worker", ["one", "two"])
    assert shown == [("worker", "one"), ("worker", "two")]


def test_a_full_file_of_another_process_is_moved_aside_until_that_opens_it_again(tmp_path: Path) -> None:
    file, other = tmp_path / "edge.log", tmp_path / "missing.log"
    file.write_bytes(b"x" * 10)
    assert not move_full_aside([file, other], bytes_max=10)
    file.write_bytes(b"x" * 11)
    assert move_full_aside([file, other], bytes_max=10)
    assert (tmp_path / "edge.log.1").read_bytes() == b"x" * 11
    assert move_full_aside([file, other], bytes_max=10)
    file.write_bytes(b"")
    assert not move_full_aside([file, other], bytes_max=10)


def test_a_closed_terminal_stops_nothing(tmp_path: Path) -> None:
    def closed(_source: str, _line: str) -> None:
        raise BrokenPipeError

    book = LogBook(tmp_path, closed)
    book.write("worker", ["one"])
    book.close()
    assert (tmp_path / "worker.log").read_text() == "one\n"


def test_what_is_added_to_a_file_is_followed_wherever_it_is_moved(tmp_path: Path) -> None:
    log = tmp_path / "ingress.log"
    log.write_bytes(b"of an earlier run\n")
    follower = Follower(log)
    assert follower.more() == []
    with log.open("ab", buffering=0) as writing:
        writing.write(b"one\ntw")
        assert follower.more() == ["one"]
        assert move_full_aside([log], bytes_max=1)
        writing.write(b"o\n")
        assert follower.more() == ["two"]
        writing.write(b"three\n")
    log.write_bytes(b"four\n")
    assert follower.more() == ["three", "four"]
    follower.close()


def test_a_file_is_followed_that_was_not_there(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "ingress.log")
    assert follower.more() == []
    (tmp_path / "ingress.log").write_bytes(b"one\n")
    assert follower.more() == ["one"]
    follower.close()


def test_a_flood_is_followed_by_its_end_in_whole_lines(tmp_path: Path) -> None:
    log = tmp_path / "ingress.log"
    log.touch()
    follower = Follower(log)
    with log.open("ab") as writing:
        writing.write(b"%07d\n" * 20_000 % tuple(range(20_000)))
    lines = follower.more()
    assert lines[-1] == "0019999"
    assert {len(line) for line in lines} == {7}
    assert len(lines) * 8 <= FOLLOWED_BYTES_MAX
    follower.close()
