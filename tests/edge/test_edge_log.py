"""What a person gets to see of Envoy's log."""

from __future__ import annotations

from pathlib import Path

import pytest

from entrepot.edge import log

HEAD = "[2026-11-20 10:56:39.609][15735]"


def test_the_complaint_without_its_prefix() -> None:
    text = f"{HEAD}[warning][main] [source/server/server.cc:1028] caught ENVOY_SIGTERM\n"
    assert log.reason(text) == "caught ENVOY_SIGTERM"


def test_what_is_no_complaint_is_left_out() -> None:
    assert log.reason(f"{HEAD}[info][main] [source/x.cc:1] all is well\nno log line\n") == ""


@pytest.mark.parametrize(
    "secret",
    [
        '"inline_string":"hunter2"',
        '"inline_bytes": "aHVudGVyMg=="',
        'inline_string: "hun\\"ter2"',
        "-----BEGIN PRIVATE KEY-----\\nhunter2\\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\\nhunter2 and the end is cut off",
    ],
)
def test_secrets_are_left_out(secret: str) -> None:
    said = log.reason(f"{HEAD}[warning][config] [source/x.cc:1] bad secret {secret}")
    assert said.startswith("bad secret")
    assert "hunter2" not in said
    assert "aHVudGVyMg" not in said
    assert 'ter2"' not in said


def test_a_printed_file_is_left_out() -> None:
    printed = (
        'Filesystem config update failure: in /x/resources.json, unable to parse {"version_info":"1","resources":['
    )
    assert log.reason(f"{HEAD}[warning][config] [source/x.cc:1] {printed}").endswith("unable to parse [the file]")


def test_words_are_bounded() -> None:
    line = f"{HEAD}[error][config] [source/x.cc:1] " + "x" * 100
    assert len(log.reason("\n".join([line] * 1000))) <= log.REASON_MAX


def test_only_what_was_logged_since_is_read(tmp_path: Path) -> None:
    file = tmp_path / "edge.log"
    assert (log.size(file), log.since(file, 0)) == (0, "")
    file.write_text("before\n")
    offset = log.size(file)
    file.write_text("before\nafter\n")
    assert log.since(file, offset) == "after\n"
