"""A small service of made operations, for the tests of a protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from entrepot.model import shape as s
from entrepot.model.call import Call, Invoke, Reply
from entrepot.model.fault import KINDS, DeclaredFault, Fault, Kind
from entrepot.model.operation import Operation, Service
from entrepot.ports.protocol import ServedService
from entrepot.shapes.values import Values

OVERDRAWN = DeclaredFault(
    name="Overdrawn",
    kind="conflict",
    data=s.Record(
        fields=(s.Field(name="missing", shape=s.Decimal()), s.Field(name="until", shape=s.Date(), required=False))
    ),
)


def fields(*names: str, shape: s.Shape | None = None, required: bool = True) -> tuple[s.Field, ...]:
    """Fields of one shape, whole numbers if none is given."""
    return tuple(s.Field(name=name, shape=shape or s.Int(), required=required) for name in names)


def record(*parts: s.Field) -> s.Record:
    return s.Record(fields=parts)


_BY = s.Field(name="by", shape=s.Nullable(shape=s.Text()), required=False)
_AMOUNT = record(*fields("amount", shape=s.Decimal()))
OPERATIONS = (
    Operation(name="subtract", input=record(*fields("minuend", "subtrahend")), output=s.Int(), safe=True),
    Operation(name="total", input=record(*fields("a", "b", "c")), output=s.Int(), safe=True, summary="Adds three"),
    Operation(name="update", input=record(*fields("a", "b", "c", "d", "e"))),
    Operation(name="note", input=record(*fields("text", shape=s.Text()), _BY)),
    Operation(name="get_data", output=s.List(item=s.Anything())),
    Operation(name="fail", input=record(*fields("kind", shape=s.Text())), output=s.Int()),
    Operation(name="withdraw", input=_AMOUNT, output=s.Decimal(), faults=(OVERDRAWN,)),
    Operation(name="lie", output=s.Int()),
    Operation(name="wait", input=record(*fields("turns")), output=s.Int()),
)  # fmt: skip


class Calculator:
    """The service, what it was called with, and how many calls were in progress at once."""

    def __init__(self, name: str = "calc") -> None:
        self.service = Service(name=name, operations=OPERATIONS, title="A calculator", docs="It calculates.")
        self.values = Values(self.service.types)
        self.calls: list[Call] = []
        self.in_progress = 0
        self.most_in_progress = 0

    @property
    def served(self) -> ServedService:
        invokes: dict[str, Invoke] = {each.name: self._invoke(getattr(self, f"_{each.name}")) for each in OPERATIONS}
        return ServedService(service=self.service, values=self.values, invokes=invokes)

    def operation(self, name: str) -> Operation:
        found = self.service.operation(name)
        assert found is not None
        return found

    def call(self, name: str, **members: Any) -> Call:
        """A call with an input made of these plain members."""
        operation = self.operation(name)
        return Call(operation, self.values.codec(operation.input).of_plain(members))

    def _invoke(self, function: Callable[[Any], Awaitable[Any]]) -> Invoke:
        async def invoke(call: Call) -> Reply:
            self.calls.append(call)
            self.in_progress += 1
            self.most_in_progress = max(self.most_in_progress, self.in_progress)
            try:
                return Reply(await function(call.input))
            except Fault as fault:
                return Reply(fault=fault)
            finally:
                self.in_progress -= 1

        return invoke

    async def _subtract(self, given: Any) -> int:
        return int(given.minuend - given.subtrahend)

    async def _total(self, given: Any) -> int:
        return int(given.a + given.b + given.c)

    async def _update(self, given: Any) -> None:
        pass

    async def _note(self, given: Any) -> None:
        pass

    async def _get_data(self, given: Any) -> list[Any]:
        return ["hello", 5]

    async def _fail(self, given: Any) -> int:
        kind: Kind = given.kind if given.kind in KINDS else "internal"
        raise Fault.of(kind, f"it is {kind}", retry_after=2.5 if kind == "rate_limited" else None)

    async def _withdraw(self, given: Any) -> Any:
        data = self.values.codec(OVERDRAWN.data).of_plain({"missing": str(given.amount)})  # type: ignore[arg-type]
        raise Fault.of(OVERDRAWN.kind, "not enough", name=OVERDRAWN.name, data=data)

    async def _lie(self, given: Any) -> object:
        return object()

    async def _wait(self, given: Any) -> int:
        for _ in range(given.turns):
            await asyncio.sleep(0)
        return int(given.turns)
