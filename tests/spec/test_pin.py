"""Pinning: what is written, what stays, and what is refused without a trace."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from entrepot.kit.diagnostics import Refused
from entrepot.spec.lock import digest, read_lock
from entrepot.spec.pin import pin

CRM = b'{"operations": ["find"]}'


def written(project: Path) -> dict[str, str]:
    return {path.relative_to(project).as_posix(): path.read_text() for path in project.rglob("*") if path.is_file()}


def test_a_first_import_makes_the_project(tmp_path: Path) -> None:
    project = tmp_path / "Our Gateway"
    project.mkdir()
    pinned = pin(project, "openapi", CRM, "https://crm.example/openapi.json", "crm", "https://crm.example/v1")
    assert (pinned.file, pinned.changed, pinned.service_added, pinned.upstream_added) == ("specs/crm.json", *[True] * 3)
    assert written(project) == {
        "specs/crm.json": CRM.decode(),
        "entrepot.yaml": (
            "entrepot: 1\nname: our-gateway\n"
            "services:\n  crm: {openapi: specs/crm.json, upstream: crm}\n"
            'upstreams:\n  crm: {url: "https://crm.example/v1"}\n'
        ),
        "entrepot.lock": (
            '{\n  "entrepot": 1,\n  "documents": {\n    "specs/crm.json": {\n      "kind": "openapi",\n'
            '      "source": "https://crm.example/openapi.json",\n'
            f'      "sha256": "{digest(CRM)}"\n    }}\n  }}\n}}\n'
        ),
    }


def test_further_addresses_get_upstreams_named_after_their_hosts(tmp_path: Path) -> None:
    (tmp_path / "entrepot.yaml").write_text(
        "entrepot: 1\nupstreams:\n  there: {url: https://there.example}\n"
        "  other: {url: http://x, server: https://known.example}\n  b-example: {url: http://y}\n"
    )
    addresses = [f"https://{host}.example" for host in ("there", "known", "b", "9")]
    pinned = pin(
        tmp_path,
        "openapi",
        CRM,
        "crm.json",
        "crm",
        "https://crm.example",
        elsewhere=[*addresses, "https://b.example/v2"],
    )
    assert pinned.further == {
        "b-example_2": "https://b.example",
        "at-9-example": "https://9.example",
        "b-example_3": "https://b.example/v2",
    }
    assert 'b-example_2: {url: "https://b.example"}' in (tmp_path / "entrepot.yaml").read_text()
    assert pin(tmp_path, "openapi", CRM, "crm.json", "crm", elsewhere=["https://new.example"]).further == {}


def test_a_second_import_changes_document_and_lock_alone(tmp_path: Path) -> None:
    pin(tmp_path, "openapi", CRM, "https://crm.example/openapi.json", "crm")
    declaration = tmp_path / "entrepot.yaml"
    declaration.write_text(declaration.read_text().replace("upstream: crm", "upstream: other") + "# mine\n")
    before = declaration.read_text()
    pinned = pin(tmp_path, "openapi", b'{"operations": []}', "https://crm.example/openapi.json", "crm", "http://x")
    assert (pinned.changed, pinned.service_added, pinned.upstream_added) == (True, False, False)
    assert declaration.read_text() == before
    assert read_lock(tmp_path).documents["specs/crm.json"].sha256 == digest(b'{"operations": []}')


def test_the_same_document_again_is_no_change(tmp_path: Path) -> None:
    pin(tmp_path, "openapi", CRM, "https://crm.example/a.json", "crm")
    assert not pin(tmp_path, "openapi", CRM, "https://crm.example/a.json", "crm").changed


def test_a_document_from_elsewhere_is_told_as_a_replacement(tmp_path: Path) -> None:
    assert pin(tmp_path, "openapi", CRM, "https://crm.example/a.json", "crm").replaced == ""
    assert pin(tmp_path, "openapi", CRM, "https://crm.example/a.json", "crm").replaced == ""
    assert pin(tmp_path, "openapi", CRM, "https://other.example/b.json", "crm").replaced == "https://crm.example/a.json"


def test_yaml_stays_yaml(tmp_path: Path) -> None:
    assert pin(tmp_path, "openapi", b"operations: [find]\n", "crm.yml", "crm").file == "specs/crm.yaml"


def test_an_upstream_that_is_declared_stays(tmp_path: Path) -> None:
    (tmp_path / "entrepot.yaml").write_text('upstreams:\n  crm: {url: "http://mine"}\n')
    assert not pin(tmp_path, "openapi", CRM, "crm.json", "crm", "http://theirs").upstream_added
    assert "http://theirs" not in (tmp_path / "entrepot.yaml").read_text()


def test_credentials_and_directories_of_the_source_are_not_kept(tmp_path: Path) -> None:
    pin(tmp_path, "openapi", CRM, "https://user:secret@crm.example:8443/a.json?version=2", "a")
    pin(tmp_path, "openapi", CRM, str(tmp_path.parent / "elsewhere" / "b.json"), "b")
    pin(tmp_path, "openapi", CRM, str(tmp_path / "contracts" / "c.json"), "c")
    sources = {file: each.source for file, each in read_lock(tmp_path).documents.items()}
    assert sources == {
        "specs/a.json": "https://crm.example:8443/a.json?version=2",
        "specs/b.json": "b.json",
        "specs/c.json": "contracts/c.json",
    }


def test_accepting_a_change_made_by_hand_keeps_the_origin(tmp_path: Path) -> None:
    pin(tmp_path, "openapi", CRM, "https://crm.example/a.json", "crm")
    pin(tmp_path, "openapi", CRM + b" ", str(tmp_path / "specs" / "crm.json"), "crm")
    assert read_lock(tmp_path).documents["specs/crm.json"].source == "https://crm.example/a.json"


@pytest.mark.parametrize("name", ["", "../crm", "a/b", "1crm", "crm\n", "a" * 64, "crm yaml"])
def test_a_name_that_could_leave_its_place_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused) as refused:
        pin(tmp_path, "openapi", CRM, "crm.json", name)
    assert refused.value.diagnostics[0].code == "E217"
    assert written(tmp_path) == {}


@pytest.mark.parametrize(
    ("declaration", "code"),
    [
        ("services: {crm: {python: crm}}\n", "E216"),
        ("services: {crm: 1}\n", "E216"),
        ("{name: x}", "E214"),
        ("services: [", "E002"),
        ("- a\n", "E214"),
    ],
)
def test_a_refusal_writes_nothing(tmp_path: Path, declaration: str, code: str) -> None:
    (tmp_path / "entrepot.yaml").write_text(declaration)
    with pytest.raises(Refused) as refused:
        pin(tmp_path, "openapi", CRM, "crm.json", "crm", "http://crm")
    assert refused.value.diagnostics[0].code == code
    assert written(tmp_path) == {"entrepot.yaml": declaration}


def test_a_damaged_lock_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "entrepot.lock").write_text("{}{")
    with pytest.raises(Refused) as refused:
        pin(tmp_path, "openapi", CRM, "crm.json", "crm")
    assert refused.value.diagnostics[0].code == "E213"
    assert written(tmp_path) == {"entrepot.lock": "{}{"}


def test_no_temporary_file_is_left(tmp_path: Path) -> None:
    pin(tmp_path, "openapi", CRM, "crm.json", "crm")
    assert sorted(os.listdir(tmp_path)) == ["entrepot.lock", "entrepot.yaml", "specs"]
    assert os.listdir(tmp_path / "specs") == ["crm.json"]
