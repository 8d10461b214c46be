"""A page that shows a service's OpenAPI document and lets a person try each operation.

It is one file without anything from elsewhere, and reads `openapi.json` from beside itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from importlib import resources

from entrepot.model.operation import Service


def docs_page(service: Service, left_out: Mapping[str, Mapping[str, str]]) -> bytes:
    """The page of a service, as HTML in UTF-8.

    `left_out` tells, by protocol, which operations cannot be had there, each with the reason.
    """
    page = resources.files(__package__).joinpath("docs.html").read_text(encoding="utf-8")
    filled = {"__TITLE__": escape(service.title or service.name), "__LEFT_OUT__": _lines(left_out)}
    return re.sub("__[A-Z_]+__", lambda found: filled[found[0]], page).encode()


def _lines(left_out: Mapping[str, Mapping[str, str]]) -> str:
    lines = [
        f"<li><code>{escape(protocol)}</code> leaves out <code>{escape(name)}</code>: {escape(reason)}</li>"
        for protocol, operations in left_out.items()
        for name, reason in operations.items()
    ]
    return f'<ul class="hint">{"".join(lines)}</ul>' if lines else ""
