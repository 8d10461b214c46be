"""Every command as a person and as a script meets it: what it prints, where, and its exit code."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from entrepot.app import CATALOG
from entrepot.cli.main import COMMANDS, HIDDEN, run
from entrepot.compiler.compile import compile

DECLARATION = """\
entrepot: 1
name: api
services:
  api: {python: services}
"""

CODE = '''\
from collections.abc import AsyncIterator
from decimal import Decimal

from entrepot import Fault, File, Service

api = Service("api")


class Empty(Fault, kind="conflict"):
    """Nothing is left."""

    left: int


@api.operation(safe=True, faults=[Empty])
async def half(amount: Decimal) -> Decimal:
    """Half of an amount.

    To the last digit.
    """
    if not amount:
        raise Empty("there is nothing to halve", left=0)
    return amount / 2


@api.operation(safe=True)
async def count(to: int) -> AsyncIterator[int]:
    for number in range(to):
        yield number


@api.operation()
async def total(numbers: AsyncIterator[int], start: int = 0) -> int:
    async for number in numbers:
        start += number
    return start


@api.operation()
async def broken() -> int:
    raise RuntimeError("hunter2")


@api.operation()
async def keep(file: File) -> int:
    return 1
'''

OPENRPC = {
    "openrpc": "1.3.2",
    "info": {"title": "Ledger", "version": "2.0.0"},
    "methods": [
        {
            "name": "ledger.balance",
            "summary": "What is left.",
            "params": [{"name": "account", "required": True, "schema": {"type": "string"}}],
            "result": {"name": "balance", "schema": {"type": "integer"}},
        }
    ],
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "api"
    directory.mkdir()
    (directory / "entrepot.yaml").write_text(DECLARATION)
    (directory / "services.py").write_text(CODE)
    monkeypatch.chdir(directory)
    _forget_imports(monkeypatch)
    return directory


def _forget_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    """`call` imports the author's module; the next test has another one of that name."""
    monkeypatch.setattr("sys.path", list(sys.path))
    for name in ("api", "services"):
        monkeypatch.delitem(sys.modules, name, raising=False)


class Command:
    """Runs commands in this process and keeps what they print."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self.code = 0
        self.out = ""
        self.err = ""

    def __call__(self, *arguments: str) -> Command:
        self.code = run(CATALOG, list(arguments))
        self.out, self.err = self._capture.readouterr()
        return self

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def entrepot(capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(capfd)


def given(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


# What holds for all of them


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(entrepot: Command, name: str) -> None:
    assert entrepot(name, "--help").code == 0
    assert f"Usage: entrepot {name}" in entrepot.out
    assert "Example" in entrepot.out
    assert f"  entrepot {name}" in entrepot.out.partition("Example")[2]
    assert "--json" in entrepot.out


def test_the_list_of_commands_leaves_out_our_own_processes(entrepot: Command) -> None:
    assert entrepot("--help").code == 0
    listed = [line.split()[0] for line in entrepot.out.partition("Commands:")[2].splitlines() if line.strip()]
    assert listed == [name for name in COMMANDS if name not in HIDDEN]
    assert "..." not in entrepot.out.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["chekc"], "No such command 'chekc'. Did you mean `check`?"),
        (["dve"], "No such command 'dve'. Did you mean `dev`?"),
        (["frobnicate"], "No such command 'frobnicate'. There is: apply, call, check, dev"),
        (["check", "nowhere"], "Path 'nowhere' does not exist"),
        (["check", "--port", "1"], "No such option '--port'"),
        (["dev", "--port", "99999"], "99999 is not in the range"),
        (["dev", "--edge", "nginx"], "'nginx' is not one of 'envoy', 'none'"),
        (["serve", "services.py"], "serve it with `entrepot dev services.py`"),
        (["serve", "entrepot.yaml"], "Directory 'entrepot.yaml' is a file"),
        (["import", "crm.json", "--name", "crm"], "'crm.json' is not KIND:FILE_OR_URL"),
        (["import", "openapi:crm.json"], "Missing option '--name'"),
        (["init"], "Missing argument 'DIR'"),
        (["init", ""], "it is empty; the present directory is `.`"),
        (["call"], "Missing argument 'SERVICE.OPERATION'"),
        (["explain", "nowhere"], "there is no directory 'nowhere'"),
        (["apply", ".", "b"], "Got unexpected extra argument"),
    ],
)
def test_wrong_use_is_told_apart_from_failure(
    entrepot: Command, project: Path, arguments: list[str], complaint: str
) -> None:
    assert entrepot(*arguments).code == 2
    assert complaint in entrepot.err
    assert entrepot.out == ""


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["chekc", "--json"], "No such command 'chekc'. Did you mean `check`?"),
        (["call", "--json"], "Missing argument 'SERVICE.OPERATION'."),
        (["check", "--port", "1", "--json"], "No such option '--port'."),
        (["dev", "--edge", "nginx", "--json"], "Invalid value for '--edge': 'nginx' is not one of 'envoy', 'none'."),
        (["dev", "--watch", "--edge", "none", "--json"], "Without an edge nothing is applied while it runs"),
    ],
)
def test_wrong_use_is_a_json_value_too(entrepot: Command, project: Path, arguments: list[str], complaint: str) -> None:
    assert entrepot(*arguments).code == 2
    assert complaint in entrepot.err
    assert entrepot.json["ok"] is False
    assert entrepot.json["error"].startswith(complaint)


@pytest.mark.parametrize(
    "command", [["serve"], ["serve", "--last-good"], ["dev"], ["check"], ["apply"], ["rollback", "1"]]
)
def test_where_there_is_no_project_nothing_is_made(
    entrepot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert entrepot(*command).code == 1, entrepot.out
    assert list(tmp_path.iterdir()) == []


def test_an_error_has_no_traceback_unless_asked_for(entrepot: Command, project: Path) -> None:
    assert entrepot("init", ".").code == 1
    assert entrepot.err == "error: entrepot.yaml exists already; choose another directory, or remove it\n"
    assert entrepot("init", ".", "--debug").code == 1
    assert "Traceback" in entrepot.err


def test_an_error_is_a_json_value_too(entrepot: Command, project: Path) -> None:
    assert entrepot("init", ".", "--json").code == 1
    said = "entrepot.yaml exists already; choose another directory, or remove it"
    assert entrepot.json == {"ok": False, "error": said}


def test_a_document_that_is_not_there_has_a_code_and_a_remedy(entrepot: Command, project: Path) -> None:
    assert entrepot("import", "openrpc:missing.json", "--name", "x").code == 1
    said = "E210: the document missing.json cannot be read: No such file or directory"
    assert entrepot.err == f"error {said}\n    Name a file as seen from here, or a URL.\n"


# init, check, explain


def test_init_makes_a_project_that_checks_and_answers(
    entrepot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _forget_imports(monkeypatch)
    assert entrepot("init", "hello").code == 0
    assert entrepot.out == (
        "created hello/entrepot.yaml\ncreated hello/services.py\ncreated hello/.gitignore\n"
        "\nNext:  cd hello && entrepot dev\n"
    )
    assert entrepot("check", "hello").code == 0
    assert (entrepot.out, entrepot.err) == ("1 service with 1 operation: no errors\n", "")
    assert entrepot("call", "hello.hello", '{"who": "you", "times": 2}', "--project", "hello").code == 0
    assert entrepot.out == '"Hello you you"\n'
    assert entrepot("call", "hello.hello", '{"who": "you", "times": 1e21}', "--project", "hello").code == 1
    assert "/times: must be at most 100" in entrepot.err


@pytest.mark.parametrize("name", ["class", "2fast", "json", "my shop", "ÄÖ", "x" * 99])
def test_init_finds_a_name_in_any_directory(entrepot: Command, tmp_path: Path, name: str) -> None:
    assert entrepot("init", str(tmp_path / name)).code == 0
    assert entrepot("check", str(tmp_path / name)).code == 0, entrepot.err


def test_init_says_what_to_do_next_as_a_shell_takes_it(
    entrepot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert entrepot("init", "My App").code == 0
    assert entrepot.out.endswith("\nNext:  cd 'My App' && entrepot dev\n")


def test_init_touches_nothing_that_is_there(entrepot: Command, project: Path) -> None:
    assert entrepot("init", ".").code == 1
    assert entrepot.err == "error: entrepot.yaml exists already; choose another directory, or remove it\n"
    assert (project / "entrepot.yaml").read_text() == DECLARATION
    assert not (project / ".gitignore").exists()


def test_check_lists_everything_at_once_with_places(entrepot: Command, project: Path) -> None:
    (project / "entrepot.yaml").write_text(DECLARATION.replace("name: api", "nam: api\nlisten: nowhere"))
    assert entrepot("check").code == 1
    assert entrepot.out == ""
    assert entrepot.err.startswith("entrepot.yaml:2:1: error E")
    assert "\x1b[" not in entrepot.err
    assert entrepot("check", "--json").code == 1
    assert entrepot.json["ok"] is False
    first = entrepot.json["diagnostics"][0]
    assert (first["severity"], first["file"], first["line"], first["column"]) == ("error", "entrepot.yaml", 2, 1)
    assert first["remedy"]


def test_check_says_so_when_all_is_well(entrepot: Command, project: Path) -> None:
    assert entrepot("check", "--json").code == 0
    assert entrepot.json["ok"] is True
    assert len(entrepot.json["digest"]) == 64


@pytest.mark.parametrize(
    ("services", "said"),
    [("", "1 route: no errors\n"), ("services: {api: {python: services}}", "1 service with 5 operations and 1 route")],
)
def test_check_counts_routes_too(entrepot: Command, project: Path, services: str, said: str) -> None:
    routes = 'routes: [{path: "/static/*", upstream: up}]\nupstreams: {up: {url: "http://127.0.0.1:9001"}}\n'
    (project / "entrepot.yaml").write_text(f"entrepot: 1\n{services}\n{routes}")
    assert entrepot("check").code == 0
    assert entrepot.out.startswith(said)


def test_what_is_no_json_is_told_with_an_example(entrepot: Command, project: Path) -> None:
    assert entrepot("call", "api.half", "amount=3").code == 1
    said = 'arguments are one JSON object: entrepot call api.half \'{"name": "Ada"}\'\n'
    assert entrepot.err.endswith(said)


def test_explain_shows_who_answers_what(entrepot: Command, project: Path) -> None:
    assert entrepot("explain").code == 0
    lines = entrepot.out.splitlines()
    assert lines[0].split() == ["WHAT", "PROTOCOL", "ADDRESS", "WHERE", "WHY"]
    assert "api.half" in lines[1]
    assert "worker" in lines[1]
    assert entrepot("explain", "--json").code == 0
    assert {row["operation"] for row in entrepot.json["placements"]} >= {"half"}


def test_explain_says_what_serve_leaves_off(entrepot: Command, project: Path) -> None:
    said = "off under serve; `expose: [rest, jsonrpc]` switches it on"
    assert entrepot("explain").code == 0
    [line] = [line for line in entrepot.out.splitlines() if said in line]
    assert line.split()[:3] == ["api", "jsonrpc", "nowhere"]
    assert entrepot("explain", ".", "api.half").code == 0
    assert re.search(rf"\n  left out\n    jsonrpc +{re.escape(said)}\n", entrepot.out)
    assert entrepot("explain", "--dev").code == 0
    assert said not in entrepot.out
    declaration = project / "entrepot.yaml"
    declaration.write_text(declaration.read_text().replace("python: services", "python: services, expose: [rest]"))
    assert entrepot("explain").code == 0
    assert "jsonrpc" not in entrepot.out


def test_what_dev_would_leave_out_is_told_beforehand(entrepot: Command, project: Path) -> None:
    assert entrepot("check", "--dev").code == 0
    assert "jsonrpc leaves out api.count: it answers with a stream" in entrepot.err
    assert entrepot("explain", "--dev", "--json").code == 0
    rows = entrepot.json["placements"]
    nowhere = {(row["operation"], row["protocol"]) for row in rows if row["where"] == "nowhere"}
    assert nowhere == {("count", "jsonrpc"), ("total", "jsonrpc"), ("keep", "jsonrpc")}


def test_explain_tells_all_of_one_operation(entrepot: Command, project: Path) -> None:
    assert entrepot("explain", ".", "api.half").code == 0
    for expected in (
        "Half of an amount.",
        "{amount: decimal}",
        "Empty  conflict",
        "timeout     30 s",
        "GET /api/api/v1/half",
    ):
        assert expected in entrepot.out
    assert re.search(r"\n  limits\n    body +1,048,576\n", entrepot.out)
    assert entrepot("explain", "api.half").code == 0
    assert entrepot("explain", ".", "api.half", "--json").code == 0
    assert entrepot.json["output"] == "decimal"
    assert entrepot.json["faults"] == [{"name": "Empty", "kind": "conflict", "docs": "Nothing is left."}]


@pytest.mark.parametrize("command", ["explain", "call"])
def test_an_unknown_operation_is_answered_with_those_there_are(entrepot: Command, project: Path, command: str) -> None:
    where = [".", "api.hlaf"] if command == "explain" else ["api.hlaf"]
    assert entrepot(command, *where).code == 1
    assert "error E911: the service `api` has no operation `hlaf`" in entrepot.err
    assert re.match(r"entrepot\.yaml:\d+:\d+: ", entrepot.err), entrepot.err
    assert "Did you mean `half`? Its operations: half, count" in entrepot.err


# call


def test_call_keeps_every_digit(entrepot: Command, project: Path) -> None:
    assert entrepot("call", "api.half", '{"amount": "0.10000000000000000000000002"}').code == 0
    assert entrepot.out == '"0.05000000000000000000000001"\n'
    assert entrepot("call", "api.half", '{"amount": "3"}', "--json").code == 0
    assert entrepot.json == {"ok": True, "output": "1.5"}


def test_call_reads_standard_input(entrepot: Command, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, '{\n  "amount": "4"\n}\n')
    assert entrepot("call", "api.half", "-").out == '"2"\n'


def test_call_streams_a_line_for_each_item(entrepot: Command, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert entrepot("call", "api.count", '{"to": 3}').out == "0\n1\n2\n"
    given(monkeypatch, "1\n\n2\n3\n")
    assert entrepot("call", "api.total", '{"start": 10}').out == "16\n"
    given(monkeypatch, '{"start": 20}\n1\n')
    assert entrepot("call", "api.total", "-").out == "21\n"


def test_call_shows_a_fault_with_its_data(entrepot: Command, project: Path) -> None:
    assert entrepot("call", "api.half", '{"amount": "0"}').code == 1
    assert entrepot.out == ""
    assert entrepot.err == 'fault Empty: there is nothing to halve\n    data: {"left":0}\n'
    assert entrepot("call", "api.half", '{"amount": "0"}', "--json").code == 1
    assert entrepot.json == {
        "ok": False,
        "fault": {
            "kind": "conflict",
            "name": "Empty",
            "title": "The request conflicts with the present state",
            "detail": "there is nothing to halve",
            "data": {"left": 0},
        },
    }


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("{}", "/amount: is required"),
        ("[]", "fault invalid"),
        ("{", "fault malformed"),
        ('{"amount": "many"}', "/amount: "),
    ],
)
def test_call_lists_what_is_wrong_with_the_input(
    entrepot: Command, project: Path, arguments: str, expected: str
) -> None:
    assert entrepot("call", "api.half", arguments).code == 1
    assert expected in entrepot.err


@pytest.mark.parametrize("protocol", ["rest", "jsonrpc"])
def test_call_goes_by_a_protocol_that_is_named(entrepot: Command, project: Path, protocol: str) -> None:
    code = CODE.replace(
        "@api.operation(safe=True, faults=[Empty])", '@api.get("/half", faults=[Empty], scopes=["half"])'
    )
    (project / "services.py").write_text(code)
    assert entrepot("call", "api.half", '{"amount": "1.10"}', "--over", protocol).out == '"0.55"\n'
    assert entrepot("call", "api.half", '{"amount": "0"}', "--over", protocol).code == 1
    assert "fault Empty: there is nothing to halve" in entrepot.err
    assert 'data: {"left":0}' in entrepot.err


def test_call_streams_over_a_protocol_that_carries_streams(entrepot: Command, project: Path) -> None:
    assert entrepot("call", "api.count", '{"to": 3}', "--over", "rest").out == "0\n1\n2\n"
    assert entrepot("call", "api.count", '{"to": 3}', "--over", "jsonrpc").code == 1
    assert "error E915: api.count cannot be called over `jsonrpc`: it answers with a stream" in entrepot.err
    assert "It can be over: rest." in entrepot.err
    assert entrepot("call", "api.count", '{"to": 3}', "--over", "soap").code == 1
    assert "E915: api.count cannot be called over `soap`: it is not served there" in entrepot.err


def test_call_hides_what_a_handler_would_not_tell(entrepot: Command, project: Path) -> None:
    assert entrepot("call", "api.broken").code == 1
    assert "fault internal" in entrepot.err.splitlines()[-1]
    assert "hunter2" not in entrepot.err.splitlines()[-1]


def test_call_refuses_what_has_no_json_form(entrepot: Command, project: Path) -> None:
    assert entrepot("call", "api.keep", "{}").code == 1
    assert "error E912: api.keep cannot be called with JSON" in entrepot.err


def test_call_needs_no_declaration(entrepot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "api.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    _forget_imports(monkeypatch)
    assert entrepot("call", "api.half", '{"amount": "1"}').out == '"0.5"\n'
    assert entrepot("call", "api.half", '{"amount": "1"}', "--project", "api.py").out == '"0.5"\n'
    assert entrepot("call", "apo.half").code == 1
    assert "there is no apo.py in" in entrepot.err
    assert entrepot("explain", "api.half").code == 0
    assert "Half of an amount." in entrepot.out


@pytest.mark.parametrize("command", ["call", "explain"])
def test_an_operation_without_its_service_is_told_how_it_is_written(
    entrepot: Command, project: Path, command: str
) -> None:
    directory = ["."] if command == "explain" else []
    assert entrepot(command, *directory, "half").code == 1
    assert "the project serves no service `half`; an operation is written SERVICE.OPERATION" in entrepot.err
    (project / "entrepot.yaml").unlink()
    assert entrepot("call", "half").code == 2
    assert "'half' is not SERVICE.OPERATION, such as hello.greet" in entrepot.err


def test_what_is_long_has_a_line_for_each_part(entrepot: Command, project: Path) -> None:
    fields = "".join(f"    a_field_of_a_long_name_{number}: int\n" for number in range(9))
    struct = f"import msgspec\n\n\nclass Long(msgspec.Struct):\n{fields}\n\n"
    fault = 'class Full(Fault, kind="conflict"):\n    """Nothing fits.\n\n    Not at all.\n    """\n\n\n'
    (project / "services.py").write_text(
        f"{CODE}\n\n{struct}{fault}@api.operation(faults=[Full])\nasync def fill(long: Long) -> Long: ...\n"
    )
    assert entrepot("explain", ".", "api.fill").code == 0
    types = entrepot.out.partition("\n  types\n")[2].partition("\n\n")[0].splitlines()
    assert types[0].split() == ["Long", "{"]
    assert types[1].strip() == "a_field_of_a_long_name_0: int"
    assert entrepot.out.partition("\n  faults\n")[2].partition("\n")[0] == "    Full  conflict  Nothing fits."


def test_a_file_that_is_no_project_is_told_so(entrepot: Command, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Shop\n")
    assert entrepot("dev", str(tmp_path / "README.md")).code == 1
    assert "there is no entrepot.yaml in" in entrepot.err
    assert "Name a project directory or a Python file" in entrepot.err


# import


def test_import_pins_declares_and_lists(entrepot: Command, project: Path) -> None:
    (project / "ledger.json").write_text(json.dumps(OPENRPC | {"servers": [{"url": "https://ledger.example/rpc"}]}))
    assert entrepot("import", "openrpc:ledger.json", "--name", "ledger").code == 0, entrepot.err
    assert "imported 1 operation as service ledger, pinned in specs/ledger.json" in entrepot.out
    assert "What is left." in entrepot.out
    declared = (project / "entrepot.yaml").read_text()
    assert declared.startswith(DECLARATION)
    assert "ledger: {openrpc: specs/ledger.json, upstream: ledger}" in declared
    assert "https://ledger.example" in declared
    assert json.loads((project / "entrepot.lock").read_text())["documents"]["specs/ledger.json"]["kind"] == "openrpc"
    assert entrepot("check").code == 0, entrepot.err


def test_a_document_may_be_two_services(entrepot: Command, project: Path) -> None:
    (project / "ledger.json").write_text(json.dumps(OPENRPC | {"servers": [{"url": "https://ledger.example/rpc"}]}))
    for name in ("ledger", "books"):
        assert entrepot("import", "openrpc:ledger.json", "--name", name).code == 0, entrepot.err
    compiled = compile(project, CATALOG, mode="dev")
    services = {each.service.name: each.service for each in compiled.release.worker.services}
    for name in ("ledger", "books"):
        address = CATALOG["jsonrpc"].server.addresses(services[name])["ledger_balance"]
        assert address.text == f"POST /jsonrpc {name}.ledger_balance"


def test_import_says_what_it_left_out_and_why(entrepot: Command, project: Path) -> None:
    strange = {"name": "strange", "params": [], "result": {"name": "r", "schema": {"$ref": "#/nowhere"}}}
    document = OPENRPC | {"methods": [*OPENRPC["methods"], strange]}  # type: ignore[misc]
    (project / "ledger.json").write_text(json.dumps(document))
    assert entrepot("import", "openrpc:ledger.json", "--name", "ledger", "--json").code == 1
    result = entrepot.json
    assert result["ok"] is False
    assert result["operations"] == ["ledger_balance"]
    assert [refusal["pointer"] for refusal in result["refusals"]] == ["/methods/1/result/schema"]
    assert result["refusals"][0]["reason"]


def test_a_document_cannot_steer_the_terminal(entrepot: Command, project: Path) -> None:
    fine: Any = OPENRPC["methods"][0]
    told = fine | {"name": "told", "summary": "What \x1b]0;x\x07is\nleft\u202e."}
    broken = fine | {"name": "\x9b31mbroken\nerror E999: ours", "result": {"name": "r", "schema": {"$ref": "\x1b"}}}
    Path("evil.json").write_text(json.dumps(OPENRPC | {"methods": [told, broken]}))
    said = entrepot("import", "openrpc:evil.json", "--name", "evil").out + entrepot.err
    assert "evil.told  What \\u001b]0;x\\u0007is\\nleft\\u202e.\n" in said
    assert "N301: method \\u009b31mbroken\\nerror E999: ours is not imported" in said
    assert not set(said) & set("\x1b\x07\x9b\u202e")


def test_import_names_the_document_and_where_its_calls_go(entrepot: Command, project: Path) -> None:
    strange = {"name": "strange", "params": [], "result": {"name": "r", "schema": {"$ref": "#/nowhere"}}}
    server = {"servers": [{"url": "https://ledger.example/rpc"}]}
    document = OPENRPC | server | {"methods": [*OPENRPC["methods"], strange]}  # type: ignore[misc]
    for name in ("ledger.json", "other.json"):
        (project / name).write_text(json.dumps(document))
    entrepot("import", "openrpc:ledger.json", "--name", "ledger")
    assert re.search(r"^specs/ledger.json:1:\d+: note N301: method strange", entrepot.err, re.MULTILINE)
    assert "its calls go to https://ledger.example/rpc: upstream ledger in entrepot.yaml" in entrepot.out
    entrepot("import", "openrpc:other.json", "--name", "ledger")
    assert "it replaces the document from ledger.json" in entrepot.out


@pytest.mark.parametrize(
    ("document", "expected"),
    [("{", "cannot be read"), ("[]", "error E"), (json.dumps({"openrpc": "1.3.2"}), "error E")],
)
def test_import_refuses_what_is_no_contract(entrepot: Command, project: Path, document: str, expected: str) -> None:
    (project / "ledger.json").write_text(document)
    assert entrepot("import", "openrpc:ledger.json", "--name", "ledger").code == 1
    assert expected in entrepot.err
    assert (project / "entrepot.yaml").read_text() == DECLARATION
    assert not (project / "entrepot.lock").exists()


def sending(**paths: object) -> str:
    receiver = {"post": {"responses": {"204": {"description": ""}}}}
    content = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "webhooks": {"account.created": receiver}}
    called_back = {"callbacks": {"onDone": {"{$request.query.url}": receiver}}}
    response = {"description": "", "headers": {"X-Left": {"schema": {"type": "integer"}}}}
    subscribe = {"operationId": "subscribe", "responses": {"204": response}, **called_back}
    return json.dumps(content | ({"paths": {"/s": {"post": subscribe}}} if paths else {}))


def test_what_only_sends_is_imported_and_served_nowhere(entrepot: Command, project: Path) -> None:
    (project / "told.json").write_text(sending())
    assert entrepot("import", "openapi:told.json", "--name", "told").code == 0, entrepot.err
    assert "imported 0 operations as service told" in entrepot.out
    assert "it sends 1 call by itself (callbacks and webhooks), which nobody delivers yet" in entrepot.out
    assert "told: {openapi: specs/told.json}" in (project / "entrepot.yaml").read_text()
    assert (entrepot("check").code, entrepot.err) == (0, "")
    assert entrepot("explain").code == 0
    [row] = [line for line in entrepot.out.splitlines() if "told.account_created" in line]
    assert row.split("  ")[-1].strip() == (
        "its upstream sends it to those who asked for it, a webhook; Entrepôt delivers none yet"
    )


def test_explain_tells_the_headers_of_answers_and_what_is_sent(entrepot: Command, project: Path) -> None:
    (project / "told.json").write_text(sending(paths=True))
    entrepot("import", "openapi:told.json", "--name", "told")
    with (project / "entrepot.yaml").open("a") as declaration:
        declaration.write('upstreams: {told: {url: "http://127.0.0.1:9"}}\n')
    assert entrepot("explain", ".", "told.subscribe").code == 0, entrepot.err
    told = entrepot.out.partition("\n  sends\n")[2].partition("\n\n")[0]
    assert told.split()[:2] == ["on_done", "{$request.query.url}"]
    assert entrepot.out.partition("\n  headers\n")[2].partition("\n\n")[0].split() == ["X-Left", "int"]
    assert entrepot("explain").code == 0
    assert "its upstream calls back who called subscribe; Entrepôt delivers none yet" in entrepot.out


def test_import_names_the_kinds_it_knows(entrepot: Command, project: Path) -> None:
    assert entrepot("import", "wsdl2:https://ledger.example/never-asked", "--name", "ledger").code == 1
    assert "Known kinds: openapi, openrpc." in entrepot.err


# As processes


def spoken(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "entrepot", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
        timeout=60,
    )


def test_version_is_an_option_too() -> None:
    assert spoken("--version").stdout.startswith("entrepot ")


def test_version_is_one_line_and_one_object() -> None:
    assert spoken("version").stdout.startswith("entrepot 0.")
    assert set(json.loads(spoken("version", "--json").stdout)) == {"entrepot", "python"}


def test_version_loads_neither_the_compiler_nor_a_protocol() -> None:
    program = (
        "import sys; from entrepot.__main__ import main; sys.argv[1:] = ['version']\n"
        "try: main()\n"
        "except SystemExit: print(*sorted(sys.modules), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(ran.stderr.split())
    assert "entrepot.cli.version" in loaded
    assert loaded.isdisjoint({"msgspec", "asyncio", "yaml", "entrepot.compiler.compile", "entrepot.protocols"})


def test_a_reader_who_leaves_early_hears_no_complaint(project: Path) -> None:
    command = [sys.executable, "-m", "entrepot", "call", "api.count", '{"to": 200000}']
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "0\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 1


def test_ctrl_c_is_quiet(project: Path) -> None:
    (project / "services.py").write_text(
        CODE + "\n\n@api.operation()\nasync def wait() -> AsyncIterator[int]:\n    yield 1\n"
        "    import asyncio\n    await asyncio.sleep(600)\n"
    )
    command = [sys.executable, "-m", "entrepot", "call", "api.wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip() == ""


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "entrepot", *arguments]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=os.environ | environment) as process:
        os.close(theirs)
        written = b""
        while chunk := _read_terminal(ours):
            written += chunk
        process.wait(60)
    os.close(ours)
    return written.decode()


def _read_terminal(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # Linux ends a terminal whose other side is closed with an error
        return b""


def test_colours_are_for_terminals_that_want_them(project: Path) -> None:
    (project / "entrepot.yaml").write_text("nonsense: 1\n")
    assert "\x1b[31m" in on_a_terminal("check", NO_COLOR="")
    assert "\x1b[" not in on_a_terminal("check", NO_COLOR="1")
    assert "\x1b[" not in spoken("check").stderr
