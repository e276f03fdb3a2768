"""Training pictures in memory."""

import dataclasses
import weakref
from functools import partial
from types import SimpleNamespace

import psutil
import pytest
import torch

from iiccli.training import shelf
from iiccli.training.shelf import Entry, Shelf, room_on


class Shop:
    """Entries that count how often they are decoded."""

    def __init__(self, *shapes: tuple[int, int, int]) -> None:
        self.shapes = shapes
        self.read = [0] * len(shapes)

    def entries(self) -> list[Entry]:
        return [Entry(f"{i}.png", shape, self._reader(i)) for i, shape in enumerate(self.shapes)]

    def _reader(self, number: int):
        def read() -> torch.Tensor:
            self.read[number] += 1
            return torch.full(self.shapes[number], number, dtype=torch.uint8)

        return read


SHAPES = ((3, 4, 6), (4, 8, 5), (3, 9, 9), (3, 1, 1))
SIZES = [72, 160, 243, 3]


@pytest.mark.parametrize(
    ("room", "kept"), [(0, 0), (71, 0), (72, 1), (231, 1), (232, 2), (474, 2), (475, 3), (478, 4)]
)
def test_what_finds_no_room_is_decoded_when_it_is_drawn(room, kept):
    shop = Shop(*SHAPES)
    pictures = Shelf(shop.entries(), room)
    assert shop.read == [int(i < kept) for i in range(4)]
    assert pictures.whole == (kept == 4)
    for number, shape in enumerate(SHAPES):
        for _ in range(2):
            picture = pictures[number]
            assert picture.shape == shape
            assert picture.dtype == torch.uint8
            assert (picture == number).all()  # it is the same, kept or not
    assert shop.read == [1 if i < kept else 2 for i in range(4)]


def test_sizes_are_known_without_decoding():
    shop = Shop(*SHAPES)
    assert [entry.size for entry in shop.entries()] == SIZES
    pictures = Shelf(shop.entries(), 0)
    assert [pictures.side(i) for i in range(4)] == [4, 5, 9, 1]
    assert [pictures.shape(i) for i in range(4)] == list(SHAPES)
    assert [pictures.name(i) for i in range(4)] == ["0.png", "1.png", "2.png", "3.png"]
    assert len(pictures) == 4
    assert shop.read == [0] * 4


def test_pictures_that_are_in_memory_are_kept():
    given = [torch.full((3, 5 + i, 4), i, dtype=torch.uint8) for i in range(3)]
    pictures = Shelf.of(given)
    assert pictures.whole
    assert all(torch.equal(a, b) for a, b in zip(pictures, given, strict=True))
    assert Shelf.of([]).whole
    assert list(Shelf.of([])) == []


def test_what_is_on_another_device_does_not_stay_in_memory():
    picture = torch.zeros(3, 4, 6, dtype=torch.uint8)
    there = weakref.ref(picture)
    entries = [Entry("a", (3, 4, 6), partial(torch.Tensor.view, picture, 3, 4, 6))]
    del picture
    pictures = Shelf(entries, 72, torch.device("meta"))
    entries.clear()
    assert there() is None
    assert pictures[0].device.type == "meta"
    assert pictures.shape(0) == (3, 4, 6)


def test_there_is_no_picture_beyond_the_last():
    with pytest.raises(IndexError):
        Shelf.of([torch.zeros(3, 2, 2, dtype=torch.uint8)])[1]


def test_an_error_while_decoding_is_not_lost():
    def read() -> torch.Tensor:
        raise ValueError("torn")

    entry = Entry("a", (3, 2, 2), read)
    with pytest.raises(ValueError, match="torn"):
        Shelf([entry], 12)
    with pytest.raises(ValueError, match="torn"):
        Shelf([entry], 0)[0]


def test_an_entry_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Entry("a", (3, 2, 2), lambda: torch.zeros(3, 2, 2)).name = "b"  # type: ignore[misc]


def test_half_of_what_is_free_may_be_taken(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1001))
    assert room_on(torch.device("cpu")) == 500
    monkeypatch.setattr(shelf.torch.cuda, "mem_get_info", lambda device: (800, 2000))
    assert room_on(torch.device("cuda")) == 400
