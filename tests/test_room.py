"""Arrays for whole pictures: the same with a file behind them as without."""

from __future__ import annotations

import os
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from iiccli import room as module
from iiccli.room import copied, equal, pixels_of, room, strips

posix = pytest.mark.skipif(os.name != "posix", reason="files without a name")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """Everything from a kilobyte on is large, and lies in the test's folder."""
    monkeypatch.setattr(module, "LARGE", 1000)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(module.tempfile, "tempdir", None)


@posix
def test_what_is_large_lies_in_a_file_that_nobody_sees(small, tmp_path):
    array = room((20, 30, 3), np.uint8)
    assert type(array) is np.ndarray and isinstance(array.base, np.memmap)
    array[:] = 7
    assert (array == 7).all() and not list(tmp_path.iterdir())


def test_what_is_small_lies_in_memory(small):
    assert room((10, 10), np.uint8).base is None
    assert room((0, 5), np.int16).shape == (0, 5)


@posix
def test_without_space_for_a_file_it_lies_in_memory(small, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    assert room((100, 100), np.uint8).base is None


@posix
def test_without_allocation_in_advance_there_has_to_be_twice_the_space(small, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    assert isinstance(room((100, 100), np.uint8).base, np.memmap)
    usage = module.shutil.disk_usage("/")._replace(free=15_000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    assert room((100, 100), np.uint8).base is None


def test_where_files_keep_their_names_it_lies_in_memory(small, monkeypatch):
    monkeypatch.setattr(module.os, "name", "nt")
    assert room((100, 100), np.uint8).base is None


def test_a_folder_that_the_user_names_is_taken(monkeypatch, tmp_path):
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    if os.access("/var/tmp", os.W_OK):
        assert str(module._folder()) == "/var/tmp"
    monkeypatch.setattr(module.tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert module._folder() == tmp_path
    monkeypatch.setattr(module.tempfile, "tempdir", None)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (3, 700), (700, 3)])
def test_pixels_are_those_that_pillow_gives(monkeypatch, mode, size):
    monkeypatch.setattr(module, "_STRIP", 1000)
    samples = np.random.default_rng(1).integers(0, 256, (*size[::-1], 4), np.uint8)
    image = Image.fromarray(samples).convert(mode)
    assert np.array_equal(pixels_of(image), np.asarray(image))


def test_pixels_take_little_more_memory_than_they_need():
    image = Image.new("RGB", (4000, 1000))
    tracemalloc.start()
    pixels = pixels_of(image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * pixels.nbytes


def test_a_copy_of_a_turned_view_is_in_order():
    array = np.arange(24, dtype=np.uint8).reshape(4, 6)
    copy = copied(array.T)
    assert copy.flags.c_contiguous and (copy == array.T).all()


def test_strips_cover_all_rows(monkeypatch):
    monkeypatch.setattr(module, "_STRIP", 10)
    assert [(s.start, s.stop) for s in strips(np.zeros((5, 4)))] == [(0, 2), (2, 4), (4, 5)]
    assert list(strips(np.zeros((0, 4)))) == []


def test_arrays_are_compared_in_shape_and_values(monkeypatch):
    monkeypatch.setattr(module, "_STRIP", 10)
    a = np.arange(20).reshape(5, 4)
    b = a.copy()
    assert equal(a, b)
    b[4, 3] += 1
    assert not equal(a, b) and not equal(a, a[:4])
