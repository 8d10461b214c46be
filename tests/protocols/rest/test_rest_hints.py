"""What REST tells a person who has not read the contract: where a parameter belongs, what is missing elsewhere."""

from __future__ import annotations

import msgspec
import pytest

from entrepot.model import shape as s
from entrepot.model.operation import Service
from entrepot.protocols.rest import PROTOCOL
from support.rest_shop import Shop, field, operation

NOTE = operation("note", field("text", s.Text()), rest={"path": "/notes", "method": "POST"})
TOKEN = operation(
    "token",
    field("x_token", s.Text()),
    rest={"path": "/token", "method": "GET", "parameters": {"x_token": {"in": "header", "name": "x-token"}}},
)


async def test_a_json_body_for_a_query_parameter_is_told_where_the_parameter_belongs():
    shop = Shop(service=Service(name="shop", operations=(NOTE, TOKEN)))
    answer = await shop.problem("POST", b"/notes", b'{"text": "x"}', **{"content-type": "application/json"})
    assert answer["errors"][0]["message"] == "is required as the query parameter `text`"
    answer = await shop.problem("GET", b"/token")
    assert answer["errors"][0]["message"] == "is required as the header parameter `x-token`"


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
