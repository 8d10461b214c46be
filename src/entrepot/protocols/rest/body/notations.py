"""Values in each notation, and bodies of which the label says in which one they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol

from entrepot.http.headers import HeaderMap
from entrepot.http.media_types import MediaTypes, essence
from entrepot.model.fault import Issue
from entrepot.model.faults import Unsupported
from entrepot.model.shape import XmlForm
from entrepot.ports.exchange import Request
from entrepot.protocols.rest.binding.notations import Notation, always, notation_of, others
from entrepot.protocols.rest.body.body import BodyReader
from entrepot.protocols.rest.parameters.parameter import Attributes
from entrepot.shapes.msgpack import MsgPack
from entrepot.shapes.unsayable import Unsayable
from entrepot.shapes.values import Codec, Values
from entrepot.shapes.xml import Xml


class Speaker(Protocol):
    """Reads and writes values of one shape in one notation, as `Codec` does in JSON."""

    @property
    def decode(self) -> Callable[[bytes], Any]: ...

    @property
    def decode_trusted(self) -> Callable[[bytes], Any]: ...

    @property
    def encode(self) -> Callable[[Any], bytes]: ...


def speaker(notation: Notation, codec: Codec, values: Values, root: str, form: XmlForm | None = None) -> Speaker:
    """Raises `Unsayable` for a shape that the notation has no word for.

    `root` is what the element is called that nobody has a name for, `form` what is said of it where it stands.
    """
    match notation:
        case "msgpack":
            return MsgPack(codec, values)
        case "xml":
            return Xml(codec, values, root, form)
        case _:
            return codec


class _Fetched(NamedTuple):
    """A body in another notation than the usual one."""

    content: Any
    reader: BodyReader


def several(
    media_types: Sequence[str], of: Callable[[Notation, MediaTypes], BodyReader], takes: str = ""
) -> BodyReader:
    """Reads bodies in the notation of the first of these media types, and in any other that their labels say."""
    first = notation_of(media_types[0])
    labels, apart = MediaTypes([each for each in media_types if notation_of(each) == first]), others(media_types)
    usual, told = of(first, labels), MediaTypes(apart)
    takes = takes or f"this operation takes {', '.join(always(media_types))}"

    @cache
    def reader(notation: Notation) -> BodyReader:
        mine = MediaTypes([each for each in apart if notation_of(each) == notation])
        try:
            return of(notation, mine)
        except Unsayable as unsayable:
            raise Unsupported(f"{unsayable.reason}; {takes}") from None

    def fetch(request: Request, headers: HeaderMap) -> Awaitable[Any]:
        label = headers.get(b"content-type")
        if label is None or label in labels.usual:
            return usual.fetch(request, headers)
        media_type = essence(label)
        if media_type in apart and told.includes_text(label):
            return _fetch(reader(notation_of(media_type)), request, headers)
        if not labels.includes(label):
            raise Unsupported(f"the body is {label.decode('latin-1')!r}; {takes}")
        return usual.fetch(request, headers)

    async def _fetch(other: BodyReader, request: Request, headers: HeaderMap) -> _Fetched:
        return _Fetched(await other.fetch(request, headers), other)

    def take(fetched: Any, attributes: Attributes, issues: list[Issue]) -> None:
        if type(fetched) is _Fetched:
            fetched.reader.take(fetched.content, attributes, issues)
        else:
            usual.take(fetched, attributes, issues)

    whole = usual.whole
    if whole is None:
        return BodyReader(fetch, take)

    def read_whole(fetched: Any) -> Any:
        if type(fetched) is _Fetched:
            assert fetched.reader.whole is not None  # one is as the other is
            return fetched.reader.whole(fetched.content)
        return whole(fetched)

    return BodyReader(fetch, take, read_whole)
