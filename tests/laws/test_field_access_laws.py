"""What has one direction goes in that direction only: through every protocol, to an upstream and back."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.app import CATALOG
from entrepot.model import shape as s
from entrepot.model.call import Call, Reply
from entrepot.model.fault import DeclaredFault, Fault
from entrepot.model.operation import Operation, Service
from entrepot.ports.protocol import ServedService
from entrepot.runtime.bind import Binder, Dialled
from entrepot.runtime.threads import Threads
from entrepot.shapes.field_access import part_of
from entrepot.shapes.values import Values
from entrepot.wire.memory import memory_wire

ACCOUNT = s.Record(
    fields=(
        s.Field(name="id", shape=s.Int(), access="read"),
        s.Field(name="password", shape=s.Text(), access="write"),
        s.Field(name="name", shape=s.Text()),
        s.Field(name="friends", shape=s.List(item=s.Ref(name="Account")), required=False),
        s.Field(name="boss", shape=s.Nullable(shape=s.Ref(name="Account")), required=False),
    )
)
SAVE = Operation(
    name="save",
    input=s.Record(fields=(s.Field(name="account", shape=s.Ref(name="Account")),)),
    output=s.Ref(name="Account"),
    faults=(DeclaredFault(name="Taken", kind="conflict", data=s.Ref(name="Account")),),
)
SERVICE = Service(name="made", operations=(SAVE,), types={"Account": ACCOUNT})


NAMED = {"name": st.text("ab")}
ONE_WAY = {"id": st.integers(), "password": st.text("ab")}
ACCOUNTS = st.recursive(
    st.fixed_dictionaries(NAMED, optional=ONE_WAY),
    lambda inner: st.fixed_dictionaries(
        NAMED, optional=ONE_WAY | {"friends": st.lists(inner, max_size=2), "boss": st.none() | inner}
    ),
    max_leaves=4,
)


def without(plain: Any, *names: str) -> Any:
    if isinstance(plain, list):
        return [without(each, *names) for each in plain]
    if isinstance(plain, dict):
        return {name: without(each, *names) for name, each in plain.items() if name not in names}
    return plain


async def saved(front: str, back: str, account: dict[str, Any], *, fails: bool) -> tuple[Any, Reply, Values]:
    """What a careless upstream got, and what came of a call by way of two protocols."""
    received: list[Any] = []
    values = Values(SERVICE.types)

    async def careless(call: Call) -> Reply:
        received.append(values.codec(SAVE.input).to_plain(call.input)["account"])
        told = values.codec(SAVE.output).of_plain(account)
        return Reply(fault=Fault.of("conflict", name="Taken", data=told)) if fails else Reply(told)

    upstream = ServedService(service=SERVICE, values=values, invokes={"save": careless})
    exchange = memory_wire(CATALOG[back].server.serve([upstream]))
    base_path = CATALOG[back].server.mounts(SERVICE)[0].path.rstrip("/")
    threads = Threads(1)
    served = Binder(threads).serve_upstream(SERVICE, 30, CATALOG[back].client, exchange, Dialled("bank", base_path))
    before = memory_wire(CATALOG[front].server.serve([served]))
    invokes = CATALOG[front].client.dial(
        SERVICE, values, before, "gate", CATALOG[front].server.mounts(SERVICE)[0].path.rstrip("/")
    )
    reply = await invokes["save"](Call(SAVE, values.codec(SAVE.input).of_plain({"account": account})))
    threads.close()
    return received, reply, values


@pytest.mark.parametrize(("front", "back"), list(itertools.product(sorted(CATALOG), repeat=2)))
@given(account=ACCOUNTS, fails=st.booleans())
def test_a_member_of_one_direction_goes_no_other(front: str, back: str, account: dict[str, Any], fails: bool) -> None:
    received, reply, values = asyncio.run(saved(front, back, account, fails=fails))
    assert received == [without(account, "id")]
    told = reply.fault.data if reply.fault is not None else reply.output
    assert values.codec(SAVE.output).to_plain(told) == without(account, "password")


def test_a_value_is_not_changed_by_what_is_taken_from_it() -> None:
    values = Values(SERVICE.types)
    account = values.codec(s.Ref(name="Account")).of_plain({"name": "a", "password": "p", "friends": [{"name": "b"}]})
    part = part_of("reply", s.Ref(name="Account"), values)
    assert part is not None
    taken = part(account)
    assert (account.password, taken.password, taken.name) == ("p", msgspec.UNSET, "a")
    assert part_of("reply", s.List(item=s.Text()), values) is None
