"""The links of a service, followed: what other operations give, put into an answer where it is wanted.

What is wanted at one depth is called side by side, each thing once; a link that takes lists is
called once for many. What fails is told beside the answer, and null stands in its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cached_property
from typing import NamedTuple

from entrepot.kit.pointers import escape, tokens
from entrepot.model import shape as s
from entrepot.model.call import Call, Context, Located
from entrepot.model.fault import Fault
from entrepot.model.faults import Internal, TooLarge
from entrepot.model.operation import Link, Operation, Service
from entrepot.ports.protocol import ServedService
from entrepot.shapes import plain as json
from entrepot.shapes.selection import Linked, Wanted


class _Place(NamedTuple):
    """A value whose link is wanted."""

    value: dict[str, object]
    link: Link
    wanted: Wanted
    """Of what the link leads to."""
    pointer: str
    """To where that is put."""
    arguments: dict[str, object] | None
    """What the operation is called with; None where the value does not say."""


class _Got(NamedTuple):
    """What a link led to, in plain form."""

    output: object = None
    faults: tuple[Located, ...] = ()
    """Each with its place in the output."""


class Followed(NamedTuple):
    """What came of following the links of one answer."""

    any: bool
    """Whether there was a place for what another operation gives: the answer is more than its own operation's."""
    failed: tuple[Located, ...]
    """Each with its place in the answer."""


class _Room:
    """How much links may still add to one answer: each thing is asked for once, but put wherever it is wanted."""

    def __init__(self, octets: int) -> None:
        self._octets = self._left = octets

    def take(self, octets: int) -> None:
        """Raises `TooLarge` when there is no more."""
        self._left -= octets
        if self._left < 0:
            raise TooLarge(f"the links of this answer lead to more than {self._octets} bytes; ask for fewer")

    def holding(self, places: Iterable[_Place]) -> Iterator[_Place]:
        """The places, as far as there is room for them."""
        for place in places:
            self.take(_PLACE_OCTETS)
            yield place


_PLACE_OCTETS = 500
"""What a place counts for, whatever is put there: it is as much work as writing so many octets."""

_Key = tuple[str, str, bytes]
"""Equal for places where the same is wanted: the link's type and field, and its arguments."""


class Links:
    """Follows the links of one service: those to safe operations that answer once."""

    def __init__(self, served: ServedService) -> None:
        self._served = served
        self._limits = served.values.limits
        self._operations = {each.name: each for each in served.service.operations}

    @cached_property
    def linked(self) -> Linked:
        """What may be wanted besides a value's own fields."""
        return {
            name: {field: self._gives(link) for field, link in links.items()} for name, links in self._links.items()
        }

    @cached_property
    def _links(self) -> dict[str, dict[str, Link]]:
        found: dict[str, dict[str, Link]] = {}
        for link in self._served.service.links:
            if is_followed(link, self._served.service):
                found.setdefault(link.type, {})[link.field] = link
        return found

    def _gives(self, link: Link) -> s.Shape:
        output = self._operations[link.operation].output
        listed = s.unwrap(output, self._served.values.types)
        return listed.item if link.batch and isinstance(listed, s.List) else output

    async def follow(self, part: s.Shape, plain: object, wanted: Wanted, context: Context) -> Followed:
        """Puts what is wanted into a plain value of this shape. Raises `TooLarge` when that would be too much."""
        failed: list[Located] = []
        room = _Room(self._limits.reply_bytes_max)
        places = [*room.holding(self._places(part, plain, wanted, ""))]
        left, followed = self._limits.batch_max, bool(places)
        while places:
            got, left = await self._fetch(places, left, context)
            lengths = {key: len(json.write(each.output)) for key, each in got.items()}
            reached: list[_Place] = []
            for place in places:
                key = _key(place)
                output, faults = got.get(key, _Got())
                room.take(lengths.get(key, 0))
                place.value[place.link.field] = output
                failed += (Located(place.pointer + each.pointer, each.fault) for each in faults)
                reached += room.holding(self._places(self._gives(place.link), output, place.wanted, place.pointer))
            places = reached
        return Followed(followed, tuple(failed))

    def _places(self, part: s.Shape, plain: object, wanted: Wanted, pointer: str) -> Iterator[_Place]:
        """Where links are wanted in a value. What stands behind one is not there yet."""
        name = ""
        while isinstance(part, s.Ref | s.Nullable):
            name = part.name if isinstance(part, s.Ref) else name
            part = self._served.values.types[part.name] if isinstance(part, s.Ref) else part.shape
        if isinstance(part, s.List) and type(plain) is list:
            for index, item in enumerate(plain):
                yield from self._places(part.item, item, wanted, f"{pointer}/{index}")
        if type(plain) is not dict or not wanted.members:
            return
        links = self._links.get(name, {})
        for member, inner in wanted.members.items():
            here, found = f"{pointer}/{escape(member)}", _member(part, member)
            if found is not None and member in plain:
                yield from self._places(found, plain[member], inner, here)
            elif found is None and member in links:
                yield _Place(plain, links[member], inner, here, _arguments(links[member], plain))

    async def _fetch(self, places: Sequence[_Place], left: int, context: Context) -> tuple[dict[_Key, _Got], int]:
        """What each place wants, and how many calls may still be made. A place that says nothing gets nothing."""
        asked: dict[_Key, tuple[Link, dict[str, object]]] = {}
        for place in places:
            if place.arguments is not None:
                asked.setdefault(_key(place), (place.link, place.arguments))
        got: dict[_Key, _Got] = {}
        calls = [*self._calls(asked)]
        for refused in calls[left:]:
            message = f"following the links of this answer takes more than {self._limits.batch_max} calls"
            got |= dict.fromkeys(refused, _Got(None, (Located("", TooLarge(message)),)))
        made = calls[:left]
        pending = iter(made)

        async def work() -> None:
            for keys in pending:
                link = asked[keys[0]][0]
                got.update(zip(keys, await self._call(link, [asked[key][1] for key in keys], context), strict=True))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(made), self._limits.batch_concurrency_max)):
                group.create_task(work())
        return got, left - len(made)

    def _calls(self, asked: Mapping[_Key, tuple[Link, dict[str, object]]]) -> Iterator[list[_Key]]:
        """What is asked, by the calls that answer it."""
        batches: dict[tuple[str, str], list[_Key]] = {}
        for key, (link, _) in asked.items():
            if link.batch:
                batches.setdefault(key[:2], []).append(key)
            else:
                yield [key]
        most = self._limits.batch_max
        for keys in batches.values():
            yield from (keys[start : start + most] for start in range(0, len(keys), most))

    async def _call(self, link: Link, arguments: Sequence[dict[str, object]], context: Context) -> Iterable[_Got]:
        """What one call of the link's operation gives for each of these."""
        if not link.batch:
            return [await self._invoke(link, arguments[0], context)]
        listed: dict[str, object] = {name: [each[name] for each in arguments] for name in link.arguments}
        got = await self._invoke(link, listed, context)
        if type(got.output) is list and len(got.output) == len(arguments):
            return [_Got(item, _faults_of(got, index)) for index, item in enumerate(got.output)]
        fault = Internal(f"{link.operation} was asked for {len(arguments)} things and did not give as many")
        return [_Got(None, got.faults or (Located("", fault),))] * len(arguments)

    async def _invoke(self, link: Link, arguments: dict[str, object], context: Context) -> _Got:
        operation, values = self._operations[link.operation], self._served.values
        try:
            input = values.codec(operation.input).of_plain(arguments)
            reply = await self._served.invokes[operation.name](Call(operation, input, None, _around(context)))
            if reply.fault is not None:
                raise reply.fault
            return _Got(values.codec(operation.output).to_plain(reply.output), reply.warnings)
        except Fault as fault:
            return _Got(None, (Located("", fault),))


def is_followed(link: Link, service: Service) -> bool:
    """Whether a link may be followed for a caller: to what changes nothing, and answers once with a plain value."""
    operation = service.operation(link.operation)
    return operation is not None and operation.safe and not _streams(operation) and not _is_octets(operation, service)


def _streams(operation: Operation) -> bool:
    return operation.stream_output or operation.stream_input is not None


def _is_octets(operation: Operation, service: Service) -> bool:
    reached = s.reachable(operation.output, service.types)
    return any(isinstance(part, s.File | s.Raw) for part in reached)


def _member(part: s.Shape, name: str) -> s.Shape | None:
    if isinstance(part, s.Map):
        return part.value
    record = part.record if isinstance(part, s.Page) else part
    field = record.field(name) if isinstance(record, s.Record) else None
    return None if field is None else field.shape


def _arguments(link: Link, value: dict[str, object]) -> dict[str, object] | None:
    # What is linked will be put into the value, and is no part of what is given.
    found = {name: deepcopy(_given(value, source)) for name, source in link.arguments.items()}
    return None if None in found.values() else found


def _given(value: dict[str, object], source: str) -> object:
    """What a member of a value is, or what a pointer leads to; None where nothing is there."""
    if source and not source.startswith("/"):
        return value.get(source)
    found: object = value
    for token in tokens(source):
        if isinstance(found, list):
            found = found[int(token)] if token.isdecimal() and int(token) < len(found) else None
        else:
            found = found.get(token) if isinstance(found, dict) else None
    return found


def _key(place: _Place) -> _Key:
    return place.link.type, place.link.field, json.write(place.arguments)


def _faults_of(got: _Got, index: int) -> tuple[Located, ...]:
    """The faults of one item, with their places in it."""
    start = f"/{index}"
    inside = (each for each in got.faults if each.pointer == start or each.pointer.startswith(f"{start}/"))
    return tuple(Located(each.pointer.removeprefix(start), each.fault) for each in inside)


def _around(context: Context) -> Context:
    """What surrounds a call that is made for another: who calls, until when, in which trace.

    Its conditions and its key were said of the other alone.
    """
    return Context(
        principal=context.principal,
        deadline=context.deadline,
        traceparent=context.traceparent,
        meta=context.meta,
        target=context.target,
        departure=context.departure,
    )
