"""Ten real contracts, mocked by Prism, imported, and served again: generated calls take the whole way.

Prism holds each request and each of its answers against the document, independently of us. So it
tells what must come of a call: what we send never breaks the contract, an answer that keeps it
arrives as a value, and one that breaks it (examples in documents often do) is the upstream's fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from entrepot.model.operation import Operation
from entrepot.spec import documents
from support.foreign import ForeignServer, aim, import_openapi, prism
from support.needs import require_corpus
from support.remade import Remade, inputs
from support.running import Running, running_project
from support.schemathesis import finds_nothing
from support.strategies import nearly

DOCUMENTS = {
    "entities": "openapi-3.1/adyen.com_LegalEntityService_3.json",  # JSON bodies, deep types, declared faults
    "podcasts": "openapi-3.1/listennotes.com_2.0.json",  # query, headers, forms
    "people": "openapi-3.0/pagerduty_scim.json",
    "projects": "openapi-3.0/xero-projects.yaml",
    "banking": "openapi-3.1/codat.io_banking_2.1.0.json",
    "commerce": "openapi-3.1/codat.io_sync-for-commerce_1.1.json",
    "transfers": "openapi-3.1/adyen.com_TransferService-v4_4.json",
    "payouts": "openapi-3.1/adyen.com_PayoutService_67.json",
    "places": "openapi-3.1/placekit.co_1.0.0.json",
    "pages": "openapi-3.1/webscraping.ai_3.0.0.json",
}
GUARDED = ("entities", "/themes", "get")
"""The one operation whose credentials the mocks ask for; nobody has any."""

generated = settings(max_examples=4, database=None, suppress_health_check=list(HealthCheck))


class Site:
    """Both contracts behind one edge."""

    def __init__(self, running: Running, contracts: dict[str, Remade], exit_codes: dict[str, int]) -> None:
        self.running = running
        self.contracts = contracts
        self.exit_codes = exit_codes


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    corpus = require_corpus()
    project = tmp_path_factory.mktemp("prism")
    mocks = {name: prism(_mocked(name, corpus / file, project)) for name, file in DOCUMENTS.items()}
    exit_codes = {
        name: import_openapi(project, str(corpus / file), name).returncode for name, file in DOCUMENTS.items()
    }
    aim(project, **{name: {"url": mock.url, "base_path": "/"} for name, mock in mocks.items()})
    with ExitStack() as stack:
        for mock in mocks.values():
            stack.callback(mock.stop)
        with ThreadPoolExecutor(2) as side_by_side:
            list(side_by_side.map(ForeignServer.start, mocks.values()))
        running = stack.enter_context(running_project(project))
        runner = stack.enter_context(asyncio.Runner())
        contracts = {
            name: Remade(corpus / file, name, mocks[name].port, running.port, runner)
            for name, file in DOCUMENTS.items()
        }
        for contract in contracts.values():
            stack.callback(contract.close)
        yield Site(running, contracts, exit_codes)


def _mocked(name: str, document: Path, directory: Path) -> Path:
    """The document for Prism: it asks for no credentials, but at the guarded operation."""
    content = documents.read(document.read_bytes(), document.name).content
    content.pop("security", None)
    for path, item in content["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and (name, path, method) != GUARDED:
                operation.pop("security", None)
    file = directory / f"{name}-mocked.json"
    file.write_bytes(msgspec.json.Encoder(decimal_format="number").encode(content))
    return file


LOOSER = (
    "must match exactly one schema in oneOf",  # a value of several arms is let in
    "additionalData.threeds2.cardEnrolled must be string",  # `additionalProperties` takes the arms' members too
)
"""What we let in of an answer and Prism does not (docs/concepts/json-schema.md)."""
UNCHECKED = (
    "9007199254740991",  # to Prism an int64 ends where JavaScript's exact numbers do
    "must match format",  # that of a text is an annotation
)
"""What Prism does not let in of a request, and we do not look at."""


@pytest.fixture(params=DOCUMENTS)
def contract(site: Site, request: pytest.FixtureRequest) -> Remade:
    return site.contracts[request.param]


def test_the_documents_are_imported(site: Site) -> None:
    assert {name: len(each.service.operations) for name, each in site.contracts.items()} == {
        "entities": 29, "podcasts": 24, "people": 10, "projects": 16, "banking": 8,
        "commerce": 17, "transfers": 7, "payouts": 6, "places": 2, "pages": 4,
    }  # fmt: skip
    # Of podcasts some links could not be followed.
    assert site.exit_codes == dict.fromkeys(DOCUMENTS, 0) | {"podcasts": 1}


def test_every_call_gives_what_the_contract_says(contract: Remade) -> None:
    for operation in filter(contract.is_over_rpc, contract.service.operations):
        if (contract.service.name, *_place(operation)) != GUARDED:
            _hold_to_the_contract(contract, operation)


def _hold_to_the_contract(contract: Remade, operation: Operation) -> None:
    @generated
    @given(inputs(operation, contract.service.types))
    def holds(plain: Any) -> None:
        direct, violations = contract.directly(operation, plain)
        over_rest, over_rpc = contract.by_rest(operation, plain), contract.by_rpc(operation, plain)
        assert over_rest == over_rpc == direct
        of_request = [each.message for each in violations if each.of == "request"]
        if any(word in message for word in UNCHECKED for message in of_request):
            return
        assert of_request == []
        if over_rest.fault is not None:
            assert (over_rest.fault.kind, over_rest.fault.upstream) == ("upstream_failed", contract.service.name)
            assert violations != []
        for each in violations:
            # Of a value of no arm Prism says what it says of one of several.
            assert over_rest.fault is not None or any(looser in each.message for looser in LOOSER), each

    _run(holds, operation)


def test_what_does_not_fit_is_refused_on_its_way(contract: Remade) -> None:
    for operation in filter(contract.is_over_rpc, contract.service.operations):
        _hold_to_the_types(contract, operation)


def _hold_to_the_types(contract: Remade, operation: Operation) -> None:
    @generated
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        plain = data.draw(nearly(data.draw(inputs(operation, contract.service.types))))
        assume(isinstance(plain, dict))
        wrong = contract.wrong_places(operation, plain)
        fault = contract.raw_rpc(operation, plain).get("error", {}).get("data")
        if wrong:
            assert fault is not None
            assert (fault["kind"], {each["pointer"] for each in fault["errors"]}) == ("invalid", wrong)
        else:
            # Prism takes an empty text in a query for none at all, and answers what the contract says of that: 400.
            assert fault is None or fault["kind"] in ("invalid", "upstream_failed", "unauthenticated", "rejected")

    _run(holds, operation)


def _run(law: Callable[[], None], operation: Operation) -> None:
    try:
        law()
    except BaseException as error:
        error.add_note(f"calling {operation.name}")
        raise


def _place(operation: Operation) -> tuple[str, str]:
    rest = operation.bindings["rest"]
    return rest["path"], rest["method"].lower()


def test_a_declared_fault_keeps_its_type(site: Site) -> None:
    contract = site.contracts["entities"]
    operation = next(each for each in contract.service.operations if _place(each) == GUARDED[1:])
    direct, _ = contract.directly(operation, {})
    assert direct.fault is not None
    assert (direct.fault.kind, operation.fault(direct.fault.name) is not None) == ("unauthenticated", True)
    assert direct.fault.data is not None
    assert contract.by_rest(operation, {}) == contract.by_rpc(operation, {}) == direct


NOT_OURS = "not_a_server_error,positive_data_acceptance,use_after_free,ensure_resource_availability"
"""The mocks' own: examples that break their document are a 502, an empty header is to them an absent one, and they
remember nothing."""
BY_LENGTH = [pytest.param(each, marks=pytest.mark.full) if each == "entities" else each for each in DOCUMENTS]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BY_LENGTH)
def test_schemathesis_finds_nothing_in_what_is_served_again(site: Site, name: str, tmp_path: Path) -> None:
    url = f"{site.running.url}{site.contracts[name].mount}/openapi.json"
    finds_nothing(url, tmp_path, f"--exclude-checks={NOT_OURS}", "--max-examples=5")
