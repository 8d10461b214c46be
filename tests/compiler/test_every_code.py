"""Every code of the reference can be met, and tells what, where and what to do."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import pytest

from entrepot.app import CATALOG
from entrepot.compiler.compile import compile
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.kit.pointers import tokens
from entrepot.spec import documents, yaml

ROOT = Path(__file__).parents[2]
OPENAPI = '{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": %s}}}'
CRM = "services: {crm: {openapi: specs/crm.json, upstream: crm}}\nupstreams: {crm: {url: http://10.0.0.1}}\n"


@dataclass(frozen=True)
class Case:
    """A project in which one thing is wrong: its declaration, or `shop.py` alone, and files beside it."""

    declaration: str = ""
    shop: str = ""
    files: dict[str, str] = field(default_factory=dict)
    environment: str = ""
    headless: bool = False
    """The declaration stands as it is, without `entrepot: 1` before it."""

    def write(self, project: Path) -> Path:
        head = "" if self.headless else "entrepot: 1\n"
        contents = {"entrepot.yaml": head + self.declaration} if self.declaration or self.headless else {}
        if self.shop:
            imports = "from collections.abc import *\nfrom typing import *\n\nfrom entrepot import *\n\n"
            contents["shop.py"] = f'{imports}shop = Service("shop")\n\n\n{self.shop}'
        for name, content in (contents | self.files).items():
            (project / name).parent.mkdir(exist_ok=True)
            (project / name).write_bytes(content.encode("latin-1"))
        return project if "entrepot.yaml" in contents else project / "shop.py"


def served(entry: str, shop: str = '@shop.get("/a")\ndef a() -> int: ...\n') -> Case:
    return Case(f"services: {{shop: {{python: shop{entry}}}}}\n", shop)


def routed(route: str) -> Case:
    return Case(f"upstreams: {{up: {{url: http://10.0.0.1}}}}\nroutes: [{{{route}}}]\n")


def upstream(entry: str) -> Case:
    return Case(f"upstreams: {{up: {{{entry}}}}}\nroutes: [{{path: /a, upstream: up}}]\n")


def imported(content: str, lock: str = "") -> Case:
    return Case(CRM, files={"specs/crm.json": content} | ({"entrepot.lock": lock} if lock else {}))


def credentialed(content: str, credentials: str) -> Case:
    case = imported(content)
    return replace(case, declaration=case.declaration.replace("0.1}", f"0.1, credentials: {{{credentials}}}}}"))


def function(code: str, options: str = "") -> Case:
    return Case(shop=f'@shop.get("/a"{options})\n{code}\n')


STREAM = '@shop.get("/a")\nasync def a() -> AsyncIterator[int]:\n    yield 1\n'
MANY = str({f"/{number}": {"get": {}} for number in range(5001)}).replace("'", '"')
RESUMED = STREAM.replace("def a()", "def a(after: Annotated[int, Cursor()] = 0)")
FAULT = "class Out(Fault):\n    left: object\n\n\n"
RESOURCE = "class A: ...\n\n\nclass B: ...\n\n\n"
PROVIDES_A = "@shop.resource()\ndef a() -> Iterator[A]:\n    yield A()\n\n\n"
NEGATED = '{"application/json": {"schema": {"not": {}}}}'
SECURED = (OPENAPI % '{"responses": {"204": {"description": ""}}, "security": [{"key": []}]}').removesuffix("}") + (
    ', "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}}'
)
LOCK = '{"entrepot": 1, "documents": {"specs/crm.json": {"kind": "openapi", "source": "crm.json", "sha256": "00"}}}'

CASES: dict[str, Case] = {
    "E002": Case("a: [1\n"),
    "E003": Case("name: a\nname: b\n"),
    "E004": Case("? [a]\n: 1\n"),
    "E005": Case("workers: !!int 1\n"),
    "E006": Case("workers: *a\n"),
    "E007": Case("workers: 1\n---\nworkers: 2\n"),
    "E008": Case("a: " + "[" * 300),
    "E009": Case("workers: .inf\n"),
    "E101": Case("workrs: 1\n"),
    "E102": Case("workers: many\n"),
    "E103": Case("routes: [{upstream: a}]\n"),
    "E104": Case("workers: 0\n"),
    "E105": Case("policies: {}\n"),
    "E106": Case("environments: {prod: {}}\n", environment="test"),
    "W107": Case(headless=True),
    "E201": Case(shop='raise ValueError("no")\n'),
    "E203": Case(shop="import os\nos.abort()\n"),
    "E204": Case("services: {shop: {python: shop:none}}\n", shop="x = 1\n"),
    "E218": Case("routes: [{path: /a, wsgi: shop:create}]\n", shop="def create(): ...\n"),
    "E210": imported("{"),
    "E211": imported(OPENAPI % "{}", LOCK),
    "W212": imported(OPENAPI % '{"responses": {}}'),
    "E213": imported(OPENAPI % "{}", '{"entrepot": 2}'),
    "N301": imported(OPENAPI % '{"responses": {}}, "trace": {"responses": {}}'),
    "E302": Case("services: {shop: {}}\n"),
    "E303": Case("services: {shop: {python: shop.py}}\n"),
    "E304": served(", upstream: up"),
    "E305": routed("path: /a, upstream: upp"),
    "E306": served(", expose: [corba]"),
    "E307": served(", operations: {b: {}}"),
    "E308": served(", name: x", 'other = Service("other")\n'),
    "E309": Case("services: {a: {python: shop}, b: {python: shop}}\n", shop='@shop.get("/a")\ndef a() -> int: ...\n'),
    "E310": served(", expose: [jsonrpc]", STREAM),
    "N311": served(", expose: [jsonrpc]", STREAM),
    "E312": Case(shop="".join(f'@shop.get("/{{{n}}}")\ndef {n}({n}: int) -> int: ...\n\n\n' for n in "ab")),
    "E313": routed("path: /a, upstream: up}, {path: /a, wsgi: 'a:a'"),
    "W314": Case("services: {shop: {python: shop}}\nroutes: [{path: /api/shop/v1/x/*, asgi: 'a:a'}]\n", STREAM),
    "E315": routed("path: /-/a, upstream: up"),
    "E316": routed("path: a, upstream: up"),
    "E317": routed("path: /a"),
    "E318": routed("path: /a/*, wsgi: a"),
    "E319": routed("path: /a, upstream: up, strip_prefix: true"),
    "E320": upstream("url: ftp://a"),
    "E321": upstream("url: http://a, tls: true"),
    "E322": upstream("url: http://a, timeout: 0s"),
    "E323": Case("listen: '8080'\n"),
    "W324": Case("upstreams: {up: {url: http://a}}\n"),
    "W325": Case("name: a\n"),
    "W326": served(", expose: []"),
    "W329": function("def a() -> int: ...", ', scopes=["a"]'),
    "W330": Case(shop=RESUMED),
    "W331": upstream("endpoints: [a:1, a:1]"),
    "E340": imported(f'{{"openapi": "3.1.0", "paths": {MANY}}}'),
    "W332": served("", shop="x = 1\n"),
    "E333": credentialed(SECURED, "key: {token: {env: KEY}}"),
    "W334": imported(SECURED),
    "E335": imported(OPENAPI % '{"responses": {"204": {"description": ""}}, "servers": [{"url": "https://b.example"}]}'),
    "E336": served(", version: v2"),
    "E327": Case("environments: {prod: {environments: {}}}\n"),
    "E328": imported(OPENAPI % f'{{"responses": {{"200": {{"description": "", "content": {NEGATED}}}}}}}'),
    "E703": imported('{"openapi": "1.0"}'),
    "E711": Case(CRM.replace("openapi", "openrpc"), files={"specs/crm.json": '{"openrpc": "9"}'}),
    "E801": Case(shop='other = Service("Other")\n'),
    "E802": Case(shop='@shop.get("/a")\ndef a() -> int: ...\n\n\n@shop.get("/b", name="a")\ndef b() -> int: ...\n'),
    "E803": function("def a(x) -> int: ..."),
    "E804": function("def a(x: 'Missing') -> int: ..."),
    "E805": function("def a(x: object) -> int: ..."),
    "E806": function("def a(*x: int) -> int: ..."),
    "E807": function("def a(x: int = 'one') -> int: ..."),
    "E808": Case(shop='@shop.get("/{x}")\ndef a() -> int: ...\n'),
    "E809": function("def a() -> int:\n    yield 1"),
    "E810": Case(shop=FAULT + '@shop.get("/a", faults=[Out])\ndef a() -> int: ...\n'),
    "E811": function("def a() -> int: ...", ", timeout=0"),
    "E812": Case(shop='@shop.get("a")\ndef a() -> int: ...\n'),
    "E820": Case(shop="@shop.resource()\ndef a() -> int: ...\n"),
    "E821": Case(shop=RESOURCE + PROVIDES_A + PROVIDES_A.replace("a()", "b()")),
    "E822": Case(shop=RESOURCE + "@shop.resource()\ndef a(b: B) -> Iterator[A]:\n    yield A()\n"),
    "E823": Case(shop=RESOURCE + "@shop.resource()\ndef a(a: A) -> Iterator[A]:\n    yield A()\n"),
    "E830": Case(shop='shop.link(Service, "x", operation="y", arguments={})\n'),
}  # fmt: skip

WITHOUT_A_FILE = {"E001", "E202", "E214", "E215", "E216", "E217"}
"""What only a command line, a clock or a file system brings about, held by tests beside their rooms."""

COMMANDS_AND_WORKERS = re.compile("E(8[5-9]|9)[0-9]+")


def codes() -> list[str]:
    return re.findall(r"^\| `([EWN]\d{3})`", (ROOT / "docs/reference/diagnostics.md").read_text(), re.MULTILINE)


def diagnostics(case: Case, project: Path, mode: str) -> Iterator[Diagnostic]:
    try:
        yield from compile(case.write(project), CATALOG, mode=mode, environment=case.environment).diagnostics  # type: ignore[arg-type]
    except Refused as refused:
        yield from refused.diagnostics


def test_every_code_has_a_case() -> None:
    assert {code for code in codes() if not COMMANDS_AND_WORKERS.match(code)} == CASES.keys() | WITHOUT_A_FILE


@pytest.mark.parametrize("code", [*WITHOUT_A_FILE, *filter(COMMANDS_AND_WORKERS.match, codes())])
def test_a_code_that_no_declaration_brings_about_is_met_in_another_test(code: str) -> None:
    tests = [path for path in (ROOT / "tests").rglob("*.*") if path.suffix in (".py", ".golden")]
    texts = (path.read_text() for path in tests if path != Path(__file__))
    assert any(f'"{code}"' in text or f"error {code}" in text for text in texts), f"{code} is told by no test"


@pytest.mark.parametrize("code", CASES)
def test_a_code_tells_what_where_and_what_to_do(code: str, tmp_path: Path) -> None:
    missing = {"jsonschema_rs": None} if code == "E328" else {}
    mode = "dev" if code == "N311" else "serve"
    case = CASES[code]
    if code == "N311":
        case = Case(shop=STREAM)
    with patch.dict(sys.modules, missing):
        found = [each for each in diagnostics(case, tmp_path, mode) if each.code == code]
    assert found, code
    for each in found:
        assert each.message
        assert each.remedy.endswith((".", "?")), each
        assert {"E": "error", "W": "warning", "N": "note"}[code[0]] == each.severity
        lines = (tmp_path / each.place.file).read_text(encoding="latin-1").splitlines() or [""]
        assert 1 <= each.place.line <= len(lines) + 1, each
        assert 1 <= each.place.column <= len((*lines, "")[each.place.line - 1]) + 1, each
        assert leads_somewhere(each, tmp_path), each


def leads_somewhere(diagnostic: Diagnostic, project: Path) -> bool:
    """Whether the pointer of a place in a readable document leads to a value of it."""
    place = diagnostic.place
    if place.file.endswith(".py") or diagnostic.code[:2] == "E0":
        return True
    content = (project / place.file).read_bytes()
    try:
        value = (
            yaml.read(content, place.file).value
            if place.file.endswith(".yaml")
            else documents.read(content, "").content
        )
    except Refused:
        return not place.pointer
    for token in tokens(place.pointer):
        value = value[int(token)] if isinstance(value, list) else value[token]
    return bool(place.pointer) or (place.line, place.column) == (1, 1)
