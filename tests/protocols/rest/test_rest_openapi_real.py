"""Real documents: how much of each is a service, and that the service's own document says as much again."""

from __future__ import annotations

import os
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from entrepot.ports.protocol import Imported
from entrepot.protocols.rest import PROTOCOL
from entrepot.spec import documents
from support.contracts import contract
from support.needs import require_corpus
from support.references import dangling

_CORPUS = os.environ.get("ENTREPOT_CORPUS", "")
DOCUMENTS = [path.relative_to(_CORPUS).as_posix() for path in sorted(Path(_CORPUS).glob("openapi-*/*"))]

LEFT_OUT = {
    "openapi-3.0/box.json": 2,
}
"""Operations that are not imported, by document; a number may only shrink, every other document is whole."""

REASONS = {
    "it does not say what an operation gets for all that it requires": 8,
    "a pattern that would take long is read more loosely": 6,
    "an object that is no JSON `content` is not carried in this style": 1,
    "the method OPTIONS carries no operation": 2,
    "the body of a GET request means nothing (RFC 9110, §9.3.1)": 1,
}
"""Why parts of real documents are refused, and how often; a number may only shrink."""


@lru_cache
def imported(document: str) -> Imported:
    path = require_corpus() / document
    return PROTOCOL.client.read(documents.read(path.read_bytes(), path.name), "real")


def written(document: str) -> bytes:
    return contract(PROTOCOL, imported(document).service)


def operations_in(content: Any) -> int:
    methods = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}
    return sum(len(methods & item.keys()) for item in content.get("paths", {}).values())


real = pytest.mark.parametrize("document", DOCUMENTS or [""])


@real
def test_every_operation_of_a_real_document_is_imported(document: str) -> None:
    path = require_corpus() / document
    declared = operations_in(documents.read(path.read_bytes(), path.name).content)
    assert declared - len(imported(document).service.operations) <= LEFT_OUT.get(document, 0)
    PROTOCOL.server.addresses(imported(document).service)


@real
def test_a_real_service_comes_back_from_its_own_document(document: str) -> None:
    require_corpus()
    again = PROTOCOL.client.read(documents.read(written(document), "written"), "real")
    assert again.refusals == ()
    # Where the upstream has another address for an operation, our document tells ours.
    service = imported(document).service
    rest = {name: said for name, said in service.bindings.get("rest", {}).items() if name != "paths"}
    assert again.service == msgspec.structs.replace(service, bindings={"rest": rest} if rest else {})


@real
def test_the_document_of_a_real_service_is_valid(document: str) -> None:
    require_corpus()
    content = documents.read(written(document), "written").content
    assert [error.message for error in OpenAPIV31SpecValidator(content).iter_errors()] == []
    assert dangling(content) == []


def test_real_documents_are_refused_in_part_for_known_reasons_only() -> None:
    require_corpus()
    refusals = [refusal for document in DOCUMENTS for refusal in imported(document).refusals]
    assert all(refusal.pointer.startswith("/") and refusal.construct for refusal in refusals)
    found = Counter(generalised(refusal.reason) for refusal in refusals)
    assert {reason: count for reason, count in found.items() if count > REASONS.get(reason, 0)} == {}


def generalised(reason: str) -> str:
    """A reason without what it names."""
    known = {
        "does not say what": "it does not say what an operation gets for all that it requires",
        "the pattern": "a pattern that would take long is read more loosely",
    }
    return next((general for words, general in known.items() if words in reason), reason)
