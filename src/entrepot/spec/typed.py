"""From plain values to a Declaration, or all that is wrong with them, each where it stands."""

from __future__ import annotations

import msgspec

from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.spec import codes
from entrepot.spec.declaration import Declaration, declaration_type
from entrepot.spec.yaml import Parsed


def typed(parsed: Parsed, kinds: tuple[str, ...]) -> Declaration:
    """The Declaration. `kinds` are the kinds of document that protocols read. Raises `Refused`."""
    try:
        return msgspec.convert(parsed.value, declaration_type(kinds))
    except msgspec.ValidationError as error:
        raise Refused([Diagnostic(codes.WRONG_VALUE, str(error), parsed.positions.value(""))]) from None
