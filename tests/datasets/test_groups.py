"""What items become."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.datasets.groups import Groups, covering, groups_of
from iiccli.datasets.manifest import Heading, Item, Manifest, Picture
from iiccli.datasets.scanning import scan_picture
from iiccli.errors import InputError
from iiccli.media.image import read_picture
from tests.datasets.trees import noise


def entry(path: Path, role: str, box: tuple[int, int, int, int] | None = None) -> Picture:
    scan = scan_picture(path)
    assert scan.size is not None
    return Picture(role, path.name, *scan.size, scan.sha256, box)


def manifest(folder: Path, task: str, items: list[Item], **more: object) -> Manifest:
    heading = Heading("mine", "test", task, **{"pictures": 1, "root": ".", **more})  # type: ignore[arg-type]
    return Manifest(heading, tuple(items), folder / "mine.jsonl")


def clip(folder: Path, frames: int, name: str = "clip") -> Item:
    paths = [noise(folder / f"{name}{n:02d}.png", (8, 6), n) for n in range(frames)]
    return Item(name, tuple(entry(path, "frame") for path in paths))


def test_windows_of_every_step_and_start(tmp_path: Path) -> None:
    items = [clip(tmp_path, 7, "a"), clip(tmp_path, 5, "b"), clip(tmp_path, 2, "c")]
    groups = groups_of(manifest(tmp_path, "video", items, pictures=3, steps=(3, 1)))
    starts = [groups.name(i) for i in range(len(groups))]
    assert starts[0] == "a-step3-a00"
    assert starts[1:] == [f"a-step1-a{n:02d}" for n in range(5)] + [
        f"b-step1-b{n:02d}" for n in range(3)
    ]
    assert [path.name for path in groups.paths(0)] == ["a00.png", "a03.png", "a06.png"]
    assert [path.name for path in groups.paths(2)] == ["a01.png", "a02.png", "a03.png"]


def test_frames_are_in_order_and_the_middle_is_the_reference(tmp_path: Path) -> None:
    item = clip(tmp_path, 5)
    group = groups_of(manifest(tmp_path, "video", [item], pictures=5, steps=(1,))).read(0)
    assert group.reference == 2
    for number, pixels in enumerate(group.pictures):
        assert np.array_equal(pixels, read_picture(tmp_path / f"clip{number:02d}.png").pixels)


def test_a_box_is_cut_out(tmp_path: Path) -> None:
    wide, large = noise(tmp_path / "w.png", (4, 3), 1), noise(tmp_path / "l.png", (9, 8), 2)
    pictures = (entry(wide, "wide"), entry(large, "tele", (2, 1, 6, 4)))
    group = groups_of(manifest(tmp_path, "dual", [Item("v", pictures, 2.0)], pictures=2)).read(0)
    assert (group.name, group.reference, group.zoom) == ("v", 0, 2.0)
    assert np.array_equal(group.pictures[1], read_picture(large).pixels[1:4, 2:6])


def test_pictures_of_one_role_stay_apart(tmp_path: Path) -> None:
    paths = [noise(tmp_path / f"{n}.png", (8 + n, 8), n) for n in range(3)]
    roles = ("cover", "secret", "secret")
    pictures = tuple(entry(p, role) for p, role in zip(paths, roles, strict=True))
    group = groups_of(manifest(tmp_path, "hide", [Item("h", pictures)], pictures=3)).read(0)
    assert [pixels.shape[1] for pixels in group.pictures] == [8, 9, 10]
    assert group.reference == 0


def layers(folder: Path, background: tuple[int, int]) -> Manifest:
    foreground = noise(folder / "f.png", (10, 8), 1)
    Image.fromarray(np.arange(80, dtype=np.uint8).reshape(8, 10) * 3).save(folder / "a.png")
    behind = noise(folder / "b.png", background, 3)
    pictures = (
        entry(foreground, "foreground"),
        entry(folder / "a.png", "alpha"),
        entry(behind, "background"),
    )
    return manifest(folder, "layers", [Item("c", pictures)], pictures=3)


def test_a_composite_is_made_of_its_layers(tmp_path: Path) -> None:
    group = groups_of(layers(tmp_path, (12, 9))).read(0)
    composite, background, alpha = (pixels.astype(float) for pixels in group.pictures)
    foreground = read_picture(tmp_path / "f.png").pixels.astype(float)
    assert np.array_equal(background, read_picture(tmp_path / "b.png").pixels[:8, :10])
    assert np.array_equal(alpha[..., 0], read_picture(tmp_path / "a.png").pixels[..., 0])
    assert np.ptp(alpha, axis=2).max() == 0
    a = alpha / 255
    assert np.abs(composite - (a * foreground + (1 - a) * background)).max() <= 0.5
    assert group.foreground is not None
    assert np.abs(group.foreground - a * foreground).max() <= 0.5
    assert group.reference == 0


@pytest.mark.parametrize("size", [(5, 4), (20, 4), (4, 20), (10, 7), (9, 8)])
def test_a_small_background_is_enlarged(tmp_path: Path, size: tuple[int, int]) -> None:
    group = groups_of(layers(tmp_path, size)).read(0)
    assert group.pictures[1].shape == (8, 10, 3)


def test_enlarging_keeps_proportions() -> None:
    ramp = np.repeat(np.arange(0, 250, 25, dtype=np.uint8)[None, :, None], 4, axis=0)
    result = covering(np.repeat(ramp, 3, axis=2), (8, 10))  # twice as large: its left half stays
    assert result.max() < 140


def test_a_layer_that_is_missing_or_too_small(tmp_path: Path) -> None:
    given = layers(tmp_path, (12, 9))
    foreground, alpha, background = given.items[0].pictures
    without = manifest(tmp_path, "layers", [Item("c", (alpha, background))])
    with pytest.raises(InputError, match="c needs a foreground"):
        Groups(without).read(0)
    small = noise(tmp_path / "small.png", (5, 4))
    odd = manifest(tmp_path, "layers", [Item("c", (foreground, entry(small, "alpha"), background))])
    with pytest.raises(InputError, match="differ in size"):
        Groups(odd).read(0)


def test_missing_files_are_named_at_once(tmp_path: Path) -> None:
    item = clip(tmp_path, 5)
    (tmp_path / "clip01.png").unlink()
    (tmp_path / "clip03.png").unlink()
    with pytest.raises(InputError, match=r"clip01\.png, which .*mine\.jsonl.* 1 other file"):
        groups_of(manifest(tmp_path, "video", [item], pictures=3, steps=(1,)))


def test_a_file_that_changed_is_named(tmp_path: Path) -> None:
    item = clip(tmp_path, 3)
    groups = groups_of(manifest(tmp_path, "video", [item], pictures=3, steps=(1,)))
    noise(tmp_path / "clip01.png", (9, 6))
    with pytest.raises(InputError, match=r"clip01\.png is 9×6"):
        groups.read(0)
    os.truncate(tmp_path / "clip01.png", 60)
    with pytest.raises(InputError, match=r"clip01\.png is"):
        groups.read(0)
