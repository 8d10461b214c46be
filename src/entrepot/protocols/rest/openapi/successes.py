"""The successes of an OpenAPI operation as its output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from entrepot.model import shape
from entrepot.model.shape import Shape
from entrepot.protocols.rest.binding.bound import EVENT_STREAM, NDJSON, REDIRECTS
from entrepot.protocols.rest.binding.notations import FORMS, notation_of
from entrepot.protocols.rest.binding.places import ADDRESS
from entrepot.protocols.rest.body.body import NO_CONTENT
from entrepot.protocols.rest.faults import DEFAULT
from entrepot.protocols.rest.openapi import media, words
from entrepot.protocols.rest.openapi.document import Content, Dialect, item_schema, responses_of, status_of
from entrepot.protocols.rest.openapi.octets import octets_of
from entrepot.protocols.rest.table import CSV
from entrepot.shapes.arms import told_apart
from entrepot.shapes.document import NOTHING, Node, Refusal
from entrepot.shapes.schema_words import OURS
from entrepot.shapes.schemas import Schemas

_STREAMS = (EVENT_STREAM, NDJSON, "application/jsonl")


class Answer(NamedTuple):
    """One way in which a call goes well."""

    output: Shape
    status: int
    node: Node
    """The response it was read from."""
    streams: bool = False
    media: Node = NOTHING
    """The media type that its schema stands in, where it is JSON."""
    produces: tuple[str, ...] = ()
    is_value: bool = False
    """Whether it is written in a notation of values."""

    @property
    def has_body(self) -> bool:
        """Whether there is more than the status."""
        return self.streams or bool(self.produces)


class Success(NamedTuple):
    """What a call that goes well answers."""

    output: Shape
    answers: tuple[Answer, ...]
    """One for each arm of the output, or for all of it."""
    nodes: tuple[tuple[int, Node], ...]
    """All responses of success, by their statuses."""

    @property
    def arms(self) -> Iterator[tuple[Shape, Answer]]:
        """What is answered in each way."""
        alone = len(self.answers) == 1
        return ((self.output if alone else answer.output, answer) for answer in self.answers)

    def apart(self, headers: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        """Of headers by the statuses that they come with: those that come with some of ours alone."""
        ours = {answer.status for answer in self.answers}
        if isinstance(self.output, shape.Nullable) and (len(self.answers) > 1 or not self.first.media):
            ours.add(NO_CONTENT)
        return {name: statuses for name, statuses in headers.items() if ours > set(statuses)}

    @property
    def first(self) -> Answer:
        """The usual one."""
        return self.answers[0]

    def binding(self) -> dict[str, Any]:
        """What REST must know of it."""
        statuses = [answer.status for answer in self.answers]
        told = {"status": statuses[0]} if len(statuses) == 1 else {"statuses": statuses}
        return told | ({"produces": list(self.first.produces)} if self.first.produces else {})


class SuccessImport:
    """Reads the responses of one operation that are a success."""

    def __init__(self, schemas: Schemas, dialect: Dialect, operation: Node) -> None:
        self._schemas = schemas
        self._dialect = dialect
        self._operation = operation
        self._responses = responses_of(operation)
        self.gaps: list[Refusal] = []

    def success(self) -> Success:
        """The output: the bodies of all successes, or of those that can be told apart. Raises `Unreadable`."""
        found = self._found()
        read = [self._read(status, node) for status, node in found]
        answers = self._apart([answer for answer in read if answer.has_body]) or read[:1]
        output = self._union(answers)
        if answers[0].produces and not answers[0].streams and not all(answer.has_body for answer in read):
            output = _nullable(output)
        return Success(output, tuple(answers), tuple(found))

    def _found(self) -> list[tuple[int, Node]]:
        """The responses of success with their statuses: where there are none, a redirect, or that for all others."""
        every = self._responses
        successes = [code for code in sorted(every) if code[:1] == "2" and not every[code][OURS][words.BULK]]
        redirects = [code for code in map(str, REDIRECTS) if code in every]
        codes = successes or redirects[:1] or [code for code in every if code == DEFAULT]
        if not codes:
            raise self._operation["responses"].unreadable("none succeeds")
        return [(status_of(code, 200), every[code].resolved()) for code in codes]

    def _apart(self, answers: list[Answer]) -> list[Answer]:
        """The first answer, and those that can be told from it and from each other; what else differs is left out."""
        found = answers[:1]
        for answer in answers[1:]:
            if any(answer.output == other.output for other in found):
                continue
            reason = self._clash(found, answer)
            if reason:
                reason = f"it is not read beside the body of status {found[0].status}: {reason}"
                self.gaps.append(Refusal(answer.node.pointer, f"{answer.status} response", reason))
            else:
                found.append(answer)
        return found

    def _clash(self, found: list[Answer], other: Answer) -> str:
        """Why another answer cannot be an arm of one output with these; "" when it can."""
        if any(other.status == answer.status for answer in found):
            return "it has the same status"
        if not (found[0].is_value and other.is_value) or found[0].produces != other.produces:
            return "it is not JSON of the same media type"
        apart = told_apart([answer.output for answer in (*found, other)], self._schemas.types)
        return "" if apart else "nothing but the status tells them apart"

    def _union(self, answers: list[Answer]) -> Shape:
        arms = tuple(answer.output for answer in answers)
        return shape.Union(arms=arms, choose=told_apart(arms, self._schemas.types) or "kind") if arms[1:] else arms[0]

    def _read(self, status: int, node: Node) -> Answer:
        if status in REDIRECTS:
            return Answer(ADDRESS, status, node)
        content = self._dialect.reply(node, self._operation)
        found = media.by_name(content.media_types)
        if self._operation[OURS][words.CSV].is_true:
            found.pop(CSV, None)
        none = (*_STREAMS, *FORMS)
        of_values, untold = media.of_values({name: found[name] for name in found if name not in none}, self._schemas)
        self.gaps += untold
        streams = [name for name in found if name in _STREAMS]
        if not found:
            return Answer(shape.Null(), status, node)
        if of_values:
            first = found[of_values[0]]
            part = self._schemas.shape(first.raw("schema"))
            if isinstance(self._schemas.resolved(part), shape.Null):
                return Answer(part, status, node)
            kept, gaps = media.alike(of_values, found, part, self._schemas.types)
            self.gaps += [*gaps, *media.others(kept, found, gaps)]
            in_json = notation_of(kept[0]) == "json"
            return Answer(part, status, node, produces=kept, media=first if in_json else NOTHING, is_value=True)
        if streams:
            self.gaps += media.others(streams, found)
            item = item_schema(found[streams[0]], streams[0])
            if not item:
                raise node.unreadable("it is a stream, and nothing says of what items")
            return Answer(self._schemas.shape(item), status, node, streams=True, produces=tuple(streams))
        return Answer(self._octets(list(found), content), status, node, produces=tuple(found))

    def _octets(self, media_types: list[str], content: Content) -> Shape:
        """Our own documents say in the schema what octets are; others are known by their media type."""
        schema = next(iter(content.media_types.values())).raw("schema")
        if schema.raw(OURS):
            return self._schemas.shape(schema)
        return octets_of(media_types)


def _nullable(part: Shape) -> Shape:
    return part if isinstance(part, shape.Nullable) else shape.Nullable(shape=part)
