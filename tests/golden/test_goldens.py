"""Declarations, and what becomes of them: diagnostics, placements, the release, what Envoy is given for it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest

from entrepot.compiler.compile import compile
from entrepot.compiler.rulebook import RULES
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.spec.lock import LOCK_FILE, Lock, PinnedDocument, digest, lock_bytes
from support.goldens import Golden, read_golden
from support.protocols import catalog
from support.rendering import what_matters

CASES = Path(__file__).parent / "cases"
GOLDENS = [read_golden(path) for path in sorted(CASES.rglob("*.golden"))]


def found(golden: Golden, project: Path) -> tuple[list[Diagnostic], dict[str, str]]:
    """The diagnostics of a case, and all that is written into its file."""
    golden.write_project(project)
    if "pinned" in golden.options:
        pin_all(project)
    mode = golden.options.get("mode", "serve")
    target = project / golden.options.get("target", "")
    missing = dict.fromkeys(filter(None, [golden.options.get("without")]))
    try:
        with patch.dict(sys.modules, missing):
            compiled = compile(target, catalog(), mode=mode, environment=golden.options.get("environment", ""))
    except Refused as refused:
        return list(refused.diagnostics), {"diagnostics": lines(refused.diagnostics).replace(str(project), "PROJECT")}
    sections = {"diagnostics": lines(compiled.diagnostics), "placements": lines(compiled.placements)}
    if golden.options.get("shows") == "envoy":
        sections["envoy"] = f"{json.dumps(what_matters(compiled.release.edge), indent=1, sort_keys=True)}\n"
    else:
        release = msgspec.json.format(compiled.release.canonical(), indent=1).decode()
        sections |= {"release": f"{release}\n", "digest": f"{compiled.release.digest}\n"}
    return list(compiled.diagnostics), {name: content for name, content in sections.items() if content}


def lines(values: object) -> str:
    assert isinstance(values, tuple)
    texts = [str(each) if isinstance(each, Diagnostic) else row(each) for each in values]
    return "".join(f"{text}\n" for text in texts)


def row(placement: msgspec.Struct) -> str:
    return " | ".join(f"{name}={value}" for name, value in msgspec.to_builtins(placement).items())


def pin_all(project: Path) -> None:
    documents = {
        file.relative_to(project).as_posix(): PinnedDocument(
            kind="openapi", source="https://origin.example/", sha256=digest(file.read_bytes())
        )
        for file in (project / "specs").iterdir()
    }
    (project / LOCK_FILE).write_bytes(lock_bytes(Lock(documents=documents)))


@pytest.mark.parametrize(
    "golden", GOLDENS, ids=lambda golden: golden.path.relative_to(CASES).with_suffix("").as_posix()
)
def test_golden(golden: Golden, tmp_path: Path, update_goldens: bool) -> None:
    project = tmp_path / "project"
    project.mkdir()
    _, sections = found(golden, project)
    if update_goldens:
        golden.update(sections)
    assert sections == golden.expected


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__.rpartition(".")[2])
def test_each_rule_has_a_golden_of_its_own(rule: object, tmp_path: Path) -> None:
    """Named after the rule, and finding nothing but what the rule is about."""
    name = rule.__name__.rpartition(".")[2]
    golden = read_golden(CASES / "rules" / f"{name}.golden")
    project = tmp_path / "project"
    project.mkdir()
    diagnostics, _ = found(golden, project)
    assert {each.code for each in diagnostics} == {rule.CODE}


def test_no_golden_is_left_of_a_rule_that_is_gone() -> None:
    rules = {rule.__name__.rpartition(".")[2] for rule in RULES}
    assert {path.stem for path in (CASES / "rules").iterdir()} == rules


def test_a_file_that_no_test_reads_is_no_golden() -> None:
    assert [path for path in CASES.rglob("*") if path.is_file() and path.suffix != ".golden"] == []
