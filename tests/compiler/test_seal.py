"""Same input, same digest; other input, another one."""

from __future__ import annotations

import hashlib
import os
import platform
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from entrepot.compiler import own_files, seal
from entrepot.compiler.compile import compile
from entrepot.compiler.installed import installed
from entrepot.ir.edge import Route
from entrepot.ir.release import Release
from entrepot.ir.worker import Pool
from entrepot.kit.diagnostics import Refused
from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.upstream import Retry, Upstream
from support.protocols import catalog

SHOP = """
from entrepot import Service
from company.prices import price

shop = Service("shop", docs="Sells things.")


@shop.get("/products", tags=["b", "a", "c"])
def products(kinds: set[str] | None = None) -> list[str]: ...
"""
DECLARATION = """
services:
  shop: {python: shop}
  crm: {openapi: specs/crm.json, upstream: crm}
upstreams:
  crm: {url: "https://crm.example", tls: {ca_file: ca.pem}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    for name, content in {
        "entrepot.yaml": DECLARATION,
        "shop.py": SHOP,
        "company/__init__.py": "",
        "company/prices.py": "def price(): ...\n",
        "specs/crm.json": '{"operations": ["find"]}',
        "ca.pem": "certificate",
        "readme.md": "text",
    }.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return directory


def release(project: Path) -> Release:
    return compile(project, catalog()).release


def test_the_same_project_elsewhere_and_later_is_the_same_release(project: Path, tmp_path: Path) -> None:
    first = release(project)
    other = tmp_path / "other" / "project"
    shutil.copytree(project, other)
    (other / "entrepot.yaml").write_text("# another remark\n" + DECLARATION)
    os.utime(other / "shop.py", (0, 0))
    assert release(other) == first
    assert release(other).digest == first.digest


def test_the_order_of_a_declaration_makes_no_difference(project: Path) -> None:
    first = release(project)
    lines = ["  shop: {python: shop}", "  crm: {openapi: specs/crm.json, upstream: crm}"]
    (project / "entrepot.yaml").write_text(DECLARATION.replace("\n".join(lines), "\n".join(lines[::-1])))
    assert release(project).digest == first.digest


def change(name: str, content: str) -> Callable[[Path], object]:
    return lambda project: (project / name).write_text(content)


@pytest.mark.parametrize(
    "change",
    [
        change("shop.py", SHOP.replace("Sells", "Lends")),
        change("company/prices.py", "def price(): return 1\n"),
        change("company/new.py", ""),
        change("specs/crm.json", '{"operations": ["find"]} '),
        change("ca.pem", "another certificate"),
        change("entrepot.yaml", "workers: 2\n" + DECLARATION),
    ],
)
def test_what_matters_changes_the_digest(project: Path, change: Callable[[Path], object]) -> None:
    first = release(project).digest
    change(project)
    assert release(project).digest != first


@pytest.mark.parametrize(
    "name",
    ["readme.md", ".hidden/a.py", "__pycache__/a.py", "node_modules/a/a.py", "lib/site-packages/a.py", "env/a.py"],
)
def test_what_is_not_the_projects_does_not(project: Path, name: str) -> None:
    first = release(project).digest
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(str(random.random()))
    (project / "env").mkdir(exist_ok=True)
    (project / "env" / "pyvenv.cfg").write_text("")
    assert release(project).digest == first


def test_a_module_alone_counts_what_lies_beside_it_and_packages(project: Path) -> None:
    (project / "entrepot.yaml").unlink()
    first = compile(project / "shop.py", catalog()).release.digest
    (project / "data").mkdir()
    (project / "data" / "unrelated.py").write_text("")
    assert compile(project / "shop.py", catalog()).release.digest == first
    (project / "company" / "prices.py").write_text("def price(): return 2\n")
    assert compile(project / "shop.py", catalog()).release.digest != first


def test_the_number_of_files_is_bounded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_files, "FILES_MAX", 2)
    with pytest.raises(Refused, match="E215"):
        release(project)


def test_the_size_of_the_files_is_bounded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "BYTES_MAX", 200)
    with pytest.raises(Refused, match="E215"):
        release(project)


def test_what_runs_is_kept_with_its_content(project: Path) -> None:
    sealed = compile(project, catalog()).sealed
    kept = ["ca.pem", "company/__init__.py", "company/prices.py", "shop.py", "specs/crm.json"]
    assert sorted(sealed.release.files) == kept
    for path, digest in sealed.release.files.items():
        assert sealed.contents[digest] == (project / path).read_bytes()
        assert hashlib.sha256(sealed.contents[digest]).hexdigest() == digest
    [upstream] = sealed.release.edge.upstreams
    assert upstream.tls is not None
    assert upstream.tls.ca == sealed.release.files["ca.pem"]


def test_what_is_no_regular_file_is_left_out(project: Path) -> None:
    (project / ".#shop.py").symlink_to("somebody@somewhere.1234")
    os.mkfifo(project / "waiting.py")
    (project / "linked").symlink_to(project / "company")
    assert set(compile(project, catalog()).release.files) == set(release(project).files)
    assert not {"waiting.py", ".#shop.py", "linked/prices.py"} & set(release(project).files)


def test_what_is_installed_is_part_of_the_seal(project: Path) -> None:
    one, other = ({"lib": version} for version in ("1.0", "1.1"))
    assert compile(project, catalog(), dependencies=one).release.digest == release_with(project, one).digest
    assert release_with(project, one).digest != release_with(project, other).digest


def release_with(project: Path, dependencies: dict[str, str]) -> Release:
    return compile(project, catalog(), dependencies=dependencies).release


def test_what_is_installed_is_told_by_name_and_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Some_Lib-1.2.3.dist-info").mkdir()
    (tmp_path / "later" / "some_lib-9.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "later"), str(tmp_path / "none.zip")])
    assert installed() == {"python": platform.python_version(), "some-lib": "1.2.3"}
    monkeypatch.undo()
    assert installed()["msgspec"] == msgspec.__version__


def test_a_release_does_not_lean_on_defaults_of_the_version_that_reads_it(project: Path) -> None:
    said = msgspec.json.decode(release(project).canonical())
    worker, [upstream] = said["worker"], said["edge"]["upstreams"]
    assert worker["limits"] == msgspec.to_builtins(DEFAULT_LIMITS)
    assert worker["limits"].keys() == set(Limits.__struct_fields__)
    assert upstream.keys() == set(Upstream.__struct_fields__)
    assert upstream["retry"].keys() == set(Retry.__struct_fields__)
    assert all(pool.keys() == set(Pool.__struct_fields__) for pool in worker["pools"])
    assert all(route.keys() == set(Route.__struct_fields__) for route in said["edge"]["routes"])


def test_nothing_of_this_machine_is_in_a_release(project: Path) -> None:
    assert str(project.parent).encode() not in release(project).canonical()
