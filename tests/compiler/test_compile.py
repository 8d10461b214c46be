"""The way in: modes, environments, gates, and what a catalog decides."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import msgspec
import pytest

from entrepot.app import CATALOG
from entrepot.compiler import compile as way_in
from entrepot.compiler.compile import compile
from entrepot.compiler.draft import Draft
from entrepot.compiler.passes import PASSES
from entrepot.compiler.rulebook import RULES
from entrepot.ir.release import Release
from entrepot.ir.worker import PythonSource
from entrepot.kit.diagnostics import Refused
from entrepot.model.shape import Record
from entrepot.runtime.sources import import_service
from support.protocols import catalog

RULES_DIRECTORY = Path(way_in.__file__).parent / "rules"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "crm.json").write_text('{"operations": ["find"], "not": ["watch"]}')
    declare(tmp_path, "openapi: specs/crm.json, upstream: crm")
    return tmp_path


def declare(project: Path, entry: str) -> None:
    text = f'entrepot: 1\nservices:\n  crm: {{{entry}}}\nupstreams:\n  crm: {{url: "http://10.0.0.1"}}\n'
    (project / "entrepot.yaml").write_text(text + "environments:\n  prod: {workers: 4}\n")


def exposed(project: Path, **options: object) -> tuple[str, ...]:
    return tuple(compile(project, catalog(), **options).release.worker.services[0].carried)  # type: ignore[arg-type]


def test_a_mode_decides_what_nobody_named(project: Path) -> None:
    assert exposed(project, mode="dev") == ("rest", "jsonrpc")
    assert exposed(project, mode="serve") == ("rest",)


def test_a_named_protocol_holds_in_every_mode(project: Path) -> None:
    declare(project, "openapi: specs/crm.json, upstream: crm, expose: [jsonrpc]")
    assert exposed(project, mode="dev") == exposed(project, mode="serve") == ("jsonrpc",)


def test_dev_checks_every_output(project: Path) -> None:
    assert compile(project, catalog(), mode="dev").release.worker.check_output
    assert not compile(project, catalog()).release.worker.check_output


def test_an_environment_is_chosen(project: Path) -> None:
    assert compile(project, catalog()).release.worker.pools[0].processes == 1
    assert compile(project, catalog(), environment="prod").release.worker.pools[0].processes == 4


def test_a_directory_its_declaration_and_a_relative_path_are_one_target(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    targets = [project, project / "entrepot.yaml", Path(), Path("entrepot.yaml")]
    assert len({compile(target, catalog()).release.digest for target in targets}) == 1


def test_a_release_reads_back(project: Path) -> None:
    release = compile(project, catalog()).release
    assert Release.of(release.canonical()) == release


def test_a_renamed_service_is_still_that_of_its_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    operation = '@shop.get("/products")\ndef products() -> list[str]: ...\n'
    code = f'from entrepot import Service\n\nshop = Service("shop")\n\n\n{operation}'
    (tmp_path / "renamed_shop.py").write_text(code)
    (tmp_path / "entrepot.yaml").write_text('services: {shop: {python: renamed_shop, name: store, version: "3"}}\n')
    monkeypatch.setattr(sys, "path", [*sys.path])
    table = compile(tmp_path, catalog()).release.worker.services[0]
    assert (table.service.name, table.service.version) == ("store", "3")
    assert isinstance(table.source, PythonSource)
    assert import_service(table.source, table.service, tmp_path).describe().name == "shop"


def test_a_number_with_a_fraction_makes_no_other_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    operation = '@shop.get("/products")\ndef products(ratio: float = 0.5) -> list[str]: ...\n'
    (tmp_path / "halved_shop.py").write_text(f'from entrepot import Service\n\nshop = Service("shop")\n\n\n{operation}')
    monkeypatch.setattr(sys, "path", [*sys.path])
    release = compile(tmp_path / "halved_shop.py", catalog(), mode="dev").release
    table = Release.of(release.canonical()).worker.services[0]
    assert isinstance(table.source, PythonSource)
    assert import_service(table.source, table.service, tmp_path).handlers.keys() == {"products"}


def test_the_kinds_of_document_are_the_catalogs(project: Path) -> None:
    narrow = {"jsonrpc": catalog()["jsonrpc"]}
    with pytest.raises(Refused, match="there is no key `openapi`"):
        compile(project, narrow)
    declare(project, "openrpc: specs/crm.json, upstream: crm")
    assert compile(project, narrow, mode="dev").release.worker.services[0].source.protocol == "jsonrpc"  # type: ignore[union-attr]


def test_warnings_and_notes_do_not_stop_a_release(project: Path) -> None:
    assert [each.code for each in compile(project, catalog()).diagnostics] == ["W212", "N301"]


def test_the_gates_stand_where_going_on_makes_no_sense() -> None:
    assert [step.name for step in PASSES] == [
        "load", "import", "resolve", "inherit", "expose", "check", "place", "lower", "seal",
    ]  # fmt: skip
    assert [step.name for step in PASSES if step.gate] == ["check", "seal"]


def test_no_error_gets_past_a_gate(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(draft: Draft) -> Draft:
        raise AssertionError("a draft with errors went on")

    monkeypatch.setattr(way_in, "PASSES", (*PASSES[:6], msgspec.structs.replace(PASSES[6], run=unreachable)))
    declare(project, "openapi: specs/crm.json, upstream: none")
    with pytest.raises(Refused, match="E305"):
        compile(project, catalog())


def test_every_rule_is_in_the_book_once() -> None:
    files = {path.stem for path in RULES_DIRECTORY.glob("*.py")} - {"__init__"}
    assert sorted(rule.__name__.rpartition(".")[2] for rule in RULES) == sorted(files)  # type: ignore[attr-defined]
    assert len({rule.CODE for rule in RULES}) == len(RULES)


def test_a_rules_code_tells_its_severity() -> None:
    for path in RULES_DIRECTORY.glob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        for call in calls:
            if isinstance(call.func, ast.Name) and call.func.id == "Diagnostic":
                given = [*call.args, *(keyword.value for keyword in call.keywords)]
                words = {each.value for each in given if isinstance(each, ast.Constant)} & {"warning", "note"}
                code = next(rule.CODE for rule in RULES if rule.__name__.endswith(f".{path.stem}"))  # type: ignore[attr-defined]
                assert {"E": set(), "W": {"warning"}, "N": {"note"}}[code[0]] == words, path.name


def test_the_edge_waits_longer_than_the_longest_operation_batches_and_commits_included(tmp_path: Path) -> None:
    shop = "from collections.abc import AsyncIterator\nfrom entrepot import Service\nshop = Service('shop')\n"
    shop += "@shop.operation(timeout=60)\nasync def slow() -> int: ...\n"
    stream = "@shop.operation()\nasync def watch() -> AsyncIterator[int]: ...\n"
    (tmp_path / "quick.py").write_text("from entrepot import Service\nquick = Service('quick')\n@quick.operation()\n"
                                       "async def ask() -> int: ...\n")  # fmt: skip
    (tmp_path / "entrepot.yaml").write_text("entrepot: 1\nservices: {shop: {python: shop}, quick: {python: quick}}\n")
    silences = {}
    for name, code in {"without": shop, "with": shop + stream}.items():
        (tmp_path / "shop.py").write_text(code)
        routes = compile(tmp_path, catalog(), mode="dev").release.edge.routes
        silences[name] = {route.path: route.silence for route in routes if not route.path.startswith("/docs")}
    assert silences == {
        "without": {"/api/shop/v1/": 120.0, "/api/quick/v1/": 90.0, "/rpc": 120.0},
        "with": {"/api/shop/v1/": 3600.0, "/api/quick/v1/": 90.0, "/rpc": 120.0},
    }
    routes = compile(tmp_path, CATALOG, mode="dev").release.edge.routes
    [batches] = [route.silence for route in routes if route.path == "/jsonrpc"]
    assert batches == 7 * 60.0 + 60.0, "of a hundred calls sixteen are made at once"


def test_what_a_contract_says_nothing_of_is_as_the_entry_says(project: Path) -> None:
    document = project / "specs" / "crm.json"
    document.write_text('{"operations": ["find"], "output": {"kind": "record", "fields": []}}')
    for entry, extras in (("", "drop"), (", extras: keep", "keep"), (", extras: forbid", "forbid")):
        declare(project, f"openapi: specs/crm.json, upstream: crm{entry}")
        [table] = compile(project, catalog()).release.worker.services
        [operation] = table.service.operations
        assert operation.output == Record(fields=(), extras=extras)
