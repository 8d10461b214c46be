"""What an import keeps of YAML beside it: the values as JSON, which are read many times faster, and their places.

A seal stands for the files that were imported, so it is pinned by its hash as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Literal, NamedTuple

import msgspec

from entrepot.spec.positions import Node, Positions, line_and_column, place_of
from entrepot.spec.yaml import Parsed

DIRECTORY = "specs"
"""Where imported documents are kept, in the project."""

BYTES_MAX = 128 * 1024 * 1024
"""Longest seal that is read or written."""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    value: msgspec.Raw
    places: msgspec.Raw
    """Lines and columns in the order of the values, before that of a map's member that of its key."""


class _Seal(msgspec.Struct, forbid_unknown_fields=True):
    files: dict[str, _File]
    """By file relative to the project."""
    entrepot: Literal[1] = 1


class Opened(NamedTuple):
    """A file as it is read again."""

    value: Any
    positions: Callable[[], Positions] | None = None
    """Read when they are asked for; None of a file that is not YAML."""


_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def seal_of(file: str) -> str:
    """Where the seal of a document is kept, by its main file; both are relative to the project."""
    return f"{DIRECTORY}/.sealed/{file.removeprefix(f'{DIRECTORY}/')}.json"


def seal(files: Mapping[str, Parsed]) -> bytes:
    """The seal of these files, which are as they stand in the project."""
    sealed = {}
    for file, parsed in sorted(files.items()):
        places: list[int] = []
        _write(parsed.positions.root, places)
        sealed[file] = _File(msgspec.Raw(_encode(parsed.value)), msgspec.Raw(_encode(places)))
    return _encode(_Seal(sealed)) + b"\n"


def unseal(content: bytes) -> dict[str, Opened]:
    """By file what is sealed. Raises ValueError when it is no seal."""
    files = msgspec.json.decode(content, type=_Seal).files
    return {file: _opened(file, sealed) for file, sealed in files.items()}


def _opened(file: str, sealed: _File) -> Opened:
    value = _decode(sealed.value)
    return Opened(value, partial(_positions, file, value, sealed.places))


def _positions(file: str, value: Any, places: msgspec.Raw) -> Positions:
    root = _read(value, iter(msgspec.json.decode(places, type=list[int])))
    return Positions(file, root if isinstance(root, Node) else Node(root))


def _write(node: Node | int, places: list[int]) -> None:
    if not isinstance(node, Node):
        places += line_and_column(node)
        return
    places += line_and_column(node.place)
    for index, inner in enumerate(node.nodes):
        if node.keys:
            places += line_and_column(node.keys[index])
        _write(inner, places)


def _read(value: Any, numbers: Iterator[int]) -> Node | int:
    place = place_of(next(numbers), next(numbers))
    if isinstance(value, dict):
        keys: list[int] = []
        nodes: list[Node | int] = []
        for inner in value.values():
            keys.append(place_of(next(numbers), next(numbers)))
            nodes.append(_read(inner, numbers))
        return Node(place, value, nodes, keys)
    return Node(place, None, [_read(inner, numbers) for inner in value]) if isinstance(value, list) else place
