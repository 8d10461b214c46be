"""Importing documents of several files: from a directory and from an address, no further than a person allowed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from entrepot.app import CATALOG
from entrepot.cli.document_sources import document_source
from entrepot.compiler.compile import compile
from entrepot.control.importing import Import, import_document
from entrepot.kit.diagnostics import Refused
from entrepot.spec.lock import read_lock

PET = {"type": "object", "properties": {"name": {"type": "string"}}}


def main(reference: str, title: str = "Pets") -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": reference}}}
    get = {"operationId": "get", "responses": {"200": {"description": "It.", "content": content}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1"},
        "servers": [{"url": "https://pets.example/"}],
        "paths": {"/pet": {"get": get}},
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def write(file: Path, content: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def imported(project: Path, source: str | Path, *allow: str, root: Path | None = None) -> Import:
    found = document_source(str(source), project, root, allow, lambda _: None)
    return import_document(project, "openapi", found, "pets", CATALOG)


def types(project: Path) -> set[str]:
    """What a compile reads of the project's documents, which must all be pinned."""
    compiled = compile(project, CATALOG, mode="dev")
    assert [each for each in compiled.diagnostics if each.severity != "note"] == []
    [table] = compiled.release.worker.services
    return set(table.service.types)


def test_files_are_kept_as_they_lay_to_each_other_and_pinned(tmp_path: Path, project: Path) -> None:
    api = tmp_path / "theirs"
    write(api / "v1" / "openapi.json", main("../schemas/pet%20one.json#/Pet"))
    write(api / "schemas" / "pet one.json", {"Pet": PET | {"properties": {"owner": {"$ref": "owner.json"}}}})
    write(api / "schemas" / "owner.json", PET)
    result = imported(project, api / "v1" / "openapi.json", root=api)
    assert result.refusals == ()
    assert result.pinned.file == "specs/pets/v1/openapi.json"
    assert {path.relative_to(project).as_posix() for path in project.rglob("*.json")} == {
        "specs/pets/v1/openapi.json", "specs/pets/schemas/pet one.json", "specs/pets/schemas/owner.json",
    }  # fmt: skip
    locked = read_lock(project).documents["specs/pets/v1/openapi.json"]
    assert list(locked.files) == ["specs/pets/schemas/owner.json", "specs/pets/schemas/pet one.json"]
    assert types(project) == {"Pet", "owner"}


def test_a_changed_file_is_noticed_and_accepted_where_it_lies(tmp_path: Path, project: Path) -> None:
    write(tmp_path / "openapi.json", main("pet.json"))
    write(tmp_path / "pet.json", PET)
    assert imported(project, tmp_path / "openapi.json").pinned.changed
    write(project / "specs/pets/pet.json", PET | {"description": "Another."})
    with pytest.raises(Refused, match=r"E211: the document specs/pets/pet\.json is not the one that was imported"):
        compile(project, CATALOG, mode="dev")
    again = imported(project, project / "specs/pets/openapi.json")
    assert (again.pinned.file, again.pinned.changed, again.pinned.service_added) == (
        "specs/pets/openapi.json",
        True,
        False,
    )
    assert types(project) == {"pet"}
    assert not imported(project, project / "specs/pets/openapi.json").pinned.changed


def test_a_file_outside_is_read_only_below_a_root_that_was_named(tmp_path: Path, project: Path) -> None:
    write(tmp_path / "api" / "openapi.json", main("../secret.json"))
    write(tmp_path / "secret.json", PET)
    with pytest.raises(Refused) as refused:
        imported(project, tmp_path / "api" / "openapi.json")
    told = str(refused.value)
    assert "../secret.json is not imported" in told
    assert "`--root` names a directory above it" in told
    assert not list(project.rglob("*"))
    assert imported(project, tmp_path / "api" / "openapi.json", root=tmp_path).refusals == ()
    with pytest.raises(Refused, match="does not lie below"):
        imported(project, tmp_path / "api" / "openapi.json", root=project)


def test_an_unpinned_document_of_several_files_is_read_in_the_project(project: Path) -> None:
    write(project / "api" / "openapi.json", main("pet.json"))
    write(project / "api" / "pet.json", PET)
    (project / "entrepot.yaml").write_text(
        "entrepot: 1\nservices: {pets: {openapi: api/openapi.json, upstream: pets}}\n"
        'upstreams: {pets: {url: "http://127.0.0.1:9"}}\n'
    )
    compiled = compile(project, CATALOG, mode="dev")
    assert set(compiled.release.worker.services[0].service.types) == {"pet"}
    assert ["is not pinned" in each.message for each in compiled.diagnostics] == [True]


# From an address


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, Any] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        found = self.server.files.get(self.path)
        if found is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    both = Server(), Server()
    for server in both:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield both
    for server in both:
        server.shutdown()
        server.server_close()


def test_files_of_the_same_origin_are_fetched_once_each(project: Path, servers: tuple[Server, Server]) -> None:
    own, _ = servers
    own.files = {"/v1/api?token=x": main("../pet.json"), "/pet.json": {"$ref": f"{own.url}/deep/owner.json"}}
    own.files["/deep/owner.json"] = PET
    result = imported(project, f"{own.url}/v1/api?token=x")
    assert result.refusals == ()
    assert sorted(own.asked) == ["/deep/owner.json", "/pet.json", "/v1/api?token=x"]
    assert result.pinned.file == "specs/pets/v1/api"
    assert f"specs/pets/127.0.0.1:{own.server_port}/deep/owner.json" in result.pinned.files.values()
    assert types(project) == {"pet", "owner"}


def test_another_origin_is_asked_only_where_that_was_allowed(project: Path, servers: tuple[Server, Server]) -> None:
    own, other = servers
    own.files = {"/api.json": main(f"{other.url}/pet.json")}
    other.files = {"/pet.json": PET}
    with pytest.raises(Refused, match=rf"it is at another origin; add `--allow {other.url}` if you trust it"):
        imported(project, f"{own.url}/api.json")
    assert other.asked == []
    assert imported(project, f"{own.url}/api.json", other.url).refusals == ()
    assert types(project) == {"pet"}


def test_a_file_sends_nobody_to_an_address_of_its_choosing(
    tmp_path: Path, project: Path, servers: tuple[Server, Server]
) -> None:
    own, _ = servers
    for address in (f"{own.url}/pet.json", "http://169.254.169.254/latest", "file:///etc/passwd", "http://x:y/z"):
        write(tmp_path / "api.json", main(address))
        with pytest.raises(Refused, match="leads out of the document"):
            imported(project, tmp_path / "api.json")
    assert own.asked == []
