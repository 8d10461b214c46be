"""What contract languages have no word for, said and read back."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.model.fault import KINDS, DeclaredFault
from entrepot.model.operation import Operation
from entrepot.ports.extension import fault_of, said_of, said_of_fault, with_said
from entrepot.shapes.document import NOTHING, Node, Tree, Unreadable

SAID: dict[str, st.SearchStrategy[Any]] = {
    "safe": st.booleans(),
    "idempotent": st.booleans(),
    "deferrable": st.booleans(),
    "timeout": st.none() | st.floats(0.001, 1e6),
    "scopes": st.lists(st.text()).map(tuple),
    "deprecated_since": st.none() | st.datetimes(timezones=st.just(UTC)),
    "sunset": st.none() | st.datetimes(timezones=st.just(UTC)),
}


def bare(flags: tuple[bool, bool]) -> Operation:
    return Operation(name="get", safe=flags[0], idempotent=flags[1])


def node(said: Any) -> Node:
    """As it comes back in a document."""
    content = msgspec.json.decode(msgspec.json.encode(said))
    return Node(Tree(content), content, "/x-entrepot")


@given(implied=st.tuples(st.booleans(), st.booleans()), said=st.fixed_dictionaries(SAID))
def test_what_is_said_of_an_operation_gives_it_back(implied: tuple[bool, bool], said: dict[str, Any]) -> None:
    operation = msgspec.structs.replace(bare(implied), **said)
    written = said_of(operation, bare(implied))
    assert with_said(bare(implied), node(written)) == operation
    assert all(getattr(bare(implied), name) != said[name] for name in written)


def test_nothing_said_leaves_an_operation_as_it_is() -> None:
    assert said_of(bare((True, True)), bare((True, True))) == {}
    assert with_said(bare((True, True)), NOTHING) == bare((True, True))


@given(name=st.text(min_size=1), kind=st.sampled_from(sorted(KINDS)), docs=st.text())
def test_what_is_said_of_a_fault_gives_it_back(name: str, kind: Any, docs: str) -> None:
    fault = DeclaredFault(name=name, kind=kind, docs=docs)
    assert fault_of(node(said_of_fault(fault)), None) == fault


WRONG = [1, {"safe": "yes"}, {"timeout": 0}, {"timeout": -1.5}, {"scopes": "read"}, {"sunset": "2026-01-01T00:00:00"}]


@pytest.mark.parametrize("said", WRONG)
def test_what_says_something_else_is_refused_with_its_place(said: Any) -> None:
    with pytest.raises(Unreadable) as refused:
        with_said(bare((False, False)), node(said))
    assert refused.value.pointer == "/x-entrepot"
    assert refused.value.construct == "x-entrepot"


def test_a_fault_of_no_kind_is_refused() -> None:
    with pytest.raises(Unreadable, match="kind"):
        fault_of(node({"name": "Gone", "kind": "gone"}), None)
