"""Adding to a declaration keeps everything else as its author wrote it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.kit.diagnostics import Refused
from entrepot.spec.edit import add_member, scalar
from entrepot.spec.yaml import read

LINE = '{openapi: specs/crm.json, url: "https://x/y?z"}'


def added(text: str) -> str:
    return add_member(text, "services", "crm", {"openapi": "specs/crm.json", "url": "https://x/y?z"}, "entrepot.yaml")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"services:\n  crm: {LINE}\n"),
        ("name: x", f"name: x\nservices:\n  crm: {LINE}\n"),
        ("services:\n", f"services:\n  crm: {LINE}\n"),
        ("services: # soon\nname: x\n", f"services: # soon\n  crm: {LINE}\nname: x\n"),
        ("services: {}\n", f"services: {{crm: {LINE}}}\n"),
        ("services: {a: {b: c}} # x\nname: q\n", f"services: {{a: {{b: c}}, crm: {LINE}}} # x\nname: q\n"),
        (
            "# top\nservices:\n    a: {python: x} # hi\n    # tail\n\n# next\nroutes: []\n",
            f"# top\nservices:\n    a: {{python: x}} # hi\n    crm: {LINE}\n    # tail\n\n# next\nroutes: []\n",
        ),
        (
            "services:\n  a:\n    list:\n    - 1\n    - [2,\n     3]\n# c\n",
            f"services:\n  a:\n    list:\n    - 1\n    - [2,\n     3]\n  crm: {LINE}\n# c\n",
        ),
        ("services:\n  a: |\n    text\nname: z", f"services:\n  a: |\n    text\n  crm: {LINE}\nname: z"),
        ("services:\n  a: 1", f"services:\n  a: 1\n  crm: {LINE}\n"),
        ("services:\r\n  a: 1\r\nname: x\r\n", f"services:\r\n  a: 1\r\n  crm: {LINE}\r\nname: x\r\n"),
        ("x:\n  services: 1\n", f"x:\n  services: 1\nservices:\n  crm: {LINE}\n"),
        ("services: &s\n  a: 1\n", f"services: &s\n  a: 1\n  crm: {LINE}\n"),
        ("{services: {a: 1}}", f"{{services: {{a: 1, crm: {LINE}}}}}"),
    ],
)  # fmt: skip
def test_only_the_member_is_added(before: str, after: str) -> None:
    assert added(before) == after


@pytest.mark.parametrize(
    "text", ["{name: x}", "services: &s\n  a: 1\nother: *s\n", "- a\n", "services: null\n", "a: 1\n...\n"]
)
def test_what_cannot_be_added_to_safely_is_left_alone(text: str) -> None:
    with pytest.raises(Refused) as refused:
        added(text)
    assert refused.value.diagnostics[0].code == "E214"
    assert LINE in refused.value.diagnostics[0].remedy


def test_what_is_no_yaml_is_refused_as_such() -> None:
    with pytest.raises(Refused) as refused:
        added("services: [")
    assert refused.value.diagnostics[0].code == "E002"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20))
def test_a_scalar_reads_back(text: str) -> None:
    assert read(f"[{scalar(text)}]".encode(), "f").value == [text]
