"""A packed model is the model inside, and no more is unpacked than a model may hold."""

import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from iiccli.errors import ModelError
from iiccli.zoo import packing
from iiccli.zoo.catalogue import entries, find, find_by_hash, published_hash
from iiccli.zoo.modelfile import Card, load_model, read_card, save_model, sha256
from iiccli.zoo.packing import head, models_in, packed, stem

CARD = Card("video-3.v1", "video", "adaptive", {"pictures": 3}, data="clips")
STATE = {"weight": torch.arange(3000.0)}


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "video-3.v1.safetensors"
    save_model(path, CARD, STATE)
    return path


@pytest.fixture
def model(plain: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "packed"
    folder.mkdir()
    path = folder / f"{plain.name}.xz"
    path.write_bytes(packed(plain.read_bytes()))
    return path


def test_it_is_what_it_was(plain, model):
    assert sha256(model) == sha256(plain)
    assert read_card(model) == read_card(plain) == CARD
    card, state = load_model(model)
    assert card == CARD
    assert torch.equal(state["weight"], STATE["weight"])
    assert stem(model) == stem(plain) == "video-3.v1"


@pytest.mark.parametrize("length", [0, 1, 8, 5000, 2**20, 10**8])
def test_its_beginning_is_that_of_the_file(plain, model, length):
    assert head(model, length) == head(plain, length) == plain.read_bytes()[:length]


def test_it_is_found_by_name_hash_and_path(plain, model, monkeypatch):
    monkeypatch.setattr("iiccli.zoo.catalogue.folders", lambda: iter([model.parent]))
    (entry,) = entries()
    assert entry.name == "video-3.v1"
    assert entry.base == "video-3"
    assert find("video-3") == find("video-3.v1") == find(str(model)) == entry
    assert find_by_hash(sha256(plain)[:16], "video-3.v1") == entry
    line = f"[{model.name}]({model.name}), 0.01 MB, SHA-256\n  `{entry.hash}`"
    (model.parent / "README.md").write_text(line)
    assert published_hash(entry) == sha256(plain)


def test_a_plain_file_goes_before_a_packed_one(plain, model):
    twin = model.with_suffix("")
    twin.write_bytes(plain.read_bytes())
    assert models_in(model.parent) == [twin]


def cut(whole: bytes) -> bytes:
    return whole[:-100]


def longer(whole: bytes) -> bytes:
    return whole + b"more"


def flipped(whole: bytes) -> bytes:
    return whole[:200] + bytes([whole[200] ^ 1]) + whole[201:]


def no_archive(whole: bytes) -> bytes:
    return b"no archive" + whole


def empty(whole: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [cut, longer, flipped, no_archive, empty])
def test_a_damaged_one_is_refused(model, damage: Callable[[bytes], bytes]):
    model.write_bytes(damage(model.read_bytes()))
    for use in (sha256, load_model):
        with pytest.raises(ModelError, match="damaged"):
            use(model)


@pytest.mark.parametrize("inside", [b"", b"\x02", b"\x02" + 7 * b"\0" + b"{}", b"[]" * 50])
def test_one_that_holds_no_model_is_refused(model, inside):
    model.write_bytes(packed(inside))
    for use in (read_card, load_model):
        with pytest.raises(ModelError, match=r"damaged|not a"):
            use(model)


def test_texts_have_to_be_texts(model):
    header = b'{"__metadata__": {"format": 1, "network": []}}'
    model.write_bytes(packed(len(header).to_bytes(8, "little") + header))
    with pytest.raises(ModelError, match="not a safetensors file"):
        read_card(model)


def test_a_bomb_is_not_unpacked(model, monkeypatch):
    monkeypatch.setattr(packing, "LARGEST", 2**21)
    model.write_bytes(packed(bytes(2**22)))
    with pytest.raises(ModelError, match="more than 2 MiB"):
        sha256(model)


def test_one_that_takes_much_memory_is_refused(model):
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**28}]
    model.write_bytes(lzma.compress(b"x", filters=filters))
    with pytest.raises(ModelError, match="damaged"):
        sha256(model)


def test_one_that_is_not_there(tmp_path):
    missing = tmp_path / "video-3.v1.safetensors.xz"
    with pytest.raises(ModelError, match="Cannot read the model"):
        sha256(missing)
    with pytest.raises(ModelError, match="no model file"):
        find(str(missing))
