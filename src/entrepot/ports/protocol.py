"""What a protocol is: a server, a client, and how each reads and writes contracts.

Server and client are duals, which gives the law that every protocol obeys: calling a served
operation through the same protocol's client gives what the Invoke itself gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal
from typing import Protocol as _Interface

import msgspec

from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model import shape
from entrepot.model.call import Invoke
from entrepot.model.operation import Operation, Service
from entrepot.model.security import Credential
from entrepot.ports.exchange import Exchange
from entrepot.shapes.document import Document, Refusal
from entrepot.shapes.locations import references
from entrepot.shapes.values import Values

Invokes = Mapping[str, Invoke]
"""By operation name."""


def no_octets(part: shape.Shape) -> str:
    """Why the part has no place in a message that is text throughout: it is a file or a raw body."""
    if isinstance(part, shape.File):
        return "it carries a file"
    return f"it carries a raw {part.media_type} body" if isinstance(part, shape.Raw) else ""


class Can(msgspec.Struct, frozen=True, kw_only=True):
    """What of the operation model a protocol carries. `check`, `explain` and the docs print it."""

    streams_in: bool = False
    streams_out: bool = False
    headers: bool = False
    """A reply's own. An operation can be carried without them."""
    warnings: bool = False
    """What failed beside an output. An operation can be carried without them."""
    selection: bool = False
    """That some of an output's fields are wanted, or what its links lead to. An operation can be carried without it."""
    batches: bool = False
    """Several calls in one request, at most `Limits.batch_max`, of which `Limits.batch_concurrency_max` at once."""
    refuses: Callable[[shape.Shape], str] = no_octets
    """Asked about each part of what an operation takes and gives: why it cannot be carried; "" when it can."""

    def refusals(self, service: Service) -> dict[str, str]:
        """By operation of the service that cannot be carried: the reason."""
        carried: set[str] = set()
        reasons = {each.name: self.reason(each, service.types, carried) for each in service.operations}
        return {name: reason for name, reason in reasons.items() if reason}

    def reason(self, operation: Operation, types: shape.Types, carried: set[str]) -> str:
        """Why the operation cannot be carried; "" when it can.

        `carried` are names of types that lead to nothing refused, and gets those that are found here: in a
        large contract nearly every type leads to nearly every other.
        """
        if operation.stream_input is not None and not self.streams_in:
            return "it takes a stream"
        if operation.stream_output and not self.streams_out:
            return "it answers with a stream"
        seen = set(carried)
        parts = (part for root in operation.shapes for part in shape.reachable(root, types, seen))
        reason = next(filter(None, map(self.refuses, parts)), "")
        if not reason:
            carried |= seen
        return reason


class ServedService(msgspec.Struct, frozen=True, kw_only=True):
    """A service ready to be called: its description, its values, and an Invoke for each operation.

    Only operations that the protocol can carry are in it.
    """

    service: Service
    values: Values
    invokes: Invokes


class Mount(msgspec.Struct, frozen=True):
    """An address that a protocol takes. An exact path takes that path alone; a prefix ends with "/".

    The first segment of a prefix belongs to one protocol.
    """

    path: str
    exact: bool = False


class Address(msgspec.Struct, frozen=True):
    """Where one operation answers in a protocol."""

    text: str
    """For a person to read: `GET /api/shop/v1/products/{id}`."""
    key: str
    """Equal for two addresses that no request could tell apart."""


class Contract(msgspec.Struct, frozen=True):
    """An interface document, as a protocol writes it."""

    kind: str
    """As `Client.documents` names it: `openapi`."""
    media_type: str
    write: Callable[[], bytes]
    """That of a large service takes its time, so it is written when it is asked for."""


class DocumentKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of interface document that a client reads."""

    words: tuple[str, ...] = ()
    """Other words that people use for it."""
    syntax: Literal["tree", "text"] = "tree"
    """Whether its files are trees of plain values, in JSON or YAML, or octets that the client reads itself."""
    suffix: str = ""
    """How the names of its files end, such as `.wsdl`; "" where their content tells: `.json` or `.yaml`."""
    operations: Callable[[object], int]
    """How many operations a main file seems to have, told before they are read."""
    referring: Callable[[object, str], Mapping[str, str]] = references
    """The locations that a file at a location refers to, each with a pointer to where it first does."""


class Imported(msgspec.Struct, frozen=True):
    """A foreign document as a service, with everything that was left out."""

    service: Service
    refusals: tuple[Refusal, ...] = ()
    server_url: str = ""
    """Where the document says the service is, "" when it does not say."""
    elsewhere: Mapping[str, str] = {}
    """By operation that is on another server than the rest: the URL of that."""


class Server(_Interface):
    """Serves services by calling their Invokes."""

    def mounts(self, service: Service) -> Sequence[Mount]:
        """The addresses this service takes in this protocol. Several services may share one."""

    def addresses(self, service: Service) -> Mapping[str, Address]:
        """By operation: its address. Whether two are one is for the compiler to decide, by their keys."""

    def sample(self, service: Service, base_url: str) -> str:
        """A command line that calls one operation of the service, ready to paste; "" if it has none."""

    def contracts(self, services: Sequence[Service]) -> Mapping[str, Contract]:
        """The interface documents of these services, each by the path at which it is served to a GET."""

    def serve(self, services: Sequence[ServedService], limits: Limits = DEFAULT_LIMITS) -> Exchange:
        """An exchange that answers requests to the mounts of these services."""


class Client(_Interface):
    """Makes an upstream look like a service."""

    documents: Mapping[str, DocumentKind]
    """The kinds of document it reads, as `import KIND:FILE` names them."""

    def read(self, document: Document, name: str) -> Imported:
        """The document as a service called `name`. Pure: fetching is the CLI's job.

        Raises `Refused` when the document as a whole cannot be read.
        """

    def dial(
        self,
        service: Service,
        values: Values,
        exchange: Exchange,
        host: str,
        base_path: str = "",
        credentials: Mapping[str, Credential] = {},
    ) -> Invokes:
        """An Invoke for each operation, which sends requests for `host` through `exchange`.

        `base_path` comes before every path. Faults name `host` as the upstream. `credentials`, by security
        scheme of the service, are shown with the calls of each operation that demands them.
        """


class Protocol(msgspec.Struct, frozen=True):
    """A protocol's folder as a value: what `app.py` lists."""

    name: str
    server: Server
    client: Client
    can: Can = Can()
    by_default: bool = False
    """Whether `serve` serves a service over it that names no protocols."""


Catalog = Mapping[str, Protocol]
"""Protocols by name, each perhaps loaded on use."""


def document_kinds(catalog: Catalog) -> dict[str, str]:
    """By kind of document, such as `openapi`: the protocol whose client reads it."""
    return {kind: name for name, protocol in catalog.items() for kind in protocol.client.documents}


def document_words(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """By kind of document: the other words that people use for it."""
    return {name: kind.words for protocol in catalog.values() for name, kind in protocol.client.documents.items()}
