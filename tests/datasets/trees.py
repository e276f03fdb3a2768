"""Small trees that look like the published data sets."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from iiccli.datasets.catalogue import find_layout
from iiccli.datasets.manifest import Manifest
from iiccli.datasets.preparing import Prepared, prepare, request_for
from iiccli.media.clip import write_clip


def picture(path: Path, size: tuple[int, int] = (8, 8), seed: int = 0) -> Path:
    """A picture that is unlike those of other seeds, and small on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = tuple(np.random.default_rng(seed).integers(0, 256, 3).tolist())
    Image.new("RGB", size, colour).save(path)
    return path


def noise(path: Path, size: tuple[int, int], seed: int = 0) -> Path:
    """A picture of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def damage(path: Path) -> Path:
    """Cut a picture's end off; its head can still be read."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    return path


def davis_clip(root: Path, part: str, name: str, frames: int) -> Path:
    folder = root / f"DAVIS-2017/DAVIS-2017-{part}/JPEGImages/480p" / name
    for number in range(frames):
        noise(folder / f"{number:05d}.jpg", (16, 12), number)
    return folder


def davis(root: Path, frames: int = 13) -> None:
    for name in ("bear", "boat"):
        davis_clip(root, "trainval", name, frames)
    for name in ("cat", "dog", "eel", "fox", "gnu"):
        davis_clip(root, "test-dev", name, frames)
    davis_clip(root, "test-challenge", "hen", frames)


def flickr1024(root: Path) -> None:
    for number, folder in enumerate(
        ("Train_1", "Train_2", "Train_3", "Train_4", "Validation", "Test")
    ):
        for side in "LR":
            picture(root / f"flicker1024/{folder}/{number:04d}_{side}.png", (9, 8), number)


def div2k(root: Path, part: str, count: int, zooms: Sequence[int], side: int = 8) -> None:
    """Square pictures; the small ones have sides of `side` pixels, whatever the zoom."""
    for number in range(1, count + 1):
        for zoom in zooms:
            small = root / f"DIV2K/DIV2K_{part}_LR_bicubic/X{zoom}/{number:04d}x{zoom}.png"
            picture(small, (side, side), number)
        large = root / f"DIV2K/DIV2K_{part}_HR/{number:04d}.png"
        picture(large, (side * max(zooms, default=1),) * 2, number)


def flickr(root: Path, sizes: Iterable[tuple[int, int]]) -> list[Path]:
    folder = root / "flicker/flicker_2W_images"
    return [picture(folder / f"{n:03d}.png", size, n) for n, size in enumerate(sizes)]


def voc2012(root: Path, sizes: Iterable[tuple[int, int]]) -> list[Path]:
    folder = root / "VOCdevkit/VOC2012/JPEGImages"
    return [picture(folder / f"2007_{n:06d}.jpg", size, n) for n, size in enumerate(sizes)]


def encoded(size: tuple[int, int], seed: int, mode: str = "RGB", suffix: str = "png") -> bytes:
    """A picture's file."""
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG" if suffix == "png" else "JPEG")
    return file.getvalue()


def put_zip(path: Path, members: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def put_tar(path: Path, members: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


TRAINING_FOREGROUNDS = 12
TEST_FOREGROUNDS = 2
COCO = [f"COCO_train2014_{n:012d}.jpg" for n in range(7)]
VOC = ["2007_000027.jpg", "2008_000002.jpg", "2008_000003.jpg"]


def adobe(root: Path) -> Path:
    """All archives of Adobe-Matting; the lists go round in a few backgrounds."""
    home = root / "Adobe-Matting"
    training = [f"train{n:02d}.jpg" for n in range(TRAINING_FOREGROUNDS)]
    test = [f"test{n:02d}.png" for n in range(TEST_FOREGROUNDS)]
    inside = "Combined_Dataset/Training_set/"
    members = {
        f"{inside}training_fg_names.txt": _list(training),
        f"{inside}training_bg_names.txt": _list(COCO[n % 7] for n in range(100 * len(training))),
        "Combined_Dataset/Test_set/test_fg_names.txt": _list(test),
        "Combined_Dataset/Test_set/test_bg_names.txt": _list(VOC[n % 3] for n in range(40)),
        "Combined_Dataset/README.txt": b"read me",
        "../evil.png": encoded((8, 8), 0),
        "../Combined_Dataset/Training_set/Other/fg/train00.jpg": b"evil",
        "__MACOSX/Combined_Dataset/._README.txt": b"",
    }
    for number, name in enumerate(training):
        folder = "Adobe-licensed images" if number % 2 else "Other"
        members[f"{inside}{folder}/fg/{name}"] = encoded((10, 8), number, suffix="jpg")
        members[f"{inside}{folder}/alpha/{name}"] = encoded((10, 8), number, "L", "jpg")
    for number, name in enumerate(test):
        folder = "Combined_Dataset/Test_set/Adobe-licensed images/"
        members[f"{folder}fg/{name}"] = encoded((10, 8), number)
        members[f"{folder}alpha/{name}"] = encoded((10, 8), number + 100, "L")
        members[f"{folder}trimaps/{name}"] = b"not needed"
    put_zip(home / "Addobe_Deep_Matting_Dataset.zip", members)
    coco = {f"train2014/{name}": encoded((12, 9), n) for n, name in enumerate(COCO)}
    put_zip(home / "train2014.zip", {**coco, "train2014/unused.jpg": b"not needed"})
    place = "VOCdevkit/VOC2008/JPEGImages/"
    voc = {name: encoded((6, 7), n) for n, name in enumerate(VOC)}
    put_tar(
        home / "VOCtrainval_14-Jul-2008.tar",
        {
            "/etc/2007_000027.jpg": b"evil",
            "../JPEGImages/2007_000027.jpg": b"evil",
            **{place + name: voc[name] for name in VOC[:2]},
            "VOCdevkit/VOC2008/Annotations/2007_000027.xml": b"not needed",
        },
    )
    put_tar(home / "VOC2008test.tar", {place + VOC[2]: voc[VOC[2]]})
    return home


def _list(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


def real_clip(root: Path, name: str, size: tuple[int, int] = (16, 16), frames: int = 3) -> Path:
    """A video and its background; the result is the path without suffix."""
    path = root / "Real-Matting" / name
    pixels = np.random.default_rng(frames).integers(0, 256, (frames, size[1], size[0], 3), np.uint8)
    write_clip(path.with_suffix(".mp4"), list(pixels), Fraction(25))
    picture(path.with_suffix(".png"), size)
    return path


def prepared(
    name: str,
    root: Path,
    only: Sequence[str] = (),
    *,
    pictures: int | None = None,
    zooms: Sequence[int] = (),
) -> Prepared:
    """What `prepare` gives."""
    layout = find_layout(name)
    return prepare(layout, request_for(layout, root, only=only, pictures=pictures, zooms=zooms))


def by_split(given: Prepared) -> dict[str, Manifest]:
    return {manifest.heading.split: manifest for manifest in given.manifests}


def names(manifest: Manifest) -> list[str]:
    return [item.name for item in manifest.items]
