"""Requests in octets, and what the server makes of them: the call, and each status."""

from __future__ import annotations

import logging
import re
from decimal import Decimal

import msgspec
import pytest

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.call import Located, Meta, Reply
from entrepot.model.fault import DeclaredFault, Fault
from entrepot.model.faults import Internal, NotFound, RateLimited, Unauthenticated, Unavailable
from entrepot.model.operation import Service
from entrepot.model.page import Page
from entrepot.protocols.rest import PROTOCOL
from support.rest_shop import BASE, SERVICE, Shop, field, operation

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def shop() -> Shop:
    made = Shop()
    made.reply = Reply(made.product())
    return made


async def test_a_value_is_answered_as_json_with_its_version_as_the_etag(shop):
    status, headers, body = await shop.send("GET", b"/products/7")
    assert (status, body) == (200, b'{"id":7,"name":"chair","version":3}')
    assert headers == {
        b"content-length": b"35", b"content-type": b"application/json", b"etag": b'"3"', b"vary": b"accept",
    }  # fmt: skip
    assert shop.calls[0].input.id == 7


async def test_head_is_get_without_the_body(shop):
    status, headers, body = await shop.send("HEAD", b"/products/7")
    assert (status, body) == (200, b"")
    assert headers[b"content-length"] == b"35"
    assert shop.calls[0].operation.name == "product"


async def test_a_new_thing_is_created_with_its_location(shop):
    status, headers, _ = await shop.send("POST", b"/products", b"dry=true", b'{"id":8,"name":"a b","version":1}')
    assert status == 201
    assert headers[b"location"] == BASE + b"/products/7"
    assert shop.calls[0].input.dry is True
    assert shop.calls[0].input.product.name == "a b"


async def test_nothing_is_answered_without_a_body(shop):
    shop.reply = Reply()
    assert await shop.send("DELETE", b"/products/7") == (204, {}, b"")


async def test_a_merge_patch_keeps_absent_and_null_apart(shop):
    for content_type in ("application/merge-patch+json", "application/json; charset=utf-8"):
        await shop.send("PATCH", b"/products/7", body=b'{"note":null}', content_type=content_type)
        change = shop.calls.pop().input.change
        assert change.note is None
        assert change.name is msgspec.UNSET


async def test_defaults_fill_in_what_is_left_out(shop):
    shop.reply = Reply(Page(items=[]))
    await shop.send("GET", b"/products")
    given = shop.calls[0].input
    assert (given.tag, given.limit, given.cursor, given.language) == ([], 20, None, msgspec.UNSET)


async def test_parameters_come_from_query_headers_and_cookies(shop):
    shop.reply = Reply(Page(items=[]))
    query = b"tag=a&tag=b%20c&tag=d+e&limit=5&cursor=x%26y"
    await shop.send("GET", b"/products", query, x_language="d\u00e9", cookie="other=1; session=ab%3Bc; session=2")
    given = shop.calls[0].input
    assert given.tag == ["a", "b c", "d e"]
    assert (given.limit, given.cursor, given.language, given.session) == (5, "x&y", "d\u00e9", "ab;c")


async def test_a_bare_name_is_null_or_the_empty_list(shop):
    shop.reply = Reply(Page(items=[]))
    await shop.send("GET", b"/products", b"tag&cursor")
    assert shop.calls[0].input.tag == []
    assert shop.calls[0].input.cursor is None


async def test_an_encoded_slash_is_data(shop):
    async def stream(call):
        return Reply(ticks_of(shop, call.input.symbol))

    shop.reply = stream
    status, _, body = await shop.send("GET", b"/ticks/a%2Fb", accept="application/x-ndjson")
    assert (status, body) == (200, b'{"at":3,"price":"1.50"}\n')


async def ticks_of(shop, symbol):
    yield shop.tick(len(symbol))


async def test_the_default_binding_of_an_unsafe_operation_is_one_object(shop):
    shop.reply = Reply(Decimal("3.10"))
    status, _, body = await shop.send("POST", b"/quote", body=b'{"items":["1.10"],"code":"x"}')
    assert (status, body) == (200, b'"3.10"')


async def test_the_context_carries_what_the_headers_say(shop):
    await shop.send("GET", b"/products/7", traceparent=TRACE, idempotency_key='"key-1"', x_other="1")
    context = shop.calls[0].context
    assert context.traceparent == TRACE
    assert context.idempotency_key == "key-1"
    assert context.meta.header(b"x-other") == b"1"


# What is refused


async def test_every_issue_of_every_part_is_told_at_once(shop):
    problem = await shop.problem("POST", b"/products", b"dry=perhaps&extra=1", b'{"id":"x","name":""}')
    assert (problem["status"], problem["kind"]) == (422, "invalid")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        ("/dry", "type"), ("/extra", "unknown"), ("/product/id", "type"),
        ("/product/name", "length"), ("/product/version", "missing"),
    ]  # fmt: skip
    assert shop.calls == []


@pytest.mark.parametrize(
    ("path", "query", "issues"),
    [
        (b"/products/x", b"", [("/id", "type")]),
        (b"/products/-1", b"", [("/id", "range")]),
        (b"/products/7", b"id=8", [("/id", "unknown")]),
        (b"/products", b"limit=5&limit=6", [("/limit", "duplicate")]),
        (b"/products", b"limit=1000", [("/limit", "range")]),
        (b"/products", b"~%2F=1", [("/~0~1", "unknown")]),
    ],
)
async def test_an_issue_points_at_its_parameter(shop, path, query, issues):
    problem = await shop.problem("GET", path, query)
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == issues


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"{", 400, "malformed"),
        (b'{"id":1,"id":2,"name":"x","version":1}', 400, "malformed"),
        (b'{"name":"\xff"}', 400, "malformed"),
        (b"[" * 1000, 400, "malformed"),
        (b"", 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b'{"id":1e4000,"name":"x","version":1}', 422, "invalid"),
        (b'{"id":1,"name":"x","version":1}' + b" " * (1024 * 1024), 413, "too_large"),
    ],
)
async def test_a_body_that_cannot_be_taken_is_refused_by_its_own_kind(shop, body, status, kind):
    problem = await shop.problem("POST", b"/products", body=body)
    assert (problem["status"], problem["kind"]) == (status, kind)


async def test_what_makes_a_body_malformed_is_told_under_its_parameter(shop):
    for body, pointer in ((b'{"id":1,"id":2}', "/product/id"), (b"[" * 1000, "/product")):
        problem = await shop.problem("POST", b"/products", body=body)
        assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_an_announced_length_beyond_the_limit_is_refused_unread(shop):
    async def never():
        raise AssertionError("the body was read")
        yield b""

    problem = await shop.problem("POST", b"/products", body=never(), content_length="99999999")
    assert problem["kind"] == "too_large"


async def test_a_streamed_body_is_bounded_too():
    shop = Shop(limits=Limits(body_bytes_max=10))
    read: list[bytes] = []

    async def endless():
        while True:
            read.append(b"12345")
            yield b"12345"

    problem = await shop.problem("POST", b"/products", body=endless())
    assert (problem["status"], problem["kind"]) == (413, "too_large")
    assert len(read) == 3


@pytest.mark.parametrize("query", [b"%", b"tag=%zz", b"tag=%ff", b"tag=\xff"])
async def test_a_query_that_is_not_encoded_text_is_malformed(shop, query):
    assert (await shop.problem("GET", b"/products", query))["kind"] == "malformed"


async def test_too_many_parameters_are_refused(shop):
    problem = await shop.problem("GET", b"/products", b"&".join([b"tag=1"] * 1001))
    assert problem["kind"] == "too_large"


async def test_no_more_issues_are_listed_than_the_limit():
    problem = await Shop(limits=Limits(issues_max=3)).problem(
        "GET", b"/products", b"&".join(b"a%d" % i for i in range(9))
    )
    assert len(problem["errors"]) == 3


async def test_an_address_that_nothing_has_is_not_found(shop):
    for path in (b"/nothing", b"/products/", b"/products/7/", b"/../products"):
        problem = await shop.problem("GET", path)
        assert (problem["status"], problem["kind"]) == (404, "unknown_operation")


async def test_a_method_that_is_not_offered_is_told_what_is(shop):
    status, headers, body = await shop.send("POST", b"/products/7")
    assert (status, headers[b"allow"]) == (405, b"DELETE, GET, HEAD, OPTIONS, PATCH, PUT")
    assert msgspec.json.decode(body)["kind"] == "unknown_operation"


async def test_options_tells_the_methods(shop):
    assert await shop.send("OPTIONS", b"/products") == (204, {b"allow": b"GET, HEAD, OPTIONS, POST"}, b"")


MSGPACK = b"application/msgpack"


@pytest.mark.parametrize(
    ("method", "path", "header", "taken"),
    [
        ("POST", b"/products", b"accept", b"application/json, " + MSGPACK),
        (
            "PATCH",
            b"/products/7",
            b"accept-patch",
            b"application/json, application/merge-patch+json, application/msgpack",
        ),
        ("PUT", b"/pictures/7", b"accept", b"image/*"),
        ("POST", b"/log-in", b"accept", b"application/x-www-form-urlencoded, multipart/form-data"),
    ],
)
async def test_a_body_of_another_kind_is_told_what_is_taken(shop, method, path, header, taken):
    status, headers, _ = await shop.send(method, path, body=b"<x/>", content_type="text/xml")
    assert (status, headers[header]) == (415, taken)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip", "x"])
async def test_a_compressed_body_is_not_taken(shop, coding):
    answer = await shop.send("POST", b"/products", body=b"{}", content_encoding=coding)
    assert (answer[0], answer[1][b"accept-encoding"]) == (415, b"identity")


async def test_json_in_another_charset_is_not_taken(shop):
    content_type = "application/json; charset=utf-16"
    assert (await shop.problem("POST", b"/products", body=b"{}", content_type=content_type))["status"] == 415


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("text/csv", 406), ("application/json;q=0", 406), ("image/*, text/csv", 406), ("*/*;q=0", 406),
        ("application/*", 200), ("text/csv, */*;q=0.1", 200), ("APPLICATION/JSON", 200), ("", 200), (",,", 200),
    ],
)  # fmt: skip
async def test_accept_decides_before_anything_is_done(shop, accept, status):
    assert (await shop.send("GET", b"/products/7", accept=accept))[0] == status
    assert len(shop.calls) == (status == 200)


# Conditions


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": '"3"'}, 304), ({"if_none_match": 'W/"3"'}, 304), ({"if_none_match": '"2", "3"'}, 304),
        ({"if_none_match": "*"}, 304), ({"if_none_match": '"2"'}, 200),
        ({"if_match": '"3"'}, 200), ({"if_match": "*"}, 200), ({"if_match": '"2"'}, 412), ({"if_match": 'W/"3"'}, 412),
        ({"if_match": '"2"', "if_none_match": '"3"'}, 412), ({"if_match": "3"}, 400), ({"if_none_match": '"3'}, 400),
    ],
)  # fmt: skip
async def test_conditions_on_a_safe_operation_are_compared_with_the_answer(shop, headers, status):
    answered, lines, body = await shop.send("GET", b"/products/7", **headers)
    assert answered == status
    if status == 304:
        assert (lines, body) == ({b"etag": b'"3"', b"vary": b"accept"}, b"")


async def test_conditions_on_an_unsafe_operation_reach_its_handler(shop):
    body = b'{"id":7,"name":"x","version":3}'
    await shop.send("PUT", b"/products/7", body=body, if_match='"2", W/"9", "a%22b"', if_none_match="*")
    conditions = shop.calls[0].context.conditions
    assert (conditions.if_match, conditions.if_none_match) == (("2", 'a"b'), ("*",))


async def test_a_weak_tag_alone_never_matches(shop):
    body = b'{"id":7,"name":"x","version":3}'
    problem = await shop.problem("PUT", b"/products/7", body=body, if_match='W/"3"')
    assert (problem["status"], problem["kind"]) == (412, "precondition_failed")
    assert shop.calls == []


@pytest.mark.parametrize("headers", [{"if_match": '"3"'}, {"if_none_match": "*"}])
async def test_conditions_that_no_handler_would_check_are_not_ignored(shop, headers):
    problem = await shop.problem("DELETE", b"/products/7", **headers)
    assert (problem["status"], problem["kind"]) == (412, "precondition_failed")
    assert "does not compare versions" in problem["detail"]
    assert shop.calls == []


# Answers


async def test_the_next_page_is_linked_with_the_other_parameters_kept(shop):
    shop.reply = Reply(Page(items=[shop.product()], next="a&b", total=9))
    _, headers, body = await shop.send("GET", b"/products", b"tag=x%20y&cursor=old&limit=1")
    path = b"</api/shop/v1/products?tag=x+y&limit=1"
    assert headers[b"link"] == path + b'>; rel="first", ' + path + b'&cursor=a%26b>; rel="next"'
    assert msgspec.json.decode(body)["next"] == "a&b"
    shop.reply = Reply(Page(items=[]))
    assert b"link" not in (await shop.send("GET", b"/products"))[1]


async def test_a_handlers_own_headers_are_sent_but_never_break_the_framing(shop):
    headers = [(b"x-own", b"1"), (b"content-length", b"1"), (b"transfer-encoding", b"chunked"), (b"etag", b'"9"')]
    headers += [(b"x-envoy-immediate-health-check-fail", b"1"), (b"x-entrepot-operation", b"other")]
    shop.reply = Reply(shop.product(), meta=Meta(headers))
    _, answered, _ = await shop.send("GET", b"/products/7")
    assert answered[b"x-own"] == b"1"
    assert answered[b"content-length"] == b"35"
    assert answered[b"etag"] == b'"3"'
    assert not {b"transfer-encoding", b"x-envoy-immediate-health-check-fail", b"x-entrepot-operation"} & answered.keys()


@pytest.mark.parametrize(
    "line", [(b"x-own", b"1\r\nset-cookie: a=b"), (b"x\r\ny", b"1"), (b"", b"1"), (b"a b", b"1"), (b":status", b"204")]
)
async def test_a_header_cannot_smuggle_another(shop, caplog, line):
    shop.reply = Reply(shop.product(), meta=Meta([line]))
    assert (await shop.problem("GET", b"/products/7"))["kind"] == "internal"


@pytest.mark.parametrize(("count", "places", "left"), [(3, ["/0", "/1", "/2"], ""), (7, ["/0", "/1", ""], "5 more")])
async def test_warnings_beyond_the_bound_are_counted(count, places, left):
    shop = Shop(limits=Limits(issues_max=3))
    shop.reply = Reply(shop.product(), warnings=tuple(Located(f"/{at}", NotFound("gone")) for at in range(count)))
    _, headers, _ = await shop.send("GET", b"/products/7")
    told = msgspec.json.decode(headers[b"entrepot-warnings"])
    assert [each["pointer"] for each in told] == places
    assert told[-1]["detail"].startswith(left or "gone")
    assert ("more warnings" in told[-1]["title"]) is bool(left)


async def test_warnings_travel_beside_a_partial_output(shop):
    late = Unavailable("n\u00f6\x7f", upstream="notes")
    shop.reply = Reply(shop.product(), warnings=(Located("/note", late), Located("/price", Internal("a secret"))))
    _, headers, _ = await shop.send("GET", b"/products/7")
    assert headers[b"entrepot-warnings"] == (
        b'[{"pointer":"/note","kind":"unavailable","title":"The service is not available",'
        b'"detail":"n\\u00f6\\u007f","upstream":"notes"},'
        b'{"pointer":"/price","kind":"internal","title":"The service failed"}]'
    )


async def test_a_fault_is_a_problem_with_its_headers(shop):
    shop.fails(RateLimited("slowly", retry_after=1.5))
    status, headers, body = await shop.send("GET", b"/products/7", traceparent=TRACE)
    assert (status, headers[b"retry-after"]) == (429, b"2")
    assert msgspec.json.decode(body) == {
        "type": "about:blank", "title": "Too many requests", "status": 429, "kind": "rate_limited",
        "trace_id": "0af7651916cd43dd8448eb211c80319c", "detail": "slowly", "retry_after": 1.5,
    }  # fmt: skip
    shop.fails(Unauthenticated("who?"))
    assert (await shop.send("GET", b"/products/7"))[1][b"www-authenticate"] == b"Bearer"


async def test_a_declared_fault_names_itself_and_carries_its_data(shop):
    declared = shop.service.operation("product").faults[0]
    data = shop.values.codec(declared.data).of_plain({"left": 2})
    shop.fails(Fault.of("conflict", "few", name="OutOfStock", data=data))
    problem = await shop.problem("GET", b"/products/7")
    assert problem["type"] == "urn:entrepot:fault:OutOfStock"
    assert (problem["status"], problem["name"], problem["data"]) == (409, "OutOfStock", {"left": 2})
    shop.fails(Fault.of("rejected", name="Teapot"))
    assert (await shop.problem("GET", b"/products/7"))["status"] == 418


async def test_an_undeclared_fault_keeps_its_kind_alone(shop):
    shop.fails(Fault.of("conflict", "no", name="Secret", data=object()))
    problem = await shop.problem("GET", b"/products/7")
    assert (problem["kind"], problem["type"]) == ("conflict", "about:blank")
    assert problem.keys().isdisjoint({"name", "data"})


async def test_what_nobody_foresaw_is_logged_under_the_trace_id_and_told_to_nobody(shop, caplog):
    async def breaks(call):
        raise ZeroDivisionError("the password is hunter2")

    shop.reply = breaks
    with caplog.at_level(logging.ERROR, "entrepot.faults"):
        problem = await shop.problem("GET", b"/products/7")
    assert problem["kind"] == "internal"
    assert "detail" not in problem
    assert "hunter2" not in str(problem)
    assert caplog.records[0].trace_id == problem["trace_id"]
    assert caplog.records[0].exc_info is not None


async def test_an_output_of_another_type_is_an_internal_fault(shop, caplog):
    shop.reply = Reply(object())
    assert (await shop.problem("GET", b"/products/7"))["kind"] == "internal"


async def test_a_fault_with_a_hidden_detail_does_not_show_it(shop):
    shop.fails(Fault.of("internal", "the password is hunter2"))
    assert "hunter2" not in str(await shop.problem("GET", b"/products/7"))


# Addresses


def test_addresses_and_mounts():
    addresses = PROTOCOL.server.addresses(SERVICE)
    assert addresses["product"].text == "GET /api/shop/v1/products/{id}"
    assert addresses["quote"].text == "POST /api/shop/v1/quote"
    [mount] = PROTOCOL.server.mounts(SERVICE)
    assert (mount.path, mount.exact) == ("/api/shop/v1/", False)


@pytest.mark.parametrize(
    ("paths", "told_apart"),
    [
        (("/x", "/x"), False),
        (("/{a}", "/{b}"), False),
        (("/%61", "/a"), False),
        (("/a-{x}", "/{x}-b"), False),
        (("/x", "/x/"), True),
        (("/a%2Fb", "/a/b"), True),
        (("/{a}.json", "/{a}"), True),
    ],
)
def test_addresses_that_no_request_could_tell_apart_have_one_key(paths, told_apart):
    fields = [[field(name, s.Text()) for name in re.findall(r"{(\w)}", path)] for path in paths]
    pair = [operation(n, *f, rest={"path": p, "method": "GET"}) for n, f, p in zip("ab", fields, paths, strict=True)]
    addresses = PROTOCOL.server.addresses(Service(name="shop", operations=tuple(pair)))
    assert (addresses["a"].key != addresses["b"].key) is told_apart
    assert addresses["b"].text == f"GET /api/shop/v1{paths[1]}"


IN_QUERY = {"in": "query"}
AS_N = {"in": "query", "name": "n"}
TWO_NUMBERS = [field("a", s.Int()), field("b", s.Int())]


@pytest.mark.parametrize(
    ("rest", "fields", "reason"),
    [
        ({"path": "/{id}"}, [], "do not name the same fields"),
        ({"path": "/x", "method": "BREW"}, [], "BREW is not one of"),
        ({"path": "x"}, [], "must start with '/'"),
        ({"path": "/%6fpenapi.json", "method": "GET"}, [], "the address of the service's own contract"),
        ({"path": "/x", "parameters": {"y": {"in": "query"}}}, [], "y, which the operation does not take"),
        ({"path": "/{id}"}, [field("id", s.Nullable(shape=s.Int()))], "which a path cannot say"),
        ({"path": "/x", "method": "GET", "parameters": {"f": IN_QUERY}}, [field("f", s.File())], "file or raw octets"),
        ({"path": "/x", "parameters": {"a": {"in": "form"}, "b": {"in": "body"}}}, TWO_NUMBERS, "has one body"),
        ({"path": "/x", "parameters": {"a": AS_N, "b": AS_N}}, TWO_NUMBERS, "two parameters are called 'n'"),
        ({"path": "/x", "location": "/x/{id}"}, [], "names id"),
        ({"path": "/x", "status": 404}, [], "not one of success"),
        ({"path": 5}, [], "$.path"),
        ({"paht": "/x"}, [], "paht"),
        ({"path": "/x", "parameters": {"a": {"in": "air"}}}, TWO_NUMBERS, "air"),
        ({"path": "/x", "parameters": {"a": {"in": "query", "style": "comma"}}}, TWO_NUMBERS, "no list of scalars"),
        ({"path": "/x", "method": "GET", "parameters": {"a": {"in": "body"}}}, TWO_NUMBERS, "GET request has no body"),
        (None, [field("r", s.Record(fields=(field("f", s.File()),)))], "inside another value"),
    ],
)  # fmt: skip
def test_what_rest_cannot_carry_is_told_with_its_reason(rest, fields, reason):
    unbindable = Service(name="s", operations=(operation("x", *fields, rest=rest),))
    assert reason in PROTOCOL.can.refusals(unbindable)["x"]


def test_a_file_in_the_data_of_a_declared_fault_is_told_before_it_is_raised():
    fault = DeclaredFault(name="Broken", data=s.Record(fields=(field("log", s.File()),)))
    broken = Service(name="s", operations=(operation("x", faults=(fault,)),))
    assert "the data of the fault Broken holds a file" in PROTOCOL.can.refusals(broken)["x"]


def test_a_sample_is_a_line_to_paste():
    assert PROTOCOL.server.sample(SERVICE, "http://h:1/") == "curl http://h:1/api/shop/v1/products/7"
    only = Service(name="s", operations=(operation("quote", field("items", s.List(item=s.Decimal()))),))
    expected = """curl --json '{"items": ["10.50"]}' http://h/api/s/v1/quote"""
    assert PROTOCOL.server.sample(only, "http://h") == expected


async def test_a_not_found_raised_by_a_handler_reaches_the_caller(shop):
    shop.fails(NotFound("no product 7"))
    assert (await shop.problem("GET", b"/products/7"))["detail"] == "no product 7"
