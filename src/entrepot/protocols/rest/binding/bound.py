"""An operation as HTTP carries it: its method and path, and where each of its fields stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

from entrepot.model.operation import Operation, Service
from entrepot.model.shape import Field, Nullable, Record, Shape, Union
from entrepot.protocols.rest.binding.notations import notation_of
from entrepot.protocols.rest.binding.told import NOTHING_OF_OPERATION, OfOperation
from entrepot.protocols.rest.routing import template
from entrepot.protocols.rest.routing.template import Template

NAME = "rest"
PATHS = "paths"
"""In a service's own binding, by operation: its path at the upstream, where it is not the one we serve it at."""
MEDIA = "media"
"""In a service's own binding, by operation: the media types `accepts` and `produces` of its upstream, where those that
we serve it in are more."""
OPENAPI = "openapi"
"""In a binding: what OpenAPI alone has a word for (`binding.told`)."""
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
MULTIPARTS = (MULTIPART, "multipart/mixed")
"""Bodies of parts with names, which in the second nobody but a contract promises (RFC 2046, §5.1.3)."""
NDJSON = "application/x-ndjson"
EVENT_STREAM = "text/event-stream"
OCTETS = "application/octet-stream"
ANY = "*/*"
PROBLEMS = "application/problem+json;q=0.9"
"""What a client accepts beside the answer that it asks for."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

BODILESS = ("GET", "HEAD")
"""Methods whose requests have no body (RFC 9110, §9.3.1)."""

Where = Literal["path", "query", "header", "cookie", "form", "part", "body"]
"""`part`: a header of a part of a form."""
HEAD: tuple[Where, ...] = ("path", "query", "header", "cookie")
"""Where a field stands in the head of a request."""
Style = Literal["scalar", "repeat", "comma", "space", "pipe", "label", "matrix", "deep", "json"]
"""How a value is written as text: one scalar; a list as repeated names; a list or an object with separators, in a
path perhaps behind a prefix (`parameters.delimited`); member by member (`parameters.deep`); JSON."""

Ask = Literal["fields", "expand"]
"""A parameter that is no field of the input: `fields` names those of the output that are wanted, `expand` links."""
ASKS: tuple[Ask, ...] = get_args(Ask)

BodyForm = Literal["none", "object", "value", "form", "raw", "file", "upload", "stream"]
"""What the body is: nothing; one JSON object of the body's fields; the one field's JSON; a form
(urlencoded or multipart); octets held in memory; a streamed file; the same, or a multipart form of it;
a stream of JSON lines."""

AnswerForm = Literal["none", "value", "arms", "raw", "file", "stream", "redirect"]
"""What the body of an answer is: nothing; JSON; JSON of which the status tells the arm; octets held in memory;
a streamed file; a stream of JSON items; nothing but the address in the header `Location`."""
REDIRECTS = (301, 302, 303, 307, 308)
"""Statuses that say where to go (RFC 9110, §15.4)."""


class BoundField(msgspec.Struct, frozen=True, kw_only=True):
    """One input field and where it stands."""

    field: Field
    where: Where
    name: str
    """Its name on the wire."""
    style: Style = "scalar"
    explode: bool = False
    """Whether each part stands for itself, as OpenAPI has it, where the style leaves that open."""
    reserved: bool = False
    """Whether a client leaves what RFC 3986 reserves as it is in a query, as far as that is read the same."""
    empty: bool = False
    """Whether the contract says that a name may stand without a value (`allowEmptyValue`)."""
    media_type: str = ""
    """Of a part of a form: how it is labelled, where that is not as usual."""
    part: str = ""
    """Of a header of a part: the name of that."""
    nullable: bool = False

    @property
    def null_by_absence(self) -> bool:
        """Whether leaving it out means null."""
        return self.nullable and self.where not in ("path", "query") and null_is_absence(self.field)


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """How one operation is carried over HTTP."""

    operation: Operation
    method: str
    path: Template
    """Relative to the service's mount."""
    fields: tuple[BoundField, ...]
    body: BodyForm
    answer: AnswerForm
    accepts: tuple[str, ...]
    """Media types a request body may have; a client sends the first."""
    produces: tuple[str, ...]
    """Media types of a successful reply; the first is the usual one."""
    status: int
    """Of success; of several, the first."""
    location: Template | None
    conditions: bool
    """Whether the handler checks If-Match and If-None-Match."""
    bulk: bool = False
    """Whether a body may be lines of JSON, each the body of a call of its own."""
    csv: bool = False
    """Whether the answer, a list of records, is written as a table where that is asked for."""
    cache_control: str = ""
    asks: tuple[Ask, ...] = ()
    """Parameters of the query by which callers say what of the output they want."""
    statuses: tuple[int, ...] = ()
    """Of each arm of the output, where that tells which it is."""
    told: OfOperation = NOTHING_OF_OPERATION

    def at(self, *where: Where) -> tuple[BoundField, ...]:
        """The fields that stand there."""
        return tuple(bound for bound in self.fields if bound.where in where)


class BoundService(msgspec.Struct, frozen=True):
    """A service with the binding of each of its operations."""

    service: Service
    bindings: tuple[Binding, ...]

    @property
    def mount(self) -> str:
        """The prefix of its addresses, with a slash at its end."""
        return mount(self.service)

    def address(self, binding: Binding) -> Template:
        """The whole path of an operation."""
        return template.parse(self.mount.rstrip("/") + binding.path.text)

    def binding(self, operation: str) -> Binding | None:
        """That of the operation with this name, if there is one."""
        return next((each for each in self.bindings if each.operation.name == operation), None)


def union_of(output: Shape) -> Union | None:
    """The output as one of several, perhaps null; None where it is not, or has a name of its own."""
    inner = output.shape if isinstance(output, Nullable) else output
    return inner if isinstance(inner, Union) else None


def body_record(operation: Operation, fields: Iterable[BoundField]) -> Record:
    """The record of the fields that share a body, under their names on the wire."""
    renamed = tuple(
        msgspec.structs.replace(bound.field, name=bound.name, python=bound.field.attribute) for bound in fields
    )
    whole = renamed == operation.input.fields
    return operation.input if whole else msgspec.structs.replace(operation.input, fields=renamed)


def accept_of(binding: Binding) -> bytes:
    """The Accept header of a client: what the contract says is answered, and problems beside it."""
    wanted = binding.produces or (JSON,)
    if binding.answer in ("value", "arms"):
        wanted = tuple(each if notation_of(each) == notation_of(wanted[0]) else f"{each};q=0.8" for each in wanted)
    return b"*/*" if ANY in wanted else ", ".join((*wanted, PROBLEMS)).encode()


def mount(service: Service) -> str:
    """The prefix of a service's addresses, with a slash at its end."""
    return f"/api/{service.name}/v{service.version}/"


DOCUMENT = "/openapi.json"
"""Below the prefix: where the contract of a service is served."""


def document_path(service: Service) -> str:
    """The whole path of a service's contract."""
    return mount(service).rstrip("/") + DOCUMENT


def has_default(field: Field) -> bool:
    """Whether an absent field gets a value."""
    return field.default is not msgspec.UNSET


def null_is_absence(field: Field) -> bool:
    """Whether leaving a nullable field out means null."""
    return field.required or field.default is None
