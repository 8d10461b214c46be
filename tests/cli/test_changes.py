"""What a person is told of two releases that differ: each thing once, by the name its author knows."""

from __future__ import annotations

from typing import Any

from entrepot.cli.changes import told
from entrepot.control.differences import differences
from entrepot.ir.edge import PoolTarget, Route, UpstreamTarget
from entrepot.ir.release import Release
from entrepot.ir.worker import UpstreamSource
from entrepot.model.operation import Operation, Service
from entrepot.model.shape import Field, Int, List, Nullable, Record, Text
from entrepot.model.upstream import Endpoint, Upstream
from support.tables import edge_table, release_of, service_table, worker_pool, worker_table

LIMIT = Field(name="limit", shape=Int(), required=False, default=10)
COLOR = Field(name="color", shape=Nullable(shape=Text()), required=False)
COLORS = Operation(name="colors", summary="Colours there are.", input=Record(fields=(LIMIT,)), output=List(item=Text()))
QUOTE = Operation(name="quote", output=Int())
ASSETS = Upstream(name="assets", endpoints=(Endpoint("127.0.0.1", 9), Endpoint("::1", 10)))
STATIC = Route(path="/static/", target=UpstreamTarget(upstream="assets"))


def release(
    *operations: Operation, over: tuple[Operation, ...] | None = None, timeout: float = 30.0, **given: Any
) -> Release:
    service = Service(name="shop", operations=operations)
    carried = {"rest": tuple(each.name for each in (operations if over is None else over))}
    table = service_table(service, UpstreamSource("rest", "crm"), carried=carried, timeout=timeout)
    return release_of(worker=worker_table(services=(table,), pools=(worker_pool("operations"),)), **given)


def lines(one: Release, other: Release) -> list[str]:
    return list(told(differences(one, other)))


def test_what_is_alike_does_not_differ() -> None:
    assert lines(release(QUOTE), release(QUOTE)) == ["nothing differs"]


def test_an_operation_a_route_and_an_upstream_are_a_line_each() -> None:
    one = release(QUOTE, edge=edge_table())
    other = release(QUOTE, COLORS, code="b", edge=edge_table(routes=(STATIC,), upstreams=(ASSETS,)))
    assert lines(one, other) == [
        "+ operation shop.colors: Colours there are.",
        "+ route /static/* → upstream assets",
        "+ upstream assets: 127.0.0.1:9, ::1:10",
        "~ file p.py",
        "3 added, 1 changed",
    ]
    assert lines(other, one)[-1] == "3 removed, 1 changed"


def test_a_change_is_told_by_its_part_from_old_to_new() -> None:
    limit = Field(name="limit", shape=Int(), required=False, default=20)
    changed = Operation(
        name="colors", summary="Colours there are.", input=Record(fields=(limit, COLOR)), output=List(item=Int())
    )
    pool = Route(path="/static/", target=PoolTarget("old"))
    moved = Upstream(name="assets", endpoints=(Endpoint("127.0.0.1", 8),))
    one = release(COLORS, edge=edge_table(routes=(STATIC,), upstreams=(ASSETS,)))
    other = release(changed, edge=edge_table(port=9000, routes=(pool,), upstreams=(moved,)))
    assert lines(one, other) == [
        "~ operation shop.colors",
        "    + parameter color: text or null",
        "    parameter limit.default: 10 → 20",
        "    output.item: text → int",
        "~ route /static/*: target: upstream assets → pool old",
        "~ upstream assets: endpoints: 127.0.0.1:9, ::1:10 → 127.0.0.1:8",
        f"~ port: {one.edge.port} → 9000",
        "4 changed",
    ]


def test_what_serves_an_operation_is_told_with_it() -> None:
    one, other = release(QUOTE, COLORS), release(QUOTE, COLORS, over=(QUOTE,))
    assert lines(one, other) == ["~ operation shop.colors: no longer served over rest", "1 changed"]
    assert lines(other, one) == ["~ operation shop.colors: served over rest", "1 changed"]


def test_what_follows_from_another_change_is_not_told() -> None:
    def timed(seconds: float) -> Release:
        route = Route(path="/api/", target=PoolTarget("operations"), silence=seconds + 60)
        upstream = Upstream(name="assets", endpoints=(Endpoint("127.0.0.1", 9),), timeout=seconds)
        return release(QUOTE, timeout=seconds, edge=edge_table(routes=(route,), upstreams=(upstream,)))

    assert lines(timed(2), timed(3)) == ["~ upstream assets: timeout: 2 → 3", "1 changed"]
    assert lines(release(QUOTE, timeout=2.0), release(QUOTE, timeout=3.0))[0] == "~ service shop: timeout: 2 → 3"


def test_what_is_long_is_cut_short() -> None:
    many = Operation(name="quote", output=Int(), tags=tuple(f"tag{number}" for number in range(99)))
    [line, _] = lines(release(QUOTE), release(many))
    assert (line.startswith("~ operation shop.quote: + tags: tag0, tag1"), line.endswith("…"), len(line) < 100) == (
        True, True, True,
    )  # fmt: skip


def test_a_thing_that_changed_much_is_told_by_its_first_parts() -> None:
    fields = [Field(name=f"f{number:02}", shape=Int()) for number in range(21)]
    one, other = (Operation(name="quote", input=Record(fields=tuple(each))) for each in (fields[:1], fields))
    [_, *parts, rest, _] = lines(release(one), release(other))
    assert (len(parts), rest) == (12, "    and 8 more, which --json tells")
