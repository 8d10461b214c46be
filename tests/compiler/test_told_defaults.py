"""What the declaration's docs say of a key that is left out is what then holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from entrepot.compiler.draft import Settings
from entrepot.kit.limits import DEFAULT_LIMITS
from entrepot.model.upstream import Ejection, Endpoint, HealthCheck, Retry, Upstream
from entrepot.spec.schema import declaration_schema
from entrepot.spec.units import octets, seconds

_TOLD = re.compile(r"Without it: (\S+?)[.;,]?(?: |$)")
SETTINGS = msgspec.structs.asdict(Settings())
OF_THE_EDGE = ("connections_max", "edge_memory_max")
LIMITS = {**msgspec.structs.asdict(DEFAULT_LIMITS), **{name: SETTINGS[name] for name in OF_THE_EDGE}}
HOLDS: dict[str, dict[str, Any]] = {
    "Declaration": SETTINGS | {"listen": f"{SETTINGS['address']}:{SETTINGS['port']}"},
    "LimitsEntry": {name.removesuffix("_max").removesuffix("_bytes"): value for name, value in LIMITS.items()},
    "UpstreamEntry": msgspec.structs.asdict(Upstream(name="", endpoints=(Endpoint("", 0),))),
    "HealthEntry": msgspec.structs.asdict(HealthCheck()),
    "RetryEntry": msgspec.structs.asdict(Retry()),
    "EjectionEntry": msgspec.structs.asdict(Ejection()),
}
"""By class of the declaration and key: the value in the model."""


def told() -> Iterator[tuple[str, str, str]]:
    """Each class and key with the value its docs name; words such as `none` and `the` name no value."""
    for owner, definition in declaration_schema(())["$defs"].items():
        for key, said in definition.get("properties", {}).items():
            match = _TOLD.search(said.get("description", ""))
            if match and (match[1][0].isdigit() or "_" in match[1]):
                yield owner, key, match[1]


def read(text: str) -> Any:
    for reader in (int, seconds, octets):
        try:
            return reader(text)
        except ValueError:
            continue
    return text


@pytest.mark.parametrize(("owner", "key", "value"), list(told()))
def test_what_is_told_holds(owner: str, key: str, value: str) -> None:
    assert HOLDS[owner][key] == read(value)


def test_the_docs_are_read() -> None:
    assert len(list(told())) > 20
