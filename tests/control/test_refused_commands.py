"""What a command on a project refuses, each with its code and a remedy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from entrepot.app import CATALOG
from entrepot.control.building import Recipe, build
from entrepot.control.calling import call
from entrepot.control.importing import import_document
from entrepot.control.lookup import find
from entrepot.kit.diagnostics import Diagnostic, Refused
from support.documents import OneFile

OPERATION = '{"get": {"operationId": "find", "responses": {"204": {"description": "done"}}}}'
OPENAPI = '{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/find": %s}}'
DECLARATION = """\
entrepot: 1
services: {crm: {openapi: crm.json, upstream: crm}}
upstreams: {crm: {url: "http://127.0.0.1:9"}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "entrepot.yaml").write_text(DECLARATION)
    (tmp_path / "crm.json").write_text(OPENAPI % OPERATION)
    return tmp_path


def sole(refused: pytest.ExceptionInfo[Refused]) -> Diagnostic:
    first = refused.value.diagnostics[0]
    assert first.remedy.endswith(".")
    return first


async def test_an_upstreams_operation_needs_the_running_project(project: Path) -> None:
    compiled = build(Recipe(target=project, mode="dev"), CATALOG)
    with pytest.raises(Refused) as refused:
        await anext(call(compiled, CATALOG, "crm.find", b"{}", []))
    assert sole(refused).code == "E913"


def test_a_kind_of_document_that_nobody_reads_is_not_even_fetched(project: Path) -> None:
    class Source(OneFile):
        def content(self) -> bytes:
            raise AssertionError("it was fetched")

    with pytest.raises(Refused) as refused:
        import_document(project, "raml", Source(b"", "a.raml"), "crm", CATALOG)
    assert sole(refused).code == "E921"
    assert "openapi" in sole(refused).remedy


def test_a_document_without_operations_is_told_from_one_that_was_refused(project: Path) -> None:
    with pytest.raises(Refused) as refused:
        import_document(project, "openapi", OneFile(b'{"swagger": "2.0"}', "a.json"), "other", CATALOG)
    assert [each.code for each in refused.value.diagnostics] == ["E922"]
    assert refused.value.diagnostics[0].message == "it has no operations"


def test_a_document_of_which_nothing_could_be_imported_is_refused_with_every_reason(project: Path) -> None:
    content = (OPENAPI % '{"trace": {"responses": {}}}').encode()
    with pytest.raises(Refused) as refused:
        import_document(project, "openapi", OneFile(content, "a.json"), "other", CATALOG)
    assert sole(refused).code == "E922"
    assert [(each.code, each.place.line > 0) for each in refused.value.diagnostics[1:]] == [("N301", True)]
    assert not (project / "specs").exists()


def test_credentials_in_a_documents_address_stay_in_the_document(project: Path) -> None:
    description = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}}
    document = {
        **description,
        "servers": [{"url": "http://me:secret@127.0.0.1:9/v1"}],
        "paths": {"/a": {"get": {"operationId": "a", "responses": {"204": {"description": "d"}}}}},
    }
    result = import_document(project, "openapi", OneFile(json.dumps(document).encode(), "a.json"), "other", CATALOG)
    assert result.upstream_url == "http://127.0.0.1:9/v1"
    assert "secret" not in (project / "entrepot.yaml").read_text()


@pytest.mark.parametrize(
    ("name", "words", "line"),
    [
        ("cmr.find", "the project serves no service `cmr`", 2),
        ("crm.fnd", "the service `crm` has no operation `fnd`", 2),
        ("crm", "`crm` names a service; an operation is written SERVICE.OPERATION", 2),
    ],
)
def test_an_unknown_operation_is_told_with_the_nearest_there_is(
    project: Path, name: str, words: str, line: int
) -> None:
    compiled = build(Recipe(target=project, mode="dev"), CATALOG)
    with pytest.raises(Refused) as refused:
        find(compiled, name)
    found = sole(refused)
    assert (found.code, found.message, found.place.line) == ("E911", words, line)
    assert "find" in found.remedy or "Did you mean `crm`?" in found.remedy


def test_a_worker_is_not_started_with_a_release_that_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "000001.json").write_text('{"project": 1}')
    command = ["worker", "--release", "000001.json", "--kept", ".", "--pool", "operations", "--fd", "0"]
    ended = subprocess.run(
        [sys.executable, "-m", "entrepot", *command], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ended.returncode == 1
    assert "error E853: the release is unreadable" in ended.stderr
    assert "entrepot apply" in ended.stderr
