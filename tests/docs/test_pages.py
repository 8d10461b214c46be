"""Pages lead somewhere, and name what exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from support.snippets import PAGES, ROOT

SOURCE = ROOT / "src" / "entrepot"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[\w-]*)?\)", page.read_text())
    lost = [t for t in targets if not t.startswith(("http://", "https://")) and not (page.parent / t).exists()]
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_anchors_lead_to_headings(page: Path) -> None:
    """As GitHub makes them of headings, which is as the site does; the site's own build looks at `docs/` alone."""
    links = [link for link in re.findall(r"\]\(([^)\s]*)#([\w-]+)\)", page.read_text()) if "://" not in link[0]]
    lost = [(t, anchor) for t, anchor in links if anchor not in anchors_of(page.parent / t if t else page)]
    assert lost == []


def anchors_of(page: Path) -> set[str]:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_the_home_page_leads_to_every_concept() -> None:
    linked = set(re.findall(r"\]\(([\w/.-]+)", (ROOT / "docs" / "index.md").read_text()))
    concepts = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs" / "concepts").glob("*.md")}
    assert concepts - linked == set()


def test_the_site_has_every_page() -> None:
    listed = set(re.findall(r"[\w/.-]+\.md", (ROOT / "zensical.toml").read_text()))
    assert listed == {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["theme"]["font"] is False


def test_architecture_names_what_exists() -> None:
    """Files are written `room/file.py`, what is in them `room/file.py:name`."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = re.findall(r"`([a-z_0-9]+(?:/[a-z_0-9]+)*(?:\.py|/))(?::([A-Za-z_.]+))?`", text)
    assert len(named) > 20
    missing = []
    for file, name in named:
        path = SOURCE / file
        if not path.exists():
            missing.append(file)
        elif name and not re.search(
            rf"^\s*(?:async )?(?:def|class) {name.split('.')[-1]}\b|^{name}\b", path.read_text(), re.M
        ):
            missing.append(f"{file}:{name}")
    assert missing == []


def test_architecture_describes_every_room() -> None:
    rooms = {directory.name for directory in SOURCE.iterdir() if (directory / "__init__.py").exists()}
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert {room for room in rooms if f"`{room}/`" not in text} == set()
