"""A declaration that is read again in pieces means what it means when it is read as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.kit.pointers import pointer
from entrepot.spec import pieces, yaml
from entrepot.spec.yaml import Parsed, YamlLimits

LINES = (
    "entrepot: 1", "routes:", "upstreams:", "services: # all of them", "name:", "name: x", "text: |", "'routes':",
    "routes: [", "a: \"b", "c\"", "]", "---", "# remark", "", "  ", "\t", "- {path: /a}", "-", "?", "x",
    "  - {path: \"/s/*\", upstream: u}", "  - path: /s", "    upstream: u", "  - |", "  -", "  - - x", "  - 1.10",
    "  u: {url: \"http://x\"}", "  u:", "  v: &one {a: 1}", "  w: *one", "  - *one", "  - &one 1", "    url: http://x",
    "   # deeper", "      - x", "  x: \"open", "  closed\"", "  - {a: [", "  b]}", "  r\u2028: 1",
    "  big: 12345678901234567890",
)  # fmt: skip

ITEMS = (
    '  - {path: "/s/*", upstream: u}\n', "  - path: /s\n    upstream: u\n", "  - |\n    text\n\n    more\n",
    "  -\n    a: 1\n",    "  - - x\n    - y\n", "  - 1.10\n",
    '  - "two\n    lines"\n', "  - {a: [1,\n   2]}\n", "  - >-\n   folded\n\n",
    '  - a: "x *b"\n', "  - 'it''s'\n", "  - ~\n", "  - &x 1\n", "  - *x\n", "  - plain\n    text\n", "  - !t 1\n",
)  # fmt: skip
MEMBERS = (
    '  u: {url: "http://x"}\n', "  v:\n    url: x\n", "  w: |\n     t\n", "  x:\n", '  "q": 1\n', "  ? k\n  : v\n",
    "  y: 0x1F\n", "  z: [a,\n  b]\n", "  200: a\n", "  u: again\n", '  t: "a\n  b: c"\n', "  s: {a: 1}  # remark\n",
    "  r: - x\n",
)  # fmt: skip
NOTHING = ("  # remark\n", "# remark\n", "\n", "   \n")
HEADERS = (
    "entrepot: 1\n", "name:\n", "text: |\n  - a\n  b: c\n", "list: [a,\n  b]\n", "routes: # x\n", "routes:\n",
    "upstreams:\n", '"routes":\n', "---\n", 't: "a\nroutes:\n  - x"\n',
)  # fmt: skip


def _below(pieces: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from((*pieces, *NOTHING)), max_size=5).map("".join)


sections = st.tuples(st.sampled_from(HEADERS), _below(ITEMS) | _below(ITEMS).map(dedent) | _below(MEMBERS)).map("".join)
texts = st.lists(st.sampled_from(LINES), max_size=12).map("\n".join) | st.lists(sections, max_size=4).map("".join)


def all_of(parsed: Parsed) -> tuple[Any, list[tuple[str, str, str]], tuple[Diagnostic, ...]]:
    """The value, where everything in it stands, and what is wrong with it."""
    places = [
        (path, str(parsed.positions.value(path)), str(parsed.positions.key(path))) for path in _pointers(parsed.value)
    ]
    return parsed.value, places, parsed.diagnostics


def _pointers(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[str]:
    yield pointer(path)
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield from _pointers(member, (*path, name))


def outcome(parse: Any, text: str) -> Any:
    try:
        return all_of(parse(text.encode(), "f.yaml"))
    except Refused as refused:
        return refused.diagnostics


@given(st.lists(texts, min_size=1, max_size=3))
def test_pieces_mean_what_the_whole_means(read_one_after_the_other: list[str]) -> None:
    for text in read_one_after_the_other:
        assert outcome(pieces.parse, text) == outcome(yaml.parse, text)


def declaration(paths: list[str]) -> str:
    routes = "".join(f'  - {{path: "{path}", upstream: u}}\n' for path in paths)
    return f"entrepot: 1\nupstreams:\n  u: {{url: http://x}}\nroutes:\n{routes}"


@given(st.lists(st.integers(0, 99), unique=True), st.data())
def test_whatever_moves_stands_where_it_stands(numbers: list[int], data: st.DataObject) -> None:
    for each in (numbers, data.draw(st.permutations(numbers)), numbers[1:]):
        text = declaration([f"/s{number}/*" for number in each])
        assert outcome(pieces.parse, text) == outcome(yaml.parse, text)


@pytest.fixture
def parsed_texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the parser was given, without empty lines."""
    found: list[str] = []

    def parse(content: bytes, file: str, limits: YamlLimits = yaml.DEFAULT_LIMITS) -> Parsed:
        found.append("".join(line for line in content.decode().splitlines(keepends=True) if line.strip()))
        return whole(content, file, limits)

    whole = yaml.parse
    monkeypatch.setattr(yaml, "parse", parse)
    return found


def test_of_a_list_that_was_read_only_what_is_new_is_parsed(parsed_texts: list[str]) -> None:
    paths = [f"/s{number}/*" for number in range(100)]
    pieces.parse(declaration(paths).encode(), "f.yaml")
    parsed_texts.clear()
    paths[50] = "/other/*"
    parsed = pieces.parse(declaration(["/first/*", *paths]).encode(), "f.yaml")
    assert parsed_texts == [
        "entrepot: 1\nupstreams:\nroutes:\n",
        '  - {path: "/first/*", upstream: u}\n  - {path: "/other/*", upstream: u}\n',
    ]
    assert [route["path"] for route in parsed.value["routes"]] == ["/first/*", *paths]
    assert str(parsed.positions.value("/routes/100/path")) == "f.yaml:105:12"


@pytest.mark.parametrize("limits", [YamlLimits(nodes_max=205), YamlLimits(depth_max=2), YamlLimits(bytes_max=2000)])
def test_limits_hold_however_it_is_read(limits: YamlLimits) -> None:
    text = declaration([f"/s{number}/*" for number in range(100)]).encode()
    pieces.parse(text, "f.yaml")
    with pytest.raises(Refused) as refused:
        pieces.parse(text, "f.yaml", limits)
    with pytest.raises(Refused) as whole:
        yaml.parse(text, "f.yaml", limits)
    assert refused.value.diagnostics == whole.value.diagnostics
