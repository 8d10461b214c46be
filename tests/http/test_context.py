"""Headers as the context of a call, and back."""

from __future__ import annotations

import asyncio

import pytest

from entrepot.http.context import context_headers, context_of
from entrepot.model.call import Context, Meta
from entrepot.ports.exchange import Request

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_request_without_context_headers_gives_a_plain_context():
    departure = asyncio.Event().wait
    request = Request("GET", b"/", headers=[(b"x-own", b"1")], departure=departure)
    assert context_of(request) == Context(meta=Meta([(b"x-own", b"1")]), departure=departure)


def test_the_context_headers_are_read():
    context = context_of(Request("GET", b"/", headers=[(b"traceparent", TRACE), (b"idempotency-key", b'"k-1"')]))
    assert context.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert context.idempotency_key == "k-1"


def test_headers_at_hand_need_not_be_gathered_again():
    request = Request("GET", b"/", headers=[(b"traceparent", TRACE)])
    assert context_of(request, {b"traceparent": b"other"}).traceparent == "other"


@pytest.mark.parametrize("key", [b"k", b"k\xc3\xbc", b"k\xfc", b"a b"])
def test_a_context_passes_through_a_gateway_as_it_came(key):
    headers = [(b"traceparent", TRACE), (b"idempotency-key", key)]
    assert context_headers(context_of(Request("GET", b"/", headers=headers))) == headers


def test_an_empty_context_has_no_headers():
    assert context_headers(Context()) == []
