"""The house rules that no linter knows. Each holds for every file, today and for the next one.

The allowances at the top are a ratchet: they may shrink and never grow, and one that is no
longer needed fails its test.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "entrepot"
SOURCES = sorted(PACKAGE.rglob("*.py"))

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
KIT_FILES_MAX = 10

LONG_FUNCTIONS: dict[str, int] = {}
"""By `file:function`: lines it still has above the limit."""
LONG_FILES: dict[str, int] = {}
"""By file: lines it still has above the limit."""

ENTRY_POINTS = {
    "entrepot",
    "entrepot.__main__",
    "entrepot.spec.schema",  # read by tools/reference.py, for editors
    "entrepot.wire.memory",  # the wire of every test that needs no socket
}
"""Modules that are started or imported from outside."""

PLAIN_VALUES = {
    "model/call.py",  # an input and an output are of the operation's own type
    "model/fault.py",  # a fault's data likewise
    "model/operation.py",  # bindings are each protocol's own plain data
    "model/principal.py",  # claims are whatever the identity provider says
    "model/resource.py",  # a resource is of the author's own type
    "model/shape.py",  # defaults and examples are plain JSON values
}
"""Files of model and ports that may speak of `Any`, and why."""

OTHER_WORDS = {
    "connector": "client or upstream",
    "plugin": "policy, protocol or backend",
    "entrypoint": "listener address or server",
    "utils": "a name that says what it is",
    "helpers": "a name that says what it is",
    "microservice": "service",
    "endpoint_handler": "handler",
    "blacklist": "refused",
    "whitelist": "allowed",
}
"""Words that mean something else elsewhere (design §9), with ours."""


def path_of(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def functions_of(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def module_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {file: ast.parse(file.read_text()) for file in SOURCES}


def test_functions_are_short(trees: dict[Path, ast.Module]) -> None:
    excess = {
        f"{path_of(file)}:{function.name}": body_lines(function) - FUNCTION_LINES_MAX
        for file, tree in trees.items()
        for function in functions_of(tree)
        if body_lines(function) > FUNCTION_LINES_MAX
    }
    assert excess == LONG_FUNCTIONS


def test_files_are_short() -> None:
    lines = {path_of(file): len(file.read_text().splitlines()) for file in SOURCES}
    assert {name: n - FILE_LINES_MAX for name, n in lines.items() if n > FILE_LINES_MAX} == LONG_FILES


def test_kit_stays_small() -> None:
    assert len([file for file in (PACKAGE / "kit").glob("*.py") if file.name != "__init__.py"]) <= KIT_FILES_MAX


def test_rooms_export_nothing(trees: dict[Path, ast.Module]) -> None:
    """A room is imported by its modules; only the root and a shelf's members have a value to give."""
    talkative = []
    for file, tree in trees.items():
        is_root = file.parent == PACKAGE
        is_member = file.parent.parent == PACKAGE / "protocols"
        if file.name == "__init__.py" and not is_root and not is_member:
            assert ast.get_docstring(tree), f"{path_of(file)} does not say what may live in the room"
            talkative += [path_of(file)] if len(tree.body) > 1 else []
    assert talkative == []


def test_shelf_members_export_one_value(trees: dict[Path, ast.Module]) -> None:
    for file in (PACKAGE / "protocols").glob("*/__init__.py"):
        names = [
            target.id
            for node in trees[file].body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        ]
        assert names == ["PROTOCOL"], path_of(file)
        assert (file.parent / "README.md").is_file(), f"{path_of(file.parent)} has no README.md"


def imported_modules(file: Path, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path_of(file)}:{node.lineno}: write imports from the root"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield str(node.module)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("entrepot."):
            yield node.value


def test_every_module_is_used(trees: dict[Path, ast.Module]) -> None:
    used = {module for file, tree in trees.items() for module in imported_modules(file, tree)}
    rooms = {module_of(file) for file in SOURCES if file.name == "__init__.py"}
    assert {module_of(file) for file in SOURCES} - used - rooms - ENTRY_POINTS == set()


def is_public(name: str) -> bool:
    return not name.startswith("_")


def public_definitions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and is_public(node.name):
            yield node
            if isinstance(node, ast.ClassDef):
                methods = (m for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef))
                yield from (method for method in methods if is_public(method.name))


@pytest.mark.parametrize("room", ["model", "ports", "ir"])
def test_the_waist_is_documented(room: str, trees: dict[Path, ast.Module]) -> None:
    silent = [
        f"{path_of(file)}:{definition.lineno} {definition.name}"
        for file, tree in trees.items()
        if file.parent == PACKAGE / room
        for definition in public_definitions(tree)
        if ast.get_docstring(definition) is None
    ]
    assert silent == []


def test_any_is_rare_in_model_and_ports(trees: dict[Path, ast.Module]) -> None:
    speaking = {
        path_of(file)
        for file, tree in trees.items()
        if file.parent in (PACKAGE / "model", PACKAGE / "ports")
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == "Any"
    }
    assert speaking == PLAIN_VALUES


def test_one_word_for_one_idea(trees: dict[Path, ast.Module]) -> None:
    """Names only: prose may say what a foreign system calls the thing."""
    clashes = []
    for file, tree in trees.items():
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}
        names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)} | {file.stem}
        for word, ours in OTHER_WORDS.items():
            clashes += [f"{path_of(file)}: {name} (say {ours})" for name in names if word in name.lower()]
    assert clashes == []


def test_nothing_is_left_for_later() -> None:
    marker = re.compile(r"#\s*(TODO|FIXME|XXX|HACK)\b")
    assert [path_of(file) for file in SOURCES if marker.search(file.read_text())] == []


def test_the_tree_names_no_machine_and_no_registry() -> None:
    """A path or host that only one machine knows makes every other machine wrong."""
    dot = "[.]"
    hosts = f"pypi{dot}org|pythonhosted{dot}org|npmjs{dot}(org|com)|deb{dot}debian{dot}org|crates{dot}io"
    homes = "(?<![A-Za-z0-9_.-])/(root|work|home/[a-z]+)/"
    forbidden = re.compile(f"{hosts}|{homes}")
    found = []
    for file in tracked_files():
        try:
            lines = file.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{file.relative_to(ROOT)}:{n}: {m[0]}" for n, line in enumerate(lines, 1) if (m := forbidden.search(line))
        ]
    assert found == []


def test_tests_have_names_of_their_own() -> None:
    """Without packages in tests/, two files of one name hide each other."""
    names = [file.name for file in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_a_diagnostic_code_means_one_thing(trees: dict[Path, ast.Module]) -> None:
    codes = [
        node.value
        for tree in trees.values()
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for node in [statement.value]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch("[EWN][0-9]{3}", node.value)
    ]
    assert sorted(codes) == sorted(set(codes))
