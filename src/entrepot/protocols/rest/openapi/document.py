"""An OpenAPI document by its parts, whichever version it is written in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from entrepot.http.media_types import is_json
from entrepot.ports.servers import server_url
from entrepot.protocols.rest.binding.bound import EVENT_STREAM, JSON, MULTIPART, URLENCODED, Style
from entrepot.shapes.document import NOTHING, Document, Node, Tree
from entrepot.shapes.schema_words import ITEM_SCHEMA


class Parameter(NamedTuple):
    """A parameter outside the body."""

    name: str
    where: str
    schema: Node
    style: Style | None
    """How a list is written; None when it is not a way we know."""
    required: bool
    node: Node
    explode: bool = False
    """Whether each part of it stands for itself."""


class Content(NamedTuple):
    """What a body may be: by media type, its schema (perhaps empty) and the media type's own node."""

    media_types: Mapping[str, Node]
    required: bool
    node: Node


class OpenApi3:
    """OpenAPI 3.0, 3.1 and 3.2."""

    def __init__(self, root: Node) -> None:
        self.root = root

    def server_url(self) -> str:
        """The first server, its variables at their defaults."""
        return server_url(self.root["servers"])

    def parameters(self, item: Node, operation: Node) -> list[Parameter]:
        """The parameters of an operation; its own go before its path's."""
        found = {}
        for node in [*item["parameters"].items(), *operation["parameters"].items()]:
            parameter = self._parameter(node)
            found[(parameter.where, parameter.name)] = parameter
        return list(found.values())

    def _parameter(self, node: Node) -> Parameter:
        return self._as_parameter(node["name"].text, node["in"].text, node)

    def header(self, name: str, node: Node) -> Parameter:
        """A header of a response, which says the same as a parameter there."""
        return self._as_parameter(name, "header", node)

    def _as_parameter(self, name: str, where: str, node: Node) -> Parameter:
        content = node["content"]
        if content:
            media_type = next((name for name, _ in content.members()), "")
            schema = content[media_type].raw("schema")
            style: Style | None = "json" if is_json(media_type) else None
        else:
            schema, style = node.raw("schema"), list_style(where, node["style"].text, node["explode"].value)
        required = node["required"].is_true or where == "path"
        return Parameter(name, where, schema, style, required, node, node["explode"].is_true)

    def body(self, _item: Node, operation: Node) -> Content | None:
        """The request body, if there is one."""
        body = operation["requestBody"]
        return Content(_content(body["content"]), body["required"].is_true, body) if body else None

    def reply(self, response: Node, _operation: Node) -> Content:
        """The body of a response."""
        return Content(_content(response["content"]), False, response)


class Swagger2:
    """Swagger 2.0."""

    def __init__(self, root: Node) -> None:
        self.root = root

    def server_url(self) -> str:
        """The host with the first scheme, and the base path."""
        host, base_path = self.root["host"].text, self.root["basePath"].text
        if not host:
            return base_path
        schemes = [scheme.text for scheme in self.root["schemes"].items()]
        return f"{schemes[0] if schemes else 'https'}://{host}{base_path}"

    def parameters(self, item: Node, operation: Node) -> list[Parameter]:
        """The parameters of an operation that are not of its body."""
        every = self._all(item, operation)
        return [self._parameter(node) for node in every if node["in"].text not in ("body", "formData")]

    def header(self, name: str, node: Node) -> Parameter:
        """A header of a response, which may always be left out."""
        return Parameter(name, "header", _parameter_schema(node), "comma", False, node)

    def _parameter(self, node: Node) -> Parameter:
        style = _COLLECTIONS.get(node["collectionFormat"].text or "csv")
        where = node["in"].text
        required = node["required"].is_true or where == "path"
        return Parameter(node["name"].text, where, _parameter_schema(node), style, required, node)

    def body(self, item: Node, operation: Node) -> Content | None:
        """The request body, if there is one; a form is made an object of its fields."""
        every = self._all(item, operation)
        consumed = self._media_types("consumes", operation)
        body = next((node for node in every if node["in"].text == "body"), None)
        if body is not None:
            return Content({name: _media(body.raw("schema")) for name in consumed}, body["required"].is_true, body)
        fields = [node for node in every if node["in"].text == "formData"]
        if not fields:
            return None
        forms = [name for name in consumed if name in (URLENCODED, MULTIPART)]
        has_file = any(node["type"].text == "file" for node in fields)
        forms = forms or [MULTIPART if has_file else URLENCODED]
        required = [node["name"].text for node in fields if node["required"].is_true]
        properties = {node["name"].text: _parameter_schema(node).value for node in fields}
        schema = {"type": "object", "properties": properties, "required": required}
        encoding = {node["name"].text: _encoding(node) for node in fields if node["type"].text == "array"}
        media = {"schema": schema, "encoding": encoding}
        node = operation.part(media, f"{operation.pointer}/parameters")
        return Content(dict.fromkeys(forms, node), bool(required), operation)

    def reply(self, response: Node, operation: Node) -> Content:
        """The body of a response. One without a schema has none, unless the operation says what it produces."""
        schema = response.raw("schema")
        own = operation["produces"]
        if not schema and not own:
            return Content({}, False, response)
        produced = self._media_types("produces", operation)
        return Content({name: _media(schema, response["examples"].raw(name)) for name in produced}, False, response)

    def _all(self, item: Node, operation: Node) -> list[Node]:
        found = {}
        for node in [*item["parameters"].items(), *operation["parameters"].items()]:
            found[(node["in"].text, node["name"].text)] = node
        return list(found.values())

    def _media_types(self, member: str, operation: Node) -> list[str]:
        listed = operation[member] or self.root[member]
        return [media_type.text for media_type in listed.items() if media_type.text] or [JSON]


def _encoding(node: Node) -> dict[str, Any]:
    """How a list in a form of Swagger 2.0 is written, as OpenAPI 3 says it."""
    style = {"ssv": "spaceDelimited", "pipes": "pipeDelimited"}.get(node["collectionFormat"].text, "form")
    return {"style": style, "explode": node["collectionFormat"].text == "multi"}


Dialect = OpenApi3 | Swagger2

_COLLECTIONS: Mapping[str, Style] = {"csv": "comma", "ssv": "space", "pipes": "pipe", "multi": "repeat"}


_NOT_OF_SCHEMA = ("name", "in", "required", "allowEmptyValue")
_TYPE_NAMES = {"int": "integer", "float": "number", "bool": "boolean"}
"""Types as documents in the wild call them."""


def _parameter_schema(node: Node) -> Node:
    """A Swagger 2.0 parameter as the schema that it also is."""
    value = node.value if isinstance(node.value, Mapping) else {}
    schema = {key: said for key, said in value.items() if key not in _NOT_OF_SCHEMA}
    type_name = schema.get("type")
    if isinstance(type_name, str) and type_name in _TYPE_NAMES:
        schema["type"] = _TYPE_NAMES[type_name]
    return node.part(schema)


def dialect_of(document: Document) -> Dialect | None:
    """How to read a document; None when it is none of OpenAPI 3.0, 3.1, 3.2 and Swagger 2.0."""
    content = document.content
    if not isinstance(content, Mapping):
        return None
    root = Node(Tree.of(document), content)
    if str(content.get("openapi", "")).startswith(("3.0", "3.1", "3.2")):
        return OpenApi3(root)
    return Swagger2(root) if str(content.get("swagger", "")) == "2.0" else None


def responses_of(operation: Node) -> dict[str, Node]:
    """By code: the responses of an operation, references not followed, so that one costs itself alone."""
    responses = operation["responses"]
    codes = responses.value if isinstance(responses.value, Mapping) else ()
    return {str(code): responses.raw(code) for code in codes}


def status_of(code: str, otherwise: int) -> int:
    """The status that a response is listed under."""
    return int(code) if len(code) == 3 and code.isdigit() else otherwise


def list_style(where: str, style: str, explode: Any) -> Style | None:
    """How what is no scalar is written (OpenAPI 3.1, §4.8.12.3), in the styles label and matrix scalars as well;
    None when it is not a way we know."""
    match where, style:
        case ("query", ("" | "form")) | ("cookie", ("" | "form" | "cookie")):
            repeated = explode if isinstance(explode, bool) else True
            return "repeat" if repeated else "comma"
        case "query", "deepObject":
            return "deep"
        case "query", "spaceDelimited":
            return "repeat" if explode is True else "space"
        case "query", "pipeDelimited":
            return "repeat" if explode is True else "pipe"
        case (("path" | "header"), ("" | "simple")):
            return "comma"
        case "path", "label":
            return "label"
        case "path", "matrix":
            return "matrix"
        case _:
            return None


def item_schema(media: Node, media_type: str) -> Node:
    """The schema of one item of a stream, as our documents have it or OpenAPI 3.2 (§4.14); empty where there is none.

    An event of 3.2 is an object, whose data are what a stream of ours gives.
    """
    own = media.raw(ITEM_SCHEMA)
    if own:
        return own
    item = media["itemSchema"]
    if not item or media_type != EVENT_STREAM or not str(media.tree.content.get("openapi")).startswith("3.2"):
        return media.raw("itemSchema")
    data = item["properties"]["data"]
    if not data.raw("contentSchema"):
        raise item.unreadable("its events do not say of what schema their data are, by `contentSchema`")
    return data.raw("contentSchema")


def _content(content: Node) -> dict[str, Node]:
    return dict(content.members())


def _media(schema: Node, example: Node = NOTHING) -> Node:
    """A media type object that holds this schema, at the schema's own place."""
    said = {"example": example.value} if example else {}
    return schema.part({"schema": schema.value, **said}, schema.pointer.rpartition("/")[0])
