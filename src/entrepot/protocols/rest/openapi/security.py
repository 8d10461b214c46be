"""What the operations of a document need to be let in (OpenAPI 3.1, §4.8.30), and nobody sends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from entrepot.shapes.document import Node, Refusal, Unreadable

Places = Mapping[str, Mapping[str, Any]]
"""Of an operation's parameters: where each stands and under which name."""


class Credentials:
    """Gathers the security schemes of one document that its operations need and no parameter fills."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._needed: Counter[str] = Counter()

    def read(self, operation: Node, places: Places) -> None:
        """Takes what one operation needs; a parameter of its own may be what fills it."""
        demanded = operation["security"] or self._root["security"]
        alternatives = [list(each.value) for each in demanded.items() if isinstance(each.value, dict)]
        missing = [[name for name in names if not self._is_filled(name, places)] for names in alternatives]
        if all(missing):
            self._needed.update({name for names in missing for name in names})

    def refusals(self) -> Iterator[Refusal]:
        """One for each scheme."""
        for name, count in self._needed.items():
            needing = "1 operation needs" if count == 1 else f"{count} operations need"
            reason = f"{needing} it, and no credentials are sent to upstreams yet"
            yield Refusal(self._scheme(name).pointer, f"security scheme {name}", reason)

    def _is_filled(self, name: str, places: Places) -> bool:
        scheme = self._scheme(name)
        where, wanted = "header", "authorization"
        if scheme["type"].text == "apiKey":
            where, wanted = scheme["in"].text, scheme["name"].text.lower()
        return any(place["in"] == where and str(place["name"]).lower() == wanted for place in places.values())

    def _scheme(self, name: str) -> Node:
        """The scheme, or its place where nothing can be read."""
        listed = "securityDefinitions" if self._root["securityDefinitions"] else "components/securitySchemes"
        node = self._root
        try:
            for token in (*listed.split("/"), name):
                node = node[token]
        except Unreadable as unreadable:
            return self._root.part(None, unreadable.pointer)
        return node
