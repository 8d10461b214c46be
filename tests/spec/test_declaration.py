"""The declaration's form: three readers of it agree, and nothing is refused without saying where."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.kit.pointers import pointer
from entrepot.spec.declaration import Declaration, ServiceEntry, declaration_type
from entrepot.spec.schema import declaration_schema
from entrepot.spec.typed import typed
from entrepot.spec.yaml import read

KINDS = {"openapi": ("api_description",), "openrpc": ()}
WHOLE: dict[str, Any] = {
    "entrepot": 1,
    "name": "shop",
    "listen": "127.0.0.1:8080",
    "workers": 2,
    "timeout": "10s",
    "limits": {"body": "1MiB", "depth": 32},
    "services": {
        "shop": {"python": "shop:shop", "expose": ["rest"], "operations": {"find": {"timeout": "2s", "expose": []}}},
        "crm": {"openapi": "specs/crm.json", "upstream": "crm", "version": "2", "name": "customers"},
    },
    "upstreams": {
        "crm": {
            "endpoints": ["10.0.0.1:9001"],
            "tls": {"server_name": "crm"},
            "balance": "least_request",
            "health": {"path": "/healthz", "unhealthy_after": 3},
            "retry": {"attempts": 3},
            "ejection": False,
        },
        "bank": {"url": "https://bank.example", "tls": True, "ejection": {"share_max": 50}},
    },
    "routes": [{"path": "/static/*", "upstream": "crm", "strip_prefix": True}, {"path": "/old/*", "wsgi": "old:app"}],
    "environments": {"prod": {"workers": 4, "anything": [1, "two"]}},
}
OTHER_VALUES: list[Any] = [0, -1, 10**9, True, "", "x", "2s", "1MiB", "/a", [], ["rest"], [1], {}, {"path": "/x"}]


def paths(plain: Any, before: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    members: Any = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    return [*([before] if before else []), *(path for key, value in members for path in paths(value, (*before, key)))]


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """The whole declaration with some of its parts taken away, replaced or misspelt."""
    plain = copy.deepcopy(WHOLE)
    for _ in range(draw(st.integers(0, 3))):
        *within, last = draw(st.sampled_from(paths(plain)))
        parent = plain
        for key in within:
            parent = parent[key]
        change = draw(st.sampled_from(["replace", "remove", "misspell"]))
        if change == "replace":
            parent[last] = copy.deepcopy(draw(st.sampled_from(OTHER_VALUES)))
        elif change == "misspell" and isinstance(parent, dict):
            parent[f"{last}x"] = parent.pop(last)
        else:
            parent.pop(last)
    return plain


SCHEMA = jsonschema.Draft202012Validator(declaration_schema(tuple(KINDS)))


@given(changed())
def test_the_schema_accepts_what_the_declaration_does(plain: Any) -> None:
    try:
        msgspec.convert(plain, declaration_type(tuple(KINDS)))
        accepted = True
    except msgspec.ValidationError:
        accepted = False
    assert SCHEMA.is_valid(plain) == accepted


@given(changed())
def test_a_refusal_says_what_is_wrong_where_it_stands(plain: Any) -> None:
    """Each error of the schema has a diagnostic at its place, or at that of something in it."""
    parsed = read(json.dumps(plain, indent=1).encode(), "entrepot.yaml")
    errors = list(SCHEMA.iter_errors(plain))
    if not errors:
        assert not typed(parsed, lambda: KINDS).diagnostics
        return
    diagnostics = typed(parsed, lambda: KINDS).diagnostics
    assert all(each.place.column and each.remedy for each in diagnostics)
    lines = {each.place.line for each in diagnostics}
    for error in errors:
        here = tuple(error.absolute_path)
        within = [here, *(path for path in paths(plain) if path[: len(here)] == here)]
        assert lines & {parsed.positions.key(pointer(path)).line for path in within}, error.message


def test_every_field_says_what_it_means() -> None:
    definitions = declaration_schema(tuple(KINDS))["$defs"]
    silent = [
        f"{name}.{field}"
        for name, definition in definitions.items()
        for field, schema in definition["properties"].items()
        if not schema.get("description")
    ]
    assert silent == []
    assert all(definition["description"] for definition in definitions.values())


def test_a_kind_of_document_is_a_key_of_a_service() -> None:
    declaration = msgspec.convert({"services": {"crm": {"openrpc": "specs/crm.json"}}}, declaration_type(tuple(KINDS)))
    assert isinstance(declaration, Declaration)
    assert isinstance(declaration.services["crm"], ServiceEntry)
    assert declaration.services["crm"].documents == {"openrpc": "specs/crm.json"}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"services": {"crm": {"openrpc": "specs/crm.json"}}}, declaration_type(("openapi",)))


def test_a_last_newline_does_not_slip_through() -> None:
    for plain in ({"timeout": "2s\n"}, {"name": "shop\n"}, {"services": {"a\n": {}}}, {"limits": {"body": "1MiB\n"}}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(plain, Declaration)


def test_the_kinds_of_document_are_asked_for_only_when_one_may_be_named() -> None:
    """To ask is to load every protocol."""

    def kinds() -> dict[str, tuple[str, ...]]:
        raise AssertionError("nobody names a document")

    parsed = read(b"services: {shop: {python: shop, expose: [rest]}}\nroutes: []\n", "entrepot.yaml")
    declaration = typed(parsed, kinds).declaration
    assert declaration is not None
    assert declaration.services["shop"].documents == {}


def test_another_word_for_a_kind_of_document_is_known_by_what_it_means() -> None:
    parsed = read(b"services: {crm: {api_description: specs/crm.json}}", "entrepot.yaml")
    assert [each.remedy for each in typed(parsed, lambda: KINDS).diagnostics] == ["Did you mean `openapi`?"]


@given(changed())
def test_what_is_well_formed_is_read_whatever_is_wrong_beside_it(plain: Any) -> None:
    found = typed(read(json.dumps(plain).encode(), "entrepot.yaml"), lambda: KINDS)
    assert found.declaration is not None
    if found.diagnostics:
        return
    whole = msgspec.convert(plain, declaration_type(tuple(KINDS)))
    assert msgspec.to_builtins(found.declaration) == msgspec.to_builtins(whole)


def test_a_number_names_an_item_of_a_list_and_no_member_of_a_map() -> None:
    found = typed(read(b'services: {"9": {}}\nroutes: [[]]', "entrepot.yaml"), dict)
    assert [each.message.partition(":")[0] for each in found.diagnostics] == ["`9`", "item 1 of `routes`"]


def test_only_what_is_wrong_is_left_out() -> None:
    routes = b"[{upstream: a}, {path: /b, upstream: b, timeout: 1}, {path: /c, upstream: c}]"
    text = b"workers: many\nthreads: 3\nroutes: " + routes
    found = typed(read(text, "entrepot.yaml"), dict)
    assert found.declaration is not None
    assert (found.declaration.workers, found.declaration.threads) == (None, 3)
    assert [(route.path, route.upstream) for route in found.declaration.routes] == [("/b", "b"), ("/c", "c")]
    assert str(found.positions.value("/routes/0/upstream")) == "entrepot.yaml:3:46"
    assert found.positions.value("/routes/0/upstream").pointer == "/routes/1/upstream"
