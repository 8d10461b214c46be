"""Where an upstream's replies part from its contract: repaired, counted, told once for each kind."""

from __future__ import annotations

import re
from collections import Counter
from contextvars import ContextVar
from typing import NamedTuple

from entrepot.model.call import Call, Invoke, Located, Reply
from entrepot.model.fault import Fault, Issue
from entrepot.ports.faults import log

KINDS_MAX = 1000
"""Most kinds that are counted apart in one process."""

_INDEX = re.compile(r"/[0-9]+(?=/|$)")
_found: ContextVar[list[Issue] | None] = ContextVar("found", default=None)
"""What was repaired in the present call."""


class Kind(NamedTuple):
    """What drifts are counted by."""

    upstream: str
    operation: str
    """With its service before it."""
    pointer: str
    """`*` stands for every index."""
    code: str


OTHERS = Kind("", "", "", "")
"""All that came when there were too many kinds."""


def note(issues: tuple[Issue, ...]) -> bool:
    """Takes what was repaired in the present call; False where there is none, as for the items of a stream."""
    found = _found.get()
    if found is None:
        return False
    found.extend(issues)
    return True


class Drift:
    """Counts the drifts of all upstreams in this process."""

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()

    def around(self, operation: str, upstream: str, invoke: Invoke) -> Invoke:
        """The Invoke, with what was repaired in the reply as warnings beside its output."""

        async def watched(call: Call) -> Reply:
            found: list[Issue] = []
            before = _found.set(found)
            try:
                reply = await invoke(call)
            finally:
                _found.reset(before)
            for issue in found:
                self._count(Kind(upstream, operation, _INDEX.sub("/*", issue.pointer), issue.code), issue)
            if found and reply.fault is None:
                reply.warnings += tuple(_warning(issue, upstream) for issue in found)
            return reply

        return watched

    def tell(self) -> None:
        """Logs how often each kind was seen."""
        for kind, count in self.counts.most_common():
            log.warning("drift of %s: %d times", _words(kind), count)

    def _count(self, kind: Kind, issue: Issue) -> None:
        kind = kind if kind in self.counts or len(self.counts) < KINDS_MAX else OTHERS
        self.counts[kind] += 1
        if self.counts[kind] == 1:
            log.warning("a reply was repaired, further ones like it are counted: %s: %s", _words(kind), issue.message)


def _words(kind: Kind) -> str:
    if kind == OTHERS:
        return f"more than {KINDS_MAX} kinds"
    return f"{kind.upstream} in {kind.operation} at {kind.pointer or 'the top'} ({kind.code})"


def _warning(issue: Issue, upstream: str) -> Located:
    detail = f"{upstream} answered outside its contract, which was repaired: {issue.message}"
    return Located(issue.pointer, Fault.of("upstream_failed", detail, upstream=upstream))
