"""Model files that are kept packed: superseded ones, wanted only for carriers of before.

`NAME.safetensors.xz` is the file `NAME.safetensors` as `xz` packs it. Its identity is that of the
file inside.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from iiccli.errors import ModelError

SUFFIX = ".safetensors"
PACKED = SUFFIX + ".xz"

LARGEST = 2**28
"""Bytes that a packed model unpacks to at most."""

_MEMORY = 2**26
"""Bytes that unpacking takes at most: eight times what it needs for ours."""
_PIECE = 2**20


def is_packed(path: Path) -> bool:
    """Tell by its name whether a model file is packed."""
    return path.name.endswith(PACKED)


def is_model(name: str) -> bool:
    """Tell whether a file of this name would be a model."""
    return name.endswith((SUFFIX, PACKED))


def stem(path: Path) -> str:
    """The name of the model in a file."""
    return path.name.removesuffix(".xz").removesuffix(SUFFIX)


def models_in(folder: Path) -> list[Path]:
    """All model files in a folder, by name; of one that is there in both forms the plain one."""
    found = {stem(path): path for kind in (PACKED, SUFFIX) for path in folder.glob(f"*{kind}")}
    return [found[name] for name in sorted(found)]


def head(path: Path, length: int) -> bytes:
    """The first bytes that a model file holds; fewer where it holds no more.

    Raises:
        ModelError: it cannot be read, or is damaged.
    """
    return b"".join(_pieces(path, length))[:length]


def content(path: Path) -> bytes:
    """All that a model file holds.

    Raises:
        ModelError: it cannot be read, is damaged, or unpacks to more than `LARGEST` bytes.
    """
    return b"".join(pieces(path))


def pieces(path: Path) -> Iterator[bytes]:
    """What a model file holds, piece by piece.

    Raises:
        ModelError: see `content`.
    """
    total = 0
    for piece in _pieces(path, None):
        total += len(piece)
        if is_packed(path) and total > LARGEST:
            raise ModelError(f"{path} unpacks to more than {LARGEST >> 20} MiB, as no model does.")
        yield piece


def _pieces(path: Path, length: int | None) -> Iterator[bytes]:
    """Pieces of a file's content that have so many bytes, or a few more; or all of it."""
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY) if is_packed(path) else None
    step = _PIECE if length is None else min(length, _PIECE)
    try:
        with path.open("rb") as file:
            while length is None or length > 0:
                piece = _unpacked(unpacker, file, step) if unpacker else file.read(step)
                if not piece:
                    return
                yield piece
                length = None if length is None else length - len(piece)
    except OSError as error:
        raise ModelError(f"Cannot read the model {path}: {error.strerror}.") from error
    except (lzma.LZMAError, EOFError) as error:
        raise ModelError(f"{path} is damaged.", "Get the file again.") from error


def _unpacked(unpacker: lzma.LZMADecompressor, file: BinaryIO, most: int) -> bytes:
    """The next bytes, at most so many; none at the end.

    Raises:
        EOFError: the file ends too early, or goes on after its end.
    """
    while not unpacker.eof:
        more = file.read(_PIECE) if unpacker.needs_input else b""
        if unpacker.needs_input and not more:
            raise EOFError
        if piece := unpacker.decompress(more, most):
            return piece
    if unpacker.unused_data or file.read(1):
        raise EOFError
    return b""


def packed(content: bytes) -> bytes:
    """A model file's content as it is kept; `xz -6e` packs it alike."""
    return lzma.compress(content, preset=6 | lzma.PRESET_EXTREME)
