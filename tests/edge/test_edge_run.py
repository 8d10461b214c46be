"""How Envoy is started."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from entrepot.edge import run
from entrepot.ir.layout import Layout


def layout_at(path: Path) -> Layout:
    return Layout(path, path / "state", path / "run")


def test_the_binary_is_the_wheels_unless_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(run.BINARY_VARIABLE, raising=False)
    assert run.binary().name == "envoy"
    own = tmp_path / "own"
    own.touch(mode=0o700)
    monkeypatch.setenv(run.BINARY_VARIABLE, str(own))
    assert run.binary() == own


@pytest.mark.parametrize("name", ["missing", "plain", "directory"])
def test_what_is_no_program_is_refused_with_a_remedy(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain").touch(mode=0o600)
    (tmp_path / "directory").mkdir()
    monkeypatch.setenv(run.BINARY_VARIABLE, str(tmp_path / name))
    with pytest.raises(run.NoEnvoy, match=run.BINARY_VARIABLE):
        run.binary()


def test_the_base_id_is_the_projects_and_stays(tmp_path: Path) -> None:
    one, other = layout_at(tmp_path / "one"), layout_at(tmp_path / "other")
    assert run.base_id(one) == run.base_id(layout_at(tmp_path / "one"))
    assert run.base_id(one) != run.base_id(other)
    assert 0 <= run.base_id(one) * 10 < 2**32


def test_the_command_line_is_the_same_after_every_death(tmp_path: Path) -> None:
    layout = layout_at(tmp_path)
    assert run.command(layout, Path("/bin/envoy")) == run.command(layout, Path("/bin/envoy"))
    assert "--reject-unknown-dynamic-fields" in run.command(layout, Path("/bin/envoy"))


def test_what_an_envoy_has_for_its_whole_life_tells_it_from_others(tmp_path: Path) -> None:
    layout, program = layout_at(tmp_path), tmp_path / "envoy"
    layout.edge.mkdir(parents=True)
    bootstrap = layout.edge / "bootstrap.json"
    program.touch()
    seen = []
    for text in ("{}", "{ }"):
        bootstrap.write_text(text)
        seen.append(run.identity(layout, program))
    (tmp_path / "newer").touch()
    (tmp_path / "newer").replace(program)
    seen.append(run.identity(layout, program))
    assert seen[-1] == run.identity(layout, program)
    assert len({*seen}) == 3
    program.unlink()
    with pytest.raises(FileNotFoundError):
        run.identity(layout, program)


def test_the_parents_secrets_are_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    assert "DATABASE_PASSWORD" not in run.environment()


def test_the_file_limit_rises_to_what_is_allowed() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert run.raise_file_limit() == hard
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
