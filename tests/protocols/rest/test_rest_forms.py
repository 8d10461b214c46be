"""Forms, files and raw bodies, in both directions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from entrepot.kit.limits import Limits
from entrepot.model.call import Reply
from entrepot.model.fault import Fault
from entrepot.model.file import File
from entrepot.ports.exchange import Response
from support.multipart import FORM, part
from support.rest_shop import Shop, chunks, dialled

GOOD = (
    part("title", b"two chairs")
    + part("tags", b"a")
    + part("pictures", b"PNG1", '; filename="a.png"', "image/png")
    + part("tags", b"b c")
    + part("change", b'{"note":null}', kind="application/json")
    + part("pictures", b"PNG2", '; filename="b %22.png"', "image/png")
    + b"--b--\r\n"
)


async def test_an_urlencoded_form_fills_its_fields():
    shop = Shop()
    shop.reply = Reply("in")
    form = "application/x-www-form-urlencoded"
    await shop.send("POST", b"/log-in", body=b"user=a+b%26c&remember=true&more=1", content_type=form)
    assert (shop.calls[0].input.user, shop.calls[0].input.remember) == ("a b&c", True)
    problem = await shop.problem("POST", b"/log-in", body=b"remember=x", content_type=form)
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [("/user", "missing"), ("/remember", "type")]


async def test_the_same_form_may_be_multipart():
    shop = Shop()
    shop.reply = Reply("in")
    await shop.send("POST", b"/log-in", body=part("user", "d\u00e9".encode()) + b"--b--", content_type=FORM)
    assert shop.calls[0].input.user == "d\u00e9"


async def described(body: Any, **options: Any) -> tuple[Shop, list[tuple[str, str, int | None, bytes]]]:
    shop = Shop(**options)
    seen: list[tuple[str, str, int | None, bytes]] = []

    async def describe(call: Any) -> Reply:
        for file in call.input.pictures:
            seen.append((file.name, file.media_type, file.size, await file.read(1000)))
        return Reply("ok")

    shop.reply = describe
    shop.status, _, shop.body = await shop.send("POST", b"/pictures", body=body, content_type=FORM)  # type: ignore[attr-defined]
    return shop, seen


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_a_multipart_form_is_read_in_any_chunks(size):
    body = chunks(*(GOOD[i : i + size] for i in range(0, len(GOOD), size)))
    shop, seen = await described(body)
    given_input = shop.calls[0].input
    assert (given_input.title, given_input.tags, given_input.change.note) == ("two chairs", ["a", "b c"], None)
    assert seen == [("a.png", "image/png", 4, b"PNG1"), ('b ".png', "image/png", 4, b"PNG2")]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (GOOD[:-10], "malformed"),
        (b"", "malformed"),
        (b"--x--\r\n", "malformed"),
        (b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--", "malformed"),
        (b"--b\r\n" + b"x" * 10_000 + b": 1\r\n\r\n\r\n--b--", "malformed"),
        (part("title", b"x") + b"--b--", "invalid"),
        (part("title", b"\xff") + b"--b--", "invalid"),
        (part("change", b"{", kind="application/json") + b"--b--", "invalid"),
        (part("title", b"x" * 300) + b"--b--", "too_large"),
        (part("pictures", b"x" * 3000, '; filename="x"') + b"--b--", "too_large"),
        (part("t", b"") * 1001 + b"--b--", "too_large"),
    ],
)
async def test_a_form_that_cannot_be_taken_is_refused(body, kind):
    shop, _ = await described(body, limits=Limits(body_bytes_max=200, file_bytes_max=2000))
    assert f'"kind":"{kind}"'.encode() in shop.body  # type: ignore[attr-defined]
    assert shop.calls == []


async def test_a_form_without_a_boundary_is_malformed():
    assert (await Shop().problem("POST", b"/pictures", body=GOOD, content_type="multipart/form-data"))["status"] == 400


# Files and octets as bodies


async def test_a_file_body_is_streamed_to_the_handler():
    sent: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for number in range(3):
            sent.append(number)
            yield b"12345"

    async def store(call: Any) -> Reply:
        picture = call.input.picture
        read = [(len(sent), chunk) async for chunk in picture.open()]
        return Reply(f"{picture.name} {picture.media_type} {picture.size} {read}")

    shop = Shop()
    shop.reply = store
    headers = {
        "content_type": "image/png",
        "content_disposition": 'attachment; filename="a.png"',
        "content_length": "15",
    }
    status, _, answer = await shop.send("PUT", b"/pictures/1", body=body(), **headers)
    assert status == 200
    assert answer == b"\"a.png image/png 15 [(1, b'12345'), (2, b'12345'), (3, b'12345')]\""


async def stored(read: Any, body: Any, **headers: str) -> dict[str, Any]:
    shop = Shop()

    async def store(call: Any) -> Reply:
        try:
            return Reply(str(await read(call.input.picture)))
        except Fault as fault:
            return Reply(fault=fault)

    shop.reply = store
    return await shop.problem("PUT", b"/pictures/1", body=body, content_type="image/png", **headers)


async def test_a_file_beyond_its_own_limit_is_refused_as_it_comes_or_before():
    async def read(file: File) -> bytes:
        return await file.read(10**6)

    assert (await stored(read, chunks(*[b"x" * 60] * 3)))["kind"] == "too_large"
    assert (await stored(read, b"", content_length="101"))["kind"] == "too_large"


async def test_a_file_on_its_way_is_read_once():
    async def twice(file: File) -> bytes:
        await file.read(100)
        return await file.read(100)

    assert (await stored(twice, chunks(b"x")))["kind"] == "internal"


async def test_a_file_is_answered_with_what_is_known_of_it():
    shop = Shop()
    shop.reply = Reply(File.of(b"PNG", name='a "1".png', media_type="image/png"))
    status, headers, body = await shop.send("GET", b"/pictures/1", accept="image/*")
    assert (status, body) == (200, b"PNG")
    assert headers == {
        b"content-length": b"3",
        b"content-type": b"image/png",
        b"content-disposition": b'attachment; filename="a %221%22.png"',
        b"accept-ranges": b"bytes",
    }
    status, headers, body = await shop.send("HEAD", b"/pictures/1")
    assert (status, headers[b"content-length"], body) == (200, b"3", b"")


async def test_a_file_with_a_version_is_not_sent_again():
    opened: list[int] = []

    async def opener(start: int, stop: int | None) -> AsyncIterator[bytes]:
        opened.append(1)
        yield b"PNG"

    shop = Shop()
    shop.reply = Reply(File(opener=opener, etag="v1"))
    assert (await shop.send("GET", b"/pictures/1", if_none_match='"v1"'))[0] == 304
    assert opened == []


async def test_a_files_media_type_cannot_smuggle_a_header(caplog):
    shop = Shop()
    shop.reply = Reply(File.of(b"", media_type="a/b\r\nset-cookie: c=d"))
    assert (await shop.problem("GET", b"/pictures/1"))["kind"] == "internal"


async def test_a_raw_body_is_passed_as_it_is():
    shop = Shop()

    async def shout(call: Any) -> Reply:
        return Reply(call.input.text.upper())

    shop.reply = shout
    status, headers, body = await shop.send("POST", b"/shout", body=b"\xffhe\0y", content_type="text/plain")
    assert (status, headers[b"content-type"], body) == (200, b"text/plain", b"\xffHE\0Y")


# Through client and server


async def test_files_and_forms_through_client_and_server():
    shop = Shop()
    invokes, _ = dialled(shop.exchange)

    async def describe(call: Any) -> Reply:
        files = [f"{file.name}:{(await file.read(100)).decode()}" for file in call.input.pictures]
        return Reply(f"{call.input.title} {call.input.tags} {call.input.change.note} {files}")

    shop.reply = describe
    call = shop.call("log_in", user="x")
    operation = shop.service.operation("describe")
    make, change = shop.values.codec(operation.input).type, shop.values.codec(operation.input.field("change").shape)
    call.operation = operation
    pictures = [File.of(b"one", name="1"), File.of(b"two", name='q"2')]
    call.input = make(title="d\u00e9 \r\n", tags=[], change=change.of_plain({"note": None}), pictures=pictures)
    reply = await invokes["describe"](call)
    assert reply.output == "d\u00e9 \r\n [] None ['1:one', 'q\"2:two']"


async def test_a_file_through_client_and_server_in_both_directions():
    shop = Shop()
    invokes, requests = dialled(shop.exchange)

    async def store(call: Any) -> Reply:
        picture = call.input.picture
        return Reply(f"{picture.name} {picture.media_type} {picture.size} {await picture.read(100)!r}")

    shop.reply = store
    call = shop.call("ping")
    call.operation = shop.service.operation("store_picture")
    make = shop.values.codec(call.operation.input).type
    call.input = make(id=1, picture=File.of(b"PNG", name="a.png", media_type="image/png"))
    assert (await invokes["store_picture"](call)).output == "a.png image/png 3 b'PNG'"
    assert requests[0].path == b"/api/shop/v1/pictures/1"
    shop.reply = Reply(File.of(b"PNG", name="a.png", media_type="image/png"))
    file = (await invokes["picture"](shop.call("picture", id=1))).output
    assert (file.name, file.media_type, file.size, await file.read(10)) == ("a.png", "image/png", 3, b"PNG")


async def test_an_upstreams_file_is_streamed_and_closed():
    closed: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(1)

    invokes, _ = dialled(Response(200, [(b"content-type", b"image/png")], body()))
    file = (await invokes["picture"](Shop().call("picture", id=1))).output
    opened = file.open()
    assert await anext(opened) == b"a"
    await opened.aclose()
    assert closed == [1]
