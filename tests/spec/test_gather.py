"""The files of a document gathered: what is followed, what is not, and where it says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from entrepot.kit.diagnostics import Refused
from entrepot.ports.protocol import DocumentKind
from entrepot.spec import documents, gather
from entrepot.spec.gather import FilesBelow, NotObtained, ReadDocument, kept_as
from support.documents import Files

TREE = DocumentKind(operations=lambda _: 0)


def read(files: dict[str, Any], kind: DocumentKind = TREE) -> ReadDocument:
    source = Files({name: json.dumps(content).encode() for name, content in files.items()})
    return gather.gather(kind, source.content(), source.main, source.name, source.obtain)


def ref(target: str) -> dict[str, str]:
    return {"$ref": target}


def test_files_are_followed_from_one_to_the_next_and_each_is_read_once() -> None:
    source = Files(
        {
            "api/main.json": b'{"a": {"$ref": "pet.yaml#/Pet"}, "b": {"$ref": "../common.json"}}',
            "api/pet.yaml": b"Pet: {owner: {$ref: ../common.json#/Owner}}\nself: {$ref: main.json#/a}\n",
            "common.json": b'{"Owner": {"pets": {"$ref": "api/pet.yaml#/Pet"}}}',
        }
    )
    found = gather.gather(TREE, source.content(), source.main, source.name, source.obtain)
    assert found.refusals == ()
    assert sorted(source.asked) == ["api/pet.yaml", "common.json"]
    assert found.document.main == "api/main.json"
    assert found.document.files["api/pet.yaml"]["Pet"] == {"owner": ref("../common.json#/Owner")}
    assert found.octets.keys() == {"api/main.json", "api/pet.yaml", "common.json"}


def test_a_document_of_one_file_needs_no_location() -> None:
    assert read({"x.json": {"a": ref("#/b"), "b": 1}}).document.main == ""
    assert read({"x.json": {"a": ref("x.json#/b"), "b": 1}}).document.main == "x.json"


def test_what_cannot_be_had_is_told_with_the_place_of_the_reference() -> None:
    files = {"main.json": {"a": ref("sub/b.json"), "c": ref("../up.json")}, "sub/b.json": {"d": ref("gone.json#/x")}}
    refusals = read(files).refusals
    assert [(each.pointer, each.construct) for each in refusals] == [
        ("/c/$ref", "$ref"),
        ("sub/b.json#/d/$ref", "$ref"),
    ]
    assert refusals[0].reason.startswith("../up.json is not imported: there is none")
    assert refusals[1].reason == "sub/gone.json is not imported: there is none"


def test_a_file_that_is_damaged_is_told_with_the_place_of_the_damage() -> None:
    source = Files({"main.json": b'{"a": {"$ref": "b.json"}}', "b.json": b'{"x": 1,\n}'})
    [refusal] = gather.gather(TREE, source.content(), source.main, source.name, source.obtain).refusals
    assert refusal.reason.startswith("b.json is not imported: b.json:2:1: the document cannot be read")
    with pytest.raises(Refused, match=r"main\.json:1:2"):
        gather.gather(TREE, b"{", "main.json", "main.json", source.obtain)


def test_files_are_bounded_in_number_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"main.json": [ref(f"{number}.json") for number in range(6)]} | {f"{number}.json": 1 for number in range(6)}
    monkeypatch.setattr(gather, "FILES_MAX", 4)
    found = read(files)
    assert (len(found.octets), len(found.refusals)) == (4, 3)
    assert "at most 4 files" in found.refusals[0].reason
    monkeypatch.setattr(documents, "BYTES_MAX", 200)
    found = read({"main.json": [ref("a.json"), ref("b.json")], "a.json": "x" * 180, "b.json": 1})
    assert sorted(found.octets) == ["b.json", "main.json"]
    assert "longer than 200 bytes together" in found.refusals[0].reason


def test_two_files_of_one_name_are_refused() -> None:
    files = {"main.json": [ref("a"), ref("a/b.json")], "a": {}, "a/b.json": {}}
    [refusal] = read(files).refusals
    assert refusal.reason == "a/b.json is not imported: another file of the document is kept under its name"


def test_a_kind_may_be_text_that_its_client_reads_itself() -> None:
    def includes(content: Any, location: str) -> dict[str, str]:
        return {each.decode(): "" for each in content.split() if each.endswith(b".xsd")}

    source = Files({"main.wsdl": b"include a.xsd", "a.xsd": b"a"})
    kind = DocumentKind(operations=lambda _: 0, syntax="text", suffix=".wsdl", referring=includes)
    found = gather.gather(kind, source.content(), source.main, source.name, source.obtain)
    assert (found.document.content, found.document.files) == (b"include a.xsd", {"a.xsd": b"a"})


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("api/pet.yaml", "api/pet.yaml"),
        ("a%20b.yaml", "a b.yaml"),
        ("https://x.example:8/a/../b.json", "x.example:8/b.json"),
        ("../x", ""), ("%2e%2e/x", ""), ("a/%2e%2e/%2e%2e/x", ""), ("x%00y", ""), ("x%0Ay", ""), ("x?y", ""), ("", ""),
        ("https://x.example/%2e%2e/%2e%2e/x", ""),
    ],
)  # fmt: skip
def test_a_file_is_kept_below_its_directory_or_not_at_all(location: str, path: str) -> None:
    if path:
        assert kept_as(location) == path
    else:
        with pytest.raises(NotObtained):
            kept_as(location)


def test_files_are_read_below_their_root_alone(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "secret.yaml").write_text("key: 1")
    (root / "sub" / "a b.yaml").write_text("a: 1")
    (root / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    obtain = FilesBelow(root)
    assert obtain("sub/a%20b.yaml") == b"a: 1"
    for location in ("../secret.yaml", "%2e%2e/secret.yaml", "link.yaml", "sub", "none.yaml", "http://127.0.0.1/x"):
        with pytest.raises(NotObtained):
            obtain(location)
