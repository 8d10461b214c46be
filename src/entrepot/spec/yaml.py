"""YAML to plain JSON values, with the place of every key and value.

A loop over the parser's events, so that we decide what they mean: the core schema of YAML 1.2
(§10.3.2), under which `NO` is text and `0o10` is eight; exact decimals; keys that are always
text; no tags, no duplicate keys, one document; aliases, depth and size bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import yaml

from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.kit.pointers import pointer
from entrepot.spec import codes
from entrepot.spec.positions import COLUMN_BITS, FIRST, Node, Positions, line_and_column, place_of
from entrepot.spec.units import decimal


class YamlLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on one file."""

    bytes_max: int = 32 * 1024 * 1024
    depth_max: int = 200
    """Deepest nesting of maps and lists."""
    nodes_max: int = 1_000_000
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
        builder.read(content.decode("utf-8-sig"))
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


class _Stop(Exception):
    """Reading on makes no sense; the diagnostic is there."""


class _Open(msgspec.Struct):
    """A map or list that is being filled."""

    value: Any
    node: Node
    anchor: str | None
    first_node: int
    """How many values had been counted when it began."""
    first_octet: int
    """Where in the file it began, with what aliases had repeated until then."""
    is_map: bool
    nodes: list[Node | int]
    keys: list[int]
    """Both are the node's."""
    key: str | None = None


class _Anchored(msgspec.Struct):
    value: Any
    node: Node | int
    size: int
    """How many values it counts for."""
    octets: int
    """How much of a file it stands for."""


class _Builder:
    """Builds the value and its positions from events, and gathers what is wrong."""

    def __init__(self, file: str, limits: YamlLimits) -> None:
        self.value: Any = None
        self.root: Node = Node(place_of(1, 1))
        self.diagnostics: list[Diagnostic] = []
        self._file = file
        self._limits = limits
        self._stack: list[_Open] = []
        self._top: _Open | None = None
        self._anchors: dict[str, _Anchored] = {}
        self._count = 0
        self._repeated = 0
        self._documents = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            yaml.DocumentStartEvent: self._document,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: lambda event: self._open({}, event),
            yaml.SequenceStartEvent: lambda event: self._open([], event),
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
        }

    def read(self, text: str) -> None:
        """Takes all events. Raises `_Stop`, and what the parser raises."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        try:
            self._take(loader.get_event)
        finally:
            loader.dispose()

    def _take(self, next_event: Callable[[], Any]) -> None:
        """Nearly all events are plain keys and values: they are taken here, without a call."""
        top, handlers, kind_of_scalar, nodes_max = self._top, self._handlers, yaml.ScalarEvent, self._limits.nodes_max
        while (event := next_event()) is not None:
            kind = type(event)
            if kind is not kind_of_scalar:
                if kind in handlers:
                    handlers[kind](event)
                    top = self._top
                continue
            value = event.value
            if top is None or event.tag is not None or event.anchor is not None:
                self._scalar(event)
                continue
            mark = event.start_mark
            if top.is_map and (key := top.key) is None:
                if value in top.value or value == "<<":
                    self._look_at_key(top, event)
                top.key = value
                top.keys.append((mark.line << COLUMN_BITS) + mark.column + FIRST)
                continue
            if value[:1] in _NOT_ONLY_TEXT and not event.style:
                value = self._plain(value, mark)
            self._count += 1
            if self._count > nodes_max:
                self._refuse_size(mark)
            top.nodes.append((mark.line << COLUMN_BITS) + mark.column + FIRST)
            if top.is_map:
                top.value[key] = value
                top.key = None
            else:
                top.value.append(value)

    def diagnose(self, code: str, message: str, mark: Any, remedy: str) -> None:
        place = Place(self._file, mark.line + 1, mark.column + 1, self.pointer())
        self.diagnostics.append(Diagnostic(code, message, place, remedy))
        if len(self.diagnostics) >= self._limits.diagnostics_max:
            raise _Stop

    def pointer(self) -> str:
        """Where in the document the next event stands."""
        tokens = (frame.key if frame.is_map else len(frame.value) for frame in self._stack)
        return pointer(token for token in tokens if token is not None)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self.diagnose(
                codes.YAML_DOCUMENTS, "the file holds a second document", event.start_mark, "Remove the `---`."
            )
            raise _Stop

    def _scalar(self, event: Any) -> None:
        """A scalar that has more to it."""
        mark, value = event.start_mark, event.value
        self._refuse_tag(event)
        place = place_of(mark.line + 1, mark.column + 1)
        if self._top is not None and self._awaits_key():
            self._look_at_key(self._top, event)
            self._top.key = value
            self._top.keys.append(place)
            return
        if not event.style:
            value = self._plain(value, mark)
        self._add(value, place, event.anchor, 1, event.end_mark.index - mark.index, event)

    def _plain(self, text: str, mark: Any) -> Any:
        try:
            return plain_scalar(text, self._limits.digits_max)
        except ValueError as error:
            self.diagnose(codes.YAML_NUMBER, str(error), mark, "Put it in quotes if it is text.")
            return text

    def _look_at_key(self, top: _Open, event: Any) -> None:
        """Tells what is wrong with a key. Of two the second is taken."""
        key, mark = event.value, event.start_mark
        top.key = key
        if key == "<<" and not event.style:
            self.diagnose(codes.YAML_KEY, "the merge key `<<` is not part of YAML 1.2", mark, "Write the members out.")
        if key in top.value:
            index = list(top.value).index(key)
            line, _ = line_and_column(top.keys[index])
            del top.value[key], top.keys[index], top.nodes[index]
            message = f"the key `{key}` is given twice; the first is in line {line}"
            self.diagnose(codes.YAML_DUPLICATE, message, mark, "Keep one of them.")

    def _open(self, value: dict[str, Any] | list[Any], event: Any) -> None:
        self._refuse_structured_key(event)
        self._refuse_tag(event)
        mark = event.start_mark
        if len(self._stack) >= self._limits.depth_max:
            message = f"values are nested deeper than {self._limits.depth_max}"
            self.diagnose(codes.YAML_LIMIT, message, mark, "Nest less.")
            raise _Stop
        is_map = isinstance(value, dict)
        keys: list[int] = []
        nodes: list[Node | int] = []
        node = Node(place_of(mark.line + 1, mark.column + 1), value if is_map else None, nodes, keys)
        first_octet = mark.index + self._repeated
        self._top = _Open(value, node, event.anchor, self._count, first_octet, is_map, nodes, keys)
        self._stack.append(self._top)

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        self._top = self._stack[-1] if self._stack else None
        octets = event.end_mark.index + self._repeated - done.first_octet
        self._add(done.value, done.node, done.anchor, self._count - done.first_node + 1, octets, event)

    def _alias(self, event: Any) -> None:
        self._refuse_structured_key(event)
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            within = any(frame.anchor == event.anchor for frame in self._stack)
            reason = "stands inside what it repeats" if within else "has no anchor before it"
            remedy = (
                f"Write `&{event.anchor}` before the value that it shall repeat, or put it in quotes if it is text."
            )
            mark = event.start_mark
            self.diagnose(codes.YAML_ALIAS, f"the alias `*{event.anchor}` {reason}", mark, remedy)
            anchored = _Anchored(None, place_of(mark.line + 1, mark.column + 1), 1, 0)
        self._count += anchored.size - 1
        self._repeated += anchored.octets
        if self._repeated > self._limits.bytes_max:
            message = f"aliases repeat more than {self._limits.bytes_max} bytes"
            self.diagnose(codes.YAML_LIMIT, message, event.start_mark, "Repeat less by aliases.")
            raise _Stop
        self._add(anchored.value, anchored.node, None, anchored.size, anchored.octets, event)

    def _add(self, value: Any, node: Node | int, anchor: str | None, size: int, octets: int, event: Any) -> None:
        self._count += 1
        if self._count > self._limits.nodes_max:
            self._refuse_size(event.start_mark)
        if anchor is not None:
            self._anchors[anchor] = _Anchored(value, node, size, octets)
        top = self._top
        if top is None:
            self.value, self.root = value, node if isinstance(node, Node) else Node(node)
            return
        top.nodes.append(node)
        if top.is_map:
            top.value[top.key] = value
            top.key = None
        else:
            top.value.append(value)

    def _awaits_key(self) -> bool:
        return self._top is not None and self._top.is_map and self._top.key is None

    def _refuse_size(self, mark: Any) -> None:
        message = f"the file holds more than {self._limits.nodes_max} values"
        self.diagnose(codes.YAML_LIMIT, message, mark, "Divide it, or repeat less by aliases.")
        raise _Stop

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            self.diagnose(codes.YAML_TAG, f"the tag `{event.tag}` is not allowed", event.start_mark, "Remove the tag.")

    def _refuse_structured_key(self, event: Any) -> None:
        if self._awaits_key():
            remedy = "Write text before the colon; braces and brackets that are text belong in quotes."
            self.diagnose(codes.YAML_KEY, "a key must be plain text", event.start_mark, remedy)
            raise _Stop


_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NOT_ONLY_TEXT = frozenset("0123456789+-.") | {text[:1] for text in _CONSTANTS}
"""How scalars begin that may mean something else than text."""
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
        return decimal
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"`{text}` is not a number that JSON can carry")
    return None
