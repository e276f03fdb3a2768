from __future__ import annotations

import dataclasses
import json
import random
import struct
import zlib
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iiccli.carrier.header import (
    BINARY_LENGTH,
    TASK_CODES,
    Header,
    NewerCarrierError,
)
from iiccli.errors import DamagedCarrierError, IicError

from .conftest import HASH, make_header

HEX = "0123456789abcdef"
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def headers(draw: st.DrawFn) -> Header:
    pictures = draw(st.integers(1, 255))
    valid = draw(st.integers(1, pictures))
    parts = draw(st.integers(1, 65535))
    seconds = st.floats(0, 1e6)
    return Header(
        task=draw(st.sampled_from(sorted(TASK_CODES)) | st.from_regex(r"\A[a-z0-9-]{1,16}\Z")),
        model=draw(st.from_regex(r"\A[A-Za-z0-9._-]{1,64}\Z")),
        model_hash=draw(st.text(HEX, min_size=64, max_size=64)),
        size=(draw(st.integers(1, 2**24 - 1)), draw(st.integers(1, 2**24 - 1))),
        pictures=pictures,
        reference=draw(st.integers(0, pictures - 1)),
        valid=valid,
        fps=draw(st.none() | st.fractions(Fraction(1, 10**6), 65535, max_denominator=10**9)),
        durations=draw(
            st.none() | st.lists(seconds, min_size=valid, max_size=valid).map(tuple)
            if valid < 9
            else st.none()
        ),
        quality=draw(st.integers(0, 15)),
        part=draw(st.integers(0, parts - 1)),
        parts=parts,
        clip_id=draw(
            st.just("") | st.text(HEX, min_size=16, max_size=16).filter(lambda t: t.strip("0"))
        ),
        essentials=draw(st.binary(max_size=16)),
        extra=draw(st.dictionaries(st.text("abc", max_size=5), JSON_VALUES, max_size=4)),
        pixels_sha256=draw(st.just("") | st.text(HEX, min_size=64, max_size=64)),
    )


@given(headers())
def test_json_gives_back_every_field(header: Header) -> None:
    assert Header.from_json(header.to_json()) == header


@given(headers())
def test_bytes_give_back_the_essentials(header: Header) -> None:
    data = header.to_bytes()
    read = Header.from_bytes(data)
    assert len(data) == BINARY_LENGTH
    assert not read.complete
    assert read.fps is None if header.fps is None else read.fps is not None
    if header.fps is not None and read.fps is not None:
        assert abs(read.fps - header.fps) <= Fraction(1, 65535)
    expected = dataclasses.replace(
        header,
        task=header.task if header.task in TASK_CODES else "",
        model="",
        model_hash=header.model_hash[:16],
        fps=read.fps,
        durations=None,
        extra={},
        pixels_sha256="",
    )
    assert read == expected


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25)])
def test_usual_frame_rates_survive_in_bytes(rate: Fraction) -> None:
    assert Header.from_bytes(make_header(fps=rate).to_bytes()).fps == rate


def test_the_binary_header_is_about_64_bytes() -> None:
    assert BINARY_LENGTH <= 66


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 0},
        {"version": True},
        {"task": "Video"},
        {"task": "v" * 17},
        {"task": "video\n"},
        {"model": "../../etc/passwd"},
        {"model": "a" * 65},
        {"model_hash": HASH.upper()},
        {"model_hash": HASH[:-1]},
        {"size": (0, 5)},
        {"size": (5,)},
        {"size": [5, 5]},
        {"size": (5.0, 5)},
        {"size": (2**24, 5)},
        {"pictures": 0},
        {"pictures": 256},
        {"reference": 5},
        {"reference": -1},
        {"valid": 6},
        {"valid": 0},
        {"fps": 25},
        {"fps": Fraction(0)},
        {"fps": Fraction(-1)},
        {"fps": Fraction(65536)},
        {"fps": Fraction(1, 2**31)},
        {"durations": (0.1,)},
        {"durations": (0.1,) * 4 + (float("nan"),)},
        {"durations": (0.1,) * 4 + (-1.0,)},
        {"durations": [0.1] * 5},
        {"quality": 16},
        {"part": 4},
        {"parts": 65536},
        {"clip_id": "0" * 16},
        {"clip_id": "xyz"},
        {"essentials": b"x" * 17},
        {"essentials": "x"},
        {"extra": {"a": "x" * 65536}},
        {"extra": {"a": float("inf")}},
        {"extra": {"a": b"bytes"}},
        {"extra": {1: "key is no text"}},
        {"extra": {"a": (1, 2)}},
        {"extra": {"a": "\ud800"}},
        {"extra": []},
        {"pixels_sha256": "0"},
    ],
    ids=str,
)
def test_a_header_out_of_range_cannot_be_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        make_header(**changes)


def test_an_incomplete_header_cannot_become_json() -> None:
    with pytest.raises(ValueError, match="incomplete"):
        Header.from_bytes(make_header().to_bytes()).to_json()


REQUIRED = [
    name for name in json.loads(make_header().to_json()) if name not in ("fps", "durations")
]


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, -1, 1e999, "\n", [[]], {"a": 1e999}, True])
def test_json_with_a_wrong_field_is_damaged(name: str, value: object) -> None:
    values = json.loads(make_header().to_json())
    values[name] = value
    with pytest.raises(DamagedCarrierError):
        Header.from_json(json.dumps(values))


@pytest.mark.parametrize("name", REQUIRED)
def test_json_without_a_field_is_damaged(name: str) -> None:
    values = json.loads(make_header().to_json())
    del values[name]
    with pytest.raises(DamagedCarrierError):
        Header.from_json(json.dumps(values))


@pytest.mark.parametrize("fps", [25, "1/0", "0", "-1", "x", "9" * 400, "1/" + "9" * 20, [1]])
def test_json_with_a_wrong_frame_rate_is_damaged(fps: object) -> None:
    with pytest.raises(DamagedCarrierError):
        Header.from_json(json.dumps(json.loads(make_header().to_json()) | {"fps": fps}))


@pytest.mark.parametrize(
    "durations", [[1], [1] * 300, ["1"] * 5, [10**400] * 5, [True] * 5, [1e999] * 5, {}]
)
def test_json_with_wrong_durations_is_damaged(durations: object) -> None:
    values = json.loads(make_header().to_json()) | {"durations": durations}
    with pytest.raises(DamagedCarrierError):
        Header.from_json(json.dumps(values))


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "[" * 100_000, '{"a":' * 50_000, "9" * 5000, "x" * 10**6]
)
def test_other_text_is_damaged(text: str) -> None:
    with pytest.raises(DamagedCarrierError):
        Header.from_json(text)


def test_unknown_keys_are_ignored() -> None:
    values = json.loads(make_header().to_json()) | {"later": 1}
    assert Header.from_json(json.dumps(values)) == make_header()


def test_a_newer_version_says_so_in_both_forms() -> None:
    newer = make_header(version=4)
    for read in (
        lambda: Header.from_json(newer.to_json()),
        lambda: Header.from_bytes(newer.to_bytes()),
        lambda: Header.from_json('{"format":"iic-carrier","version":' + "9" * 50 + "}"),
    ):
        with pytest.raises(NewerCarrierError, match="newer iic") as caught:
            read()
        assert "pgrade" in caught.value.hint


def test_every_flipped_bit_in_the_bytes_is_noticed() -> None:
    data = make_header().to_bytes()
    for bit in range(len(data) * 8):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DamagedCarrierError):
            Header.from_bytes(bytes(broken))


@given(st.binary(max_size=80))
def test_random_bytes_are_damaged(data: bytes) -> None:
    with pytest.raises(DamagedCarrierError):
        Header.from_bytes(data)


def test_mutated_headers_raise_nothing_else() -> None:
    """Bytes with a valid CRC and text with changed characters: read, or refused by name."""
    rng = random.Random(7)
    body, text = make_header().to_bytes()[:-4], make_header().to_json()
    refused = 0
    for _ in range(400):
        changed = bytearray(body)
        for _ in range(rng.randint(1, 4)):
            changed[rng.randrange(4, len(changed))] = rng.choice([0, 1, 255, rng.randrange(256)])
        letters = list(text)
        for _ in range(rng.randint(1, 3)):
            letters[rng.randrange(len(letters))] = rng.choice('{}[]",:019ex-\\u\0é')
        with_crc = bytes(changed) + struct.pack(">I", zlib.crc32(changed))
        for read, data in (
            (Header.from_bytes, with_crc),
            (Header.from_json, "".join(letters)),
        ):
            try:
                assert isinstance(read(data), Header)
            except IicError as error:
                refused += 1
                assert isinstance(error, DamagedCarrierError)
    assert refused > 300
