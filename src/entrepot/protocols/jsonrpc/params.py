"""The `params` member (§4.2): an operation's input by name or by position."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from entrepot.kit.pointers import pointer
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid, TooLarge
from entrepot.model.operation import Operation
from entrepot.protocols.jsonrpc.codec import array_splitter
from entrepot.shapes.values import Values

_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


class Params:
    """Reads and writes the params of one operation. Positions follow the order of its input's fields."""

    def __init__(self, operation: Operation, values: Values, *, by_position: bool = False) -> None:
        record = operation.input
        self._names = [field.name for field in record.fields]
        self._known = frozenset(self._names)
        self._keys = [_encode(name) + b":" for name in self._names]
        self._looks_for_unknown = record.extras == "drop"
        self._codec = values.codec(record)
        self._split = array_splitter(len(self._names))
        self._by_position = by_position
        self._issues_max = values.limits.issues_max

    def decode(self, text: bytes) -> Any:
        """The input written as an object or an array.

        Raises `Invalid` with every issue, or `Malformed`; pointers start with the parameter's name.
        """
        if text[0] == 0x5B:  # "["
            return self._codec.decode(self._named(text))
        unknown = self._unknown(text) if self._looks_for_unknown else ()
        try:
            value = self._codec.decode(text)
        except Invalid as fault:
            fault.issues = (*fault.issues, *unknown)[: self._issues_max]
            raise
        if unknown:
            raise Invalid("there are parameters that the operation does not have", issues=unknown)
        return value

    def encode(self, value: Any) -> bytes:
        """The input as an object, or as an array where the upstream takes positions only.

        Raises `Invalid` when a parameter is absent before one that is there, which positions cannot say.
        """
        text = self._codec.encode(value)
        return self._positioned(text) if self._by_position else text

    def _named(self, text: bytes) -> bytes:
        try:
            items = self._split(text)
        except TooLarge:
            count = len(self._names)
            issue = Issue(pointer([count]), "unknown", f"there are {count} parameters")
            raise Invalid("there are more values than parameters", issues=(issue,)) from None
        return b"{%b}" % b",".join(key + item for key, item in zip(self._keys, items, strict=False))

    def _positioned(self, text: bytes) -> bytes:
        members = _decode_members(text)
        present = [name for name in self._names if name in members]
        missing = [name for name in self._names[: len(present)] if name not in members]
        if missing:
            issues = tuple(Issue(pointer([name]), "missing", "a later parameter is given") for name in missing)
            raise Invalid("the upstream takes parameters by position, so none may be left out", issues=issues)
        return b"[%b]" % b",".join(bytes(members[name]) for name in present)

    def _unknown(self, text: bytes) -> tuple[Issue, ...]:
        members = _decode_members(text)
        if members.keys() <= self._known:
            return ()
        names = [name for name in members if name not in self._known][: self._issues_max]
        return tuple(Issue(pointer([name]), "unknown", "there is no such parameter") for name in names)
