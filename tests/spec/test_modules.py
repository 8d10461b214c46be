"""The child process that imports modules: what it may see, and what becomes of those that misbehave."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

import pytest

from entrepot.spec import modules
from entrepot.spec.messages import Probed, Source

SHOP = """
from entrepot import Service

shop = Service("shop")


@shop.get("/products")
def products() -> list[str]: ...
"""


def probe(project: Path, seconds_max: float = 10.0, **files: str) -> dict[str, Probed]:
    for name, content in files.items():
        (project / f"{name}.py").write_text(content)
    sources = [Source(name, path=".") for name in files]
    return dict(zip(files, modules.probe(project, sources, seconds_max), strict=True))


def test_a_service_comes_with_the_places_of_its_operations(tmp_path: Path) -> None:
    found = probe(tmp_path, shop=SHOP)["shop"]
    assert [(each.attribute, each.service.name) for each in found.services] == [("shop", "shop")]
    assert str(found.services[0].places["products"]) == "shop.py:7:1"
    assert found.diagnostics == ()


def test_a_module_sees_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    seen = 'import os\nfrom pathlib import Path\n\nPath("seen").write_text(" ".join(os.environ))\n' + SHOP
    probe(tmp_path, shop=seen)
    names = set((tmp_path / "seen").read_text().split())
    assert names <= {*modules.ENVIRONMENT, "PYTHONHASHSEED", "LC_CTYPE", "PYTHONSAFEPATH"}


def test_a_module_that_hangs_is_told_with_its_line(tmp_path: Path) -> None:
    found = probe(tmp_path, 0.3, hangs="import threading\n\nthreading.Event().wait()\n", shop=SHOP)
    assert [(each.code, str(each.place)) for each in found["hangs"].diagnostics] == [("E202", "hangs.py:3:1")]
    assert found["shop"].services


def test_a_process_that_a_module_leaves_behind_holds_nothing_up(tmp_path: Path) -> None:
    leaves = "import os, signal\nfrom pathlib import Path\n\nchild = os.fork()\nif not child:\n    signal.pause()\n"
    record = 'Path("child").write_text(str(child))\n'
    found = probe(tmp_path, shop=leaves + record + SHOP)["shop"]
    assert found.services
    assert ends(int((tmp_path / "child").read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it can leave")
def test_a_process_that_a_module_lets_go_holds_nothing_up_and_ends(tmp_path: Path) -> None:
    leaves = (
        "import os, signal\nfrom pathlib import Path\n\nif not (child := os.fork()):\n    os.setsid()\n"
        "    if os.fork():\n        os._exit(0)\n"
        "    Path('part').write_text(str(os.getpid()))\n    os.rename('part', 'child')\n    signal.pause()\n"
        "os.waitpid(child, 0)\n"
    )
    assert probe(tmp_path, shop=leaves + SHOP)["shop"].services
    assert not (tmp_path / "child").exists() or ends(int((tmp_path / "child").read_text()))


def test_what_a_module_writes_into_our_answer_is_quoted_in_part(tmp_path: Path) -> None:
    writes = "import os\n\nfor descriptor in range(3, 9):\n    try:\n        os.write(descriptor, b'{' * 65536)\n"
    found = probe(tmp_path, shop=writes + "    except OSError:\n        pass\n" + SHOP)["shop"]
    [said] = found.diagnostics
    assert said.code == "E203"
    assert len(said.message) < 300


def ends(process: int) -> bool:
    """Whether the process is gone, or goes within ten seconds."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    with open(handle):
        return bool(select.select([handle], [], [], 10)[0])


def test_a_module_finds_its_input_empty_and_its_output_discarded(tmp_path: Path) -> None:
    listens = 'import os, sys\n\nassert sys.stdin.read() == ""\n'
    noisy = listens + 'print("{}")\nos.write(1, b"{}\\n")\nos.write(2, b"x" * 2**20)\n'
    assert probe(tmp_path, shop=noisy + SHOP)["shop"].services


def test_the_working_directory_is_the_project(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("shop")
    reads = 'from pathlib import Path\n\nassert Path("names.txt").read_text() == "shop"\n'
    assert probe(tmp_path, shop=reads + SHOP)["shop"].services


def test_a_module_that_hides_one_of_ours_is_only_seen_by_the_project(tmp_path: Path) -> None:
    """The child starts before the project's directory is on the path."""
    (tmp_path / "msgspec.py").write_text("raise RuntimeError('not the real one')\n")
    assert probe(tmp_path, shop=SHOP)["shop"].services


def test_a_module_hidden_by_one_of_python_is_told_so(tmp_path: Path) -> None:
    found = probe(tmp_path, json=SHOP)["json"].diagnostics
    assert [each.code for each in found] == ["E204"]
    assert "rename yours" in found[0].remedy


def test_all_that_is_wrong_with_services_is_told(tmp_path: Path) -> None:
    wrong = SHOP + '\n\n@shop.get("/a")\ndef a(x): ...\n\n\n@shop.get("/b")\ndef b(y): ...\n'
    found = probe(tmp_path, shop=wrong)["shop"]
    assert len(found.diagnostics) == 4
    assert {each.place.file for each in found.diagnostics} == {"shop.py"}


def test_what_is_raised_deep_in_a_library_is_placed_in_the_project(tmp_path: Path) -> None:
    found = probe(tmp_path, shop="import json\n\njson.loads('{')\n")["shop"]
    assert str(found.diagnostics[0].place) == "shop.py:3:1"
    assert "JSONDecodeError" in found.diagnostics[0].message


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("Depends", "Declare a resource"),
        ("Meta", "`msgspec.Meta`"),
        ("Conflit", "Did you mean `Conflict`?"),
        ("HTTPException", "Raise a fault"),
    ],
)
def test_a_name_that_we_do_not_have_is_told_what_to_take(tmp_path: Path, name: str, remedy: str) -> None:
    (found,) = probe(tmp_path, shop=f"from entrepot import {name}\n")["shop"].diagnostics
    assert (found.code, str(found.place), remedy in found.remedy) == ("E201", "shop.py:1:1", True), found


def test_a_fault_of_no_kind_is_told_where_it_is_written(tmp_path: Path) -> None:
    wrong = 'from entrepot import Fault\n\n\nclass Taken(Fault, kind="conflct"): ...\n'
    (found,) = probe(tmp_path, shop=wrong)["shop"].diagnostics
    assert (found.code, str(found.place)) == ("E201", "shop.py:4:1")
    assert "Did you mean `conflict`?" in found.message


def test_several_attributes_of_one_service_are_one_service(tmp_path: Path) -> None:
    assert len(probe(tmp_path, shop=SHOP + "\nagain = shop\n")["shop"].services) == 1


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_no_process_is_left(tmp_path: Path) -> None:
    before = children()
    probe(tmp_path, shop=SHOP)
    assert children() <= before
