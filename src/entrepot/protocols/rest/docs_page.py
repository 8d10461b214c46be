"""A page that shows a service's OpenAPI document and lets a person try each operation.

It is one file without anything from elsewhere, and reads `openapi.json` from beside itself.
"""

from __future__ import annotations

import html
from importlib import resources

from entrepot.model.operation import Service


def docs_page(service: Service) -> bytes:
    """The page of a service, as HTML in UTF-8."""
    page = resources.files(__package__).joinpath("docs.html").read_text(encoding="utf-8")
    return page.replace("__TITLE__", html.escape(service.title or service.name)).encode()
