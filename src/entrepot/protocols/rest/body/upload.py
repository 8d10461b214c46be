"""A file as people send one: as the body itself, or as the one field of a multipart form.

Taken for a file of its own, a form's text would be the content.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from entrepot.http.headers import HeaderMap
from entrepot.http.media_types import essence
from entrepot.model.fault import Issue
from entrepot.model.file import File
from entrepot.ports.exchange import Request
from entrepot.protocols.rest.binding.bound import MULTIPART, Binding
from entrepot.protocols.rest.body.body import BodyReader, Content, WriteBody
from entrepot.protocols.rest.body.form import form_reader, form_writer
from entrepot.protocols.rest.body.octets import file_reader, file_writer
from entrepot.protocols.rest.parameters.parameter import Attributes
from entrepot.shapes.values import Values


def upload_reader(binding: Binding, values: Values) -> BodyReader:
    """Reads a multipart form as a form, and all else as the file."""
    file, form = file_reader(binding, values), form_reader(_in_form(binding), values)

    async def fetch(request: Request, headers: HeaderMap) -> tuple[BodyReader, Any]:
        body = form if essence(headers.get(b"content-type", b"")) == MULTIPART else file
        return body, await body.fetch(request, headers)

    def take(fetched: tuple[BodyReader, Any], attributes: Attributes, issues: list[Issue]) -> None:
        body, content = fetched
        body.take(content, attributes, issues)

    return BodyReader(fetch, take)


def upload_writer(binding: Binding, values: Values) -> WriteBody:
    """Writes the file as it is, unless it is a multipart form itself, for which it would be taken."""
    attribute = binding.at("body")[0].field.attribute
    write_file, write_form = file_writer(binding, values), form_writer(_in_form(binding), values)

    def write_upload(input: Any, stream: AsyncIterator[Any] | None) -> Content:
        file = getattr(input, attribute)
        by_form = isinstance(file, File) and essence(file.media_type) == MULTIPART
        return (write_form if by_form else write_file)(input, stream)

    return write_upload


def _in_form(binding: Binding) -> Binding:
    fields = [msgspec.structs.replace(each, where="form") if each.where == "body" else each for each in binding.fields]
    return msgspec.structs.replace(binding, fields=tuple(fields), body="form", accepts=(MULTIPART,))
