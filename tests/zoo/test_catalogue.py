"""Which models are at hand, and which of them is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from iiccli.errors import ModelError
from iiccli.zoo import catalogue
from iiccli.zoo.catalogue import (
    Entry,
    check_published,
    entries,
    find,
    find_by_hash,
    for_pictures,
    most_pictures,
    published_hash,
)
from iiccli.zoo.modelfile import Card, save_model, sha256

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Put a model into one of two folders that are searched in this order."""
    folders = [tmp_path / "a", tmp_path / "b"]

    def search() -> Iterator[Path]:
        yield from folders

    monkeypatch.setattr(catalogue, "folders", search)

    def write(
        name: str, pictures: int, folder: int = 0, task: str = "video", scale: int = 1
    ) -> Path:
        path = folders[folder] / f"{name}.safetensors"
        config = {"pictures": pictures, "scale": scale}
        card = Card(name, task, "transform", config, data=str(path))
        save_model(path, card, {"x": torch.zeros(1)})
        return path

    return write


def test_where_models_are_searched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv(catalogue.FOLDER_VARIABLE, raising=False)
    without = list(catalogue.folders())
    assert without[-1] == catalogue.user_folder()
    assert without[-1].name == "models"
    assert Path(__file__).parents[2] / "models" in without
    monkeypatch.setenv(catalogue.FOLDER_VARIABLE, str(tmp_path))
    assert list(catalogue.folders()) == [tmp_path, *without]


@pytest.mark.parametrize(
    ("name", "base", "version"),
    [
        ("video-5.v1", "video-5", 1),
        ("video-5.v12", "video-5", 12),
        ("mine", "mine", 0),
        ("a.v2.v3", "a.v2", 3),
        ("video-5.v", "video-5.v", 0),
    ],
)
def test_names_and_versions(name: str, base: str, version: int) -> None:
    entry = Entry(name, Path("x"))
    assert (entry.base, entry.version) == (base, version)


def test_entries_are_sorted_and_the_first_folder_wins(put: Put) -> None:
    first = put("video-5.v2", 5)
    put("video-5.v2", 5, folder=1)
    put("video-5.v10", 5, folder=1)
    put("video-3.v1", 3)
    assert [entry.name for entry in entries()] == ["video-3.v1", "video-5.v2", "video-5.v10"]
    assert find("video-5.v2").path == first


def test_find(put: Put) -> None:
    paths = {name: put(name, 5) for name in ("video-5.v2", "video-5.v10", "mine")}
    assert find("video-5").path == paths["video-5.v10"]
    assert find("video-5.v2").path == paths["video-5.v2"]
    assert find("mine").path == paths["mine"]
    assert find(str(paths["mine"])) == Entry("mine", paths["mine"])
    with pytest.raises(ModelError, match="no model 'video'") as caught:
        find("video")
    assert "mine, video-5.v2, video-5.v10" in caught.value.hint
    for path in ("none.safetensors", "folder/none"):
        with pytest.raises(ModelError, match="no model file"):
            find(path)


def test_find_without_models(put: Put) -> None:
    with pytest.raises(ModelError) as caught:
        find("video-5")
    assert caught.value.hint == "At hand: none."
    assert entries() == []
    with pytest.raises(ModelError, match="no model for video"):
        most_pictures("video")
    with pytest.raises(ModelError, match="takes 3 pictures") as caught:
        for_pictures("video", 3)
    assert "iic models" in caught.value.hint


def test_find_by_hash(put: Put) -> None:
    paths = [put("a", 3), put("b", 5)]
    for path in paths:
        digest = sha256(path)
        for known in (digest, digest[:16]):
            for name in ("", path.stem, "other"):
                found = find_by_hash(known, name)
                assert found is not None
                assert found.path == path
    assert find_by_hash("0" * 64) is None


def test_for_pictures(put: Put) -> None:
    for name, pictures in (("video-5.v1", 5), ("video-5.v2", 5), ("video-3.v1", 3)):
        put(name, pictures)
    put("mine.v7", 5)
    put("apart", 3, task="layers")
    names = {count: for_pictures("video", count).name for count in (1, 2, 3, 4, 5)}
    assert names == dict.fromkeys((1, 2, 3), "video-3.v1") | dict.fromkeys((4, 5), "video-5.v2")
    assert most_pictures("video") == 5
    assert for_pictures("layers", 2).name == "apart"
    with pytest.raises(ModelError, match="takes 6 pictures") as caught:
        for_pictures("video", 6)
    assert caught.value.hint == "Models at hand take 3, 5."


@pytest.mark.parametrize(
    ("task", "pictures", "scale", "ours"),
    [
        ("hide", 3, 1, "hide-2"),
        ("video", 3, 2, "video-half-3"),
        ("video", 3, 1, "video-3"),
        ("rescale", 1, 4, "rescale-4"),
        ("gray", 1, 1, "gray"),
    ],
)
def test_ours_go_before_others_that_are_newer(
    put: Put, task: str, pictures: int, scale: int, ours: str
) -> None:
    put(f"{ours}.v1", pictures, task=task, scale=scale)
    put("mine.v9", pictures, task=task, scale=scale)
    put(f"{ours}-large.v3", pictures, task=task, scale=scale)
    assert for_pictures(task, pictures, scale).name == f"{ours}.v1"
    with pytest.raises(ModelError, match=f"{pictures} picture.* in a carrier 8 times smaller"):
        for_pictures(task, pictures, 8)


def test_a_model_of_one_s_own_is_taken_where_none_of_ours_fits(put: Put) -> None:
    put("video-5.v1", 5)
    put("mine", 7, folder=1)
    assert for_pictures("video", 6).name == "mine"


def test_damaged_files_are_passed_over(put: Put) -> None:
    put("video-5.v1", 5)
    put("video-5.v2", 5).write_bytes(b"damaged")
    assert for_pictures("video", 5).name == "video-5.v1"
    assert most_pictures("video") == 5
    assert [entry.name for entry in entries()] == ["video-5.v1", "video-5.v2"]
    with pytest.raises(ModelError, match="damaged"):
        _ = find("video-5").card


def test_published_hash(put: Put) -> None:
    entry = Entry("video-5.v1", put("video-5.v1", 5))
    assert published_hash(entry) is None
    table = entry.path.with_name("README.md")
    table.write_text(
        "- File: [video-3.v1.safetensors](video-3.v1.safetensors), 1 MB, SHA-256\n"
        f"  `{'3' * 64}`\n\n"
        "- File: [video-5.v1.safetensors](video-5.v1.safetensors), 2 MB, SHA-256\n"
        f"  `{'5' * 64}`\n"
    )
    assert published_hash(entry) == "5" * 64
    table.write_bytes(b"\xff\xfe\x00")
    assert published_hash(entry) is None


def test_a_file_of_the_right_name_and_another_hash_is_named(put: Put) -> None:
    path = put("video-5.v1", 5)
    own = find("video-5.v1").hash
    assert find_by_hash(own[:16], "video-5.v1") == Entry("video-5.v1", path)
    assert find_by_hash(own, "anything") == Entry("video-5.v1", path)
    assert find_by_hash("0" * 64, "another.v1") is None
    with pytest.raises(
        ModelError, match=r"video-5\.v1 with the SHA-256 0000.*another file"
    ) as error:
        find_by_hash("0" * 64, "video-5.v1")
    assert str(path) in error.value.message


@pytest.mark.parametrize("name", ["../video-5.v1", "/etc/passwd", "video-5.v1.safetensors", ""])
def test_a_name_in_a_carrier_is_never_a_path(put: Put, name: str) -> None:
    put("video-5.v1", 5)
    assert find_by_hash("0" * 64, name) is None


def test_a_published_file_that_was_swapped_is_refused(put: Put) -> None:
    entry = Entry("video-5.v1", put("video-5.v1", 5))
    check_published(entry, entry.hash)
    table = entry.path.with_name("README.md")
    line = "[x](video-5.v1.safetensors), 2 MB, SHA-256 `{}`\n"
    table.write_text(line.format(entry.hash))
    check_published(entry, entry.hash)
    table.write_text(line.format("5" * 64))
    with pytest.raises(ModelError, match="not the file that was published"):
        check_published(entry, entry.hash)
