from __future__ import annotations

import pytest

from entrepot.model import shape
from entrepot.protocols.rest.binding.places import holds_octets
from support.rings import ring


def test_octets_are_found_however_far_away() -> None:
    file = shape.Record(fields=(shape.Field(name="scan", shape=shape.Nullable(shape=shape.File())),))
    types = ring(3, Scan=file, Scans=shape.List(item=shape.Ref(name="Scan")))
    assert [name for name in types if holds_octets(shape.Ref(name=name), types)] == ["Scan", "Scans"]
    types["Later"] = shape.Tuple(items=(shape.Ref(name="T1"), shape.Ref(name="Scans")))
    assert holds_octets(shape.Ref(name="Later"), types)
    assert holds_octets(shape.Raw(), {})


def test_types_that_lead_to_one_another_are_gone_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    types, looked_at = ring(500), []
    parts = shape.parts
    monkeypatch.setattr(shape, "parts", lambda part: looked_at.append(part) or parts(part))
    for name in types:
        assert not holds_octets(shape.Ref(name=name), types)
    assert len(looked_at) < 10 * len(types)
