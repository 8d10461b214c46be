"""What of an answer is wanted: the parameters `fields` and `expand` as a selection, and the answer that it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from entrepot.http.headers import LENGTHS
from entrepot.model import shape
from entrepot.model.call import Context, Reply
from entrepot.model.fault import Issue
from entrepot.ports.exchange import Response
from entrepot.ports.links import Links
from entrepot.protocols.rest.binding.bound import Ask, Binding
from entrepot.shapes import plain as json
from entrepot.shapes.selection import ALL, Selector
from entrepot.shapes.values import Values

NAMES_MAX = 100
"""Most names in one of these parameters."""


class Asked(NamedTuple):
    """An answer of which a part is wanted, or more than it."""

    reply: Reply
    """With what failed on the way."""
    response: Response
    linked: bool
    """Whether it holds what other operations gave, whose versions are not that of the output."""


class Asking:
    """Reads what is asked of one operation, and answers it."""

    def __init__(self, binding: Binding, values: Values, links: Links) -> None:
        self._binding = binding
        self._links = links if "expand" in binding.asks else None
        self._codec = values.codec(binding.operation.output)
        self._is_page = isinstance(shape.resolve(binding.operation.output, values.types), shape.Page)
        linked = {} if self._links is None else links.linked
        self._selector = Selector(binding.operation.output, values.types, linked, values.limits)
        self._issues_max = values.limits.issues_max
        self._content_type = (b"content-type", binding.produces[0].encode())

    def take(self, texts: dict[str, list[str | None]], context: Context, issues: list[Issue]) -> None:
        """Takes what is asked out of the parameters of a query, as the context's selection."""
        asked = {name: self._names(name, texts.pop(name), issues) for name in self._binding.asks if name in texts}
        if asked and not issues:
            fields = asked.get("fields", [ALL])
            context.selection = (*fields, *(each for name in asked.get("expand", ()) for each in _along(name)))

    def _names(self, parameter: Ask, texts: list[str | None], issues: list[Issue]) -> list[str]:
        names = [name.strip() for text in texts for name in (text or "").split(",", NAMES_MAX)]
        if len(names) > NAMES_MAX:
            issues.append(Issue(f"/{parameter}", "length", f"must have at most {NAMES_MAX} items"))
            return []
        for index, name in enumerate(names):
            problem = self._selector.problem(name, of_link=parameter == "expand")
            if problem and len(issues) < self._issues_max:
                issues.append(Issue(f"/{parameter}/{index}", "unknown", problem))
        return names

    def columns(self, context: Context, names: Sequence[str]) -> list[str]:
        """Of these names of the fields of a row, and of links, those that are wanted."""
        wanted = self._selector.wanted(context.selection)
        return (wanted.members["items"] if self._is_page else wanted).names(names)

    async def answer(self, reply: Reply, context: Context) -> Asked:
        """The part of an output that is wanted, and what its links lead to."""
        linked, plain, wanted = False, self._codec.to_plain(reply.output), self._selector.wanted(context.selection)
        if self._links is not None:
            linked, failed = await self._links.follow(self._codec.shape, plain, wanted, context)
            reply = Reply(reply.output, meta=reply.meta, warnings=reply.warnings + failed)
        body = json.write(wanted.of(plain))
        headers = [(b"content-length", LENGTHS[len(body)]), self._content_type]
        return Asked(reply, Response(self._binding.status, headers, body), linked)


def _along(link: str) -> list[str]:
    """What is wanted for a link to be: all that it leads to, and all that stands on the way."""
    steps = link.split(".")
    return [".".join([*steps[:end], ALL]) for end in range(1, len(steps) + 1)]
