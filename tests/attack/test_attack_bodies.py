"""Bodies as HTTP carries them: labels, sizes, forms, files, streams; and callers that leave amid them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pytest

from support.attacked import API
from support.processes import MIB
from support.raw_client import chunked, chunks, head

FORM = "application/x-www-form-urlencoded"
BOUNDARY = "----b"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
LINES = "application/x-ndjson"

# Labels


@pytest.mark.parametrize(
    "label",
    [
        "text/plain", "application/xml", "multipart/form-data", FORM, "application/json; charset=utf-16",
        "application/json, text/plain", "application/jsonx", "*/*", "application/*", "a" * 50_000, ";", "\xff",
    ],
)  # fmt: skip
def test_a_body_of_another_kind(attacked: Any, label: str) -> None:
    answer = attacked.request("POST", f"{API}/things", b"{}", content_type=label)
    assert (answer.status, answer.kind) == (415, "unsupported")
    answer = attacked.request("POST", "/jsonrpc", b"{}", content_type=label)
    assert (answer.status, answer.kind) == (415, "unsupported")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "x", "gzip, gzip", "identity, gzip", "a" * 50_000])
def test_a_compressed_body_is_not_inflated(attacked: Any, coding: str) -> None:
    for method, path, label in (
        ("POST", f"{API}/things", "application/json"), ("POST", "/jsonrpc", "application/json"),
        ("POST", f"{API}/forms", FORM),
        ("POST", f"{API}/uploads", MULTIPART), ("PUT", f"{API}/blobs/a", "application/octet-stream"),
        ("POST", f"{API}/sums", LINES),
    ):  # fmt: skip
        answer = attacked.request(method, path, b"{}", f"Content-Encoding: {coding}", content_type=label)
        assert (path, answer.status, answer.kind) == (path, 415, "unsupported")


# Sizes


def too_large(attacked: Any, *pieces: bytes) -> None:
    answer = attacked.send(*pieces)
    assert (answer.status, answer.kind) == (413, "too_large")


@pytest.mark.parametrize("path", [f"{API}/things", "/jsonrpc"])
def test_a_body_too_large(attacked: Any, path: str) -> None:
    announced = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
    for length in (2 * MIB, 10**12, 2**62):
        too_large(attacked, f"{announced}{length}\r\n\r\n".encode() + b'{"name":"')
    too_large(attacked, chunked("POST", path), *chunks([b"a" * 65_536] * 64))
    too_large(attacked, chunked("POST", path), *chunks([b"a" * 10] * 200_000))


def test_a_length_that_no_one_can_count(attacked: Any) -> None:
    announced = f"POST {API}/things HTTP/1.1\r\nHost: a\r\nContent-Length: "
    for length in (2**64, 10**30):
        assert attacked.send(f"{announced}{length}\r\n\r\n".encode()).kind == "malformed"


def test_a_file_streams_through_and_has_its_limit(attacked: Any) -> None:
    pieces = [b"x" * 65_536] * 512
    stored = attacked.send(chunked("PUT", f"{API}/blobs/a", content_type="image/png"), *chunks(pieces))
    assert stored.json() == 32 * MIB
    endless = chunks(itertools.repeat(b"x" * 65_536, 1100))
    too_large(attacked, chunked("PUT", f"{API}/blobs/a", content_type="image/png"), *endless)


# Forms


@pytest.mark.parametrize(
    ("form", "status"),
    [
        (b"", 422), (b"name=a&name=b", 422), (b"name=%ff", 400), (b"name=%", 400), (b"name=%zz", 400), (b"%ff=a", 400),
        (b"&" * 1_000_000, 413), (b"&".join(b"n%d=1" % number for number in range(100_000)), 413),
        (b"name=" + b"a" * 1_100_000, 413), (b"name=a&x=1&__class__=2&=3&&&", 422), (b"name=a&&&", 200),
        (b"name=" + b"%41" * 300_000, 200), (b"name=" + b"+" * 1_000_000, 200),
        (b"name=a&" + b"notes=1&" * 998, 200),
    ],
)  # fmt: skip
def test_odd_forms(attacked: Any, form: bytes, status: int) -> None:
    answer = attacked.request("POST", f"{API}/forms", form, content_type=FORM)
    assert answer.status == status
    assert (answer.kind != "") == (status != 200)


def part(name: bytes, content: bytes = b"x", *headers: bytes, file: bytes | None = None) -> bytes:
    disposition = b'Content-Disposition: form-data; name="%b"' % name
    disposition += b'; filename="%b"' % file if file is not None else b""
    return b"\r\n".join([disposition, *headers, b"", content])


def multipart(*parts: bytes, first: bytes = b"", last: bytes = b"------b--\r\n") -> bytes:
    return first + b"".join(b"------b\r\n%b\r\n" % each for each in parts) + last


NAME, FILE = part(b"name"), part(b"file", b"abc", file=b"f.txt")
FORMS: dict[str, tuple[bytes, int]] = {
    "in order": (multipart(NAME, FILE), 200),
    "nothing": (b"", 400),
    "no end": (multipart(NAME, FILE, last=b""), 400),
    "cut off in a boundary": (multipart(NAME, FILE, last=b"------"), 400),
    "text before it": (multipart(NAME, FILE, first=b"x" * 100_000 + b"\r\n"), 400),
    "a little after it": (multipart(NAME, FILE) + b"x" * 100, 200),
    "much after it": (multipart(NAME, FILE) + b"x" * 5_000_000, 413),
    "20,000 parts": (multipart(*[part(b"x")] * 20_000), 413),
    "a field twice": (multipart(NAME, NAME, FILE), 422),
    "20,000 headers": (multipart(part(b"name", b"x", *[b"X: y"] * 20_000), FILE), 400),
    "a header without end": (multipart(part(b"name", b"x", b"X: " + b"y" * 500_000), FILE), 400),
    "a header without a colon": (multipart(part(b"name", b"x", b"X"), FILE), 400),
    "a part without a name": (multipart(b"Content-Disposition: form-data\r\n\r\nx", FILE), 400),
    "a part without a disposition": (multipart(b"X: y\r\n\r\nx", FILE), 400),
    "a name that is not UTF-8": (multipart(part(b"na\xffme"), FILE), 400),
    "a file name that is not UTF-8": (multipart(NAME, part(b"file", file=b"\xff\xfe")), 400),
    "a file name with steps up": (multipart(NAME, part(b"file", file=b"../../etc/passwd")), 200),
    "a name of another kind": (multipart(part(b"name\x00"), FILE), 422),
    "a field that is not UTF-8": (multipart(part(b"name", b"\xff"), FILE), 422),
    "a field too large": (multipart(part(b"name", b"a" * 1_100_000), FILE), 413),
    "fields too large together": (multipart(*[part(b"x", b"a" * 100_000)] * 12, FILE), 413),
    "line ends only": (multipart(part(b"name", b"\r" * 900_000), FILE), 200),
    "almost boundaries": (multipart(part(b"name", b"\r\n------" * 100_000), FILE), 200),
    "a form in the form": (
        multipart(part(b"name", b"--q\r\n\r\nx\r\n--q--", b"Content-Type: multipart/mixed; boundary=q")), 422,
    ),
    "a field as JSON, too deep": (
        multipart(part(b"notes", b"[" * 100_000, b"Content-Type: application/json"), NAME, FILE), 422,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("form", "status"), FORMS.values(), ids=FORMS.keys())
def test_odd_multipart_forms(attacked: Any, form: bytes, status: int) -> None:
    answer = attacked.request("POST", f"{API}/uploads", form, content_type=MULTIPART)
    assert answer.status == status
    assert (answer.kind != "") == (status != 200)


@pytest.mark.parametrize(
    "label",
    [
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other",
        'multipart/form-data; boundary="----b', "multipart/form-data; boundary=" + "b" * 50_000,
        "multipart/form-data; boundary*=utf-8''----b", "multipart/form-data; x=y",
    ],
)  # fmt: skip
def test_odd_boundaries(attacked: Any, label: str) -> None:
    answer = attacked.request("POST", f"{API}/uploads", multipart(NAME, FILE), content_type=label)
    assert (answer.status, answer.kind) == (400, "malformed")


def test_a_multipart_form_that_never_ends(attacked: Any) -> None:
    def pieces() -> Iterable[bytes]:
        yield multipart(NAME, last=b"") + b"------b\r\n" + part(b"file", file=b"f")
        yield from itertools.repeat(b"x" * 65_536, 1100)

    too_large(attacked, chunked("POST", f"{API}/uploads", content_type=MULTIPART), *chunks(pieces()))


# Streams in


@pytest.mark.parametrize(
    ("lines", "status", "place"),
    [
        (b"", 200, None), (b"\n" * 1_000_000, 200, None), (b'{"number":1}\n' * 100_000, 200, None),
        (b'{"number":1}', 200, None), (b'{"number":1}\nx\n', 400, "/stream/1"),
        (b'{"number":1}\n{}\n', 422, "/stream/1/number"), (b"\xff\n", 400, "/stream/0"),
        (b"[" * 300_000 + b"\n", 400, "/stream/0"), (b'{"number":1,"number":2}\n', 400, "/stream/0/number"),
        (b'{"number":1e4000}\n', 422, "/stream/0/number"), (b'{"entrepot:fault":{}}\n', 422, "/stream/0/number"),
        (b"x" * 1_100_000, 413, None), (b'{"number":1}\n' + b"x" * 3_000_000, 413, None),
    ],
)  # fmt: skip
def test_odd_lines(attacked: Any, lines: bytes, status: int, place: str | None) -> None:
    answer = attacked.request("POST", f"{API}/sums", lines, content_type=LINES)
    assert answer.status == status
    assert place is None or answer.places == [place]


# Callers that leave


@pytest.mark.parametrize(
    ("method", "path", "label"),
    [
        ("POST", f"{API}/things", "application/json"), ("POST", "/jsonrpc", "application/json"),
        ("PUT", f"{API}/blobs/a", "image/png"), ("POST", f"{API}/uploads", MULTIPART), ("POST", f"{API}/sums", LINES),
        ("POST", "/old/x", "text/plain"), ("POST", "/api/things/v1/things/fine", "application/json"),
        ("POST", "/through/fine", "text/plain"),
    ],
)  # fmt: skip
def test_callers_that_leave_amid_their_body(attacked: Any, method: str, path: str, label: str) -> None:
    for _ in range(20):
        with attacked.connect() as connection:
            connection.sendall(head(method, path, b"x" * 100_000, content_type=label) + b"x" * 50_000)


def test_callers_that_leave_amid_an_answer(attacked: Any) -> None:
    for path in (
        f"{API}/ticks",
        "/api/things/v1/lines/lines-endless",
        "/api/things/v1/files/endless",
        "/through/endless",
    ):
        for _ in range(10):
            with attacked.connect() as connection:
                connection.sendall(head("GET", path, b""))
                assert connection.recv(1000)


def test_callers_that_leave_at_once(attacked: Any) -> None:
    for path in (f"{API}/slow", f"{API}/ticks", "/old/x", "/api/things/v1/things/hangs"):
        for _ in range(20):
            attacked.connect().close()
            with attacked.connect() as connection:
                connection.sendall(head("GET", path, b""))
