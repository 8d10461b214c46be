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
from entrepot.kit.limits import OPERATIONS_MAX
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


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("http://[::1", "Invalid IPv6 URL"),
        ("http://x.example/v1?token=hunter2", "it must end with its path, without query or fragment"),
        ("/v1?token=hunter2", "it must end with its path, without query or fragment"),
        ("http://x.example:99999999/v1", "Port out of range 0-65535"),
        ("http://x.example/a hunter2", "it must not hold spaces"),
    ],
)
def test_an_address_that_check_would_refuse_is_not_imported(project: Path, server: str, reason: str) -> None:
    document = json.loads(OPENAPI % OPERATION) | {"servers": [{"url": server}]}
    result = import_document(project, "openapi", OneFile(json.dumps(document).encode(), "a.json"), "other", CATALOG)
    assert (result.upstream_url, len(result.service.operations)) == ("", 1)
    [note] = result.notes
    assert note.message == f"the server's address is not imported: {reason}"
    assert "hunter2" not in (project / "entrepot.yaml").read_text()


def test_an_operation_at_a_server_that_cannot_be_called_is_not_imported(project: Path) -> None:
    there = {
        "get": {**json.loads(OPERATION)["get"], "operationId": "there", "servers": [{"url": "http://a b/x?hunter2"}]}
    }
    paths = {"/find": json.loads(OPERATION), "/there": there}
    document = json.loads(OPENAPI % OPERATION) | {"servers": [{"url": "http://127.0.0.1:9"}], "paths": paths}
    result = import_document(project, "openapi", OneFile(json.dumps(document).encode(), "a.json"), "other", CATALOG)
    assert [operation.name for operation in result.service.operations] == ["find"]
    assert [note.message for note in result.notes] == [
        "operation there is not imported: of its own server's address, it must not hold spaces"
    ]
    assert "hunter2" not in (project / "entrepot.yaml").read_text()


def test_a_relative_address_is_one_below_where_the_document_came_from(project: Path) -> None:
    document = json.loads(OPENAPI % OPERATION) | {"servers": [{"url": "v1/"}]}
    source = OneFile(json.dumps(document).encode(), "https://x.example/specs/a.json")
    assert import_document(project, "openapi", source, "other", CATALOG).upstream_url == "https://x.example/specs/v1/"


def test_a_document_of_too_many_operations_is_refused_before_they_are_read(project: Path) -> None:
    paths = {f"/{number}": {"get": {}} for number in range(OPERATIONS_MAX + 1)}
    document = json.loads(OPENAPI % OPERATION) | {"paths": paths}
    with pytest.raises(Refused) as refused:
        import_document(project, "openapi", OneFile(json.dumps(document).encode(), "a.json"), "other", CATALOG)
    assert sole(refused).code == "E340"
    assert sole(refused).message == "the document has 5,001 operations, and a service at most 5,000"


def test_what_was_left_out_for_one_reason_is_told_once_by_check_and_each_by_import(project: Path) -> None:
    paths = {"/find": json.loads(OPERATION), **{f"/{name}": {"trace": {"responses": {}}} for name in "abc"}}
    content = json.dumps(json.loads(OPENAPI % OPERATION) | {"paths": paths}).encode()
    notes = import_document(project, "openapi", OneFile(content, "a.json"), "other", CATALOG).notes
    assert [note.message.partition(" is not")[0] for note in notes] == ["TRACE /a", "TRACE /b", "TRACE /c"]
    (project / "crm.json").write_bytes(content)
    (project / "entrepot.yaml").write_text(DECLARATION)
    notes = build(Recipe(target=project, mode="dev"), CATALOG).diagnostics
    said = [note.message for note in notes if note.code == "N301"]
    assert said == ["TRACE /a and 2 more are not imported: the method TRACE carries no operation"]


def test_a_bound_that_is_no_number_costs_its_parameter_alone(project: Path) -> None:
    schema = {"type": "number", "minimum": "x"}
    parameters = [{"name": "a", "in": "query", "schema": schema}, {"name": "b", "in": "query", "schema": {}}]
    paths = {"/find": {"get": {**json.loads(OPERATION)["get"], "parameters": parameters}}}
    content = json.dumps(json.loads(OPENAPI % OPERATION) | {"paths": paths}).encode()
    result = import_document(project, "openapi", OneFile(content, "a.json"), "other", CATALOG)
    [note] = result.notes
    assert note.message.endswith("it is not a JSON Schema: minimum is not a number")
    assert [field.name for field in result.service.operations[0].input.fields] == ["b"]


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
