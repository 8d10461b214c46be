from __future__ import annotations

import json
import uuid

import msgspec
import pytest

from entrepot.model import shape as s
from entrepot.model.faults import Malformed
from entrepot.shapes.collisions import COLLIDING_MAX, colliding
from entrepot.shapes.msgpack import MsgPack
from entrepot.shapes.reflect import Reflector
from entrepot.shapes.values import Values
from entrepot.shapes.xml import Xml

MODULUS = 2**61 - 1
SPELLINGS = {
    "usual": str,
    "without dashes": lambda each: each.hex,
    "in capitals": lambda each: str(each).upper(),
}


def colliding_uuids(count: int) -> list[uuid.UUID]:
    found = [uuid.UUID(int=number * MODULUS) for number in range(1, count + 1)]
    assert len({hash(each) for each in found}) == 1
    return found


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("shape", [s.Map(key=s.Uuid(), value=s.Int()), s.List(item=s.Uuid(), unique=True)])
def test_uuids_chosen_to_collide_are_refused(shape: s.Shape, spelling: str) -> None:
    texts = [SPELLINGS[spelling](each) for each in colliding_uuids(COLLIDING_MAX + 1)]
    plain = dict.fromkeys(texts, 1) if isinstance(shape, s.Map) else texts
    with pytest.raises(Malformed) as refused:
        Values({}).codec(shape).decode(json.dumps(plain).encode())
    assert refused.value.issues[0].code == "length"


def test_escapes_hide_nothing() -> None:
    texts = (f'"\\u003{str(each)[0]}{str(each)[1:]}":1' for each in colliding_uuids(COLLIDING_MAX + 1))
    assert colliding(b"{%b}" % ",".join(texts).encode()) is not None


def test_as_many_different_ones_are_taken() -> None:
    keys = [str(uuid.UUID(int=number)) for number in range(COLLIDING_MAX * 5)]
    document = json.dumps(dict.fromkeys(keys, 1)).encode()
    assert len(Values({}).codec(s.Map(key=s.Uuid(), value=s.Int())).decode(document)) == len(keys)


def test_one_number_said_often_is_one() -> None:
    assert colliding(b"[%b1]" % (b"%d," % 3**60 * (COLLIDING_MAX * 2))) is None
    assert colliding(b"[%b1]" % b"".join(b"%d," % (3**60 + each) for each in range(COLLIDING_MAX * 2))) is None
    chosen = b"".join(b"%d," % (10**20 * MODULUS + each * MODULUS) for each in range(COLLIDING_MAX + 1))
    assert colliding(b"[%b1]" % chosen) is not None


class Seen(msgspec.Struct):
    ids: set[uuid.UUID]


@pytest.mark.parametrize("spoken", ["msgpack", "xml"])
def test_other_notations_are_no_way_around(spoken: str) -> None:
    reflector = Reflector()
    shape = reflector.shape(Seen)
    values = Values(reflector.types, reflector.classes)
    both = MsgPack(values.codec(shape), values) if spoken == "msgpack" else Xml(values.codec(shape), values, "x")

    def told(step: int) -> bytes:
        ids = [str(uuid.UUID(int=step * number + 7)) for number in range(10**6, 10**6 + 2000)]
        if spoken == "msgpack":
            return msgspec.msgpack.encode({"ids": ids})
        return b"<Seen>%s</Seen>" % "".join(f"<ids>{each}</ids>" for each in ids).encode()

    assert len(both.decode(told(3)).ids) == 2000
    with pytest.raises(Malformed) as raised:
        both.decode(told(2**61 - 1))
    assert "one hash" in raised.value.issues[0].message
