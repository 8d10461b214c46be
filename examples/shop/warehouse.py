"""What the shop stands on: tables in memory, and a session whose changes count once committed.

A real shop has a database here, and `shop.py` stays as it is.
"""

from decimal import Decimal
from typing import Annotated, Generic, TypeVar

import msgspec

from entrepot import Conflict, NotFound, Page, Version

T = TypeVar("T")


class Supplier(msgspec.Struct, frozen=True):
    id: int
    name: str


class Product(msgspec.Struct, frozen=True):
    id: int
    name: str
    price: Decimal
    stock: int
    supplier_id: int
    note: str | None = None
    version: Annotated[int, Version()] = 1


class Order(msgspec.Struct, frozen=True):
    id: int
    customer: str
    channel: str
    total: Decimal


class Photo(msgspec.Struct, frozen=True):
    content: bytes
    media_type: str


NO_PHOTO = Photo(b"\x89PNG\r\n\x1a\n", "image/png")


class Warehouse(msgspec.Struct):
    """Everything there is, by number."""

    suppliers: dict[int, Supplier]
    products: dict[int, Product]
    photos: dict[int, Photo]
    orders: dict[int, Order] = {}

    @classmethod
    def stocked(cls) -> "Warehouse":
        """A warehouse with something to sell."""
        suppliers = [Supplier(1, "Van der Berg"), Supplier(2, "Moreau et fils")]
        products = [
            Product(1, "Crate of oranges", Decimal("18.50"), stock=40, supplier_id=1),
            Product(2, "Barrel of olives", Decimal("64.00"), stock=12, supplier_id=2),
            Product(3, "Sack of pepper", Decimal("119.95"), stock=3, supplier_id=1, note="from Malabar"),
        ]
        return cls(
            suppliers={supplier.id: supplier for supplier in suppliers},
            products={product.id: product for product in products},
            photos={product.id: NO_PHOTO for product in products},
        )


class Table(Generic[T]):
    """Things of one kind by number, with one session's changes on top."""

    def __init__(self, kind: str, kept: dict[int, T]) -> None:
        self.kind = kind
        self.kept = kept
        self.seen: dict[int, T | None] = {}
        self.changes: dict[int, T] = {}

    def __getitem__(self, id: int) -> T:
        if id in self.changes:
            return self.changes[id]
        if id not in self.kept:
            raise NotFound(f"there is no {self.kind} {id}")
        self.seen.setdefault(id, self.kept[id])
        return self.kept[id]

    def __setitem__(self, id: int, thing: T) -> None:
        self.seen.setdefault(id, self.kept.get(id))
        self.changes[id] = thing

    def next_id(self) -> int:
        return max([*self.kept, *self.changes], default=0) + 1

    def page(self, after: int, limit: int) -> Page[T]:
        """The `limit` things that follow number `after`."""
        ids = sorted(id for id in self.kept if id > after)
        more = len(ids) > limit
        return Page([self[id] for id in ids[:limit]], next=str(ids[limit - 1]) if more else None, total=len(self.kept))

    def has_conflict(self) -> bool:
        """Whether somebody else committed a change to what this session changed."""
        return any(self.kept.get(id) is not self.seen[id] for id in self.changes)


class Session:
    """A view of the warehouse for one call."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.suppliers = Table("supplier", warehouse.suppliers)
        self.products = Table("product", warehouse.products)
        self.orders = Table("order", warehouse.orders)
        self.photos = Table("photo of product", warehouse.photos)

    def commit(self) -> None:
        """Make the changes count, all of them or none."""
        tables = (self.products, self.orders, self.photos)
        if any(table.has_conflict() for table in tables):
            raise Conflict("somebody else changed the same thing; try again")
        for table in tables:
            table.kept.update(table.changes)
