"""A list of records as a table of text (RFC 4180): a row for each, a column for each name."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from entrepot.kit.limits import Limits
from entrepot.model import shape
from entrepot.model.shape import Record, Shape, Types
from entrepot.ports.exchange import Response
from entrepot.shapes import plain as json

CSV = "text/csv"
OF_JSON = (b"content-type", b"content-length")
"""Headers of an answer in JSON that are not those of what else it may be shown as."""
_CONTENT_TYPE = (b"content-type", b"text/csv; charset=utf-8; header=present")


def row_of(output: Shape, types: Types) -> Record | None:
    """The record that each row is, where the output is a list or a page of one; None where it is not."""
    listed = shape.resolve(output, types)
    item = shape.unwrap(listed.item, types) if isinstance(listed, shape.List | shape.Page) else None
    return item if isinstance(item, Record) else None


def table_of(response: Response, names: Sequence[str], limits: Limits) -> Response:
    """The table of an answer in JSON, whose records may have members of these names."""
    assert isinstance(response.body, bytes)
    answer = json.plain_of(response.body, limits)
    records = answer["items"] if isinstance(answer, dict) else answer
    content = _written([record or {} for record in records], names)
    kept = [line for line in response.headers if line[0] not in OF_JSON]
    return Response(response.status, [*kept, (b"content-length", b"%d" % len(content)), _CONTENT_TYPE], content)


def _written(records: list[dict[str, Any]], names: Sequence[str]) -> bytes:
    """The columns that a record has, in the order of the names, and then what was put beside them; without any, all."""
    held = dict.fromkeys(name for record in records for name in record)
    columns = [name for name in names if name in held or not held]
    columns += [name for name in held if name not in names]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(record.get(name)) for name in columns] for record in records)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    """Text as it is, nothing for null, all else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.write(value).decode()
