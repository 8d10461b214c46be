"""Seals: what was YAML is read again as JSON, with the places it had."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.control.importing import import_document
from entrepot.kit.diagnostics import Refused
from entrepot.kit.pointers import pointer
from entrepot.ports.protocol import DocumentKind
from entrepot.spec import documents, yaml
from entrepot.spec.lock import read_lock
from entrepot.spec.pinned import read_document
from entrepot.spec.seals import seal, unseal
from support.documents import OneFile
from support.protocols import catalog

PRINTED = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6)
TEXTS = PRINTED.filter(lambda text: text != "<<")
SCALARS = st.none() | st.booleans() | st.integers() | TEXTS | st.decimals(-1000, 1000, places=3)
PLAIN = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
TEXT = b"# ours\noperations:\n  - find\n  - &a {x: NO}\n  - *a\n"


def pointers(plain: Any, *before: str | int) -> list[str]:
    named = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    return [pointer(before), *(each for name, inner in named for each in pointers(inner, *before, name))]


def written(plain: Any) -> bytes:
    return json.dumps(plain, indent=1, default=float, ensure_ascii=False).encode()


@given(PLAIN.map(written) | st.just(TEXT))
def test_a_seal_has_what_the_file_says_and_where(content: bytes) -> None:
    parsed = yaml.read(content, "f.yaml")
    opened = unseal(seal({"f.yaml": parsed}))["f.yaml"]
    assert (opened.value, opened.positions is not None) == (parsed.value, True)
    positions = opened.positions() if opened.positions is not None else parsed.positions
    for each in pointers(parsed.value):
        assert positions.key(each) == parsed.positions.key(each)
        assert positions.value(each) == parsed.positions.value(each)


def test_numbers_stay_as_they_are_written() -> None:
    value = unseal(seal({"f": yaml.read(b"[1.10, 1e3, 123456789012345678901234567890]", "f")}))["f"].value
    assert [str(each) for each in value] == ["1.10", "1E+3", "123456789012345678901234567890"]
    assert [type(each) for each in value] == [Decimal, Decimal, int]


def imported(project: Path, content: bytes = b"operations:\n  - find\n") -> str:
    return import_document(project, "openapi", OneFile(content, "crm.yaml"), "crm", catalog()).pinned.file


def test_an_import_is_read_again_without_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = imported(tmp_path)
    assert (file, (tmp_path / "specs/.sealed/crm.yaml.json").exists()) == ("specs/crm.yaml", True)
    monkeypatch.delattr(documents, "read_yaml")
    read = read_document(tmp_path, file, DocumentKind(operations=lambda _: 0), "openapi", "crm", read_lock(tmp_path))
    assert (read.document.content, read.warnings) == ({"operations": ["find"]}, ())
    [positions] = read.positions.values()
    assert str(positions().value("/operations/0")) == "specs/crm.yaml:2:5"


def test_a_seal_that_was_changed_or_lost_is_refused(tmp_path: Path) -> None:
    file = imported(tmp_path)
    sealed = tmp_path / "specs/.sealed/crm.yaml.json"
    sealed.write_bytes(sealed.read_bytes().replace(b"find", b"drop"))
    with pytest.raises(Refused, match=r"E211: the document specs/\.sealed/crm\.yaml\.json is not the one"):
        read_document(tmp_path, file, DocumentKind(operations=lambda _: 0), "openapi", "crm", read_lock(tmp_path))
    sealed.unlink()
    with pytest.raises(Refused, match=r"E210: the document specs/\.sealed/crm\.yaml\.json cannot be read"):
        read_document(tmp_path, file, DocumentKind(operations=lambda _: 0), "openapi", "crm", read_lock(tmp_path))
    imported(tmp_path)
    read_document(tmp_path, file, DocumentKind(operations=lambda _: 0), "openapi", "crm", read_lock(tmp_path))


def test_json_needs_no_seal(tmp_path: Path) -> None:
    file = imported(tmp_path, b'{"operations": ["find"]}')
    assert (read_lock(tmp_path).documents[file].seal, (tmp_path / "specs/.sealed").exists()) == ("", False)
