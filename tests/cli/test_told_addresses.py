"""The addresses that `dev` and `serve` print."""

from __future__ import annotations

from pathlib import Path

from entrepot.app import CATALOG
from entrepot.cli import addresses
from entrepot.compiler.compile import compile


def test_routes_are_shown_as_they_are_declared(tmp_path: Path) -> None:
    routes = 'routes: [{path: "/static/*", upstream: up}, {path: /robots.txt, upstream: up}]'
    (tmp_path / "entrepot.yaml").write_text(
        f'entrepot: 1\n{routes}\nupstreams: {{up: {{url: "http://127.0.0.1:9"}}}}\n'
    )
    release = compile(tmp_path, CATALOG).release
    assert [*addresses.lines([], release, "")] == ["  routes: /robots.txt, /static/*"]


def test_of_many_addresses_the_first_are_shown_and_how_to_see_all(tmp_path: Path) -> None:
    operations = "".join(f'@many.get("/{n}")\ndef o{n}() -> int: ...\n\n' for n in range(addresses.SHOWN_MAX + 2))
    (tmp_path / "many.py").write_text(f'from entrepot import Service\n\nmany = Service("many")\n\n{operations}')
    release = compile(tmp_path / "many.py", CATALOG).release
    shown = addresses.lines(addresses.listings(release, CATALOG, ""), release, "entrepot explain many.py")
    assert "    … and 2 more: entrepot explain many.py" in shown
