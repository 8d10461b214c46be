"""Members that a contract says nothing of: read over, passed on or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from entrepot.model import shape as s
from entrepot.model.operation import Service
from entrepot.ports.exchange import Response
from entrepot.shapes.extras import Extras, with_extras
from support.openapi import Upstream, imported, own_document

OWNER = {"type": "object", "properties": {"name": {"type": "string"}}}
CLOSED = OWNER | {"additionalProperties": False}
THING = {"type": "object", "properties": {"id": {"type": "string"}, "owners": {"items": OWNER}, "closed": CLOSED}}
UNKNOWN = {"id": "1", "new": 1, "owners": [{"name": "a", "since": [1.50, None]}]}


def service(extras: Extras) -> Service:
    ref = {"$ref": "#/components/schemas/Thing"}
    content = {"application/json": {"schema": ref}}
    operation = {
        "operationId": "put",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "array", "items": ref}}}},
        "responses": {"200": {"description": "", "content": content}},
    }
    document: Any = {"openapi": "3.1.0", "info": {"title": "Made", "version": "1"}}
    document |= {"paths": {"/things/{id}": {"put": operation}}, "components": {"schemas": {"Thing": THING}}}
    return with_extras(imported(document), extras)


async def answered(extras: Extras, answer: Any, sent: Any = ()) -> tuple[int, Any, Any]:
    """The status and the answer, and what the upstream was sent."""
    upstream = Upstream(service(extras))
    upstream.answer = Response(200, [(b"content-type", b"application/json")], json.dumps(answer).encode())
    response, body = await upstream.asked("PUT", body=json.dumps(sent).encode(), content_type="application/json")
    arrived = json.loads(upstream.requests[-1].body) if upstream.requests else None
    return response.status, json.loads(body), arrived


async def test_they_are_read_over() -> None:
    known = {"id": "1", "owners": [{"name": "a"}]}
    assert await answered("drop", UNKNOWN, [UNKNOWN]) == (200, known, [known])


async def test_they_are_passed_on_in_both_directions() -> None:
    assert await answered("keep", UNKNOWN, [UNKNOWN]) == (200, UNKNOWN, [UNKNOWN])


async def test_they_are_refused_by_their_place() -> None:
    status, problem, arrived = await answered("forbid", {}, [UNKNOWN])
    assert (status, arrived) == (422, None)
    assert {each["pointer"] for each in problem["errors"]} == {"/body/0/new", "/body/0/owners/0/since"}
    status, problem, _ = await answered("forbid", UNKNOWN, [])
    places = [each["pointer"] for each in problem["errors"]]
    assert (status, problem["kind"], set(places)) == (502, "upstream_failed", {"/new", "/owners/0/since"})


@pytest.mark.parametrize("extras", ["drop", "keep", "forbid"])
async def test_of_what_the_contract_speaks_it_holds(extras: Extras) -> None:
    status, problem, _ = await answered(extras, {}, [{"closed": {"new": 1}}])
    assert (status, [each["pointer"] for each in problem["errors"]]) == (422, ["/body/0/closed/new"])


@pytest.mark.parametrize(("extras", "said"), [("drop", None), ("keep", True), ("forbid", False)])
def test_the_contract_says_so_and_comes_back(extras: Extras, said: bool | None) -> None:
    made = service(extras)
    own = own_document(made)
    thing = own["components"]["schemas"]["Thing"]
    assert thing.get("additionalProperties") is said
    assert imported(own) == made


def test_every_shape_is_gone_into() -> None:
    inner = s.Record(fields=())
    held = (
        s.List(item=inner), s.Page(item=inner), s.Tuple(items=(inner,)), s.Map(value=inner), s.Nullable(shape=inner),
        s.Union(arms=(inner, s.Null())), s.Record(fields=(), extras="keep", extra=inner),
    )  # fmt: skip
    types = {f"t{index}": shape for index, shape in enumerate(held)}
    for shape in with_extras(Service(name="s", types=types), "forbid").types.values():
        records = [each for each in s.parts(shape) if isinstance(each, s.Record)]
        assert [each.extras for each in records] == ["forbid"]
