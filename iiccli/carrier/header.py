"""What a carrier says about itself, as JSON for the metadata and as bytes for the pixels.

The JSON holds everything. The bytes hold the essentials, at a fixed length, so that they can
be kept in the pixels and survive a program that throws the metadata away.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, TypeAlias

from iiccli.carrier.lock import Lock
from iiccli.errors import DamagedCarrierError
from iiccli.errors import NewerCarrierError as NewerCarrierError

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

FORMAT_VERSION: Final = 1
"""Of carriers that a model makes."""
CODEC_VERSION: Final = 2
"""Of carriers that a codec makes: so readers that know no such say that they are too old."""
LOCKED_VERSION: Final = 3
"""Of carriers that a pass phrase locks, whatever made them."""
NO_MODEL: Final = "0" * 64
"""In place of a model's hash in a carrier that needs none."""
CODEC: Final = "codec"
"""In place of a model's name in such a carrier."""
FORMAT_NAME: Final = "iic-carrier"
EXTRA_LIMIT: Final = 64 * 1024
"""Longest `extra`, in bytes of its JSON text."""
JSON_LIMIT: Final = 512 * 1024
"""Longest header text that is parsed at all, in characters."""
ESSENTIALS_LIMIT: Final = 16
HASH_PREFIX: Final = 16
"""Hex digits of the model's hash that the pixels keep."""
MAX_SIDE: Final = 2**24 - 1
FPS_LIMIT: Final = 0xFFFF
"""Highest frame rate: with a denominator of 16 bits, its numerator fits 32."""

TASK_CODES: Final = {
    "video": 1,
    "mono": 2,
    "dual": 3,
    "hide": 4,
    "layers": 5,
    "gray": 6,
    "rescale": 7,
}
"""Tasks that the binary header can name. Codes are never reused; 0 says "ask the model"."""
_TASK_NAMES: Final = {code: name for name, code in TASK_CODES.items()}

# magic, version, task, quality, length of the essentials, model hash, pictures, reference,
# valid, fps as a rational, part, parts, clip, width (high, low), height (high, low), essentials
_LAYOUT: Final = struct.Struct(">3sBBBB8sBBBIHHH8sBHBH16s")
MAGIC: Final = b"iic"
BINARY_LENGTH: Final = _LAYOUT.size + 4
"""Length of `Header.to_bytes` in bytes, the CRC included. The same in every version."""

_UPGRADE = "Upgrade iic: pip install --upgrade iiccli."
_HEADER_LOST = "Restore from the original carrier file, if you still have it."


@dataclass(frozen=True, kw_only=True)
class Header:
    """What is in a carrier and what takes it out again.

    A header read from metadata is complete. One read from the pixels alone is not
    (`complete` is false): its `model` is "", its `model_hash` only the first 16 hex digits,
    `durations` is None, `extra` is empty, `pixels_sha256` is "", `fps` may be rounded in its
    seventh digit, and `task` is "" when the pixels cannot name it (the model does). `from_bytes`
    knows no `lock`, which has a record of its own.

    Raises:
        ValueError: a field is of the wrong type or out of range. Reading turns it into
            `DamagedCarrierError`; from a caller it is a mistake in the program.
    """

    version: int = FORMAT_VERSION
    """Format version of the carrier."""
    task: str
    """Short id of the conversion: [a-z0-9-]{1,16}, or "" (see above)."""
    model: str
    """Name of the model, e.g. "video-5.v1": [A-Za-z0-9._-]{1,64}, or "" (see above)."""
    model_hash: str
    """sha256 of the model file: 64 lower-case hex digits, or their first 16 (see above); all 0
    where a codec took the place of a model."""
    size: tuple[int, int]
    """Width and height of the carrier in pixels."""
    pictures: int
    """How many pictures come back, 1..255."""
    reference: int
    """Index of the picture that the carrier looks like, 0..pictures-1."""
    valid: int
    """How many of the pictures, from the first on, are real and not filling, 1..pictures."""
    fps: Fraction | None = None
    """Frames per second of the clip, above 0 and at most 65535; None for what is no clip."""
    durations: tuple[float, ...] | None = None
    """Seconds that each of the `valid` pictures is shown; None where fps says it all."""
    quality: int = 0
    """Index of the model's carrier quality, 0..15."""
    part: int = 0
    """Which part of its clip this carrier is, 0..parts-1."""
    parts: int = 1
    """Over how many carriers the clip is spread, 1..65535."""
    clip_id: str = ""
    """16 hex digits, not all zero, the same in all parts of a clip; "" when alone."""
    essentials: bytes = b""
    """The task's own bytes that also survive in the pixels, at most 16."""
    extra: dict[str, JSON] = field(default_factory=dict)
    """The task's own JSON, at most 64 KiB as text; lost when metadata is stripped."""
    lock: Lock | None = None
    """What opens a carrier of version 3; None for all others."""
    pixels_sha256: str = ""
    """`pixels.checksum` of the carrier as written, filled in by writing; "" before."""

    def __post_init__(self) -> None:
        """Check every field; see the class for what is raised."""
        _integer("version", self.version, 1, 255)
        _text("task", self.task, r"[a-z0-9-]{0,16}")
        _text("model", self.model, r"[A-Za-z0-9._-]{0,64}")
        _text("model_hash", self.model_hash, r"[0-9a-f]{16}|[0-9a-f]{64}")
        _require(isinstance(self.size, tuple) and len(self.size) == 2, "size is not a pair")
        for side in self.size:
            _integer("size", side, 1, MAX_SIDE)
        _integer("pictures", self.pictures, 1, 255)
        _integer("reference", self.reference, 0, self.pictures - 1)
        _integer("valid", self.valid, 1, self.pictures)
        if self.fps is not None:
            _require(isinstance(self.fps, Fraction), "fps is not a fraction")
            _require(0 < self.fps <= FPS_LIMIT, "fps is out of range")
            _require(self.fps.denominator < 2**31, "fps is out of range")
        if self.durations is not None:
            _require(isinstance(self.durations, tuple), "durations is not a tuple")
            _require(len(self.durations) == self.valid, "durations does not fit valid")
            for seconds in self.durations:
                _require(type(seconds) is float, "durations holds what is not a float")
                _require(0 <= seconds <= 1e6, "durations is out of range")
        _integer("quality", self.quality, 0, 15)
        _integer("parts", self.parts, 1, 0xFFFF)
        _integer("part", self.part, 0, self.parts - 1)
        _text("clip_id", self.clip_id, r"(?!0{16})[0-9a-f]{16}|")
        _require(isinstance(self.essentials, bytes), "essentials is not bytes")
        _require(len(self.essentials) <= ESSENTIALS_LIMIT, "essentials is longer than 16 bytes")
        _require(isinstance(self.extra, dict), "extra is not an object")
        _check_extra(self.extra)
        _require(self.lock is None or isinstance(self.lock, Lock), "lock is not one")
        _require(self.lock is None or self.version == LOCKED_VERSION, "lock does not fit version")
        _text("pixels_sha256", self.pixels_sha256, r"[0-9a-f]{64}|")

    @property
    def method(self) -> str:
        """What takes the pictures out: a model's `network`, or a `codec`, which needs no model."""
        return CODEC if self.model_hash == NO_MODEL[: len(self.model_hash)] else "network"

    @property
    def maker(self) -> str:
        """Who made it, in words for people: the model's name, if it is known, or a codec."""
        if self.method == CODEC:
            return "a codec"
        return self.model or f"the model with hash {self.model_hash}…"

    @property
    def complete(self) -> bool:
        """Whether this names task and model in full, as a header from metadata does."""
        return bool(self.task and self.model) and len(self.model_hash) == 64

    def to_json(self) -> str:
        """Give the header as JSON text in ASCII, without line breaks.

        Raises:
            ValueError: the header is not `complete`.
        """
        _require(self.complete, "an incomplete header cannot be written as JSON")
        lock = {} if self.lock is None else {"lock": self.lock.to_json()}
        return json.dumps(
            {
                "format": FORMAT_NAME,
                "version": self.version,
                "task": self.task,
                "model": self.model,
                "model_hash": self.model_hash,
                "size": list(self.size),
                "pictures": self.pictures,
                "reference": self.reference,
                "valid": self.valid,
                "fps": None if self.fps is None else str(self.fps),
                "durations": None if self.durations is None else list(self.durations),
                "quality": self.quality,
                "part": self.part,
                "parts": self.parts,
                "clip_id": self.clip_id,
                "essentials": self.essentials.hex(),
                "extra": self.extra,
                **lock,
                "pixels_sha256": self.pixels_sha256,
            },
            separators=(",", ":"),
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Header:
        """Read what `to_json` wrote. Nothing in the text is trusted.

        Raises:
            DamagedCarrierError: the text is not a complete header.
            NewerCarrierError: it is one of a newer iic.
        """
        values = _parse(text)
        _refuse_newer(values.get("version"))
        try:
            header = cls(
                version=_get(values, "version", int),
                task=_get(values, "task", str),
                model=_get(values, "model", str),
                model_hash=_get(values, "model_hash", str),
                size=tuple(_get(values, "size", list)),
                pictures=_get(values, "pictures", int),
                reference=_get(values, "reference", int),
                valid=_get(values, "valid", int),
                fps=_optional(values, "fps", _fraction),
                durations=_optional(values, "durations", _durations),
                quality=_get(values, "quality", int),
                part=_get(values, "part", int),
                parts=_get(values, "parts", int),
                clip_id=_get(values, "clip_id", str),
                essentials=_hex(_get(values, "essentials", str)),
                extra=_get(values, "extra", dict),
                lock=_lock(values),
                pixels_sha256=_get(values, "pixels_sha256", str),
            )
            _require(header.complete, "task or model is missing")
        except ValueError as error:
            raise DamagedCarrierError(
                f"The carrier's header is damaged: {error}.", _HEADER_LOST
            ) from error
        return header

    def to_bytes(self) -> bytes:
        """Give the essentials as `BINARY_LENGTH` bytes that end with their CRC-32."""
        rate = Fraction(0) if self.fps is None else _short_rate(self.fps)
        width, height = self.size
        body = _LAYOUT.pack(
            MAGIC,
            self.version,
            TASK_CODES.get(self.task, 0),
            self.quality,
            len(self.essentials),
            bytes.fromhex(self.model_hash[:HASH_PREFIX]),
            self.pictures,
            self.reference,
            self.valid,
            rate.numerator,
            rate.denominator,
            self.part,
            self.parts,
            bytes.fromhex(self.clip_id or "0" * 16),
            width >> 16,
            width & 0xFFFF,
            height >> 16,
            height & 0xFFFF,
            self.essentials,
        )
        return body + struct.pack(">I", zlib.crc32(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> Header:
        """Read what `to_bytes` wrote; the result is not `complete`.

        Raises:
            DamagedCarrierError: length, magic, CRC or a value is wrong.
            NewerCarrierError: the header is whole, but of a newer iic.
        """
        damaged = DamagedCarrierError(
            "The header in the carrier's pixels is damaged.", _HEADER_LOST
        )
        if len(data) != BINARY_LENGTH or not data.startswith(MAGIC):
            raise damaged
        body, crc = data[:-4], data[-4:]
        if zlib.crc32(body) != int.from_bytes(crc, "big"):
            raise damaged
        _refuse_newer(body[3])
        values = _LAYOUT.unpack(body)
        _, version, task, quality, length, model_hash, pictures, reference, valid = values[:9]
        numerator, denominator, part, parts, clip_id = values[9:14]
        width_high, width, height_high, height, essentials = values[14:]
        try:
            _require(length <= ESSENTIALS_LIMIT, "essentials is too long")
            _require(not essentials[length:].strip(b"\0"), "essentials is too long")
            _require(denominator > 0, "fps is out of range")
            return cls(
                version=version,
                task=_TASK_NAMES.get(task, ""),
                model="",
                model_hash=model_hash.hex(),
                size=(width_high << 16 | width, height_high << 16 | height),
                pictures=pictures,
                reference=reference,
                valid=valid,
                fps=Fraction(numerator, denominator) if numerator else None,
                quality=quality,
                part=part,
                parts=parts,
                clip_id=clip_id.hex() if any(clip_id) else "",
                essentials=essentials[:length],
            )
        except ValueError as error:
            raise damaged from error


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _integer(name: str, value: object, low: int, high: int) -> None:
    _require(type(value) is int and low <= value <= high, f"{name} is not in {low}..{high}")


def _text(name: str, value: object, pattern: str) -> None:
    _require(
        isinstance(value, str) and re.fullmatch(pattern, value) is not None, f"{name} is not valid"
    )


def _check_extra(extra: dict[str, JSON]) -> None:
    try:
        text = json.dumps(extra, allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
        same = json.loads(text) == extra
    except (TypeError, RecursionError, UnicodeError) as error:
        raise ValueError(f"extra is not JSON ({type(error).__name__})") from error
    _require(size <= EXTRA_LIMIT, "extra is longer than 64 KiB")
    _require(same, "extra does not survive as JSON")


def _short_rate(fps: Fraction) -> Fraction:
    """Fit a frame rate into 32 / 16 bits, at least the smallest that is not zero."""
    rate = fps.limit_denominator(0xFFFF)
    return rate if rate > 0 else Fraction(1, 0xFFFF)


def _refuse_newer(version: object) -> None:
    if type(version) is int and version > LOCKED_VERSION:
        raise NewerCarrierError(
            f"The carrier was made by a newer iic (carrier format {min(version, 10**9)}; "
            f"this one reads up to {LOCKED_VERSION}).",
            _UPGRADE,
        )


def _parse(text: str) -> dict[str, Any]:
    values: object = None
    if len(text) <= JSON_LIMIT:
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            values = None
    if not isinstance(values, dict) or values.get("format") != FORMAT_NAME:
        raise DamagedCarrierError("The carrier's header is not readable.", _HEADER_LOST)
    return values


def _get(values: dict[str, Any], name: str, kind: type) -> Any:
    value = values.get(name)
    _require(type(value) is kind, f"{name} is missing or of the wrong type")
    return value


def _optional(values: dict[str, Any], name: str, convert: Callable[[object], Any]) -> Any:
    value = values.get(name)
    return None if value is None else convert(value)


def _lock(values: dict[str, Any]) -> Lock | None:
    return Lock.from_json(values.get("lock")) if values["version"] == LOCKED_VERSION else None


def _fraction(value: object) -> Fraction:
    _text("fps", value, r"[0-9]{1,20}(/[1-9][0-9]{0,19})?")
    return Fraction(str(value))


def _durations(value: object) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) > 255:
        raise ValueError("durations is not a list")
    for item in value:
        number = type(item) in (int, float) and 0 <= item <= 1e6  # no huge integer to convert
        _require(number, "durations is out of range")
    return tuple(float(item) for item in value)


def _hex(value: str) -> bytes:
    _text("essentials", value, r"([0-9a-f]{2}){0,16}")
    return bytes.fromhex(value)
