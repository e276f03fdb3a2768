"""Damage by chance, from a seed: of bytes, of PNG chunks, of JSON, of safetensors files."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

ODD_TEXTS = (
    *("", " ", "\0", "../../etc/passwd", "/etc/passwd", "C:\\x", "-", "--", "~", "%s%n", "{0}"),
    *("ü" * 5, "\U0001f600", "\ud800", "\x1b[31m", "x" * 5000, "NaN", "1e999", "null", "a\nb"),
    *("[bold]", "0" * 64, "f" * 64, "video", "codec", "1/0", "16777215", "../models/x.v1"),
)
ODD_NUMBERS = (
    *(0, 1, -1, 2, 3, 15, 16, 127, 128, 254, 255, 256, 257, 65535, 65536, 2**24 - 1, 2**24),
    *(2**31 - 1, 2**31, 2**32, 2**63, 2**64, 10**30, 10**400, -(2**31), 0.5, -0.0, 1e-300, 1e300),
    *(float("nan"), float("inf"), float("-inf")),
)


def damaged(data: bytes, chance: Random, others: Sequence[bytes] = (b"",)) -> bytes:
    """Bytes with one to four pieces of damage; `others` is what pieces may come from."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        data = chance.choice(_DAMAGES)(data, chance, others)
    return data


def _flip(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 8, 64))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _run(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    at, length = chance.randint(0, len(data)), chance.choice((1, 2, 4, 16, 200))
    piece = chance.choice((b"\0", b"\xff", b"\x7f", b"\x80", chance.randbytes(1))) * length
    return data[:at] + piece + data[at + length :]


def _early(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    """Damage where sizes and counts stand: near the beginning."""
    at, width = chance.randint(0, min(len(data), 200)), chance.choice((1, 2, 4, 8))
    number = chance.choice([n for n in ODD_NUMBERS if isinstance(n, int) and 0 <= n < 2**64])
    order = chance.choice(("big", "little"))
    return data[:at] + (number % 2 ** (8 * width)).to_bytes(width, order) + data[at + width :]


def _cut(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    return data[: chance.randint(0, len(data))]


def _hole(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + data[at + chance.choice((1, 7, 100)) :]


def _double(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    start, stop = sorted(chance.randint(0, len(data)) for _ in range(2))
    return data[:stop] + data[start : min(stop, start + 5000)] + data[stop:]


def _splice(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others)
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


_DAMAGES: tuple[Callable[[bytes, Random, Sequence[bytes]], bytes], ...] = (
    *(_flip, _flip, _run, _early, _early, _cut, _hole, _double, _splice),
)


def odd_json(value: Any, chance: Random, depth: int = 0) -> Any:
    """A JSON value of which some part is not what it was."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key, changed = chance.choice(list(value)), dict(value)
        match chance.randrange(6):
            case 0:
                del changed[key]
            case 1:
                changed[chance.choice(ODD_TEXTS)] = changed[key]
            case _:
                changed[key] = odd_json(changed[key], chance, depth + 1)
        return changed
    if isinstance(value, list) and value and chance.random() < 0.7:
        changed_list = list(value)
        at = chance.randrange(len(value))
        match chance.randrange(4):
            case 0:
                del changed_list[at]
            case 1:
                changed_list += changed_list[at:] * chance.choice((1, 2, 300))
            case _:
                changed_list[at] = odd_json(value[at], chance, depth + 1)
        return changed_list
    nested: Any = []
    for _ in range(chance.choice((1, 10, 500))):
        nested = [nested] if chance.random() < 0.5 else {"a": nested}
    number, text = chance.choice(ODD_NUMBERS), chance.choice(ODD_TEXTS)
    near = value + chance.choice((-1, 1, 256)) if type(value) is int else number
    return chance.choice((number, near, near, text, text, None, True, False, [], {}, nested))


def json_text(value: Any) -> str:
    """JSON as no honest program writes it: infinities, lone surrogates, any depth."""
    try:
        return json.dumps(value)
    except (RecursionError, ValueError):
        return "[" * 100_000


def odd_json_text(text: str, chance: Random) -> str:
    """JSON text that is changed in its values, or as text."""
    if chance.random() < 0.2:
        raw = damaged(text.encode("utf-8", "surrogatepass"), chance, [b'{"a":[[[', b"1" * 5000])
        return raw.decode("utf-8", "replace")
    return json_text(odd_json(json.loads(text), chance))


def chunks_of(png: bytes) -> list[tuple[bytes, bytes]]:
    """Names and contents of a PNG's chunks."""
    found, at = [], 8
    while at + 12 <= len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def png_of(chunks: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A PNG whose check sums are right, whatever is in it."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, content in chunks:
        crc = zlib.crc32(name + content)
        parts.append(struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc))
    return b"".join(parts)


def odd_png(png: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    """A PNG with a chunk changed, doubled, dropped, moved or foreign, its check sums right."""
    chunks = chunks_of(png)
    if not chunks:
        return damaged(png, chance, others)
    at = chance.randrange(len(chunks))
    name, content = chunks[at]
    match chance.randrange(8):
        case 0:
            chunks.insert(chance.randrange(len(chunks)), chunks[at])
        case 1:
            del chunks[at]
        case 2:
            chunks.insert(chance.randrange(len(chunks)), chunks.pop(at))
        case 3:
            foreign = [c for other in others for c in chunks_of(other)] or chunks
            chunks.insert(min(at, 1), chance.choice(foreign))
        case 4:
            bomb = zlib.compress(bytes(chance.choice((10**3, 10**7))))
            kind, head = chance.choice(
                (
                    (b"iTXt", b"iic\0\1\0\0\0"),
                    (b"zTXt", b"iic\0\0"),
                    (b"iCCP", b"x\0\0"),
                    (b"IDAT", b""),
                )
            )
            chunks.insert(1, (kind, head + bomb))
        case 5:
            chunks[0] = (chunks[0][0], damaged(chunks[0][1], chance, [b"\0\0\xff\xff"]))
        case _:
            texts = [i for i, (kind, _) in enumerate(chunks) if kind == b"iTXt"]
            if texts and chance.random() < 0.8:
                at = chance.choice(texts)
                name, content = chunks[at]
                head, _, text = content.rpartition(b"\0")
                try:
                    own = odd_json_text(text.decode("utf-8"), chance)
                except ValueError:
                    own = chance.choice(ODD_TEXTS)
                content = head + b"\0" + own.encode("utf-8", "replace")
            else:
                content = damaged(content, chance, others)
            chunks[at] = (name, content)
    return png_of(chunks)


def odd_safetensors(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    """A model file whose header, description or weights are changed, its lengths mostly right."""
    length = int.from_bytes(data[:8], "little")
    header, weights = json.loads(data[8 : 8 + length]), data[8 + length :]
    match chance.randrange(5):
        case 0:
            header = odd_json(header, chance)
        case 1 | 2:
            about = dict(header["__metadata__"])
            key = chance.choice(list(about))
            try:
                about[key] = odd_json_text(about[key], chance)
            except ValueError:
                about[key] = chance.choice(ODD_TEXTS)
            header["__metadata__"] = about
        case 3:
            name = chance.choice([key for key in header if key != "__metadata__"])
            header = {**header, name: odd_json(header[name], chance)}
        case _:
            weights = _flip(_run(weights, chance, others), chance, others)[: len(weights)]
    text = json_text(header).encode("utf-8", "replace")
    said = len(text) if chance.random() < 0.9 else int(abs(chance.choice((0, 2**20, 2**63))))
    return said.to_bytes(8, "little") + text + weights
