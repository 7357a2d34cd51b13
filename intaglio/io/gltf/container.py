# SPDX-License-Identifier: MIT
"""The bytes of a glTF: the JSON and the binary chunk of a GLB, files beside it, data URIs."""

from __future__ import annotations

import base64
import binascii
import struct
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

from ..errors import InputError
from ..limits import Limits, inside_folder, read_bytes
from .fields import IS_WHOLE, Fields, parse_json

__all__ = ["bytes_of_uri", "file_of_uri", "join_glb", "read_container"]

MAGIC, VERSION = b"glTF", 2
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942


def read_container(path: Path, limits: Limits) -> tuple[Fields, bytes | None, int]:
    """The JSON, the binary chunk of a GLB, and the size of the file.

    Raises:
        InputError: the file is missing, damaged or too large.
    """
    data = read_bytes(path, limits)
    if data[:4] != MAGIC:
        return parse_json(path, data), None, len(data)
    if len(data) < 20:
        raise InputError(path, f"is a GLB of {len(data)} bytes", remedy=IS_WHOLE)
    version, length = struct.unpack_from("<II", data, 4)
    if version != VERSION:
        raise InputError(path, f"is a GLB of version {version}", remedy="version 2 is read")
    if length != len(data):
        raise InputError(path, f"declares {length} bytes; got {len(data)}", remedy=IS_WHOLE)
    chunks: dict[int, bytes] = {}
    place = 12
    while place < length:
        if place + 8 > length:
            raise InputError(path, f"ends within a chunk at byte {place}", remedy=IS_WHOLE)
        size, kind = struct.unpack_from("<II", data, place)
        if place + 8 + size > length:
            raise InputError(path, f"declares a chunk of {size} bytes at byte {place}; got {length - place - 8}")
        if place == 12 and kind != JSON_CHUNK:
            raise InputError(path, "is a GLB whose first chunk is no JSON")
        chunks.setdefault(kind, data[place + 8 : place + 8 + size])  # later and unknown ones are passed over
        place += 8 + size
    return parse_json(path, chunks[JSON_CHUNK]), chunks.get(BINARY_CHUNK), length


def join_glb(text: bytes, binary: bytes) -> bytes:
    """A GLB file."""
    chunks = [(JSON_CHUNK, text + b" " * (-len(text) % 4))]
    if binary:
        chunks.append((BINARY_CHUNK, binary + b"\0" * (-len(binary) % 4)))
    body = b"".join(struct.pack("<II", len(data), kind) + data for kind, data in chunks)
    return MAGIC + struct.pack("<II", VERSION, 12 + len(body)) + body


def bytes_of_uri(holder: Fields, uri: str) -> bytes:
    """The bytes of a data URI.

    Raises:
        InputError: it is damaged.
    """
    head, comma, body = uri[5:].partition(",")
    options = head.split(";")[1:]
    if not comma:
        holder.fail("uri is a data URI without data")
    try:
        if "base64" in options:
            return base64.b64decode(unquote_to_bytes(body), validate=True)
    except (binascii.Error, ValueError):
        holder.fail("uri is a data URI whose base64 is damaged")
    return unquote_to_bytes(body)


def file_of_uri(holder: Fields, uri: str) -> Path:
    """The file in the folder of the asset that any other URI names.

    Raises:
        InputError: it leads out of the folder or anywhere else.
    """
    if "://" in uri or uri.startswith("//"):
        holder.fail(f"uri leads to another place: {uri[:80]!r}", remedy="copy the file beside the asset")
    folder = holder.path.parent
    return inside_folder(holder.path, folder / unquote(uri).replace("\\", "/"), folder, at=holder.at)
