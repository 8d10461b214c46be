"""Faults as every protocol tells them, and as it hears of them from an upstream.

What is told of a fault is a few members under fixed names, all plain JSON data: a problem in REST
and `error.data` in JSON-RPC hold them, `entrepot call` prints them. A protocol adds its own code
for the kind, and takes the text to the place that its messages have for one.
"""

from __future__ import annotations

import asyncio
import decimal
import logging
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from entrepot.model.call import Context
from entrepot.model.fault import KINDS, DeclaredFault, Fault, Issue, Kind
from entrepot.model.faults import Internal, UpstreamFailed
from entrepot.model.operation import Operation
from entrepot.shapes.values import Values

TEXT_LENGTH_MAX = 4000
"""Most characters of a detail or a message; longer ones are cut."""
POINTER_LENGTH_MAX = 1000
"""Most characters of a pointer; a longer one gives way to that of a value around its place."""
DELAY_SECONDS_MAX = 1e9
"""Nobody is told to come back later than this."""

Members = dict[str, object]
"""What is told of a fault: `kind`, `title`, `detail`, `name` and `data` of a declared one, `errors`,
`retry_after`, `upstream`, `trace_id`. Members that would say nothing are left out."""

log = logging.getLogger("entrepot.faults")

encode_members = msgspec.json.Encoder(decimal_format="number").encode
"""Members, and what a protocol adds to them, as JSON."""


class FaultMembers(NamedTuple):
    """What a caller is told of a fault."""

    kind: Kind
    declared: DeclaredFault | None
    """The declaration that the name and data go by; None when the kind says it all."""
    members: Members

    @property
    def text(self) -> str:
        """For protocols that have a place for one text: the detail, or else the title of the kind."""
        return str(self.members.get("detail") or self.members["title"])

    @property
    def beside_text(self) -> Members:
        """What there is to tell beside `text`."""
        return {name: value for name, value in self.members.items() if name not in ("title", "detail")}


def members_of(
    fault: Fault,
    trace_id: str = "",
    operation: Operation | None = None,
    values: Values | None = None,
) -> FaultMembers:
    """What a caller is told of a fault: a name and data only where the operation declares them.

    What went wrong inside is found by the trace id, never told. So is data that cannot be written.
    """
    declared = operation.fault(fault.name) if operation is not None and fault.name else None
    members: Members = {"kind": fault.kind, "title": fault.row.title}
    if fault.detail and fault.kind != "internal":
        members["detail"] = _cut(str(fault.detail))
    if declared is not None:
        members["name"] = declared.name
        if declared.data is not None and fault.data is not None and values is not None:
            try:
                members["data"] = values.codec(declared.data).to_plain(fault.data)
            except (TypeError, ValueError, AttributeError) as error:
                log.error("the data of %s cannot be written", fault.name, exc_info=error, extra={"trace_id": trace_id})
                return members_of(Internal(), trace_id)
    if fault.issues:
        members["errors"] = [_issue_members(issue) for issue in _issues_told(fault.issues, values)]
    if (delay := _delay(fault.retry_after)) is not None:
        members["retry_after"] = delay
    if fault.upstream:
        members["upstream"] = fault.upstream
    if trace_id:
        members["trace_id"] = trace_id
    return FaultMembers(fault.kind, declared, members)


def _issues_told(issues: tuple[Issue, ...], values: Values | None) -> tuple[Issue, ...]:
    """No more than the limits allow; those of a fault that no operation has are bounded where they are found."""
    return issues if values is None else issues[: values.limits.issues_max]


def unforeseen(error: BaseException, operation: str, context: Context) -> Internal:
    """The fault for an error that nobody foresaw; the log line under the trace id has the rest.

    `operation` is its name, with the service's where that is known.
    """
    extra = {"operation": operation, "trace_id": context.trace_id}
    log.error("the operation failed with %s", type(error).__name__, exc_info=error, extra=extra)
    return Internal()


def called_off(error: BaseException) -> bool:
    """Whether what was caught ends the work from outside, and is no failure: to be raised on.

    The task is cancelled, or the coroutine that asks is closed. Code that raises the same exceptions
    by itself has failed: nobody cancels its task, and the traceback leads further in.
    """
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or task.cancelling() > 0
    if isinstance(error, GeneratorExit):
        return error.__traceback__ is None or error.__traceback__.tb_next is None
    return False


def read_members(text: bytes) -> Members | None:
    """The members in JSON text; None when it is no JSON object."""
    found = read_json(text)
    return found if isinstance(found, dict) else None


def read_json(text: bytes) -> object:
    """The plain value in JSON text, its numbers exact; `UNSET` when it is no JSON."""
    try:
        found: object = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, decimal.InvalidOperation):
        return msgspec.UNSET
    return found


_decode = msgspec.json.Decoder(float_hook=decimal.Decimal).decode


class FaultReader:
    """Reads what an upstream tells of the faults of one operation. Foreign members may be anything."""

    def __init__(self, operation: Operation, values: Values, host: str) -> None:
        self._operation = operation
        self._values = values
        self._host = host
        self._issues_max = values.limits.issues_max

    def read(self, members: Members, text: str = "") -> Fault | None:
        """The fault that the members tell; None when they name no kind of ours.

        `text` is what stood where the protocol has a place for one.
        """
        kind = members.get("kind")
        if not (isinstance(kind, str) and kind in _KINDS):
            return None
        name = _text(members.get("name"))
        declared = self._operation.fault(name) if name else None
        if declared is None:
            return self.of_kind(_KINDS[kind], members, text)
        return self.read_declared(declared, members, members.get("data"), text, kind=_KINDS[kind])

    def read_declared(
        self, declared: DeclaredFault, members: Members, data: object, text: str = "", *, kind: Kind
    ) -> Fault:
        """The declared fault with this data; when the data does not fit its contract, `upstream_failed`."""
        if declared.data is None:
            return self.of_kind(kind, members, text, name=declared.name)
        try:
            value = self._values.codec(declared.data).of_plain(data)
        except Fault as broken:
            detail = f"{self._host} sent the fault {declared.name} with data that does not fit its contract"
            return UpstreamFailed(detail, issues=broken.issues, upstream=self._host)
        return self.of_kind(kind, members, text, name=declared.name, data=value)

    def of_kind(self, kind: Kind, members: Members, text: str = "", *, name: str = "", data: object = None) -> Fault:
        """A fault whose kind the protocol's own code tells, with all that can be made out in the members."""
        blamed = "" if KINDS[kind].blame == "caller" else self._host
        return Fault.of(
            kind,
            _text(members.get("detail")) or (text if text != KINDS[kind].title else ""),
            name=name,
            data=data,
            issues=_issues(members.get("errors"), self._issues_max),
            retry_after=_delay(members.get("retry_after")),
            upstream=_text(members.get("upstream")) or blamed,
        )


_KINDS: dict[str, Kind] = {kind: kind for kind in KINDS}


def _issue_members(issue: Issue) -> dict[str, str]:
    return {"pointer": _whole_pointer(issue.pointer), "code": issue.code, "message": _cut(issue.message)}


def _whole_pointer(pointer: str) -> str:
    """The pointer, or the longest one of a value around its place that is short enough."""
    if len(pointer) <= POINTER_LENGTH_MAX:
        return pointer
    return pointer[: POINTER_LENGTH_MAX + 1].rpartition("/")[0]


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_LENGTH_MAX else f"{text[: TEXT_LENGTH_MAX - 1]}…"


def _issues(listed: object, limit: int) -> tuple[Issue, ...]:
    items: Iterable[object] = listed[:limit] if isinstance(listed, list) else ()
    return tuple(
        Issue(_text(each.get("pointer")), _text(each.get("code")), _text(each.get("message")))
        for each in items
        if isinstance(each, dict)
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _delay(value: object) -> float | None:
    """Seconds, if it is a sensible number of them."""
    if isinstance(value, int | float | decimal.Decimal) and not isinstance(value, bool):
        return float(value) if 0 <= value < DELAY_SECONDS_MAX else None
    return None
