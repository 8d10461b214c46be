"""How a call fails: a closed set of kinds, with one table that every protocol uses both ways.

Every protocol also sends the kind as a symbol, so it survives the protocols that cannot tell
kinds apart. Sources: RFC 9110 §15 (statuses), RFC 9457 (problem details), google.rpc.Code.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec

from entrepot.kit.suggest import did_you_mean
from entrepot.model.shape import Shape

Kind = Literal[
    "malformed", "invalid", "rejected", "unknown_operation", "unauthenticated", "forbidden",
    "not_found", "conflict", "precondition_failed", "unsupported", "too_large", "rate_limited",
    "internal", "upstream_failed", "unavailable", "timeout", "cancelled",
]  # fmt: skip


class KindRow(msgspec.Struct, frozen=True):
    """What is true of a kind in every protocol."""

    title: str
    status: int
    """The HTTP status; other protocols derive their codes from it or have a column of their own."""
    blame: Literal["caller", "service", "upstream"]
    retryable: bool = False
    """Whether the same call may succeed later without being changed."""


KINDS: dict[Kind, KindRow] = {
    "malformed": KindRow("The request could not be read", 400, "caller"),
    "invalid": KindRow("The input does not fit its type", 422, "caller"),
    "rejected": KindRow("A rule of the service refused the request", 400, "caller"),
    "unknown_operation": KindRow("There is no such operation", 404, "caller"),
    "unauthenticated": KindRow("The caller is not identified", 401, "caller"),
    "forbidden": KindRow("The caller may not do this", 403, "caller"),
    "not_found": KindRow("There is no such thing", 404, "caller"),
    "conflict": KindRow("The request conflicts with the present state", 409, "caller"),
    "precondition_failed": KindRow("A precondition of the request does not hold", 412, "caller"),
    "unsupported": KindRow("The request asks for a form that is not offered", 415, "caller"),
    "too_large": KindRow("The request is larger than allowed", 413, "caller"),
    "rate_limited": KindRow("Too many requests", 429, "caller", retryable=True),
    "internal": KindRow("The service failed", 500, "service"),
    "upstream_failed": KindRow("An upstream failed", 502, "upstream", retryable=True),
    "unavailable": KindRow("The service is not available", 503, "service", retryable=True),
    "timeout": KindRow("The answer took too long", 504, "upstream", retryable=True),
    "cancelled": KindRow("The caller left before the answer", 499, "caller"),
}


class Issue(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a value.

    `code` is stable: type missing unknown null enum length range pattern format unique variant
    number_form depth syntax encoding duplicate.
    """

    pointer: str
    """JSON pointer (RFC 6901) into the input; its first token is the parameter's name."""
    code: str
    message: str


class DeclaredFault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A failure that an operation announces, with the data it carries."""

    name: str
    kind: Kind = "rejected"
    data: Shape | None = None
    """What it carries: of an author's own a record, of an imported contract whatever the body is; None: nothing."""
    docs: str = ""
    bindings: Mapping[str, Any] = {}


_GENERAL = "entrepot.model.faults"
"""Where the classes live that stand for a kind and have no name of their own."""

_RESERVED = {"kind", "name", "detail", "issues", "retry_after", "upstream", "data"}


class Fault(Exception):
    """A call failed. Raise one from a handler; it reaches the caller over any protocol.

    A subclass with annotations declares typed data::

        class OutOfStock(Fault, kind="conflict"):
            left: int

        raise OutOfStock("only a few are left", left=3)

    `detail` is shown to the caller. Any other exception becomes an `internal` fault whose
    detail the caller never sees.
    """

    kind: Kind = "internal"
    name: str = ""
    """The declared fault's name; "" for a plain kind."""
    Data: ClassVar[type[msgspec.Struct] | None] = None
    """The class of `data`, made from a subclass's annotations."""

    def __init__(
        self,
        detail: str = "",
        *,
        issues: tuple[Issue, ...] = (),
        retry_after: float | None = None,
        upstream: str = "",
        **data: Any,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.issues = issues
        self.retry_after = retry_after
        """Seconds after which another try makes sense."""
        self.upstream = upstream
        """The upstream that failed, when one did."""
        self.data: Any = self._make_data(data)

    def __init_subclass__(cls, kind: Kind | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if kind is not None:
            if kind not in KINDS:
                raise TypeError(f"{cls.__name__}: {kind!r} is no kind of fault. {did_you_mean(str(kind), KINDS)}")
            cls.kind = kind
        fields = inspect.get_annotations(cls)
        reserved = _RESERVED.intersection(fields)
        if reserved:
            raise TypeError(
                f"{cls.__name__}: {', '.join(sorted(reserved))} means something else in every fault; rename it"
            )
        if cls.__module__ != _GENERAL:
            cls.name = cls.__name__
        if fields:
            namespace = {"__module__": cls.__module__, "__doc__": cls.__doc__}
            cls.Data = msgspec.defstruct(cls.__name__, list(fields.items()), namespace=namespace, kw_only=True)

    @classmethod
    def of(cls, kind: Kind, detail: str = "", *, name: str = "", data: Any = None, **rest: Any) -> Fault:
        """A fault by its parts, as a protocol's client decodes it."""
        fault = Fault(detail, **rest)
        fault.kind, fault.name, fault.data = kind, name, data
        return fault

    @property
    def row(self) -> KindRow:
        """The kind's row in the table."""
        return KINDS[self.kind]

    def _make_data(self, data: dict[str, Any]) -> Any:
        if self.Data is None:
            if data:
                raise TypeError(f"{type(self).__name__} declares no data, but was given {', '.join(data)}")
            return None
        return self.Data(**data)

    def __repr__(self) -> str:
        name = self.name or self.kind
        return f"<Fault {name}: {self.detail}>"
