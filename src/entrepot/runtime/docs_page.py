"""A page about one service over all its protocols: where each operation is to be had, and where not, and why.

Where there is an OpenAPI document, the page also shows all that it says, and lets a person try each
operation. It is one file, without anything from elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from importlib import resources

from entrepot.ir.worker import ServiceTable
from entrepot.model.operation import Operation, Outgoing
from entrepot.ports.protocol import Catalog, Contract
from entrepot.shapes import notation

MEDIA_TYPE = "text/html; charset=utf-8"


def docs_page(table: ServiceTable, catalog: Catalog) -> bytes:
    """The page of a service, in UTF-8."""
    service, protocols = table.service, [name for name in catalog if name in table.carried]
    contracts: dict[str, Contract] = {}
    for name in protocols:
        contracts |= catalog[name].server.contracts([table.served_over(name)])
    page = resources.files(__package__).joinpath("docs.html").read_text(encoding="utf-8")
    filled = {
        "__TITLE__": escape(service.title or service.name),
        "__DOCS__": escape(service.docs),
        "__CONTRACTS__": "".join(f' <a href="{escape(path)}">{escape(path)}</a>' for path in contracts),
        "__OPERATIONS__": _operations(table, protocols, catalog) + _outgoing(service.outgoing),
        "__OPENAPI__": json.dumps(_openapi(contracts)).replace("<", r"\u003c"),
    }
    return re.sub("__[A-Z]+__", lambda found: filled[found[0]], page).encode()


def _openapi(contracts: Mapping[str, Contract]) -> str | None:
    return next((path for path, contract in contracts.items() if contract.kind == "openapi"), None)


def _operations(table: ServiceTable, protocols: list[str], catalog: Catalog) -> str:
    """A row for each operation, a column for each protocol."""
    addresses = [catalog[name].server.addresses(table.served_over(name)) for name in protocols]
    head = "".join(f"<th>{escape(name)}</th>" for name in protocols)

    def row(operation: Operation) -> str:
        name, summary = escape(operation.name), escape(operation.summary)
        cells = [
            f"<td><code>{escape(found[operation.name].text)}</code></td>"
            if operation.name in found
            else f'<td class="hint">{escape(table.refused.get(protocol, {}).get(operation.name, "–"))}</td>'
            for protocol, found in zip(protocols, addresses, strict=True)
        ]
        return f'<tr><th>{name}<div class="hint">{summary}</div></th>{"".join(cells)}</tr>'

    return f"<table><tr><th></th>{head}</tr>{''.join(map(row, table.service.operations))}</table>"


def _outgoing(outgoing: tuple[Outgoing, ...]) -> str:
    """A row for each call that the service sends by itself."""

    def row(sent: Outgoing) -> str:
        name, summary = escape(sent.operation.name), escape(sent.operation.summary)
        why = (
            f"calls back who called {escape(sent.of)}, at <code>{escape(sent.address)}</code>" if sent.of else "webhook"
        )
        taken = escape(notation.written(sent.operation.input))
        return f'<tr><th>{name}<div class="hint">{summary}</div></th><td>{why}</td><td><code>{taken}</code></td></tr>'

    if not outgoing:
        return ""
    hint = "Sent by the upstream itself; Entrepôt delivers none of them yet."
    head = "<tr><th></th><th>when</th><th>with</th></tr>"
    return f'<h2>What it sends</h2><p class="hint">{hint}</p><table>{head}{"".join(map(row, outgoing))}</table>'
