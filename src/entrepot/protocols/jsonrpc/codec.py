"""JSON-RPC 2.0 messages as octets, and back (jsonrpc.org/specification, §4 to §6).

A message is taken apart here; what is inside `params`, `result` and `error.data` stays JSON text
for the operation's own codecs. An id is text too, so it goes back exactly as it came: `1.0`
stays `1.0`, and a number of 40 digits keeps them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.faults import TooLarge, UpstreamFailed
from entrepot.protocols.jsonrpc.explain import NotJson, is_id, is_structured, problem_of

_SPACE = b" \t\r\n"


class Request(msgspec.Struct, frozen=True):
    """A request object, its parts as JSON text."""

    method: str
    params: bytes
    """An object or an array; an empty object when the request has none."""
    id: bytes | None
    """As it was sent; None makes it a notification."""


class Error(msgspec.Struct, frozen=True):
    """An error object (§5.1)."""

    code: int
    message: str
    data: Raw = Raw(b"null")


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    # An unknown member is refused although the specification is silent about it: a misspelt
    # `params` would otherwise call the operation with no input at all.
    jsonrpc: Literal["2.0"]
    method: str
    params: Raw | UnsetType = UNSET
    id: Raw | UnsetType = UNSET


class _Reply(msgspec.Struct):
    # Unknown members are read over: whatever they say, the result is the result.
    jsonrpc: Literal["2.0"]
    id: Raw
    result: Raw | UnsetType = UNSET
    error: Error | UnsetType | None = UNSET


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_reply = msgspec.json.Decoder(_Reply).decode
_encode = msgspec.json.Encoder().encode


def check_text(data: bytes) -> None:
    """Raise `NotJson` unless the octets are UTF-8; what is kept as text is not looked at later."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise NotJson(f"octet {error.start} is not UTF-8") from None


def is_batch(data: bytes) -> bool:
    """Whether the text, if it is JSON at all, is an array."""
    return data.lstrip(_SPACE)[:1] == b"["


def array_splitter(length_max: int) -> Callable[[bytes], list[bytes]]:
    """A function that splits the text of a JSON array into the texts of its items.

    It stops at the first item too many, so its cost is bounded by `length_max` and not by the
    array. It raises `TooLarge` then, and `NotJson` when what it has read is not JSON.
    """
    fields = [(f"item_{index}", Raw | UnsetType, UNSET) for index in range(length_max)]
    array = msgspec.defstruct("Array", fields, array_like=True, forbid_unknown_fields=True)
    decode = msgspec.json.Decoder(array).decode

    def split(text: bytes) -> list[bytes]:
        try:
            items = decode(text)
        except msgspec.ValidationError:
            raise TooLarge(f"there are more than {length_max} items") from None
        except (msgspec.DecodeError, RecursionError) as error:
            raise NotJson(str(error)) from None
        return [bytes(item) for item in msgspec.structs.astuple(items) if item is not UNSET]

    return split


def decode_request(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Request:
    """One request object. Raises `NotJson`, or `NotARequest` with every issue and its pointer."""
    try:
        envelope = _decode_envelope(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise problem_of(data, limits) or NotJson(str(error)) from None
    params = bytes(envelope.params) if isinstance(envelope.params, Raw) else b""
    id = bytes(envelope.id) if isinstance(envelope.id, Raw) else b""
    if (
        (params and not is_structured(params))
        or (id and not is_id(id))
        # Nothing is shorter than what we write, so a text of that length has no room for a repetition.
        or (len(_encode(envelope)) != len(data) and _may_repeat_members(data, params, id))
    ):
        problem = problem_of(data, limits)
        if problem is not None:
            raise problem
    return Request(envelope.method, params or b"{}", id or None)


def _may_repeat_members(data: bytes, params: bytes, id: bytes) -> bool:
    """Whether a member might occur twice: false is certain, true asks for a closer look.

    Every name and every text has two quotation marks, so one member too many shows in their number
    outside of `params`, which costs far less than listing the members. Escapes spoil the count.
    """
    if data.count(b"\\") != params.count(b"\\"):
        return True
    named = 4 + 2 * bool(params) + 2 * bool(id)  # jsonrpc, method
    texts = 4 + 2 * (id[:1] == b'"')  # "2.0", the method's name
    return data.count(b'"') - params.count(b'"') != named + texts


def encode_request(method: str, params: bytes, id: int) -> bytes:
    """A request object with a number for its id."""
    return b'{"jsonrpc":"2.0","method":%b,"params":%b,"id":%d}' % (_encode(method), params, id)


def encode_result(result: bytes, id: bytes) -> bytes:
    """The response object of a call that succeeded."""
    return b'{"jsonrpc":"2.0","result":%b,"id":%b}' % (result, id)


def encode_error(error: Error, id: bytes) -> bytes:
    """The response object of a call that failed."""
    return b'{"jsonrpc":"2.0","error":%b,"id":%b}' % (_encode(error), id)


def encode_batch(replies: list[bytes]) -> bytes:
    """Several response objects as one array."""
    return b"[%b]" % b",".join(replies)


def decode_reply(data: bytes, id: int) -> bytes | Error:
    """The text of the result, or the error, of the request with this id.

    Raises `UpstreamFailed` when the octets are not the response object of that request.
    """
    try:
        check_text(data)
        reply = _decode_reply(data)
    except (NotJson, msgspec.DecodeError, RecursionError) as error:
        raise UpstreamFailed(f"the answer is not a JSON-RPC 2.0 response: {error}") from None
    text = bytes(reply.id)
    failure = reply.error if isinstance(reply.error, Error) else None
    result = bytes(reply.result) if isinstance(reply.result, Raw) else None
    if not _is_same_id(text, id) and not (failure is not None and text == b"null"):
        raise UpstreamFailed("the answer belongs to another request: its id is not the one that was sent")
    if failure is not None and result in (None, b"null"):
        return failure
    if failure is None and result is not None:
        return result
    raise UpstreamFailed("the answer holds a result and an error, or neither")


def _is_same_id(text: bytes, id: int) -> bool:
    if text == b"%d" % id:
        return True
    try:
        return bool(float(text) == id)  # some servers keep numbers as floats: 7.0
    except ValueError:
        return False
