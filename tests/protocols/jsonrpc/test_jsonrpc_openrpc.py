"""OpenRPC documents: written valid, read completely or refused with a reason, and the same after both."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from entrepot.kit.diagnostics import Refused
from entrepot.model import shape as s
from entrepot.model.call import Call
from entrepot.model.operation import Example, Link, Operation, Service
from entrepot.ports.exchange import Request, Response
from entrepot.ports.protocol import Imported, ServedService
from entrepot.protocols.jsonrpc import PROTOCOL
from entrepot.shapes.document import Document
from entrepot.shapes.values import Values
from support.calculator import Calculator
from support.contracts import contract
from support.needs import require_npm
from support.references import dangling
from support.strategies import nearly, operations


def written(*services: Service) -> dict[str, Any]:
    return dict(json.loads(contract(PROTOCOL, *services)))


def imported(content: Any, name: str = "calc") -> Imported:
    return PROTOCOL.client.read(Document(content, "openrpc.json"), name)


@cache
def meta_schema() -> Draft7Validator:
    """The OpenRPC meta-schema, as its npm package has it."""
    package = require_npm("@open-rpc/meta-schema")
    script = "process.stdout.write(JSON.stringify(require(process.argv[1]).openrpcDocument))"
    output = subprocess.run(["node", "-e", script, str(package)], capture_output=True, check=True).stdout
    # JSON Schemas are checked by their own meta-schema below.
    anything = {"definitions": {"JSONSchemaObject": {"properties": {"$ref": {"type": "string"}}}}}
    any_schema = Resource(contents=anything, specification=DRAFT7)
    registry = Registry().with_resource("https://meta.json-schema.tools", any_schema)
    registry = registry.with_resource("https://meta.json-schema.tools/", any_schema)
    return Draft7Validator(json.loads(output), registry=registry)


def check_valid(document: dict[str, Any]) -> None:
    meta_schema().validate(document)
    schemas = list(document["components"]["schemas"].values())
    for method in document["methods"]:
        schemas += [each["schema"] for each in [*method["params"], method["result"]]]
    for each in schemas:
        Draft202012Validator.check_schema(each)
    assert dangling(document) == []


def test_the_document_of_a_service_is_valid():
    document = written(Calculator().service, Calculator("other").service)
    check_valid(document)
    assert document["info"] == {
        "title": "A calculator, A calculator", "version": "1, 1", "description": "It calculates.\n\nIt calculates.",
    }  # fmt: skip
    names = [method["name"] for method in document["methods"]]
    assert names[0] == "calc.subtract"
    assert len(names) == len(set(names)) == 2 * len(Calculator().service.operations)


@given(made=operations())
def test_any_document_is_valid(made):
    check_valid(written(Service(name="made", operations=(made.operation,), types=made.types)))


def test_the_types_of_two_services_are_kept_apart():
    def service(name: str, item: s.Shape) -> Service:
        return Service(name=name, operations=(Operation(name="get", output=s.Ref(name="Item")),), types={"Item": item})

    document = written(service("a", s.Int()), service("b", s.Text()))
    schemas = document["components"]["schemas"]
    assert [method["result"]["schema"] for method in document["methods"]] == [
        {"$ref": "#/components/schemas/a.Item"}, {"$ref": "#/components/schemas/b.Item"},
    ]  # fmt: skip
    assert (schemas["a.Item"]["type"], schemas["b.Item"]["type"]) == ("integer", "string")


def test_a_number_that_a_release_has_kept_exact_is_a_number():
    ratio = s.Field(name="ratio", shape=s.Float(), required=False, default=Decimal("0.5"))
    service = Service(
        name="calc", operations=(Operation(name="half", input=s.Record(fields=(ratio,)), output=s.Null()),)
    )
    assert written(service)["methods"][0]["params"][0]["schema"]["default"] == 0.5


def test_what_cannot_be_carried_is_told_with_its_reason():
    operations = (
        Operation(name="watch", stream_output=True),
        Operation(name="upload", output=s.File()),
        Operation(name="find", input=s.Record(fields=(s.Field(name="", python="value", shape=s.Text()),))),
        Operation(name="get"),
    )
    assert PROTOCOL.can.refusals(Service(name="a", operations=operations)) == {
        "watch": "it answers with a stream",
        "upload": "it carries a file",
        "find": "it has a parameter without a name, which no OpenRPC document may have",
    }


@pytest.mark.parametrize("data", [{"metod": "x"}, {"method": 1}, {"params": "by-luck"}, []])
def test_a_binding_that_cannot_be_read_is_told(data: Any):
    service = Service(name="a", operations=(Operation(name="get", bindings={"jsonrpc": data}),))
    assert PROTOCOL.can.refusals(service)["get"].startswith("its binding cannot be read: ")


def test_positions_are_offered_only_where_they_can_be_used():
    def method(*required: bool) -> dict[str, Any]:
        fields = tuple(s.Field(name=f"p{n}", shape=s.Int(), required=each) for n, each in enumerate(required))
        operation = Operation(name="get", input=s.Record(fields=fields))
        return dict(written(Service(name="a", operations=(operation,)))["methods"][0])

    assert method(True, False)["paramStructure"] == "either"
    assert method(False, True)["paramStructure"] == "by-name"


@given(made=operations())
def test_what_is_written_is_read_back(made):
    operation = msgspec.structs.replace(
        made.operation, summary="short", docs="long", tags=("a", "b"), deprecated=True, deferrable=True,
        timeout=2.5, scopes=("read", "write"),
        examples=(Example("one", {"x": [1]}, {"y": None}, "docs"), Example("two", {})),
    )  # fmt: skip
    service = Service(name="made", operations=(operation,), types=made.types, title="Made", docs="Docs")
    once = written(service)
    again = imported(once, "made")
    assert again.refusals == ()
    twice = written(again.service)
    assert (twice["info"], twice["methods"]) == (once["info"], once["methods"])
    # Types that no operation leads to are not imported.
    assert twice["components"]["schemas"].items() <= once["components"]["schemas"].items()
    [found] = again.service.operations
    assert found.name == operation.name
    assert (found.safe, found.idempotent, found.deferrable) == (operation.safe, operation.idempotent, True)
    assert (found.timeout, found.scopes) == (2.5, ("read", "write"))
    assert [(fault.name, fault.kind) for fault in found.faults] == [
        (fault.name, fault.kind) for fault in operation.faults
    ]
    assert (found.examples, found.tags, found.docs) == (operation.examples, operation.tags, operation.docs)


async def test_an_imported_service_calls_the_one_it_was_written_from():
    calculator = Calculator()
    exchange = PROTOCOL.server.serve([calculator.served])
    service = imported(written(calculator.service), "elsewhere").service
    values = Values(service.types)
    invokes = PROTOCOL.client.dial(service, values, exchange, "peer", "/jsonrpc")

    async def call(name: str, **members: Any) -> Any:
        operation = service.operation(name)
        assert operation is not None
        return await invokes[name](Call(operation, values.codec(operation.input).of_plain(members)))

    assert (await call("total", a=1, b=2, c=3)).output == 6
    fault = (await call("withdraw", amount="10.50")).fault
    assert (fault.name, str(fault.data.missing)) == ("Overdrawn", "10.50")


def linked() -> Service:
    """Two operations and links: one from a result, one with a member no expression can name, one from inside."""
    owner = s.Record(fields=(s.Field(name="id", shape=s.Int()), s.Field(name="e-mail", shape=s.Text())))
    account = s.Record(
        fields=(s.Field(name="owner", shape=s.Ref(name="Owner")), s.Field(name="owner_id", shape=s.Int()))
    )
    taking = s.Record(fields=(s.Field(name="id", shape=s.Int()), s.Field(name="mail", shape=s.Text(), required=False)))
    return Service(
        name="bank",
        operations=(
            Operation(name="account", output=s.Ref(name="Account")),
            Operation(name="owner", input=taking, output=s.Ref(name="Owner")),
        ),
        types={"Account": account, "Owner": owner},
        links=(
            Link(type="Account", field="who", operation="owner", arguments={"id": "owner_id"}, docs="Whose it is."),
            Link(type="Owner", field="self", operation="owner", arguments={"id": "id", "mail": "e-mail"}),
            Link(type="Owner", field="again", operation="owner", arguments={"id": "id"}, batch=True),
        ),
    )


def test_links_are_written_and_read_back():
    once = written(linked())
    check_valid(once)
    account, owner = once["methods"]
    who = {"name": "who", "method": "bank.owner", "params": {"id": "${result.owner_id}"}, "description": "Whose it is."}
    assert (account["links"], "links" in owner) == ([who], False)
    assert imported(once, "bank").service.links == linked().links
    both = written(linked(), Calculator().service)
    check_valid(both)
    assert ("x-entrepot" in both, both["methods"][0]["links"]) == (False, [who])


# Foreign documents

PARAM = {"name": "id", "schema": {"type": "integer"}, "required": True}
RESULT = {"name": "result", "schema": {"type": "string"}}
ACCOUNT = {"$ref": "#/components/schemas/Account"}


def document(*methods: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"openrpc": "1.2.6", "info": {"title": "Bank", "version": "v2.1.0"}, "methods": list(methods), **rest}


def method(name: str = "bank_getAccount", **rest: Any) -> dict[str, Any]:
    return {"name": name, "params": [PARAM], "result": RESULT, **rest}


def test_a_foreign_method_becomes_an_operation():
    found = imported(
        document(
            method(paramStructure="by-position", summary="One account", tags=[{"name": "money"}], deprecated=True),
            servers=[{"url": "https://${host}/rpc", "variables": {"host": {"default": "bank.example"}}}],
        )
    )
    assert found.refusals == ()
    assert found.server_url == "https://bank.example/rpc"
    assert (found.service.version, found.service.title) == ("2", "Bank")
    assert found.service.operations == (
        Operation(
            name="bank_get_account",
            input=s.Record(fields=(s.Field(name="id", shape=s.Int()),)),
            output=s.Text(),
            deprecated=True,
            summary="One account",
            tags=("money",),
            bindings={"jsonrpc": {"params": "by-position"}},
        ),
    )
    assert found.service.bindings == {"jsonrpc": {"methods": {"bank_get_account": "bank_getAccount"}}}


async def test_a_foreign_method_is_called_by_its_name_and_served_by_ours():
    written_as = document(method(), method("Stadt/Straße"), method("get account"))
    called: list[str] = []

    async def upstream(request: Request) -> Response:
        assert isinstance(request.body, bytes)
        message = msgspec.json.decode(request.body)
        called.append(message["method"])
        return Response(200, [], msgspec.json.encode({"jsonrpc": "2.0", "result": "here", "id": message["id"]}))

    def served(name: str) -> ServedService:
        service = imported(written_as, name).service
        values = Values(service.types)
        invokes = PROTOCOL.client.dial(service, values, upstream, "bank")
        return ServedService(service=service, values=values, invokes=invokes)

    exchange = PROTOCOL.server.serve([served("bank"), served("other")])
    methods = ("bank.bank_get_account", "other.bank_get_account", "bank.stadt_stra_e", "bank.get_account")
    for called_as, answer in [*((each, '"result":"here"') for each in methods), ("bank_getAccount", '"code":-32601')]:
        body = msgspec.json.encode({"jsonrpc": "2.0", "method": called_as, "params": {"id": 1}, "id": 1})
        response = await exchange(
            Request("POST", b"/jsonrpc", headers=[(b"content-type", b"application/json")], body=body)
        )
        assert isinstance(response.body, bytes)
        assert answer in response.body.decode()
    assert called == ["bank_getAccount", "bank_getAccount", "Stadt/Straße", "get account"]


def test_references_are_followed_wherever_they_may_stand():
    components = {
        "contentDescriptors": {
            "Id": PARAM,
            "Result": {"name": "r", "schema": {"$ref": "#/components/schemas/Account"}},
        },
        "schemas": {"Account": {"type": "object", "properties": {"owner": ACCOUNT}}},
        "errors": {"Busy": {"code": 100, "message": "The bank is busy"}},
        "tags": {"Money": {"name": "money"}},
        "examplePairings": {"One": {"name": "one", "params": [{"$ref": "#/components/examples/Id"}]}},
        "examples": {"Id": {"name": "id", "value": 7}},
    }
    referring = {
        "name": "get",
        "params": [{"$ref": "#/components/contentDescriptors/Id"}],
        "result": {"$ref": "#/components/contentDescriptors/Result"},
        "errors": [{"$ref": "#/components/errors/Busy"}],
        "tags": [{"$ref": "#/components/tags/Money"}],
        "examples": [{"$ref": "#/components/examplePairings/One"}],
    }
    found = imported(document(referring, components=components))
    assert found.refusals == ()
    [operation] = found.service.operations
    assert (operation.input.fields[0].name, operation.output) == ("id", s.Ref(name="Account"))
    assert (operation.faults[0].name, operation.faults[0].bindings) == ("TheBankIsBusy", {"jsonrpc": {"code": 100}})
    assert (operation.tags, operation.examples) == (("money",), (Example("one", {"id": 7}),))
    assert set(found.service.types) == {"Account"}


def test_declared_errors_get_the_kind_that_their_codes_mean():
    errors = [{"code": code, "message": f"Error {code}"} for code in (1, -32004, -32029, -32602, -32700)]
    [operation] = imported(document(method(errors=errors))).service.operations
    assert [(fault.name, fault.kind) for fault in operation.faults] == [
        ("Error1", "rejected"), ("Error32004", "not_found"), ("Error32029", "rate_limited"),
    ]  # fmt: skip


REFUSED = {
    "no name": ({"params": [], "result": RESULT}, "no name"),
    "no object": ("get", "not"),
    "a notification": ({"name": "ping", "params": []}, "notification"),
    "a name of the protocol": (method("rpc.discover"), "rpc."),
    "servers of its own": (method(servers=[{"url": "http://x"}]), "servers of its own"),
    "a parameter without a schema": (method(params=[{"name": "id"}]), "parameter 0"),
    "two parameters of one name": (method(params=[PARAM, PARAM]), "same name"),
    "a reference into nothing": (
        method(params=[{"$ref": "#/components/contentDescriptors/None"}]),
        "nothing stands",
    ),
    "a reference elsewhere": (method(result={"$ref": "other.json#/x"}), "out of the document"),
    "a schema that is none": (method(result={"name": "r", "schema": 7}), "schema"),
    "a reference in a schema": (
        method(params=[{"name": "id", "schema": {"$ref": "#/nowhere"}}]),
        "nothing stands",
    ),
    "an error without a code": (method(errors=[{"message": "x"}]), "error 0"),
    "two errors of one code": (method(errors=[{"code": 1, "message": "x"}, {"code": 1, "message": "y"}]), "error 1"),
    "a file": (method(result={"name": "r", "schema": {"type": "string", "format": "binary"}}), "file"),
    "a fault half told": (method(**{"x-entrepot": {"faults": [{"name": "X", "code": 1}]}}), "`kind`"),
    "a fault without a code": (method(**{"x-entrepot": {"faults": [{"name": "X", "kind": "conflict"}]}}), "code"),
    "a flag that is none": (method(**{"x-entrepot": {"safe": 1}}), "`$.safe`"),
}


@pytest.mark.parametrize(("refused", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_method_that_cannot_be_read_is_left_out_with_a_reason(refused, reason):
    found = imported(document(method("good"), refused))
    assert [operation.name for operation in found.service.operations] == ["good"]
    assert any(reason in refusal.reason for refusal in found.refusals), found.refusals
    assert all(refusal.pointer.startswith("/methods/1") for refusal in found.refusals)


def test_the_second_of_two_methods_with_one_name_is_left_out():
    found = imported(document(method("same"), method("same")))
    assert len(found.service.operations) == 1
    assert found.refusals[0].pointer == "/methods/1"


def test_names_that_become_one_stay_two():
    found = imported(document(method("getPet"), method("get_pet")))
    assert [operation.name for operation in found.service.operations] == ["get_pet", "get_pet_2"]


@pytest.mark.parametrize(
    "content", [None, [], {}, {"openrpc": "2.0"}, {"openapi": "3.1.0"}, {"openrpc": "1.0.0", "methods": {}}]
)
def test_what_is_not_openrpc_is_refused(content):
    with pytest.raises(Refused, match="not an OpenRPC document"):
        imported(content)


def test_an_import_does_not_carry_types_that_nothing_uses():
    schemas = {"Used": {"type": "object", "properties": {}}, "Unused": {"type": "string"}}
    found = imported(
        document(
            method(result={"name": "r", "schema": {"$ref": "#/components/schemas/Used"}}),
            components={"schemas": schemas},
        )
    )
    assert set(found.service.types) == {"Used"}


@given(made=operations(), data=st.data())
def test_a_damaged_document_is_read_or_refused_and_nothing_else(made, data):
    operation = msgspec.structs.replace(made.operation, examples=(Example("one", {"x": [1]}, 1),), tags=("a",))
    content = written(Service(name="made", operations=(operation,), types=made.types))
    try:
        found = imported(data.draw(nearly(content)))
    except Refused:
        return
    values = Values(found.service.types)
    for each in found.service.operations:
        assert values.codec(each.input).decode
    written(found.service)


def test_a_schema_that_refers_into_itself_leads_to_its_place_and_comes_back():
    own = s.Json(schema={"$ref": "#/$defs/T", "$defs": {"T": {"type": "array", "contains": {"$ref": "#/$defs/T"}}}})
    field = s.Field(name="a", shape=own, docs="Own.")
    document = written(Service(name="made", operations=(Operation(name="get", input=s.Record(fields=(field,))),)))
    assert dangling(document) == []
    [found] = imported(document).service.operations
    assert found.input.fields == (field,)


@pytest.mark.parametrize("expression", ["${result.number}", "$result.number"])
def test_a_foreign_link_joins_two_operations(expression: str):
    link = {"name": "balance", "method": "bank_getBalance", "params": {"id": expression}, "description": "In cents."}
    account = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
    found = imported(
        document(
            method(result={"name": "account", "schema": ACCOUNT}, links=[{"$ref": "#/components/links/Balance"}]),
            method("bank_getBalance"),
            components={"schemas": {"Account": account}, "links": {"Balance": link}},
        )
    )
    assert found.refusals == ()
    assert found.service.links == (
        Link(
            type="Account", field="balance", operation="bank_get_balance", arguments={"id": "number"}, docs="In cents."
        ),
    )


@pytest.mark.parametrize(
    ("link", "schema", "pointer", "reason"),
    [
        ({"method": "elsewhere"}, ACCOUNT, "", "names no imported method"),
        ({"name": "", "method": "bank_getBalance"}, ACCOUNT, "", "has no name"),
        ({"method": "bank_getBalance", "server": {"url": "https://x.example"}}, ACCOUNT, "/server", "another server"),
        ({"method": "bank_getBalance", "params": {"id": "${result.no}"}}, ACCOUNT, "/params/id", "has no member no"),
        ({"method": "bank_getBalance", "params": {"id": "${result.a.b}"}}, ACCOUNT, "/params/id", "result's own"),
        ({"method": "bank_getBalance", "params": {"id": 7}}, ACCOUNT, "/params/id", "result's own"),
        ({"method": "bank_getBalance", "params": {"no": "${result.id}"}}, ACCOUNT, "", "has no parameter no"),
        ({"method": "bank_getBalance"}, ACCOUNT, "", "what bank_get_balance gets for id"),
        ({"method": "bank_getBalance"}, {"type": "string"}, "", "whose type has no name"),
    ],
)
def test_a_link_that_could_not_be_followed_is_told(link: Any, schema: Any, pointer: str, reason: str):
    found = imported(
        document(
            method(result={"name": "account", "schema": schema}, links=[{"name": "balance", **link}]),
            method("bank_getBalance"),
            components={"schemas": {"Account": {"type": "object", "properties": {"id": {"type": "integer"}}}}},
        )
    )
    [refusal] = found.refusals
    assert (refusal.pointer, refusal.construct) == (f"/methods/0/links/0{pointer}", "link 0 of bank_get_account")
    assert reason in refusal.reason
    assert (len(found.service.operations), found.service.links) == (2, ())


def test_of_two_links_of_one_name_the_second_is_told():
    link = {"name": "balance", "method": "bank_getBalance", "params": {"id": "${result.id}"}}
    account = {"type": "object", "properties": {"id": {"type": "integer"}}}
    found = imported(
        document(
            method(result={"name": "account", "schema": ACCOUNT}, links=[link, link]),
            method("bank_getBalance"),
            components={"schemas": {"Account": account}},
        )
    )
    assert len(found.service.links) == 1
    assert "another link of this type" in found.refusals[0].reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"operation": "closed"}, "its operation closed is not imported"),
        ({"type": "Ghost"}, "its type Ghost is not imported"),
        ({"arguments": {"id": "nothing"}}, "Account has no member nothing"),
        ({"arguments": {"nope": "owner_id"}}, "owner has no parameter nope"),
        ({"arguments": {}}, "does not say what owner gets for id"),
        ({"arguments": []}, "Expected `object`"),
    ],
)
def test_a_link_of_ours_that_leads_nowhere_is_told(change: Any, reason: str):
    document = written(linked())
    document["x-entrepot"]["links"][0] |= change
    found = imported(document, "bank")
    assert found.service.links == linked().links[1:]
    [refusal] = found.refusals
    assert (refusal.pointer, refusal.construct) == ("/x-entrepot/links/0", "link 0")
    assert reason in refusal.reason
    assert written(found.service)["x-entrepot"]["links"]
