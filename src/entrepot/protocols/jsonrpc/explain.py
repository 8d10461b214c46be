"""Why a text is not a request object: every error at once, each with its place.

Slow and thorough; `codec` comes here only when its fast reading has failed or is in doubt.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice

import msgspec
from msgspec import Raw

from entrepot.kit.limits import Limits
from entrepot.kit.pointers import pointer
from entrepot.model.fault import Issue
from entrepot.model.faults import Malformed

NULL = b"null"


class NotJson(Exception):
    """The octets are not JSON text in UTF-8; the message says why."""


class NotARequest(Exception):
    """The JSON text is not a request object: the fault, and the request's id where one can be told."""

    def __init__(self, fault: Malformed, id: bytes = NULL) -> None:
        super().__init__(fault.detail)
        self.fault = fault
        self.id = id


def is_structured(text: bytes) -> bool:
    """Whether the text of a JSON value is that of an object or an array."""
    return text[0] in b"{["


def is_id(text: bytes) -> bool:
    """Whether the text of a JSON value is that of a string, a number or null."""
    return text[0] in b'"-0123456789n'


def _is_text(text: bytes) -> bool:
    return text[:1] == b'"'


def _is_version(text: bytes) -> bool:
    return _is_text(text) and bool(json.loads(text) == "2.0")


_REQUIRED = ("jsonrpc", "method")
_CHECKS: dict[str, tuple[Callable[[bytes], bool], str]] = {
    "jsonrpc": (_is_version, 'is "2.0"'),
    "method": (_is_text, "is a string"),
    "params": (is_structured, "is an object or an array"),
    "id": (is_id, "is a string, a number or null"),
}

_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_list_members = json.JSONDecoder(object_pairs_hook=list, parse_int=str, parse_float=str).decode


def problem_of(data: bytes, limits: Limits) -> NotARequest | None:
    """Everything that keeps the text from being a request object; None when nothing does.

    Raises `NotJson` when it is not even JSON.
    """
    try:
        members = _decode_members(data)
        repeated = _repeated(data)
    except msgspec.ValidationError:
        return _not_a_request([Issue("", "type", "a request is an object")])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise NotJson(str(error)) from None
    issues = list(islice(_issues(members, repeated), limits.issues_max))
    if not issues:
        return None
    id = bytes(members.get("id", NULL))
    return _not_a_request(issues, id if is_id(id) and "id" not in repeated else NULL)


def _issues(members: dict[str, Raw], repeated: list[str]) -> Iterator[Issue]:
    for name, (holds, what) in _CHECKS.items():
        if name in members and not holds(bytes(members[name])):
            yield Issue(f"/{name}", "enum" if name == "jsonrpc" else "type", f"`{name}` {what}")
        elif name not in members and name in _REQUIRED:
            yield Issue(f"/{name}", "missing", f"a request has a `{name}`")
    for name in repeated:
        yield Issue(pointer([name]), "duplicate", f"`{name}` occurs twice")
    for name in members:
        if name not in _CHECKS:
            yield Issue(pointer([name]), "unknown", "a request has no such member")


def _not_a_request(issues: list[Issue], id: bytes = NULL) -> NotARequest:
    return NotARequest(Malformed("this is not a JSON-RPC 2.0 request", issues=tuple(issues)), id)


def _repeated(data: bytes) -> list[str]:
    """The names that the object has more than once, at its top."""
    counts = Counter(name for name, _ in _list_members(data.decode()))
    return [name for name, count in counts.items() if count > 1]
