"""Reading and writing of payloads, beside msgspec alone on the nearest types that it has.

    python -m bench.payloads [--write]

Each payload is read as a caller's request (`decode`: names may be repeated, numbers endless, depth
without end), as an upstream's reply (`trusted`), and written. msgspec alone checks none of that, and
has no type for moments in seconds, for integers in quotes, for members that are kept, for unions that
only a value tells apart: there it reads what is nearest, a number, a text, anything. The figure is
our CPU time in multiples of msgspec's, the least of many rounds that take turns.
"""

from __future__ import annotations

import argparse
import decimal
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from entrepot.model import shape as s
from entrepot.shapes.values import Values

RESULTS = Path(__file__).parent / "results" / "payloads.md"
ROUNDS = 15
_ROUND_SECONDS = 0.01


class Payload(NamedTuple):
    """A body as it may stand in a request, and its shape."""

    name: str
    shape: s.Shape
    types: dict[str, s.Shape]
    plain: Any


def field(name: str, shape: s.Shape, *, required: bool = True) -> s.Field:
    """A member."""
    return s.Field(name=name, shape=shape, required=required)


def optional(name: str, shape: s.Shape) -> s.Field:
    """A member that may be absent."""
    return field(name, shape, required=False)


TEXT, INT, BOOL = s.Text(), s.Int(bits=64), s.Bool()
STATE = s.Enum(values=tuple(map(s.EnumValue, ("open", "paid", "sent", "lost"))))

ADDRESS = s.Record(
    fields=(
        field("street", TEXT), optional("street2", s.Nullable(shape=TEXT)), field("city", TEXT),
        optional("region", TEXT), field("code", s.Text(length_max=16)),
        field("country", s.Text(length_min=2, length_max=2)),
    )
)  # fmt: skip
PERSON = s.Record(
    fields=(
        field("id", s.Uuid()), field("name", TEXT), field("email", TEXT), optional("phone", s.Nullable(shape=TEXT)),
        field("active", BOOL), field("visits", INT), optional("tags", s.List(item=TEXT)),
        field("address", s.Ref(name="Address")), optional("labels", s.Map(value=TEXT)), field("score", s.Float()),
    )
)  # fmt: skip
LINE = s.Record(
    fields=(
        field("sku", TEXT), field("title", TEXT), field("count", INT), field("price", s.Decimal()),
        optional("discount", s.Nullable(shape=s.Decimal())), field("taxed", BOOL),
    )
)  # fmt: skip
ORDER = s.Record(
    fields=(
        field("id", INT), field("state", STATE), field("customer", s.Ref(name="Person")),
        field("lines", s.List(item=s.Ref(name="Line"))), field("total", s.Decimal()),
        field("placed", s.DateTime()), optional("note", s.Nullable(shape=TEXT)),
    )
)  # fmt: skip
CHARGE = s.Record(
    fields=(
        field("id", TEXT), field("amount", INT), field("currency", TEXT), field("created", s.DateTime(wire="unix")),
        optional("refunded", s.Nullable(shape=s.DateTime(wire="unix"))), field("paid", BOOL),
        field("description", s.Nullable(shape=TEXT)), field("receipt", TEXT), field("metadata", s.Map(value=TEXT)),
        field("customer", TEXT), field("fee", INT), field("live", BOOL),
    )
)  # fmt: skip
METER = s.Record(
    fields=(
        field("sensor", TEXT),
        field("value", s.Decimal(wire="number")),
        field("limit", s.Decimal()),
        field("ok", BOOL),
    )
)
CONTACT = s.Record(fields=(field("name", TEXT), field("email", TEXT), field("age", INT)), extras="keep")
EVENT = s.Record(fields=(field("name", TEXT), field("at", s.DateTime()), field("data", s.Anything())))
CARD = s.Record(fields=(field("number", TEXT), field("owner", TEXT), optional("brand", TEXT)))
BANK = s.Record(fields=(field("iban", TEXT), field("owner", TEXT), optional("bic", TEXT)))
WALLET = s.Record(fields=(optional("owner", TEXT), optional("app", TEXT), optional("token", TEXT)))
VOUCHER = s.Record(fields=(optional("owner", TEXT), optional("code", TEXT), optional("left", INT)))
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id", "rows"],
    "properties": {"id": {"type": "string"}, "rows": {"type": "array", "items": {"oneOf": [
        {"type": "object", "required": ["n"], "properties": {"n": {"type": "number"}}},
        {"type": "object", "required": ["t"], "properties": {"t": {"type": "string"}}},
    ]}}},
}  # fmt: skip
TYPES: dict[str, s.Shape] = {
    "Address": ADDRESS, "Person": PERSON, "Line": LINE, "Order": ORDER, "Charge": CHARGE, "Meter": METER,
    "Contact": CONTACT, "Event": EVENT, "Card": CARD, "Bank": BANK, "Wallet": WALLET, "Voucher": VOUCHER,
}  # fmt: skip


def _person(index: int) -> dict[str, Any]:
    return {
        "id": f"6ba7b810-9dad-41d1-80b4-00c04fd4{index:04x}", "name": f"Åsa Lind {index}",
        "email": f"asa{index}@example.org",
        "phone": None if index % 3 else "+46 8 123 45 67", "active": index % 2 == 0, "visits": 17 * index,
        "tags": ["new", "north", "b2b"][: index % 4],
        "address": {"street": "Storgatan 12", "street2": None, "city": "Umeå", "code": "903 26", "country": "SE"},
        "labels": {"team": "blue", "source": "fair"}, "score": 0.25 + index,
    }  # fmt: skip


def _order(lines: int) -> dict[str, Any]:
    return {
        "id": 9000001, "state": "paid", "customer": _person(3),
        "lines": [
            {"sku": f"BOLT-{index:05}", "title": "Hexagon bolt, zinc plated, M8 x 40", "count": index + 1,
             "price": f"{index}.95", "discount": None, "taxed": True}
            for index in range(lines)
        ],
        "total": "1234.50", "placed": "2024-03-01T09:30:00Z", "note": "Ring: twice, please",
    }  # fmt: skip


def _charge(index: int) -> dict[str, Any]:
    return {
        "id": f"ch_{index:024}", "amount": 1999 + index, "currency": "eur", "created": 1700000000 + index,
        "refunded": None,
        "paid": True, "description": "Subscription, monthly", "receipt": f"https://pay.example/receipts/{index}",
        "metadata": {"order": f"{index}", "shop": "main"}, "customer": "cus_000001", "fee": 59, "live": False,
    }  # fmt: skip


def payloads() -> list[Payload]:
    """What is measured, the plainest first."""

    def many(name: str) -> s.Shape:
        return s.List(item=s.Ref(name=name))

    keys = s.Union(arms=(s.Ref(name="Card"), s.Ref(name="Bank")), choose="keys")
    trial = s.Union(arms=(s.Ref(name="Wallet"), s.Ref(name="Voucher")), choose="trial")
    cards = [{"number": "4111 1111", "owner": "Lind", "brand": "x"}, {"iban": "SE45 5000", "owner": "Lind"}]
    wallets = [{"owner": "Lind", "app": "purse", "token": "t-1"}, {"owner": "Lind", "code": "A1", "left": 3}]
    contacts = [{"name": "Lind", "email": "a@example.org", "age": 40, "city": "Umeå", "vip": True} for _ in range(20)]
    meters = [{"sensor": f"t{index}", "value": 20.25 + index, "limit": "80.0", "ok": True} for index in range(50)]
    event = {"name": "order.paid", "at": "2024-03-01T09:30:00Z", "data": _order(5)}
    rows = [{"n": 1.5} if index % 2 else {"t": "x"} for index in range(50)]
    return [
        Payload("address", s.Ref(name="Address"), TYPES, _person(1)["address"]),
        Payload("person", s.Ref(name="Person"), TYPES, _person(1)),
        Payload("50 persons", many("Person"), TYPES, [_person(index) for index in range(50)]),
        Payload("order, 3 lines", s.Ref(name="Order"), TYPES, _order(3)),
        Payload("order, 100 lines", s.Ref(name="Order"), TYPES, _order(100)),
        Payload("event, untyped data", s.Ref(name="Event"), TYPES, event),
        Payload("charge, unix times", s.Ref(name="Charge"), TYPES, _charge(1)),
        Payload("50 charges, unix times", many("Charge"), TYPES, [_charge(index) for index in range(50)]),
        Payload("50 meters, decimals both ways", many("Meter"), TYPES, meters),
        Payload("20 contacts, extras kept", many("Contact"), TYPES, contacts),
        Payload("20 of a union by keys", s.List(item=keys), TYPES, cards * 10),
        Payload("20 of a union by trial", s.List(item=trial), TYPES, wallets * 10),
        Payload("JSON Schema, 50 rows", s.Json(schema=SCHEMA), TYPES, {"id": "a", "rows": rows}),
    ]


def nearest(shape: s.Shape) -> s.Shape:
    """The shape with what msgspec has no type for replaced by what it reads at least."""
    match shape:
        case s.DateTime(wire="unix" | "unix_ms"):
            return s.Int()
        case s.Json() | s.Union():
            return s.Anything()
        case s.List(item=item):
            return msgspec.structs.replace(shape, item=nearest(item))
        case s.Nullable(shape=inner):
            return s.Nullable(shape=nearest(inner))
        case s.Record(fields=fields):
            near = tuple(msgspec.structs.replace(each, shape=nearest(each.shape)) for each in fields)
            return s.Record(fields=near, extras="drop" if shape.extras == "keep" else shape.extras)
        case _:
            return shape


class Ratios(NamedTuple):
    """Our time in multiples of msgspec's."""

    octets: int
    decode: float
    spaced: float
    trusted: float
    encode: float


def measure(payload: Payload) -> Ratios:
    """All ratios of one payload."""
    data = json.dumps(payload.plain, separators=(",", ":"), ensure_ascii=False).encode()
    spaced = json.dumps(payload.plain, ensure_ascii=False).encode()
    codec = Values(payload.types).codec(payload.shape)
    alone = Values({name: nearest(shape) for name, shape in payload.types.items()}).made
    read = msgspec.json.Decoder(
        alone.of(nearest(payload.shape)), dec_hook=alone.read_hook, float_hook=decimal.Decimal
    ).decode
    write = msgspec.json.Encoder(decimal_format="number").encode
    value, plainest = codec.decode(data), read(data)
    times = _least(
        lambda: read(data), lambda: codec.decode(data), lambda: codec.decode_trusted(data),
        lambda: read(spaced), lambda: codec.decode(spaced), lambda: write(plainest), lambda: codec.encode(value),
    )  # fmt: skip
    bare, decode, trusted, bare_spaced, of_spaced, bare_write, encode = times
    return Ratios(len(data), decode / bare, of_spaced / bare_spaced, trusted / bare, encode / bare_write)


def _least(*runs: Callable[[], Any]) -> list[float]:
    """The least CPU seconds of each, taking turns."""
    counts = [_count(run) for run in runs]
    least = [float("inf")] * len(runs)
    for _ in range(ROUNDS):
        for index, (run, count) in enumerate(zip(runs, counts, strict=True)):
            least[index] = min(least[index], _seconds(run, count) / count)
    return least


def _count(run: Callable[[], Any]) -> int:
    count = 1
    while _seconds(run, count) < _ROUND_SECONDS:
        count *= 2
    return count


def _seconds(run: Callable[[], Any], count: int) -> float:
    begun = time.process_time()
    for _ in range(count):
        run()
    return time.process_time() - begun


def table(rows: list[tuple[str, Ratios]]) -> str:
    """The results in Markdown."""
    head = "| payload | octets | decode | decode, spaced | trusted | encode |\n| --- | --: | --: | --: | --: | --: |\n"
    return head + "".join(
        f"| {name} | {r.octets} | {r.decode:.2f} | {r.spaced:.2f} | {r.trusted:.2f} | {r.encode:.2f} |\n"
        for name, r in rows
    )


def main() -> None:
    """Measure, print, and with `--write` keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"keep the table in {RESULTS.name}")
    parser.add_argument("only", nargs="*", help="payloads by their names")
    chosen = parser.parse_args()
    rows = []
    for payload in payloads():
        if not chosen.only or payload.name in chosen.only:
            rows.append((payload.name, measure(payload)))
            print(table(rows[-1:]).splitlines()[-1], flush=True)
    if chosen.write:
        RESULTS.write_text(f"# Payloads, in multiples of msgspec alone\n\n{__doc__}\n{table(rows)}")


if __name__ == "__main__":
    main()
