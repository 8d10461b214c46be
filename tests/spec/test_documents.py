"""Foreign documents: exact, bounded, and without surprises."""

from __future__ import annotations

import os
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.kit.diagnostics import Refused
from entrepot.kit.files import read_regular
from entrepot.ports.protocol import DocumentKind
from entrepot.spec import documents
from entrepot.spec.load import load
from entrepot.spec.lock import Lock, PinnedDocument, digest, read_lock
from entrepot.spec.pinned import read_document
from support.protocols import catalog

KIND = DocumentKind(operations=lambda _: 0)
BOTH = pytest.mark.parametrize("read", [documents.read, documents.read_pinned])


@BOTH
def test_decimals_stay_exact(read: Any) -> None:
    content = read(b'{"a": 0.10, "b": 12345678901234567890123, "c": 1e400}', "f.json").content
    assert (str(content["a"]), content["b"], content["c"]) == ("0.10", 12345678901234567890123, Decimal("1e400"))


@BOTH
def test_json_is_told_from_yaml(read: Any) -> None:
    assert read(b' \n{"a": "\\ud83d\\ude00\\/",\t"b": 1}', "f").content == {"a": "😀/", "b": 1}
    assert read(b"a: NO\n", "f").content == {"a": "NO"}


@BOTH
@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'{\n "a": 1\n "b": 2}', "f.json:3:2"),
        (b'{"a": ', "f.json"),
        (b"[" * 100_000, "f.json"),
        (b'{"a": 1e99999999999999999999}', "f.json"),
        (b'{"a": 1e99999999}', "f.json"),
        (b'{"a": 1e-99999999}', "f.json"),
        (b'{"a": "\xff"}', "f.json"),
        (b"{} {}", "f.json:1:4"),
    ],
)
def test_what_is_no_json_is_refused(read: Any, content: bytes, place: str) -> None:
    with pytest.raises(Refused) as refused:
        read(content, "f.json")
    assert refused.value.diagnostics[0].code == "E210"
    assert str(refused.value.diagnostics[0].place).startswith(place.rpartition(":")[0] if ":" in place else place)


@pytest.mark.parametrize(
    "content", [b'{"a": 1, "a": 2}', b'{"x": [{"a": 1, "a": 1}]}', b'{"a": NaN}', b'{"a": Infinity}']
)
def test_an_import_is_strict(content: bytes) -> None:
    with pytest.raises(Refused):
        documents.read(content, "f.json")


def test_a_key_that_is_given_twice_is_found_among_many() -> None:
    members = "".join(f'"k{number}": 1, ' for number in range(200_000))
    with pytest.raises(Refused, match="the key 'k199999' is given twice"):
        documents.read(f'{{{members}"k199999": 2}}'.encode(), "f.json")


@given(st.binary(max_size=64).map(lambda rest: b"{" + rest) | st.binary(max_size=64))
def test_bytes_are_read_or_refused(content: bytes) -> None:
    for read in (documents.read, documents.read_pinned):
        with suppress(Refused):
            read(content, "f")


def test_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "secret.json").write_text("{}")
    (project / "crm.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(Refused, match="outside the project"):
        read_document(project, "crm.json", KIND, "openapi", "crm", Lock())


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="E210: the document a\0b cannot be read: embedded null byte"):
        read_document(tmp_path, "a\0b", KIND, "openapi", "crm", Lock())


def test_a_pinned_document_is_read_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "crm.json").write_text("{}")
    pinned = PinnedDocument(kind="openapi", source="x", sha256=digest(b"{}"))
    found = read_document(tmp_path, "crm.json", KIND, "openapi", "crm", Lock(documents={"crm.json": pinned}))
    assert (found.document.content, found.document.source) == ({}, "crm.json")
    assert (found.octets, found.warnings) == ({"crm.json": b"{}"}, ())


def test_the_fake_catalog_reads_what_it_is_for() -> None:
    imported = catalog()["rest"].client.read(documents.read(b'{"operations": ["find"]}', "f"), "crm")
    assert [operation.name for operation in imported.service.operations] == ["find"]


def test_only_regular_files_are_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "entrepot.yaml")
    os.mkfifo(tmp_path / "crm.json")
    with pytest.raises(Refused, match=r"E001: entrepot\.yaml cannot be read: it is no regular file"):
        load(tmp_path)
    with pytest.raises(Refused, match=r"E210: the document crm\.json cannot be read: it is no regular file"):
        read_document(tmp_path, "crm.json", KIND, "openapi", "crm", Lock())
    os.mkfifo(tmp_path / "entrepot.lock")
    with pytest.raises(Refused, match="E213: the lock cannot be read: it is no regular file"):
        read_lock(tmp_path)
    (tmp_path / "entrepot.yaml").unlink()
    (tmp_path / "entrepot.yaml").symlink_to("/dev/zero")
    with pytest.raises(Refused, match=r"E001: entrepot\.yaml cannot be read: it is no regular file"):
        load(tmp_path)


def test_no_more_of_a_file_is_read_than_shows_that_it_is_too_long(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"0123456789")
    assert read_regular(tmp_path / "long", 4) == b"01234"
