"""Where the files of one document stand: references joined, found and told from the root."""

from __future__ import annotations

from typing import Any

import pytest

from entrepot.shapes.locations import joined, rebased, references

JOINED = [
    ("api/main.yaml", "pet.yaml", "api/pet.yaml"),
    ("api/main.yaml", "./schemas/../pet.yaml", "api/pet.yaml"),
    ("api/main.yaml", "../common.yaml", "common.yaml"),
    ("api/main.yaml", "../../common.yaml", "../common.yaml"),
    ("main.yaml", "/schemas/pet.yaml", "schemas/pet.yaml"),
    ("main.yaml", "a b.yaml", "a%20b.yaml"),
    ("main.yaml", "%61%20b.yaml", "a%20b.yaml"),
    ("main.yaml", "pet.yaml?v=1", "pet.yaml?v=1"),
    ("main.yaml", "https://x.example/y.json", "https://x.example/y.json"),
    ("https://x.example/a/y.json", "../z.json", "https://x.example/z.json"),
]


@pytest.mark.parametrize(("base", "reference", "location"), JOINED)
def test_a_reference_is_joined_to_where_it_stands(base: str, reference: str, location: str) -> None:
    assert joined(base, reference) == location


DATA: dict[str, Any] = {
    "example": {"$ref": "data.yaml"},
    "enum": [{"$ref": "data.yaml"}],
    "const": {"$ref": "data.yaml"},
    "default": {"$ref": "data.yaml"},
    "examples": [{"$ref": "data.yaml"}],
    "properties": {"$ref": {"type": "string"}},
    "x-codeSamples": [{"lang": "go", "source": {"$ref": "data.go"}}],
}
"""What only looks like a reference."""
NAMED: dict[str, Any] = {
    "properties": {"example": {"$ref": "a.yaml"}, "enum": {"$ref": "b.yaml#/B"}, "value": {"$ref": "#/C"}},
    "responses": {"default": {"$ref": "../d.yaml"}},
    "x-item-schema": {"$ref": "a.yaml"},
    "examples": {"one": {"$ref": "e.yaml"}, "two": {"value": {"$ref": "data.yaml"}}},
}
"""What only looks like data."""


def test_the_files_that_are_referred_to_are_found_with_their_places() -> None:
    assert references(DATA, "api/main.yaml") == {}
    assert references({"x": [NAMED, {"$ref": "a.yaml#/again"}]}, "api/main.yaml") == {
        "api/a.yaml": "/x/0/properties/example/$ref",
        "api/b.yaml": "/x/0/properties/enum/$ref",
        "d.yaml": "/x/0/responses/default/$ref",
        "api/e.yaml": "/x/0/examples/one/$ref",
    }


def test_a_file_that_refers_to_itself_by_name_is_found_too() -> None:
    assert references({"$ref": "main.yaml#/x"}, "api/main.yaml") == {"api/main.yaml": "/$ref"}


def test_references_told_from_the_root_mean_the_same_and_data_stays() -> None:
    assert rebased(DATA, "api/main.yaml") == DATA
    told = rebased(NAMED, "api/main.yaml")
    assert told["properties"] == {
        "example": {"$ref": "/api/a.yaml"}, "enum": {"$ref": "/api/b.yaml#/B"}, "value": {"$ref": "/api/main.yaml#/C"},
    }  # fmt: skip
    assert told["responses"] == {"default": {"$ref": "/d.yaml"}}
    assert told["examples"] == {"one": {"$ref": "/api/e.yaml"}, "two": {"value": {"$ref": "data.yaml"}}}
    assert rebased({"$ref": "#/A"}, "https://x.example/y.json") == {"$ref": "https://x.example/y.json#/A"}


def test_the_mapping_of_a_discriminator_has_references_and_names() -> None:
    mapping = {"a": "a.yaml", "b": "#/B", "c": "../c/C", "d": "Dog", "e": "org.example.Dog"}
    assert rebased({"discriminator": {"mapping": mapping}}, "api/main.yaml")["discriminator"]["mapping"] == {
        "a": "/api/a.yaml", "b": "/api/main.yaml#/B", "c": "/c/C", "d": "Dog", "e": "org.example.Dog",
    }  # fmt: skip


def test_what_is_nested_too_deep_is_not_looked_at() -> None:
    content: Any = {"$ref": "pet.yaml"}
    for _ in range(5000):
        content = {"not": content}
    assert references({"a": {"$ref": "other.yaml"}, "b": content}, "main.yaml") == {"other.yaml": "/a/$ref"}
