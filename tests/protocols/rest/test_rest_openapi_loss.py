"""Every word of real documents outside schemas is one that is read, or stands here with the reason why it is not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from entrepot.spec import documents
from support.needs import require_corpus

_CORPUS = os.environ.get("ENTREPOT_CORPUS", "")
DOCUMENTS = [path.relative_to(_CORPUS).as_posix() for path in sorted(Path(_CORPUS).glob("openapi-*/*"))]
METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}

HELD = {
    "root": {
        "openapi", "swagger", "info", "servers", "host", "basePath", "schemes", "paths", "webhooks", "components",
        "definitions", "parameters", "responses", "security", "securityDefinitions", "tags", "externalDocs", "consumes",
        "produces",
    },
    "info": {"title", "summary", "description", "termsOfService", "contact", "license", "version"},
    "tag": {"name", "description", "externalDocs"},
    "item": METHODS | {"parameters", "$ref"},
    "operation": {
        "operationId", "summary", "description", "tags", "externalDocs", "parameters", "requestBody", "responses",
        "callbacks", "deprecated", "security", "consumes", "produces", "servers",
    },
    "parameter": {
        "name", "in", "description", "required", "deprecated", "style", "explode", "schema", "content", "example",
        "examples", "$ref", "type", "format", "items", "enum", "default", "collectionFormat", "minimum", "maximum",
        "pattern", "minLength", "maxLength",
    },
    "body": {"description", "required", "content", "$ref"},
    "media type": {"schema", "example", "examples", "encoding"},
    "response": {"description", "content", "schema", "headers", "links", "examples", "$ref"},
    "failure": {"description", "content", "schema", "$ref"},
    "header": {
        "description", "required", "deprecated", "schema", "content", "example", "$ref", "type", "format", "items",
    },
}  # fmt: skip
"""By object: the words that are read into a service."""

LOST = {
    ("item", "description"): "an operation has a description of its own",
    ("failure", "headers"): "a fault has none; when to come back is a part of it, and answered as Retry-After",
    ("failure", "examples"): "an example is a call that goes well",
}
"""What is left out, and why. The list may only shrink."""


def words(content: Any) -> Iterator[tuple[str, str]]:
    """Each word of the document's objects outside schemas, with the kind of object that it stands in."""
    yield from of("root", content)
    yield from of("info", content.get("info"))
    for tag in content.get("tags", ()):
        yield from of("tag", tag)
    for item in content.get("paths", {}).values():
        yield from of("item", item)
        for parameter in item.get("parameters", ()):
            yield from of("parameter", parameter)
        for method in METHODS & item.keys():
            yield from of_operation(item[method])


def of_operation(operation: Any) -> Iterator[tuple[str, str]]:
    yield from of("operation", operation)
    for parameter in operation.get("parameters", ()):
        yield from of("parameter", parameter)
    yield from of("body", operation.get("requestBody"))
    yield from of_media(operation.get("requestBody", {}))
    for code, response in operation.get("responses", {}).items():
        yield from of("response" if str(code)[0] == "2" else "failure", response)
        yield from of_media(response)
        for header in response.get("headers", {}).values() if str(code)[0] == "2" else ():
            yield from of("header", header)


def of_media(holder: Any) -> Iterator[tuple[str, str]]:
    for media in (holder or {}).get("content", {}).values():
        yield from of("media type", media)


def of(kind: str, found: Any) -> Iterator[tuple[str, str]]:
    """The words of one object; those that begin with `x-` are somebody's own."""
    return ((kind, word) for word in found or () if not str(word).startswith("x-"))


@pytest.mark.parametrize("document", DOCUMENTS or [""])
def test_no_word_of_a_real_document_is_dropped_without_a_reason(document: str) -> None:
    path = require_corpus() / document
    found = set(words(documents.read(path.read_bytes(), path.name).content))
    assert {(kind, word) for kind, word in found if word not in HELD[kind]} <= LOST.keys()
