"""Which endpoint a method and path lead to."""

from __future__ import annotations

import contextlib
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.model.faults import Malformed
from entrepot.protocols.rest.parameters.delimited import Form, in_path
from entrepot.protocols.rest.routing.router import Entry, Router
from entrepot.protocols.rest.routing.template import parse

VALUE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def router(*templates: str) -> Router[str]:
    entries = []
    for template in templates:
        method, _, path = template.rpartition(" ")
        entries.append(Entry(method or "GET", parse(path), template))
    return Router(entries)


def found(routes: Router[str], path: bytes, method: str = "GET") -> tuple[str, tuple[str, ...]] | None:
    place = routes.find(path)
    return None if place is None else (place[0].methods[method], tuple(map(unquote, place[1])))


def test_a_path_without_variables_is_found_as_it_stands():
    routes = router("/a/b", "/a", "/")
    assert found(routes, b"/a/b") == ("/a/b", ())
    assert found(routes, b"/") == ("/", ())
    assert found(routes, b"/a/") is None
    assert found(routes, b"") is None


def test_literal_text_goes_before_a_variable_and_closer_text_before_looser():
    routes = router("/a/{x}", "/a/me", "/a/{x}.json", "/a/v-{x}.json", "/{y}/last")
    assert found(routes, b"/a/me") == ("/a/me", ())
    assert found(routes, b"/a/7.json") == ("/a/{x}.json", ("7",))
    assert found(routes, b"/a/v-7.json") == ("/a/v-{x}.json", ("7",))
    assert found(routes, b"/a/7") == ("/a/{x}", ("7",))
    assert found(routes, b"/a/last") == ("/a/{x}", ("last",))
    assert found(routes, b"/b/last") == ("/{y}/last", ("b",))


def test_a_branch_that_leads_nowhere_is_left_again():
    routes = router("/a/{x}/c", "/{y}/b/d")
    assert found(routes, b"/a/b/d") == ("/{y}/b/d", ("a",))


def test_an_encoded_slash_is_data_and_an_encoded_letter_is_that_letter():
    routes = router("/files/{name}", "/files/all")
    assert found(routes, b"/files/a%2Fb") == ("/files/{name}", ("a/b",))
    assert found(routes, b"/files/%61ll") == ("/files/all", ())
    assert found(routes, b"/files/..%2F..%2Fetc") == ("/files/{name}", ("../../etc",))
    assert found(routes, b"/files/../all") is None


def test_an_empty_segment_is_no_value():
    assert found(router("/a/{x}/b"), b"/a//b") is None
    assert found(router("/a/{x}"), b"/a/") is None


@pytest.mark.parametrize("path", [b"/a/%", b"/a/%2", b"/a/%zz", b"/a/%ff", b"/a/\xff"])
def test_a_path_that_is_not_encoded_text_is_malformed(path):
    with pytest.raises(Malformed):
        router("/a/{x}").find(path)


@pytest.mark.parametrize(
    "templates",
    [("/a/{x}", "/a/{y}"), ("/a", "/a"), ("/a/{x}-1", "/a/{y}-1"), ("/a/b-{x}", "/a/{x}-c"), ("/%61", "/a")],
)
def test_templates_that_take_the_same_path_are_refused(templates):
    [clash] = router(*templates).clashes
    assert "same" in str(clash)
    assert (clash.one.text, clash.other.text) == templates


def test_one_path_may_have_several_methods_under_other_variable_names():
    routes = router("GET /a/{x}", "PUT /a/{y}", "DELETE /a/{x}")
    place, values = routes.find(b"/a/1") or (None, ())
    assert values == ("1",)
    assert place is not None
    assert place.allow == b"DELETE, GET, HEAD, OPTIONS, PUT"
    assert place.methods["HEAD"] == "GET /a/{x}"


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "/a?b",
        "/a#b",
        "/{a}{b}",
        "/{a}/{a}",
        "/{a",
        "/a}",
        "/{}",
        "/{a}%20{b}",
        "/{a}é{b}",
        "/../a",
        "/a/.",
        "/%2e%2E/a",
        "/a%2F../{b}",
        "/.%5c",
    ],
)
def test_a_template_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match="the path"):
        parse(text)


TEMPLATES = [
    "/x/{a}", "/x/{a}.json", "/x/v-{a}", "/x/{a}/y/{b}", "/x/{a}-{b}", "/{b}/x~{a}~x", "/{a},{b}", "/({a})",
    "/{a}2{b}", "/é{a}ü", "/{a}..{b}", "/x/{a}:go",
]  # fmt: skip


@given(st.sampled_from(TEMPLATES), VALUE, VALUE)
def test_what_a_template_expands_to_it_finds_again(text, a, b):
    template = parse(text)
    path = template.expand({"a": [a], "b": [b]})
    assert path.isascii()
    assert found(Router([Entry("GET", template, text)]), path.encode()) == (
        text,
        tuple({"a": a, "b": b}[name] for name in template.variables),
    )


@given(st.lists(VALUE, min_size=1) | st.lists(st.just(""), min_size=2))
def test_a_list_in_a_path_has_commas_between_its_items_and_none_within(items):
    form = Form("", ",")
    path = parse("/x/{a}.json").expand({"a": in_path([(item,) for item in items], form)})
    assert path.count(",") == len(items) - 1
    place = router("/x/{a}.json").find(path.encode())
    assert place is not None
    assert form.items(place[1][0], unquote) == items


@pytest.mark.parametrize(
    ("text", "values", "stepping"),
    [
        ("/{a}/x", {"a": ".."}, ["a"]),
        ("/.{a}/x", {"a": "."}, ["a"]),
        ("/{a}.{b}/x", {"a": "", "b": ""}, ["a", "b"]),
        ("/{a}/{b}", {"a": "x/..", "b": "y"}, ["a"]),
        ("/{a}.json", {"a": "."}, []),
        ("/{a}", {"a": "x..y/.z"}, []),
    ],
)
def test_a_value_that_makes_a_step_of_its_segment_is_known(text, values, stepping):
    assert parse(text).stepping({name: [value] for name, value in values.items()}) == stepping


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a,b", "a%2Cb"),
        ("!$&'()*+;=:@/?#[]", "%21%24%26%27%28%29%2A%2B%3B%3D%3A%40%2F%3F%23%5B%5D"),
        ("a-._~", "a-._~"),
    ],
)
def test_reserved_characters_are_encoded(value, written):
    """RFC 6570, §3.2.2: what is not unreserved (RFC 3986, §2.3) is percent-encoded."""
    assert parse("/{a}").expand({"a": [value]}) == f"/{written}"


@given(st.binary(max_size=60))
def test_any_path_is_found_or_not_or_malformed(path):
    routes = router("/a/{x}", "/a/{x}-{y}/b", "/{z}.json")
    with contextlib.suppress(Malformed):
        routes.find(path)


def test_matching_several_variables_takes_linear_time():
    """A path that could be split at thousands of places is not tried at each pair of them."""
    assert found(router("/{a}-{b}-{c}-{d}!"), b"/" + b"-" * 100_000) is None
