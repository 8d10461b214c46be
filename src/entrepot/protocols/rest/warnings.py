"""Faults of parts of an output, which travel in a header beside it: a JSON list in ASCII."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from entrepot.kit.limits import Limits
from entrepot.model.call import Located
from entrepot.model.faults import TooLarge
from entrepot.model.headers import Headers, header
from entrepot.model.operation import Operation
from entrepot.ports.faults import FaultReader, Members, encode_members, members_of
from entrepot.shapes.values import Values

HEADER = b"entrepot-warnings"

_BEYOND_ASCII = re.compile("[^\x00-\x7e]+")
_decode = msgspec.json.Decoder(list[Members], float_hook=Decimal).decode


def write(warnings: Sequence[Located], operation: Operation, values: Values) -> bytes:
    """Each fault as in a problem, and the pointer to its place; of too many, the last says how many more."""
    most = values.limits.issues_max
    told = warnings if len(warnings) <= most else warnings[: most - 1]
    listed = [{"pointer": each.pointer, **members_of(each.fault, "", operation, values).members} for each in told]
    if left := len(warnings) - len(told):
        more = members_of(TooLarge(f"{left} more are not listed")).members
        listed.append({"pointer": "", **more, "title": "There are more warnings than may be listed"})
    return _BEYOND_ASCII.sub(_escaped, encode_members(listed).decode()).encode()


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1].replace("\x7f", r"\u007f")  # the one control character that JSON lets stand


def read(headers: Headers, faults: FaultReader, limits: Limits) -> tuple[Located, ...]:
    """The faults in an answer's headers; none when they are not of this form."""
    try:
        listed = _decode(header(headers, HEADER) or b"[]")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    found = ((each.get("pointer"), faults.read(each)) for each in listed[: limits.issues_max])
    return tuple(Located(at, fault) for at, fault in found if isinstance(at, str) and fault is not None)
