"""Envoy's own schema: the protobuf descriptors inside its binary.

Every Envoy carries the descriptors of all messages it understands. Reading them takes a tenth of a
second, so no copy is kept that could go stale.
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message

BOOTSTRAP_MESSAGE = "envoy.config.bootstrap.v3.Bootstrap"

# A FileDescriptorProto begins with its name: field 1, its length, then a path that ends in ".proto".
_BEGINNING = re.compile(rb"\x0a([\x05-\x7f])([a-z][a-zA-Z0-9_/.\-]*?\.proto)(?=\x12)")
_PROTO_BYTES_MAX = 512 * 1024
_TEXT_FIELDS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 12})
_NUMBER_FIELDS = frozenset({10, 11, 14})


class SchemaError(Exception):
    """The binary holds no descriptors, or a resource does not fit them."""


class Schema:
    """The messages that one Envoy binary understands."""

    def __init__(self, binary: Path) -> None:
        files = _descriptor_files(binary)
        if BOOTSTRAP_MESSAGE.rpartition(".")[0] not in {file.package for file in files.values()}:
            raise SchemaError(f"{binary} holds no descriptors of Envoy's messages; is it an Envoy?")
        self._pool = DescriptorPool()
        added: set[str] = set()
        for name in files:
            self._add(name, files, added)

    def errors(self, message: str, value: Any) -> list[str]:
        """Why a JSON value is not this message, everything inside it included: unknown fields, wrong types."""
        try:
            self._parsed(message, value)
        except json_format.ParseError as error:
            return [f"{message}: {error}"]
        return []

    def _parsed(self, message: str, value: Any) -> Message:
        return json_format.ParseDict(value, self._class(message)(), descriptor_pool=self._pool)

    def _add(self, name: str, files: dict[str, descriptor_pb2.FileDescriptorProto], added: set[str]) -> None:
        if name in added:
            return
        added.add(name)
        for dependency in files[name].dependency:
            self._add(dependency, files, added)
        self._pool.AddSerializedFile(files[name].SerializeToString())

    def _class(self, message: str) -> type[Message]:
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(message))


def _descriptor_files(binary: Path) -> dict[str, descriptor_pb2.FileDescriptorProto]:
    """Every FileDescriptorProto in the binary by name, the longest where a name comes twice."""
    files: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    with binary.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for beginning in _BEGINNING.finditer(content):
            if beginning[1][0] == len(beginning[2]):
                found = _descriptor_file(content[beginning.start() : beginning.start() + _PROTO_BYTES_MAX])
                if found is not None and found.ByteSize() > _size(files.get(found.name)):
                    files[found.name] = found
    return files


def _size(file: descriptor_pb2.FileDescriptorProto | None) -> int:
    return 0 if file is None else file.ByteSize()


def _descriptor_file(octets: bytes) -> descriptor_pb2.FileDescriptorProto | None:
    try:
        return descriptor_pb2.FileDescriptorProto.FromString(octets[: _end(octets)])
    except DecodeError:
        return None


def _end(octets: bytes) -> int:
    """Where the message ends: nothing around it says how long it is, so at the first octets that are no field of it."""
    position = 0
    while position < len(octets):
        tag, following = _varint(octets, position)
        number, wire_type = tag >> 3, tag & 7
        if number == 1 and position > 0:
            break
        if number in _TEXT_FIELDS and wire_type == 2:
            length, following = _varint(octets, following)
            following += length
        elif number in _NUMBER_FIELDS and wire_type == 0:
            _, following = _varint(octets, following)
        else:
            break
        if following > len(octets):
            break
        position = following
    return position


def _varint(octets: bytes, position: int) -> tuple[int, int]:
    """A base-128 number and where the next octet is; 0 when there is none."""
    value = 0
    for shift, octet in enumerate(octets[position : position + 10]):
        value |= (octet & 0x7F) << (7 * shift)
        if octet < 0x80:
            return value, position + shift + 1
    return 0, position + 1
