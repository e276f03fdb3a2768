"""Whatever a header, a stamp, a manifest or a size says: hypothesis looks for what breaks."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from iiccli.carrier import Header, read_stamp
from iiccli.carrier.header import BINARY_LENGTH, FORMAT_NAME, MAGIC
from iiccli.datasets.manifest import read_manifest
from iiccli.errors import DamagedCarrierError, InputError, UsageError
from iiccli.tasks.unmarked import parse_size

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
USUAL = json.loads(
    Header(
        task="video",
        model="video-5.v1",
        model_hash="ab" * 32,
        size=(96, 64),
        pictures=5,
        reference=2,
        valid=5,
    ).to_json()
)


@given(st.dictionaries(st.sampled_from(sorted(USUAL)), JSON, max_size=4), JSON)
@settings(max_examples=60)
def test_any_json_is_a_header_or_a_damaged_one(changes: dict[str, object], other: object) -> None:
    for value in ({**USUAL, **changes}, {"format": FORMAT_NAME, "version": 1, "x": other}, other):
        try:
            header = Header.from_json(json.dumps(value))
        except DamagedCarrierError:
            continue
        assert Header.from_json(header.to_json()) == header
        assert Header.from_bytes(header.to_bytes()).size == header.size


@given(st.binary(min_size=BINARY_LENGTH - 7, max_size=BINARY_LENGTH - 7))
@settings(max_examples=60)
def test_any_bytes_with_a_right_check_sum(rest: bytes) -> None:
    body = MAGIC + rest
    try:
        header = Header.from_bytes(body + zlib.crc32(body).to_bytes(4, "big"))
    except DamagedCarrierError:
        return
    assert 1 <= header.valid <= header.pictures
    assert len(header.essentials) <= 16


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.randoms())
@settings(max_examples=50)
def test_pictures_of_any_size_are_read(height: int, width: int, channels: int, chance) -> None:
    shape = (height, width) if channels == 1 else (height, width, channels)
    noise = np.random.default_rng(chance.getrandbits(32)).integers(0, 256, shape, np.uint8)
    assert read_stamp(noise) is None


@given(st.lists(JSON, max_size=4))
@settings(max_examples=40)
def test_lines_of_any_json_are_no_manifest(tmp_path_factory, lines: list[object]) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "fuzzed.jsonl"
    first = {"iic-manifest": 1, "alias": "a", "split": "test", "task": "hide", "root": "."}
    for head in ({**first, "pictures": 2}, lines[0] if lines else None):
        path.write_text("\n".join(map(json.dumps, [head, *lines])), "utf-8")
        try:
            read_manifest(path)
        except InputError as error:
            assert "line" in error.message
        else:
            assert not lines


@given(st.text(max_size=30))
@settings(max_examples=40)
def test_any_text_is_a_size_or_none(text: str) -> None:
    try:
        width, height = parse_size(text)
    except UsageError:
        return
    assert width >= 0
    assert height >= 0
