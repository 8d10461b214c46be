"""Examples that stand at parameters, bodies and answers (OpenAPI 3.1, §4.8.19) as sample calls of the operation.

Those of one name belong together, wherever they stand; one without a name is called `example`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from entrepot.model.operation import Example, Operation
from entrepot.shapes.document import Node, Refusal, Unreadable

_UNNAMED = "example"
_VALUES = ("value", "dataValue")
"""Words for the data of an example; the second is OpenAPI 3.2's."""


class _Said(NamedTuple):
    """One example of one part."""

    name: str
    value: Any
    docs: str


class ExampleImport:
    """Gathers the examples of one operation."""

    def __init__(self) -> None:
        self._found: dict[str, Example] = {}
        self.gaps: list[Refusal] = []

    @property
    def examples(self) -> tuple[Example, ...]:
        """What was found, in the order of the document."""
        return tuple(self._found.values())

    def take_input(self, node: Node, fields: Callable[[Any], Mapping[str, Any]]) -> None:
        """Takes the examples of a part of the input; `fields` tells which fields have which values by one."""
        for said in self._read(node):
            known = self._of(said)
            before = {} if known.input is msgspec.UNSET else known.input
            self._found[said.name] = msgspec.structs.replace(known, input={**before, **fields(said.value)})

    def take_output(self, node: Node) -> None:
        """Takes the examples of the answer."""
        for said in self._read(node):
            self._found[said.name] = msgspec.structs.replace(self._of(said), output=said.value)

    def _of(self, said: _Said) -> Example:
        known = self._found.get(said.name, Example(name=said.name))
        return msgspec.structs.replace(known, docs=known.docs or said.docs)

    def _read(self, node: Node) -> Iterator[_Said]:
        if isinstance(node.value, Mapping) and "example" in node.value:
            yield _Said(_UNNAMED, node.value["example"], "")
        named = node.value.get("examples") if isinstance(node.value, Mapping) else None
        for name in named if isinstance(named, Mapping) else ():
            try:
                example = node["examples"][name]
            except Unreadable as unreadable:
                self.gaps.append(unreadable.refusal(f"example {name}"))
                continue
            said = example.value if isinstance(example.value, Mapping) else {}
            for word in [word for word in _VALUES if word in said][:1]:
                docs = example["summary"].text or example["description"].text
                yield _Said(str(name), said[word], docs)


def written(operation: Operation, part: Callable[[Example], Any]) -> dict[str, Any]:
    """The examples that have this part, by name."""
    found = {example.name: (part(example), example.docs) for example in operation.examples}
    return {
        name: ({"summary": docs} if docs else {}) | {"value": value}
        for name, (value, docs) in found.items()
        if value is not msgspec.UNSET
    }


def member(value: Any, name: str) -> Any:
    """The value of one field of a sample input."""
    return value.get(name, msgspec.UNSET) if isinstance(value, Mapping) else msgspec.UNSET


def members(value: Any, names: Mapping[str, str]) -> Any:
    """The values of some fields of a sample input, by their names on the wire; `names` are theirs by field."""
    held = {wire: value[name] for name, wire in names.items() if name in value} if isinstance(value, Mapping) else {}
    return held or msgspec.UNSET
