"""A small shop, and all that one writes to serve it: typed functions.

entrepot dev examples/shop
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType
from warehouse import NO_PHOTO, Order, Photo, Product, Session, Supplier, Warehouse

from entrepot import Conditions, Cookie, Cursor, Fault, File, Header, Media, Page, Principal, Service

shop = Service("shop", version="1", title="A small shop")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
Picture = Annotated[File, Media(("image/png", "image/jpeg"))]
Position = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,18}$"), Cursor()]


# What is opened and closed. The warehouse lives as long as the worker, a session as long as a
# call: it commits when the call succeeds, and a commit that fails is a failed call.


@shop.resource(scope="application")
def warehouse() -> Iterator[Warehouse]:
    yield Warehouse.stocked()


@shop.resource()
def session(warehouse: Warehouse) -> Iterator[Session]:
    session = Session(warehouse)
    yield session
    session.commit()


# Products: a page, an ETag from the version, a merge patch, a link.


@shop.get("/products")
async def products(session: Session, limit: Limit = 20, cursor: Position = "0") -> Page[Product]:
    """All products, in order of their numbers."""
    return session.products.page(after=int(cursor), limit=limit)


@shop.get("/products/{id}")
async def product(id: int, session: Session) -> Product:
    """One product."""
    return session.products[id]


class NewProduct(msgspec.Struct, forbid_unknown_fields=True):
    name: Name
    price: Decimal
    supplier_id: int = 1


@shop.post("/products", location="/products/{id}")
async def add_product(product: NewProduct, session: Session) -> Product:
    """Put a product on sale."""
    supplier = session.suppliers[product.supplier_id]
    added = Product(session.products.next_id(), product.name, product.price, stock=0, supplier_id=supplier.id)
    session.products[added.id] = added
    session.photos[added.id] = NO_PHOTO
    return added


class ProductChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is absent stays as it is; a note of null is taken away."""

    name: Name | UnsetType = UNSET
    price: Decimal | UnsetType = UNSET
    note: str | UnsetType | None = UNSET


@shop.patch("/products/{id}")
async def change_product(id: int, change: ProductChange, conditions: Conditions, session: Session) -> Product:
    """Change a product. If-Match makes sure that nobody else did meanwhile."""
    product = session.products[id]
    conditions.check(product.version)
    values = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    session.products[id] = msgspec.structs.replace(product, **values, version=product.version + 1)
    return session.products[id]


@shop.get("/suppliers/{id}")
def supplier(id: int, session: Session) -> Supplier:
    """A supplier. A plain function runs in a thread of its own, so it may block."""
    return session.suppliers[id]


shop.link(Product, "supplier", operation=supplier, arguments={"id": "supplier_id"})


# Photos: files are streamed in and out.


class StoredPhoto(msgspec.Struct):
    product_id: int
    size: int


@shop.put("/products/{id}/photo")
async def set_photo(id: int, photo: Picture, session: Session) -> StoredPhoto:
    """Store a product's photo, of one megabyte at most."""
    product = session.products[id]
    content = await photo.read(limit=1_000_000)
    session.photos[product.id] = Photo(content, photo.media_type)
    return StoredPhoto(product.id, len(content))


@shop.get("/products/{id}/photo")
async def photo(id: int, session: Session) -> Picture:
    """A product's photo."""
    photo = session.photos[id]
    return File.of(photo.content, media_type=photo.media_type)


# Orders: a declared fault with data, the caller, a header, a cookie, a stream.


class Item(msgspec.Struct, forbid_unknown_fields=True):
    product_id: int
    quantity: Quantity = 1


Items = Annotated[list[Item], msgspec.Meta(min_length=1, max_length=50)]


class OutOfStock(Fault, kind="conflict"):
    """Fewer are left than were ordered."""

    product_id: int
    left: int


@shop.post("/orders", location="/orders/{id}", faults=[OutOfStock])
async def place_order(
    items: Items,
    session: Session,
    caller: Principal,
    channel: Annotated[str, Header("X-Channel")] = "web",
    voucher: Annotated[str | None, Cookie()] = None,
) -> Order:
    """Order something. Either all of it is there, or nothing is taken."""
    discount = Decimal("0.9") if voucher == "TEN" else Decimal(1)
    price = total(items, session) * discount
    for item in items:
        take(item, session)
    order = Order(session.orders.next_id(), caller.subject or "guest", channel, price)
    session.orders[order.id] = order
    return order


@shop.get("/orders/{id}")
async def order(id: int, session: Session) -> Order:
    """One order."""
    return session.orders[id]


class Step(msgspec.Struct):
    number: Annotated[int, Cursor()]
    state: str


@shop.get("/orders/{id}/progress")
async def progress(id: int, session: Session, after: Annotated[int, Cursor()] = 0) -> AsyncIterator[Step]:
    """What becomes of an order, as it happens. Who comes back goes on after the step seen last."""
    order = session.orders[id]
    for number, state in enumerate(("received", "packed", "sent", f"delivered to {order.customer}"), 1):
        if number > after:
            yield Step(number, state)
            await asyncio.sleep(0.1)


# No HTTP words at all: every protocol has its own way to call it.


@shop.operation(safe=True)
async def quote(items: Items, session: Session) -> Decimal:
    """What an order would cost, to the cent."""
    return total(items, session)


def total(items: list[Item], session: Session) -> Decimal:
    return sum((session.products[item.product_id].price * item.quantity for item in items), Decimal())


def take(item: Item, session: Session) -> None:
    product = session.products[item.product_id]
    if product.stock < item.quantity:
        raise OutOfStock(f"{product.stock} of product {product.id} are left", product_id=product.id, left=product.stock)
    session.products[product.id] = msgspec.structs.replace(product, stock=product.stock - item.quantity)
