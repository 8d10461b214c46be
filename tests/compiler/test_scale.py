"""Work grows with a project and not with its square, and a change costs what is changed."""

from __future__ import annotations

import cProfile
from pathlib import Path
from typing import Any

import pytest

from entrepot.compiler import expose, imports
from entrepot.compiler.compile import Compiled, compile
from entrepot.kit.diagnostics import Refused
from entrepot.spec.lock import LOCK_FILE, Lock, PinnedDocument, digest, lock_bytes
from support.large_project import declaration, write_large
from support.protocols import catalog


def calls(project: Path) -> int:
    """How many functions a compile calls."""
    profile = cProfile.Profile()
    profile.runcall(compiled, project)
    return sum(entry.callcount for entry in profile.getstats())


def compiled(project: Path) -> Compiled:
    return compile(project, catalog())


def test_twice_the_routes_are_twice_the_work(tmp_path: Path) -> None:
    compiled(write_large(tmp_path / "warm", 10))
    small, large = (calls(write_large(tmp_path / f"p{routes}", routes)) for routes in (1000, 2000))
    assert large < 2.2 * small


@pytest.mark.parametrize("routes", [300, pytest.param(10_000, marks=pytest.mark.full)])
def test_a_large_project_compiles(tmp_path: Path, routes: int) -> None:
    edge = compiled(write_large(tmp_path, routes)).release.edge
    assert (len(edge.routes), len(edge.upstreams)) == (routes, routes // 10)


def test_what_is_wrong_in_a_large_project_is_found_where_it_stands(tmp_path: Path) -> None:
    lines = declaration(300).splitlines()
    lines[200] = '  - {path: "/s1/*", upstream: nobody}'
    (tmp_path / "entrepot.yaml").write_text("\n".join(lines))
    with pytest.raises(Refused) as refused:
        compiled(tmp_path)
    found = [(each.code, each.place.line) for each in refused.value.diagnostics if each.severity == "error"]
    assert found == [("E313", 201), ("E305", 201)]


def test_a_change_gives_the_release_that_compiling_afresh_gives(tmp_path: Path) -> None:
    compiled(write_large(tmp_path / "one", 300))
    changed = compiled(write_large(tmp_path / "one", 300, more=['  - {path: "/more", upstream: u3, timeout: 2s}']))
    compiled(write_large(tmp_path / "two", 5))
    afresh = compiled(write_large(tmp_path / "one", 300, more=['  - {path: "/more", upstream: u3, timeout: 2s}']))
    assert changed.release.digest == afresh.release.digest
    assert len(changed.release.edge.routes) == 301


def pin(project: Path, content: str) -> None:
    """A document of two operations, or whatever it says, as an import leaves it."""
    (project / "crm.json").write_text(content)
    pinned = PinnedDocument(kind="openapi", source="x", sha256=digest(content.encode()))
    (project / LOCK_FILE).write_bytes(lock_bytes(Lock(documents={"crm.json": pinned})))


def declare_crm(project: Path, protocol: str = "rest") -> None:
    services = f"services: {{crm: {{openapi: crm.json, upstream: crm, expose: [{protocol}]}}}}"
    (project / "entrepot.yaml").write_text(f"entrepot: 1\n{services}\nupstreams: {{crm: {{url: http://x}}}}\n")


def test_operations_that_are_as_they_were_are_not_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    shelf, ask = catalog(), expose._addressed
    monkeypatch.setattr(expose, "_addressed", lambda *given: (asked.append(given), ask(*given))[1])
    declare_crm(tmp_path)
    pin(tmp_path, '{"operations": ["find"]}')
    first, again = (compile(tmp_path, shelf).release.worker.services for _ in range(2))
    assert (len(asked), again) == (1, first)
    declare_crm(tmp_path, "jsonrpc")
    assert list(compile(tmp_path, shelf).release.worker.services[0].carried) == ["jsonrpc"]
    pin(tmp_path, '{"operations": ["find", "list"]}')
    assert compile(tmp_path, shelf).release.worker.services[0].carried == {"jsonrpc": ("find", "list")}
    assert len(asked) == 3


def test_a_document_that_is_as_it_was_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []

    def read(*given: Any) -> Any:
        reads.append(given)
        return as_always(*given)

    as_always = imports.read_service
    monkeypatch.setattr(imports, "read_service", read)
    declare_crm(tmp_path)
    pin(tmp_path, '{"operations": ["find"]}')
    digests = [compiled(tmp_path).release.digest for _ in range(2)]
    assert (len(reads), len(set(digests))) == (1, 1)
    pin(tmp_path, '{"operations": ["find", "list"]}')
    [table] = compiled(tmp_path).release.worker.services
    assert (len(reads), [each.name for each in table.service.operations]) == (2, ["find", "list"])
    (tmp_path / "crm.json").write_text("{}")
    with pytest.raises(Refused, match="is not the one that was imported"):
        compiled(tmp_path)
