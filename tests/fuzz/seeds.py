"""Honest inputs, small ones of every kind: what the damage starts from. Made once, in a second."""

from __future__ import annotations

import io
import os
import subprocess
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import iiccli
from iiccli.datasets.manifest import Heading, Item, Picture, write_manifest
from iiccli.media import ffmpeg
from iiccli.networks.iicnet import IICNet
from iiccli.zoo.catalogue import FOLDER_VARIABLE
from tests.conftest import Pixels, moving_clip
from tests.iicnet_models import CONFIGS, save_iicnet
from tests.stand_ins import put_stand_ins
from tests.task_models import disc

SIDE = (48, 64)
"""Height and width."""


@dataclass(frozen=True)
class Seeds:
    """By kind, the contents of small honest files; and a folder of untrained models.

    Attributes:
        models: under the names of those that ship.
        carriers: PNG, WebP and TIFF, of every conversion, by a network and by the codec.
        model_files: one of each network.
        checkpoints: as torch writes them, in both its formats.
        manifests: JSON Lines.
        recipes: YAML.
        clips: GIF, APNG, WebP and videos.
        pictures: of all formats that are read.
    """

    models: Path
    carriers: list[bytes]
    model_files: list[bytes]
    checkpoints: list[bytes]
    manifests: list[bytes]
    recipes: list[bytes]
    clips: list[bytes]
    pictures: list[bytes]


def put_seeds(folder: Path, transform: Path) -> None:
    """Make them.

    Args:
        folder: an empty one.
        transform: a calibrated model of that network.
    """
    models = folder / "models"
    models.mkdir(parents=True)
    put_stand_ins(models)
    (models / transform.name).write_bytes(transform.read_bytes())
    os.environ[FOLDER_VARIABLE] = str(models)
    ours = [models / f"{name}.safetensors" for name in ("hide-1.v1", "video-3.v3")]
    files = [*ours, transform, save_iicnet(folder, "video")]
    found = {
        "carriers": _carriers(folder, transform),
        "model_files": [file.read_bytes() for file in files],
        "checkpoints": _checkpoints(folder),
        "manifests": _manifests(folder),
        "recipes": [path.read_bytes() for path in sorted(_recipes().glob("*.yaml"))[:3]],
        "clips": _clips(folder),
        "pictures": _pictures(),
    }
    for kind, contents in found.items():
        (folder / "seeds" / kind).mkdir(parents=True)
        for number, content in enumerate(contents):
            (folder / "seeds" / kind / f"{number:02}").write_bytes(content)


def read_seeds(folder: Path) -> Seeds:
    """What `put_seeds` has made."""

    def contents(kind: str) -> list[bytes]:
        return [path.read_bytes() for path in sorted((folder / "seeds" / kind).iterdir())]

    kinds = [field.name for field in fields(Seeds) if field.name != "models"]
    return Seeds(folder / "models", **{kind: contents(kind) for kind in kinds})


def _recipes() -> Path:
    return Path(iiccli.__file__).parent / "training" / "recipes" / "files"


def _carriers(folder: Path, transform: Path) -> list[bytes]:
    frames = folder / "frames"
    frames.mkdir()
    pictures = moving_clip(*SIDE, 3)
    for i, frame in enumerate(pictures):
        Image.fromarray(frame).save(frames / f"{i}.png")
    one, two, cut = frames / "0.png", frames / "1.png", folder / "cut.png"
    Image.fromarray(np.dstack((pictures[2], disc(*SIDE)))).save(cut)
    where = folder / "carriers"
    where.mkdir()
    iiccli.embed(frames, where / "video.png", frames=3)
    iiccli.embed(frames, where / "video.webp", frames=3)
    iiccli.embed(frames, where / "old.png", frames=3, model=str(transform))
    iiccli.embed(frames, where / "whole", frames=2, whole=True)
    iiccli.hide(one, [two], where / "hide.png")
    iiccli.hide(one, [two], where / "hide.tif")
    iiccli.hide(one, [two], where / "coded.png", method="codec")
    iiccli.gray(one, where / "gray.png")
    iiccli.rescale(one, where / "rescale.png")
    iiccli.compose(cut, one, where / "layers.png")
    iiccli.mononize(one, two, where / "mono.png")
    iiccli.dual_view(one, two, where / "dual.png", zoom=2)
    return [path.read_bytes() for path in sorted(where.rglob("*.*"))]


def _checkpoints(folder: Path) -> list[bytes]:
    found = []
    state = IICNet(CONFIGS["mono"]).state_dict()
    for zipped in (True, False):
        path = folder / f"{zipped}.pth"
        torch.save(state, path, _use_new_zipfile_serialization=zipped)
        found.append(path.read_bytes())
    return found


def _manifests(folder: Path) -> list[bytes]:
    path = folder / "m.jsonl"
    picture = Picture("cover", "set/a.png", 640, 480, "ab" * 32, (0, 0, 64, 48))
    items = [Item(f"item-{i}", (picture, picture), zoom=1.0 + i) for i in range(3)]
    write_manifest(path, Heading("set", "test", "hide", 2, (1, 2)), items)
    return [path.read_bytes()]


def _clips(folder: Path) -> list[bytes]:
    frames = [Image.fromarray(frame) for frame in moving_clip(32, 40, 4)]
    found = []
    for kind, options in (("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True})):
        file = io.BytesIO()
        more = {"save_all": True, "append_images": frames[1:], "duration": 40, **options}
        frames[0].save(file, kind, **more)
        found.append(file.getvalue())
    for suffix, codec in ((".mp4", "libx264"), (".avi", "mjpeg"), (".webm", "libvpx")):
        path = folder / f"clip{suffix}"
        source = ["-f", "lavfi", "-i", "testsrc=size=40x32:rate=10:duration=0.4"]
        command = [ffmpeg.executable(), "-v", "error", *source, "-c:v", codec, str(path)]
        subprocess.run(command, check=True)
        found.append(path.read_bytes())
    return found


def _pictures() -> list[bytes]:
    (pixels,) = moving_clip(24, 32, 1)
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    found = [_encoded(image, kind) for kind in ("BMP", "GIF", "PPM", "TGA", "AVIF", "JPEG2000")]
    found += [_encoded(image, kind, exif=exif) for kind in ("PNG", "JPEG", "WEBP", "TIFF")]
    found.append(_encoded(Image.fromarray(_deep(pixels)), "PNG"))
    found.append(_encoded(image.convert("P"), "PNG", transparency=3))
    found.append(_encoded(image.convert("CMYK"), "JPEG"))
    return found


def _deep(pixels: Pixels) -> np.ndarray:
    return pixels[..., 0].astype(np.uint16) * 251


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
