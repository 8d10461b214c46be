"""YAML to plain JSON values, with the place of every key and value.

A loop over the parser's events, so that we decide what they mean: the core schema of YAML 1.2
(§10.3.2), under which `NO` is text and `0o10` is eight; exact decimals; keys that are always
text; no tags, no duplicate keys, one document; aliases, depth and size bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import yaml

from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.kit.pointers import pointer
from entrepot.spec import codes
from entrepot.spec.positions import Member, Node, Positions


class YamlLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on one file."""

    bytes_max: int = 32 * 1024 * 1024
    depth_max: int = 200
    """Deepest nesting of maps and lists."""
    nodes_max: int = 2_000_000
    """Most values, those that aliases repeat counted each time."""
    digits_max: int = 1000
    """Most digits of one number."""
    diagnostics_max: int = 100
    """Most diagnostics for one file."""


DEFAULT_LIMITS = YamlLimits()


class Parsed(msgspec.Struct, frozen=True):
    """A file's plain value (dicts, lists, text, ints, Decimals, booleans, None) and where it stands."""

    value: Any
    positions: Positions
    diagnostics: tuple[Diagnostic, ...] = ()
    """What is wrong with it, where it can be read all the same."""


def read(content: bytes, file: str, limits: YamlLimits = DEFAULT_LIMITS) -> Parsed:
    """The only document of a YAML file; None when it is empty. Raises `Refused` with all that is wrong."""
    parsed = parse(content, file, limits)
    if parsed.diagnostics:
        raise Refused(parsed.diagnostics)
    return parsed


def parse(content: bytes, file: str, limits: YamlLimits = DEFAULT_LIMITS) -> Parsed:
    """The same, with what is wrong beside a value that is whole. Raises `Refused` when it is not."""
    if len(content) > limits.bytes_max:
        raise Refused([_too_large(file, limits)])
    builder = _Builder(file, limits)
    try:
        for event in _events(content.decode("utf-8-sig")):
            builder.take(event)
    except UnicodeDecodeError as error:
        raise Refused([*builder.diagnostics, _not_utf8(error, file)]) from None
    except yaml.YAMLError as error:
        diagnostic = _syntax(error, content.decode("utf-8-sig"), file)
        place = msgspec.structs.replace(diagnostic.place, pointer=builder.pointer())
        raise Refused([*builder.diagnostics, msgspec.structs.replace(diagnostic, place=place)]) from None
    except _Stop:
        raise Refused(builder.diagnostics) from None
    return Parsed(builder.value, Positions(file, builder.root), tuple(builder.diagnostics))


def _too_large(file: str, limits: YamlLimits) -> Diagnostic:
    message = f"the file is longer than {limits.bytes_max} bytes"
    return Diagnostic(codes.YAML_LIMIT, message, Place(file, 1, 1), "Divide it, or keep generated data elsewhere.")


def _not_utf8(error: UnicodeDecodeError, file: str) -> Diagnostic:
    message = f"the file is not UTF-8: byte {error.start} is {error.object[error.start]:#x}"
    before = error.object[: error.start].decode(errors="replace")
    return Diagnostic(codes.YAML_SYNTAX, message, _place_after(before, file), "Save the file as UTF-8.")


def _syntax(error: yaml.YAMLError, text: str, file: str) -> Diagnostic:
    if isinstance(error, yaml.MarkedYAMLError):
        context = f" {error.context}" if error.context else ""
        mark = error.problem_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        message, remedy = (
            f"{error.problem}{context}",
            "Put text that holds `: `, ` #` or a bracket in quotes; indent by spaces.",
        )
    else:
        place = _place_after(text[: getattr(error, "position", 0)], file)
        message, remedy = (
            getattr(error, "reason", str(error)),
            "Remove the character, or write it as an escape in double quotes.",
        )
    return Diagnostic(codes.YAML_SYNTAX, message, place, remedy)


def _place_after(before: str, file: str) -> Place:
    """Where the character stands that follows this text."""
    return Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _events(text: str) -> Iterator[Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


class _Stop(Exception):
    """Reading on makes no sense; the diagnostic is there."""


class _Open(msgspec.Struct):
    """A map or list that is being filled."""

    value: dict[str, Any] | list[Any]
    node: Node
    anchor: str | None
    first_node: int
    """How many values had been counted when it began."""
    key: str | None = None
    key_line: int = 0
    key_column: int = 0


class _Anchored(msgspec.Struct):
    value: Any
    node: Node
    size: int
    """How many values it counts for."""


class _Builder:
    """Builds the value and its positions from events, and gathers what is wrong."""

    def __init__(self, file: str, limits: YamlLimits) -> None:
        self.value: Any = None
        self.root = Node(1, 1)
        self.diagnostics: list[Diagnostic] = []
        self._file = file
        self._limits = limits
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._count = 0
        self._documents = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            yaml.DocumentStartEvent: self._document,
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: lambda event: self._open({}, event),
            yaml.SequenceStartEvent: lambda event: self._open([], event),
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
        }

    def take(self, event: Any) -> None:
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def diagnose(self, code: str, message: str, mark: Any, remedy: str) -> None:
        place = Place(self._file, mark.line + 1, mark.column + 1, self.pointer())
        self.diagnostics.append(Diagnostic(code, message, place, remedy))
        if len(self.diagnostics) >= self._limits.diagnostics_max:
            raise _Stop

    def pointer(self) -> str:
        """Where in the document the next event stands."""
        tokens = (len(frame.value) if isinstance(frame.value, list) else frame.key for frame in self._stack)
        return pointer(token for token in tokens if token is not None)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self.diagnose(
                codes.YAML_DOCUMENTS, "the file holds a second document", event.start_mark, "Remove the `---`."
            )
            raise _Stop

    def _scalar(self, event: Any) -> None:
        if self._awaits_key():
            self._set_key(event)
            return
        self._refuse_tag(event)
        value = event.value
        if not event.style:
            try:
                value = plain_scalar(value, self._limits.digits_max)
            except ValueError as error:
                self.diagnose(codes.YAML_NUMBER, str(error), event.start_mark, "Put it in quotes if it is text.")
        self._add(value, _node(event), event.anchor, 1, event)

    def _set_key(self, event: Any) -> None:
        top = self._stack[-1]
        top.key, top.key_line, top.key_column = event.value, event.start_mark.line + 1, event.start_mark.column + 1
        self._refuse_tag(event)
        if event.value == "<<" and not event.style:
            self.diagnose(
                codes.YAML_KEY, "the merge key `<<` is not part of YAML 1.2", event.start_mark, "Write the members out."
            )
        if event.value in top.value:
            first = top.node.members[event.value]
            message = f"the key `{event.value}` is given twice; the first is in line {first.line}"
            self.diagnose(codes.YAML_DUPLICATE, message, event.start_mark, "Keep one of them.")

    def _open(self, value: dict[str, Any] | list[Any], event: Any) -> None:
        self._refuse_structured_key(event)
        self._refuse_tag(event)
        if len(self._stack) >= self._limits.depth_max:
            message = f"values are nested deeper than {self._limits.depth_max}"
            self.diagnose(codes.YAML_LIMIT, message, event.start_mark, "Nest less.")
            raise _Stop
        self._stack.append(_Open(value, _node(event), event.anchor, self._count))

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        self._add(done.value, done.node, done.anchor, self._count - done.first_node + 1, event)

    def _alias(self, event: Any) -> None:
        self._refuse_structured_key(event)
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            within = any(frame.anchor == event.anchor for frame in self._stack)
            reason = "stands inside what it repeats" if within else "has no anchor before it"
            remedy = (
                f"Write `&{event.anchor}` before the value that it shall repeat, or put it in quotes if it is text."
            )
            self.diagnose(codes.YAML_ALIAS, f"the alias `*{event.anchor}` {reason}", event.start_mark, remedy)
            anchored = _Anchored(None, _node(event), 1)
        self._count += anchored.size - 1
        self._add(anchored.value, anchored.node, None, anchored.size, event)

    def _add(self, value: Any, node: Node, anchor: str | None, size: int, event: Any) -> None:
        self._count += 1
        if self._count > self._limits.nodes_max:
            message = f"the file holds more than {self._limits.nodes_max} values"
            self.diagnose(codes.YAML_LIMIT, message, event.start_mark, "Divide it, or repeat less by aliases.")
            raise _Stop
        if anchor is not None:
            self._anchors[anchor] = _Anchored(value, node, size)
        if not self._stack:
            self.value, self.root = value, node
            return
        top = self._stack[-1]
        if isinstance(top.value, list):
            top.node.members[str(len(top.value))] = Member(node.line, node.column, node)
            top.value.append(value)
        elif top.key is not None:
            top.node.members[top.key] = Member(top.key_line, top.key_column, node)
            top.value[top.key] = value
            top.key = None

    def _awaits_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            self.diagnose(codes.YAML_TAG, f"the tag `{event.tag}` is not allowed", event.start_mark, "Remove the tag.")

    def _refuse_structured_key(self, event: Any) -> None:
        if self._awaits_key():
            remedy = "Write text before the colon; braces and brackets that are text belong in quotes."
            self.diagnose(codes.YAML_KEY, "a key must be plain text", event.start_mark, remedy)
            raise _Stop


def _node(event: Any) -> Node:
    return Node(event.start_mark.line + 1, event.start_mark.column + 1)


EXPONENT_MAX = 1000
"""Largest power of ten of a number, either way."""

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def plain_scalar(text: str, digits_max: int = DEFAULT_LIMITS.digits_max) -> Any:
    """What an unquoted scalar means (YAML 1.2.2, §10.3.2). Raises ValueError on a number without a JSON form."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "0123456789+-.":
        return text
    number = _number_kind(text)
    if number is None:
        return text
    if len(text) > digits_max:
        raise ValueError(f"the number has more than {digits_max} digits")
    return number(text)


def _number_kind(text: str) -> Callable[[str], int | Decimal] | None:
    if _INTEGER.fullmatch(text):
        return int
    if _PREFIXED.fullmatch(text):
        return lambda digits: int(digits, 0)
    if _DECIMAL.fullmatch(text):
        return _decimal
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"`{text}` is not a number that JSON can carry")
    return None


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except ArithmeticError:  # an exponent that no Decimal holds
        number = None
    if number is None or abs(number.adjusted()) > EXPONENT_MAX:
        raise ValueError(f"the exponent of the number passes {EXPONENT_MAX}")
    return number
