"""An answer as a page for a person whose browser asks for one: values in tables, links to other pages, no scripts."""

from __future__ import annotations

import re
from html import escape
from typing import Any
from urllib.parse import unquote

from entrepot.kit.limits import Limits
from entrepot.model.headers import header
from entrepot.ports.exchange import Request, Response
from entrepot.protocols.rest.table import OF_JSON
from entrepot.shapes import plain as json

HTML = "text/html"
JAVA = b"text/html, image/gif, image/jpeg, "
"""How `Accept` begins that Java's own connections send, whatever they are used for: that is no browser."""
_DEPTH_MAX = 8
"""Most tables one inside the other; what is further in is shown as JSON."""
_HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
    (b"x-content-type-options", b"nosniff"),
]
_LINK = re.compile(r'<(/[^/>][^>]*)>; rel="(\w+)"')
"""To another place here."""
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}"
    "table{border-collapse:collapse}th,td{border:1px solid #ccc;padding:.2rem .6rem;text-align:left;vertical-align:top}"
    "th{font-weight:600;background:#f4f4f4}nav a{margin-right:1rem}"
)


def page_of(response: Response, request: Request, title: str, docs: str, limits: Limits) -> Response:
    """The page of an answer in JSON. `docs` is where its service is told about."""
    assert isinstance(response.body, bytes)
    about = {"all about it": docs} | _links(response)
    nav = "".join(f'<a href="{escape(target)}">{escape(name)}</a>' for name, target in about.items())
    address = unquote(request.path.decode("latin-1"))
    content = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1><p><code>{escape(address)}</code></p><nav>{nav}</nav>"
        f"{_shown(json.plain_of(response.body, limits))}"
    ).encode(errors="replace")
    kept = [line for line in response.headers if line[0] not in OF_JSON]
    return Response(response.status, [*kept, (b"content-length", b"%d" % len(content)), *_HEADERS], content)


def _links(response: Response) -> dict[str, str]:
    """Where the other pages of a list are, by their relation."""
    said = (header(response.headers, b"link") or b"").decode("latin-1")
    return {relation: target for target, relation in _LINK.findall(said)}


def _shown(value: Any, depth: int = _DEPTH_MAX) -> str:
    match value:
        case str():
            return escape(value)
        case dict() if value and depth:
            rows = (f"<tr><th>{escape(name)}</th>{_cell(member, depth)}</tr>" for name, member in value.items())
            return f"<table>{''.join(rows)}</table>"
        case list() if value and depth:
            return _records(value, depth) if all(type(item) is dict for item in value) else _items(value, depth)
        case _:
            return f"<code>{escape(json.write(value).decode())}</code>"


def _records(records: list[dict[str, Any]], depth: int) -> str:
    """A row for each record, a column for each name."""
    names = dict.fromkeys(name for record in records for name in record)
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    rows = (
        "".join(_cell(record[name], depth) if name in record else "<td></td>" for name in names) for record in records
    )
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _items(items: list[Any], depth: int) -> str:
    return f"<ol>{''.join(f'<li>{_shown(item, depth - 1)}</li>' for item in items)}</ol>"


def _cell(value: Any, depth: int) -> str:
    return f"<td>{_shown(value, depth - 1)}</td>"
