"""The laws through the real edge: client, Envoy, a worker's ASGI server, and back."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from entrepot.app import CATALOG
from support import laws
from support.through_edge import Edge

through_the_edge = settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_calling_through_the_edge_is_calling(edge: Edge, name: str, sent: laws.Sent) -> None:
    @through_the_edge
    @given(laws.cases(laws.operations_of(name)))
    def law(case: laws.Case) -> None:
        told = edge.run(laws.told(case, CATALOG[name], edge.wire))
        sent.assume(told)
        assert told == edge.run(laws.expected(case, CATALOG[name]))

    law()


def test_every_protocol_gives_the_same_answer_through_the_edge(edge: Edge, sent: laws.Sent) -> None:
    @through_the_edge
    @given(laws.cases(laws.operations_of_all(CATALOG)))
    def law(case: laws.Case) -> None:
        every = [edge.run(laws.told(case, protocol, edge.wire)) for protocol in CATALOG.values()]
        sent.assume(*every)
        assert all((told.seen, told.answer) == (every[0].seen, every[0].answer) for told in every)

    law()
