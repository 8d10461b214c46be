"""What REST tells a person who has not read the contract: where a parameter belongs, what is missing elsewhere."""

from __future__ import annotations

import msgspec
import pytest

from entrepot.model import shape as s
from entrepot.model.operation import Service
from entrepot.protocols.rest import PROTOCOL
from support.rest_shop import Shop, field, operation

NOTE = operation("note", field("text", s.Text()), rest={"path": "/notes", "method": "POST"})
NOTE = msgspec.structs.replace(NOTE, input=msgspec.structs.replace(NOTE.input, extras="forbid"))
TOKEN = operation(
    "token",
    field("x_token", s.Text()),
    rest={"path": "/token", "method": "GET", "parameters": {"x_token": {"in": "header", "name": "x-token"}}},
)


JSON = {"content-type": "application/json"}


def told(problem):
    return [(each["pointer"], each["message"]) for each in problem["errors"]]


async def test_a_json_body_for_a_query_parameter_is_told_where_the_parameter_belongs():
    shop = Shop(service=Service(name="shop", operations=(NOTE, TOKEN)))
    answer = await shop.problem("POST", b"/notes", body=b'{"text": "x"}', **JSON)
    assert told(answer) == [("/text", "must be sent as the query parameter `text`, not in the body")]
    answer = await shop.problem("POST", b"/notes", body=b'{"txt": "x"}', **JSON)
    assert [pointer for pointer, _ in told(answer)] == ["/text", "/txt"]
    answer = await shop.problem("GET", b"/token")
    assert told(answer) == [("/x_token", "is required as the header parameter `x-token`")]


async def test_a_body_that_nobody_reads_is_told():
    shop = Shop(service=Service(name="shop", operations=(NOTE, TOKEN)))
    answer = await shop.problem("GET", b"/token", body=b'{"x_token": "x"}', **JSON, **{"content-length": "16"})
    said = "is required as the header parameter `x-token`; the body of a GET is not read"
    assert told(answer) == [("/x_token", said)]
    answer = await shop.problem(
        "POST", b"/notes", body=b"text=x", **{"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer["detail"].endswith("; this operation takes nothing in the body")


@pytest.mark.parametrize(
    ("path", "query", "pointers"),
    [(b"/value", b"size=1", ["/size"]), (b"/object", b"size=1&color=2", ["/size", "/color"])],
)
async def test_a_query_for_what_stands_in_the_body_is_told(path, query, pointers):
    record = s.Record(fields=(field("a", s.Int()),))
    value = operation("value", field("size", record), rest={"path": "/value", "method": "POST"})
    both = operation(
        "object", field("size", record), field("color", record), rest={"path": "/object", "method": "POST"}
    )
    shop = Shop(service=Service(name="shop", operations=(value, both)))
    answer = await shop.problem("POST", path, query)
    assert told(answer) == [(pointer, "must be sent in the body, not in the query") for pointer in pointers]


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (
            (field("name", s.Text(), required=False), field("age", s.Int(), required=False)),
            '{"name": "text", "age": 1}',
        ),
        ((field("name", s.Text()), field("age", s.Int(), required=False)), '{"name": "text"}'),
    ],
)
def test_a_sample_shows_a_body_that_may_be_left_out(fields, body):
    record = s.Record(fields=fields)
    add = operation("add", field("pet", record, required=False), rest={"path": "/pets", "method": "POST"})
    line = PROTOCOL.server.sample(Service(name="s", operations=(add,)), "http://h")
    assert line == f"curl --json '{body}' http://h/api/s/v1/pets"
    assert msgspec.json.decode(body)
