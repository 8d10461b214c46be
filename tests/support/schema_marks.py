"""What of Envoy's own schema a configuration uses that is deprecated or work in progress."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from entrepot.edge.schema import Schema

DISCOVERY_MESSAGE = "envoy.service.discovery.v3.DiscoveryResponse"


class MarkedSchema(Schema):
    """The messages that one Envoy binary understands, with what it marks among them."""

    def marks(self, message: str, value: Any) -> list[str]:
        """Which messages and fields that the value uses are deprecated, or work in progress, in this Envoy."""
        return sorted(f"{name} is {mark}" for name, mark in set(self._marks(self._parsed(message, value))))

    def _marks(self, message: Message) -> Iterator[tuple[str, str]]:
        """Full names of what a message uses that is marked, and how."""
        descriptor = message.DESCRIPTOR
        yield from self._marks_of(descriptor.full_name, descriptor, descriptor.file)
        if descriptor.full_name == "google.protobuf.Any":
            yield from self._marks(self._unpacked(message))
            return
        for field, value in message.ListFields():
            yield from self._marks_of(field.full_name, field)
            for part in _messages_in(field, value):
                yield from self._marks(part)

    def _unpacked(self, message: Any) -> Message:
        return self._class(message.type_url.rpartition("/")[2]).FromString(message.value)

    def _marks_of(self, name: str, *marked: Any) -> Iterator[tuple[str, str]]:
        for descriptor in marked:
            options = descriptor.GetOptions()
            # In the pool's own class, so that Envoy's annotations are known fields.
            known = self._class(options.DESCRIPTOR.full_name).FromString(options.SerializeToString())
            if getattr(known, "deprecated", False):
                yield name, "deprecated"
            if any(getattr(annotation, "work_in_progress", False) for _, annotation in known.ListFields()):
                yield name, "work in progress"


def _messages_in(field: FieldDescriptor, value: Any) -> Iterable[Message]:
    if field.message_type is None:
        return ()
    if field.message_type.GetOptions().map_entry:
        is_message = field.message_type.fields_by_name["value"].message_type is not None
        return tuple(value.values()) if is_message else ()
    return tuple(value) if field.is_repeated else (value,)
