"""The parameters and the body of an OpenAPI operation as the fields of its input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from entrepot.http.media_types import essence, is_json
from entrepot.kit import names
from entrepot.model import shape
from entrepot.model.shape import Field, Record, Shape
from entrepot.protocols.rest.binding.bound import (
    ASKS,
    BODILESS,
    JSON,
    MULTIPART,
    MULTIPARTS,
    NDJSON,
    OCTETS,
    URLENCODED,
    Style,
    Where,
    null_is_absence,
)
from entrepot.protocols.rest.binding.check import misnamed
from entrepot.protocols.rest.binding.notations import notation_of, unfit_as_part
from entrepot.protocols.rest.binding.places import is_flat, is_memberwise, is_upload, style_of
from entrepot.protocols.rest.openapi import media, words
from entrepot.protocols.rest.openapi.document import Content, Dialect, Parameter, item_schema, list_style
from entrepot.protocols.rest.openapi.examples import ExampleImport
from entrepot.protocols.rest.openapi.names import attribute_name, field_name
from entrepot.protocols.rest.openapi.octets import octets_of
from entrepot.shapes import text
from entrepot.shapes.document import NOTHING, Node, Refusal, Unreadable
from entrepot.shapes.schema_words import OURS
from entrepot.shapes.schemas import Schemas

_HEADERS_IGNORED = frozenset(("accept", "content-type"))
"""Header parameters that OpenAPI says are to be ignored (3.1, §4.8.12.1). Authorization is one
too, but where a document declares it no other way is left to send it."""
_PREFIXED = ("label", "matrix")
"""Styles that write more than the value, even of a scalar (OpenAPI 3.1, §4.8.12.3)."""
_DELIMITED = (*_PREFIXED, "comma", "space", "pipe")
"""Styles that put the parts of a list or an object in one text."""
_HEADERS_OF_A_PART = ("content-type", "content-disposition", "content-transfer-encoding")
"""Those that every part has, or that say how it is sent (RFC 7578, §4)."""
_CONDITIONS = ("if-match", "if-none-match")
_TRACE = "traceparent"
"""The trace of a call goes on through us; a parameter would begin another."""
_HEADERS_OF_THE_CONNECTION = frozenset(
    (
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade",
        "expect", "accept-encoding",
    )
)  # fmt: skip
"""Those that say how the message itself is sent, which is never the caller's to choose."""

_OF_THE_EDGE = "x-forwarded-"
"""How headers begin that tell who calls, and by which way. Of a caller the edge believes none."""

_WHERE: dict[str, Where] = {"path": "path", "query": "query", "header": "header", "cookie": "cookie"}


class InputImport:
    """Gathers the fields of one operation, and where each stands."""

    def __init__(self, schemas: Schemas, dialect: Dialect, examples: ExampleImport) -> None:
        self._schemas = schemas
        self._dialect = dialect
        self._names: dict[str, int] = {}
        self._attributes: dict[str, int] = {}
        self.places: dict[str, dict[str, Any]] = {}
        """By field: where it stands, and under which name."""
        self._accepts: list[str] = []
        self._is_object = False
        self._conditions = False
        self._asks: dict[str, bool] = {}
        self.fields: list[Field] = []
        self.extras: Literal["drop", "forbid", "keep"] = "drop"
        self.stream: Shape | None = None
        self.gaps: list[Refusal] = []
        self._examples = examples

    def binding(self) -> dict[str, Any]:
        """What REST must know of the input."""
        body = "object" if self._is_object else ""
        said = {
            "parameters": self.places, "accepts": self._accepts, "body": body, "conditions": self._conditions,
            **self._asks,
        }  # fmt: skip
        return {key: value for key, value in said.items() if value}

    def read_parameters(self, item: Node, operation: Node) -> None:
        """Takes the parameters outside the body. Raises `Unreadable` for a required one that cannot be carried."""
        for parameter in self._dialect.parameters(item, operation):
            asks = parameter.node[OURS][words.ASKS].text
            if asks in ASKS:
                self._asks[asks] = True
            if asks in ASKS or (parameter.where == "header" and self._is_no_field(parameter.name.lower())):
                continue
            try:
                self._read_parameter(parameter)
            except Unreadable as unreadable:
                if parameter.required:
                    raise
                self._leave_out(f"parameter {parameter.name} in {parameter.where}", unreadable)

    def _is_no_field(self, header: str) -> bool:
        """Whether a header is carried otherwise; the conditions on versions are, by the call's context."""
        if header in _CONDITIONS:
            self._conditions = True
            return True
        return header == _TRACE or header in _HEADERS_IGNORED or header in _HEADERS_OF_THE_CONNECTION

    def read_path(self, path: str) -> None:
        """Takes the variables of the path that no parameter declares; they are text."""
        declared = {place["name"] for place in self.places.values() if place["in"] == "path"}
        for name in names.PATH_VARIABLE.findall(path):
            if name not in declared:
                self._add(Field(name=name, shape=shape.Text(length_min=1)), "path", style="scalar")

    def _leave_out(self, construct: str, unreadable: Unreadable) -> None:
        self.gaps.append(unreadable.refusal(construct))

    def _read_parameter(self, parameter: Parameter) -> None:
        node = parameter.node
        where = _WHERE.get(parameter.where)
        if where is None or not parameter.name:
            raise node.unreadable(f"a parameter in {parameter.where or 'nowhere'} has no place in a request")
        if node["style"].text in _PREFIXED and parameter.style is None:
            raise node.unreadable(f"the style {node['style'].text} belongs to paths")
        if problem := misnamed(where, parameter.name):
            raise node.unreadable(problem)
        if where == "header" and parameter.name.lower().startswith(_OF_THE_EDGE):
            raise node.unreadable("who calls, and how, is the edge's to say; of a caller it believes no such header")
        required = parameter.required or node[OURS][words.REQUIRED].is_true
        field = self._schemas.field(parameter.name, parameter.schema, node, required=required)
        reserved = (
            {"reserved": True} if where == "query" and node["allowReserved"].is_true and not node["content"] else {}
        )
        members = self._exploded(field, parameter)
        for each in members:
            self._add_as_text(each, where, parameter.style, NOTHING, how=reserved)
        if not members:
            empty = where == "query" and node["allowEmptyValue"].is_true and parameter.style != "json"
            how = reserved | ({"empty": True} if empty else {})
            field = self._perhaps_empty(field) if empty else field
            self._add_as_text(field, where, parameter.style, node, explode=parameter.explode, how=how)
        self._take_examples(parameter, where, bool(members))

    def _perhaps_empty(self, field: Field) -> Field:
        """The field; null is what a name without a value says of one that has no other word for it."""
        types = self._schemas.types
        resolved = self._schemas.resolved(field.shape)
        if not text.has_text_form(resolved, types) or isinstance(resolved, shape.Nullable):
            return field
        if text.may_be_empty(resolved, types):
            return field
        return msgspec.structs.replace(field, shape=shape.Nullable(shape=field.shape))

    def _take_examples(self, parameter: Parameter, where: Where, exploded: bool) -> None:
        node, name = parameter.node, self.fields[-1].name
        said = next((each for _, each in node["content"].members()), node)
        self._examples.take_input(said, lambda value: self._by_field(value, where) if exploded else {name: value})

    def _by_field(self, value: Any, where: Where) -> dict[str, Any]:
        """The members of an object that stand each for themselves, by the names of their fields."""
        names = {place["name"]: name for name, place in self.places.items() if place["in"] == where}
        members = value.items() if isinstance(value, Mapping) else ()
        return {names[wire]: each for wire, each in members if wire in names}

    def _exploded(self, field: Field, parameter: Parameter) -> list[Field]:
        """The members of an object whose style makes each a parameter of its own (OpenAPI 3.1, §4.8.12.3)."""
        record = shape.unwrap(field.shape, self._schemas.types)
        in_form = parameter.style == "repeat" and parameter.node["style"].text in ("", "form")
        if parameter.where not in ("query", "cookie") or not in_form or not isinstance(record, Record):
            return []
        taken = {place["name"] for place in self.places.values() if place["in"] == parameter.where}
        members = [each for each in record.fields if style_of(each.shape, self._schemas.types) != "json"]
        if record.extras == "keep" or len(members) < len(record.fields) or taken & {each.name for each in members}:
            return []
        if problem := next(filter(None, (misnamed(parameter.where, each.name) for each in members)), ""):
            raise parameter.node.unreadable(problem)
        return [msgspec.structs.replace(each, required=field.required and each.required) for each in members]

    def _add_as_text(
        self, field: Field, where: Where, style: Style | None, node: Node, *, explode: bool = False,
        how: Mapping[str, Any] = {},
    ) -> None:  # fmt: skip
        """Adds a field that stands as text, in the style of its place."""
        types = self._schemas.types
        if isinstance(self._schemas.resolved(field.shape), shape.Anything) and style != "json":
            field = msgspec.structs.replace(field, shape=shape.Text())
        by_absence = where in ("header", "cookie", "part") and null_is_absence(field)
        writes_null = where in ("query", "form") or by_absence
        if not writes_null and isinstance(self._schemas.resolved(field.shape), shape.Nullable):
            # There is no way to write null here, whatever the schema says.
            field = msgspec.structs.replace(field, shape=shape.unwrap(field.shape, types))
        natural = style_of(field.shape, types)
        if style == "deep" and natural != "scalar" and not is_memberwise(field.shape, types):
            raise node.unreadable(
                "an object with members of any type, or within itself, is not carried in the style deepObject"
            )
        if style not in ("deep", "json") and natural == "json":
            if text.has_text_form(field.shape, types):
                natural = "scalar"
            elif style not in _DELIMITED:
                raise node.unreadable("an object that is no JSON `content` is not carried in this style")
            elif not is_flat(field.shape, types):
                raise node.unreadable("an object with members that are no texts is not carried in this style")
        if natural == "repeat" and style is None:
            raise node.unreadable("a list in this style is not carried")
        written = style if style in _PREFIXED or not (style is None or natural == "scalar") else natural
        if explode and written in _DELIMITED and natural != "scalar" and (natural == "json" or written != "comma"):
            how = {**how, "explode": True}
        self._add(field, where, node[OURS], None if where == "form" and written == natural else written, how)

    def _add(
        self, field: Field, where: Where, said: Node = NOTHING, style: Style | None = None, how: Mapping[str, Any] = {}
    ) -> None:
        """Adds a field under its name on the wire, which it may lose for a name of its own, where ours is said."""
        wire = field.name
        name = names.unique(said[words.NAME].text or field_name(wire), self._names)
        attribute = said[words.PYTHON].text or field.python or attribute_name(wire)
        attribute = names.unique(attribute, self._attributes)
        self.fields.append(msgspec.structs.replace(field, name=name, python="" if attribute == name else attribute))
        self.places[name] = {"in": where, "name": wire, **({} if style is None else {"style": style}), **how}

    def read_body(self, item: Node, operation: Node, method: str) -> None:
        """Takes the request body. Raises `Unreadable` when it cannot be carried."""
        content = self._dialect.body(item, operation)
        if content is None or not content.media_types:
            return
        if method in BODILESS:
            unreadable = content.node.unreadable(f"the body of a {method} request means nothing (RFC 9110, §9.3.1)")
            if content.required:
                raise unreadable
            self._leave_out("request body", unreadable)
            return
        found = media.by_name(content.media_types)
        if operation[OURS][words.BULK].is_true:
            found.pop(NDJSON, None)
        of_values, gaps = media.of_values({name: found[name] for name in found if name != NDJSON}, self._schemas)
        forms = media.of_one_schema([name for name in (URLENCODED, *MULTIPARTS) if name in found], found)
        if NDJSON in found and item_schema(found[NDJSON], NDJSON):
            self.stream = self._schemas.shape(item_schema(found[NDJSON], NDJSON))
            self._accepts = [NDJSON]
        elif of_values:
            self._read_value(found[of_values[0]], content, in_json=notation_of(of_values[0]) == "json")
            kept, gaps = media.alike(of_values, found, self._body(), self._schemas.types)
            self._accepts = list(kept)
        elif forms and not content.node[OURS][words.FIELD]:
            self._accepts = forms
            of_form = found[forms[0]]
            self._read_form(of_form, content)
            self._examples.take_input(of_form, lambda value: self._by_field(value, "form"))
        else:
            self._accepts = list(found)
            self._read_octets(content)
            self.gaps += media.unnamed(found)
        self.gaps += [*gaps, *media.others(self._accepts, found, gaps)]
        if self.stream is not None:
            self._accepts = []

    def _body(self) -> Shape:
        """What the body is of which all is read."""
        in_body = [field for field in self.fields if self.places[field.name]["in"] == "body"]
        return Record(fields=tuple(in_body)) if self._is_object else in_body[0].shape

    def _read_value(self, said: Node, content: Content, *, in_json: bool) -> None:
        schema = said.raw("schema")
        if content.node[OURS][words.FIELDS]:
            self._is_object = True
            self._read_fields(self._record_of(schema), "body", NOTHING, content)
            self._examples.take_input(said if in_json else NOTHING, lambda value: self._by_field(value, "body"))
        else:
            self._add_whole(self._whole(schema, content), content)
            name = self.fields[-1].name
            self._examples.take_input(said if in_json else NOTHING, lambda value: {name: value})

    def _whole(self, schema: Node, content: Content) -> Field:
        own = content.node[OURS][words.FIELD][words.NAME].text
        return self._schemas.field(own or "body", schema, content.node, required=content.required)

    def _add_whole(self, field: Field, content: Content) -> None:
        self._add(field, "body", content.node[OURS][words.FIELD])

    def _record_of(self, schema: Node) -> Record:
        record = self._schemas.record(schema)
        if record is None:
            raise schema.unreadable("a form is an object with properties")
        return record

    def _read_fields(self, record: Record, where: Where, encoding: Node, content: Content) -> None:
        """Each member of a shared body as a field of its own."""
        self.extras = record.extras
        renamed, types = content.node[OURS][words.FIELDS], self._schemas.types
        for field in record.fields:
            own_name = renamed[field.name].text or field.name
            identity = {words.NAME: own_name, words.PYTHON: field.attribute}
            label = _label(encoding[field.name]) if where == "form" else ""
            how = {"media_type": label} if label and not is_upload(field.shape, types) else {}
            style = None if label and style_of(field.shape, types) == "json" else _encoded_style(encoding[field.name])
            self._add(field, where, encoding.part(identity), style, how)
            if where == "form":
                self._read_part_headers(field, encoding[field.name]["headers"])

    def _read_form(self, said: Node, content: Content) -> None:
        record = self._record_of(said.raw("schema"))
        if content.node[OURS][words.FIELDS]:
            self._read_fields(record, "form", said["encoding"], content)
            return
        for field in record.fields:
            try:
                self._read_form_field(field, said)
            except Unreadable as unreadable:
                if field.required:
                    raise
                self._leave_out(f"field {field.name} of the form", unreadable)

    def _read_form_field(self, field: Field, said: Node) -> None:
        property_, encoding = said["schema"]["properties"][field.name], said["encoding"][field.name]
        types = self._schemas.types
        label = _label(encoding) if self._accepts[0] in MULTIPARTS else ""
        how = {"media_type": label} if label else {}
        if is_upload(field.shape, types):
            self._add(_of_types(field, encoding["contentType"].text, types), "form", property_[OURS])
        elif self._accepts[0] in MULTIPARTS and style_of(field.shape, types) == "json":
            if reason := unfit_as_part(label or JSON, field.shape, types):
                raise encoding.unreadable(f"it has no form in {label}: {reason}")
            self._add(field, "form", property_[OURS], None, how)
        else:
            # What is no scalar and no list of them is JSON, unless its encoding says otherwise (3.1, §4.8.15.1).
            usual: Style = "json" if style_of(field.shape, types) == "json" else "repeat"
            self._add_as_text(field, "form", _encoded_style(encoding) or usual, property_, how=how)
        self._read_part_headers(field, encoding["headers"])

    def _read_part_headers(self, of: Field, headers: Node) -> None:
        """The headers of a part, each a field of its own; a part that may be absent requires none."""
        for name, node in headers.members():
            if name.lower() in _HEADERS_OF_A_PART:
                continue
            header = self._dialect.header(name, node)
            try:
                if URLENCODED in self._accepts:
                    raise node.unreadable("an urlencoded form has no headers of parts")
                if isinstance(shape.unwrap(of.shape, self._schemas.types), shape.List):
                    raise node.unreadable("of a list there are several parts, each of which may have another")
                if problem := misnamed("part", name):
                    raise node.unreadable(problem)
                required = (header.required or node[OURS][words.REQUIRED].is_true) and of.required
                field = self._schemas.field(name, header.schema, node, required=required)
                self._add_as_text(field, "part", header.style, node, how={"part": of.name})
            except Unreadable as unreadable:
                if header.required:
                    raise
                self._leave_out(f"header {name} of the part {of.name}", unreadable)

    def _read_octets(self, content: Content) -> None:
        media_type = next(iter(content.media_types))
        schema = content.media_types[media_type].raw("schema")
        if content.node[OURS][words.FIELD]:
            if MULTIPART in self._accepts:  # the form says what becomes of other fields
                self.extras = self._record_of(content.media_types[MULTIPART].raw("schema")).extras
            self._add_whole(self._whole(schema, content), content)
            return
        part = octets_of(self._accepts)
        self._add_whole(
            Field(name="body", shape=part, required=content.required, docs=content.node["description"].text), content
        )


def _encoded_style(encoding: Node) -> Style | None:
    """How a field of a form is written by its encoding (OpenAPI 3.1, §4.8.15); None where that is as usual."""
    if is_json(essence(encoding["contentType"].text)):
        return "json"
    style = list_style("query", encoding["style"].text, encoding["explode"].value)
    return None if style == "repeat" else style


def _label(encoding: Node) -> str:
    """How a part is labelled, where that is one media type and not the usual one of JSON or of text."""
    said = encoding["contentType"].text
    return "" if essence(said) in (JSON, "text/plain", "") or "," in said or "*" in said else essence(said)


def _of_types(field: Field, content_type: str, types: shape.Types) -> Field:
    """A field of files, of these media types."""
    listed = tuple(essence(each) for each in content_type.split(",") if each.strip())
    inner = shape.resolve(field.shape, types)
    file = shape.resolve(inner.item, types) if isinstance(inner, shape.List) else inner
    if not isinstance(file, shape.File) or file.media_types or not listed or listed in (("*/*",), (OCTETS,)):
        return field
    typed: Shape = msgspec.structs.replace(file, media_types=listed)
    typed = msgspec.structs.replace(inner, item=typed) if isinstance(inner, shape.List) else typed
    return msgspec.structs.replace(field, shape=typed)
