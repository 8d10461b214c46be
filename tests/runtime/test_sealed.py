"""Modules as a release has kept them, whatever becomes of the project's own files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.worker_process import keep

PRICE = """\
from pathlib import Path

def price():
    return Path(__file__).with_name("price.txt").read_text()
"""
MODULES = {
    "shop.py": "import inside.deep\nfrom inside import price\n\n\ndef fail():\n    raise ValueError(price())  # here\n",
    "inside/__init__.py": PRICE,
    "inside/deep/__init__.py": "",
    "plain/module.py": "value = 'plain'\n",
    "src/lib/__init__.py": "value = 'lib'\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    for name, content in {**MODULES, "inside/price.txt": "7"}.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(content)
    return directory


class Kept:
    """A project whose modules are kept; what a process that imports them finds."""

    def __init__(self, project: Path, directory: Path) -> None:
        self.project = project
        self.directory = directory
        self.files = keep(project, directory)

    def evaluate(self, expression: str, *imports: str) -> Any:
        """The value of an expression, once the modules are imported."""
        lines = [
            "import json, sys, traceback, pkgutil, importlib.resources, inspect",
            "from pathlib import Path",
            "from entrepot.runtime.sealed import import_from",
            f"project = Path({str(self.project)!r})",
            f"import_from(project, {self.files!r}, Path({str(self.directory)!r}))",
            "sys.path[:0] = [str(project), str(project / 'src')]",
            *(f"import {module}" for module in imports),
            "def trace(function):",
            "    try:",
            "        function()",
            "    except Exception:",
            "        return traceback.format_exc()",
            f"print(json.dumps({expression}))",
        ]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        line = [sys.executable, "-P", "-c", "\n".join(lines)]
        ran = subprocess.run(line, capture_output=True, text=True, check=False, env=environment)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)


@pytest.fixture
def kept(project: Path, tmp_path: Path) -> Kept:
    return Kept(project, tmp_path / "kept")


@pytest.mark.parametrize("content", ["value = 'edited'\n", "def half(", None])
def test_an_edited_half_saved_or_removed_file_makes_no_difference(kept: Kept, content: str | None) -> None:
    for name in ("src/lib/__init__.py", "plain/module.py"):
        (kept.project / name).unlink() if content is None else (kept.project / name).write_text(content)
    assert kept.evaluate("[lib.value, plain.module.value]", "lib", "plain.module") == ["lib", "plain"]


def test_a_module_that_was_not_sealed_is_not_there(kept: Kept) -> None:
    (kept.project / "json5.py").write_text("")
    (kept.project / "inside" / "later.py").write_text("")
    names = ("json5", "inside.later")
    found = kept.evaluate(f"[trace(lambda: __import__(name)).splitlines()[-1] for name in {names}]")
    assert found == [f"ModuleNotFoundError: No module named '{name}'" for name in names]


def test_a_traceback_names_the_authors_file_and_the_line_that_ran(kept: Kept) -> None:
    kept.evaluate("1", "shop")
    for _ in range(2):  # compiled, and as it was kept compiled
        (kept.project / "shop.py").write_text("# moved\n" * 9 + MODULES["shop.py"])
        trace = kept.evaluate("trace(shop.fail)", "shop")
        assert f'File "{kept.project}/shop.py", line 6, in fail' in trace
        assert "raise ValueError(price())  # here" in trace
    assert kept.evaluate("inspect.getsource(shop.fail)", "shop") == "".join(MODULES["shop.py"].splitlines(True)[4:])


def test_what_is_compiled_is_kept_beside_the_copies_alone(kept: Kept) -> None:
    kept.evaluate("1", "shop")
    assert not [*kept.project.rglob("*.pyc")]
    compiled = sorted(kept.directory.glob("__pycache__/*.pyc"))
    assert {path.name[:64] for path in compiled} == {
        kept.files[name] for name in ("shop.py", "inside/__init__.py", "inside/deep/__init__.py")
    }


def test_data_beside_a_module_is_found(kept: Kept) -> None:
    assert kept.evaluate("inside.price()", "inside") == "7"
    resource = "(importlib.resources.files('inside') / 'price.txt').read_text()"
    assert kept.evaluate(resource, "inside") == "7"
    assert kept.evaluate("pkgutil.get_data('inside', 'price.txt').decode()", "inside") == "7"


def test_packages_tell_their_modules(kept: Kept) -> None:
    found = "[[each.name, each.ispkg] for each in pkgutil.iter_modules(PATHS)]"
    assert kept.evaluate(found.replace("PATHS", "inside.__path__"), "inside") == [["deep", True]]
    assert kept.evaluate(found.replace("PATHS", "[str(project)]")) == [["inside", True], ["shop", False]]
    assert kept.evaluate(found.replace("PATHS", "plain.__path__"), "plain") == [["module", False]]


def test_what_the_project_holds_and_is_not_its_own_is_found_as_ever(kept: Kept, tmp_path: Path) -> None:
    installed = kept.project / ".venv" / "site-packages"
    installed.mkdir(parents=True)
    (installed / "installed.py").write_text("value = 'installed'\n")
    shutil.copytree(kept.project / "src" / "lib", tmp_path / "elsewhere")
    (kept.project / "linked").symlink_to(tmp_path / "elsewhere")
    path = "sys.path.append(str(project / '.venv' / 'site-packages'))"
    assert kept.evaluate(f"[{path}, linked.value, __import__('installed').value]", "linked")[1:] == ["lib", "installed"]


def test_an_installed_package_is_not_shadowed_by_a_directory_without_modules(kept: Kept) -> None:
    (kept.project / "msgspec").mkdir()
    (kept.project / "msgspec" / "__init__.py").write_text("raise RuntimeError\n")
    assert kept.evaluate("hasattr(msgspec, 'Struct')", "msgspec") is True
