"""What the names of parameters become."""

from __future__ import annotations

import re

from entrepot.kit import names
from entrepot.shapes.schema_words import python_names

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def field_name(wire: str) -> str:
    """What a parameter is called in every protocol: its own name where that is an identifier."""
    return wire if _IDENTIFIER.fullmatch(wire) else names.snake(wire)


def attribute_name(wire: str) -> str:
    """What a parameter is called in Python."""
    return python_names([wire])[wire]
