"""Every page is followed to the letter: what it shows is written, started, typed and compared."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from support.reader import Reader
from support.snippets import PAGES, ROOT, Snippet, snippets_of


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", [page for page in PAGES if snippets_of(page)], ids=lambda p: str(p.relative_to(ROOT)))
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        reader = Reader(page, tmp_path, stack)
        for snippet in snippets_of(page):
            reader.follow(snippet)
        reader.finish()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("limits: {bodies: 4MiB}", "limits"),
        ("routs: []", "routs"),
        ("services: {crm: {openapi: crm.json, expose: rest}}", "expose"),
        ("environments: {production: {workers: many}}", "workers"),
        ("- a list", "E102"),
        ("a: [", "E002"),
    ],
)
def test_a_yaml_block_that_is_no_part_of_a_declaration_is_told(text: str, complaint: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        reader = Reader(ROOT / "README.md", tmp_path, stack)
        reader.follow(Snippet(ROOT / "README.md", 1, "yaml", "limits: {body: 4MiB}"))
        with pytest.raises(AssertionError, match=complaint):
            reader.follow(Snippet(ROOT / "README.md", 1, "yaml", text))
