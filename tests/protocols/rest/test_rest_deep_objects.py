"""Objects in queries and forms, member by member: what is read, what is refused, and that both sides agree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from entrepot.http.forms import format_pairs, parse_pairs
from entrepot.model import shape as s
from entrepot.model.faults import Invalid
from entrepot.model.operation import Operation, Service
from entrepot.ports.exchange import Response
from entrepot.protocols.rest.binding.check import Unbindable
from entrepot.protocols.rest.binding.data import bind
from entrepot.protocols.rest.binding.places import is_memberwise
from entrepot.protocols.rest.parameters import deep
from entrepot.shapes.values import Values
from support.rest_shop import Shop, dialled, field, operation, optional
from support.strategies import contracts, values_of

SIZE = s.Record(fields=(optional("least", s.Int()), optional("most", s.Int())), extras="forbid")
FILTER = s.Record(
    fields=(
        optional("size", s.Union(arms=(SIZE, s.Int()))),
        optional("names", s.List(item=s.Text())),
        optional("by", s.List(item=s.Record(fields=(field("name", s.Text()), optional("up", s.Bool()))))),
        optional("note", s.Nullable(shape=s.Text())),
        optional("labels", s.Map(value=s.Text())),
    ),
    extras="forbid",
)


def bound(name: str, part: s.Field, where: str, **said: Any) -> Operation:
    return operation(
        name, part, rest={"path": f"/{name}", "parameters": {"filter": {"in": where, "style": "deep"}}} | said
    )


SERVICE = Service(
    name="shop",
    types={"Filter": FILTER},
    operations=(
        bound("find", field("filter", s.Ref(name="Filter")), "query", method="GET"),
        bound("maybe", optional("filter", s.Nullable(shape=FILTER)), "query", method="GET"),
        bound("form", field("filter", FILTER), "form", method="POST"),
    ),
)


def read(shape: s.Shape, query: bytes) -> Any:
    values = Values({})
    texts = parse_pairs(query)
    members = deep.gather(texts, {"filter"})
    assert texts == {}
    return values.codec(shape).to_plain(deep.reader(shape, values)(members["filter"]))


@pytest.mark.parametrize(
    ("query", "value"),
    [
        (b"filter[size][least]=1&filter[size][most]=2", {"size": {"least": 1, "most": 2}}),
        (b"filter[size]=3", {"size": 3}),
        (b"filter[size]", {"size": {}}),
        (b"filter[names][0]=a&filter[names][1]=b", {"names": ["a", "b"]}),
        (b"filter[names][10]=b&filter[names][9]=a", {"names": ["a", "b"]}),
        (b"filter[names][]=a&filter[names][]=b", {"names": ["a", "b"]}),
        (b"filter[names]=a&filter[names]=b", {"names": ["a", "b"]}),
        (b"filter[names]", {"names": []}),
        (b"filter[by][0][name]=a&filter[by][0][up]=true", {"by": [{"name": "a", "up": True}]}),
        (b"filter[note]=", {"note": ""}),
        (b"filter[note]", {"note": None}),
        (b"filter%5Blabels%5D%5Ba+b%5D=c", {"labels": {"a b": "c"}}),
        (b"filter", {}),
    ],
)
def test_members_are_named_in_brackets(query: bytes, value: Any) -> None:
    assert read(FILTER, query) == value


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        (b"filter[size][least]=x", "/size/least", "type"),
        (b"filter[size][least]=1&filter[size][least]=2", "/size/least", "duplicate"),
        (b"filter[size][least][a]=1", "/size/least", "type"),
        (b"filter[size]=1&filter[size][least]=2", "/size", "duplicate"),
        (b"filter[size]=x", "/size", "variant"),
        (b"filter[other]=1", "/other", "unknown"),
        (b"filter[by][0][up]=true", "/by/0/name", "missing"),
        (b"filter[by][x][name]=a", "/by", "type"),
        (b"filter[by][][name]=a", "/by", "type"),
        (b"filter=1", "", "type"),
    ],
)
def test_what_cannot_be_read_is_named(query: bytes, pointer: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(FILTER, query)
    assert [(issue.pointer, issue.code) for issue in refused.value.issues] == [(pointer, code)]


@pytest.mark.parametrize("value", [None, "", "a", True])
def test_null_is_no_empty_text_in_a_union_that_has_both(value: Any) -> None:
    shape = s.Union(arms=(s.Text(), s.Bool(), s.Null()))
    values = Values({})
    texts = parse_pairs(format_pairs(deep.writer(shape, "filter", values)(value)))
    assert deep.reader(shape, values)(deep.gather(texts, {"filter"})["filter"]) == value


def test_a_decimal_in_a_string_is_one_in_a_union_too() -> None:
    shape = s.Union(arms=(s.Decimal(wire="text"), s.Bool()))
    assert read(shape, b"filter=1.50") == "1.50"


@given(st.data())
def test_what_is_written_is_read_again(data: Any) -> None:
    shape, types = data.draw(contracts(awkward=False))
    assume(is_memberwise(shape, types))
    values = Values(types)
    codec = values.codec(shape)
    value = codec.of_plain(data.draw(values_of(shape, types)))
    try:
        pairs = deep.writer(shape, "q", values)(value)
    except ValueError:
        return
    texts = parse_pairs(format_pairs(pairs))
    [members] = deep.gather(texts, {"q"}).values()
    assert codec.encode(deep.reader(shape, values)(members)) == codec.encode(value)


RECURSIVE = {"Node": s.Record(fields=(optional("next", s.Ref(name="Node")),))}


@pytest.mark.parametrize(
    ("shape", "where"),
    [
        (s.Ref(name="Node"), "query"),
        (s.Record(fields=(field("any", s.Anything()),)), "query"),
        (s.Record(fields=(field("a[b]", s.Text()),)), "query"),
        (s.Record(fields=(), extras="keep"), "query"),
        (s.Union(arms=(SIZE, FILTER), choose="trial"), "query"),
        (s.Text(), "query"),
        (FILTER, "header"),
        (FILTER, "body"),
    ],
)
def test_what_texts_cannot_say_is_no_deep_object(shape: s.Shape, where: str) -> None:
    rest = {"method": "POST", "path": "/x", "parameters": {"filter": {"in": where, "style": "deep"}}}
    with pytest.raises(Unbindable, match="member by member"):
        bind(operation("x", field("filter", shape), rest=rest), RECURSIVE)


VALUE = {"size": {"least": 1}, "names": ["a", "b"], "note": None}
TEXTS = [("filter[size][least]", "1"), ("filter[names][0]", "a"), ("filter[names][1]", "b"), ("filter[note]", None)]
WRITTEN = format_pairs(TEXTS)


@pytest.fixture
def shop() -> Shop:
    return Shop(service=SERVICE)


async def test_a_client_writes_a_query_as_the_server_reads_it(shop: Shop) -> None:
    status, _, body = await shop.send("GET", b"/find", WRITTEN)
    assert status == 204, body
    invokes, requests = dialled(Response(204), service=SERVICE)
    reply = await invokes["find"](shop.calls[0])
    assert (reply.fault, requests[0].query) == (None, WRITTEN)


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_it_stands_in_forms_of_both_kinds(shop: Shop, media_type: str) -> None:
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="filter[names][{index}]"\r\n\r\n{name}\r\n'
        for index, name in enumerate("ab")
    )
    urlencoded = format_pairs([("filter[names][0]", "a"), ("filter[names][1]", "b")])
    body = urlencoded if "urlencoded" in media_type else f"{parts}--x--\r\n".encode()
    status, _, content = await shop.send("POST", b"/form", body=body, content_type=media_type)
    assert status == 204, content
    assert shop.calls[0].input.filter.names == ["a", "b"]
    invokes, requests = dialled(Response(204), service=SERVICE)
    await invokes["form"](shop.calls[0])
    assert requests[0].body == urlencoded


async def test_a_part_of_a_form_may_hold_it_as_json(shop: Shop) -> None:
    part = (
        '--x\r\nContent-Disposition: form-data; name="filter"\r\nContent-Type: application/json\r\n\r\n{"size":3}\r\n'
    )
    media_type = "multipart/form-data; boundary=x"
    status, _, content = await shop.send("POST", b"/form", body=f"{part}--x--\r\n".encode(), content_type=media_type)
    assert status == 204, content
    assert shop.calls[0].input.filter.size == 3


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        (b"", "/filter", "missing"),
        (b"filter[size][least]=x", "/filter/size/least", "type"),
        (b"g[a]=1&filter", "/g[a]", "unknown"),
    ],
)
async def test_the_server_names_what_is_wrong(shop: Shop, query: bytes, pointer: str, code: str) -> None:
    problem = await shop.problem("GET", b"/find", query)
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]


async def test_a_client_refuses_an_object_without_members_where_it_would_mean_null(shop: Shop) -> None:
    invokes, requests = dialled(Response(204), service=SERVICE)
    reply = await invokes["maybe"](shop.call("maybe", filter={}))
    assert reply.fault is not None
    assert (reply.fault.kind, reply.fault.issues[0].pointer, requests) == ("invalid", "/filter", [])
