"""What happens to pictures on their way."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from iiccli.benchmarking import adobe_rgb

_PAINTED = 0.01
_KEPT = 0.9
_COLOUR = 200


def _jpeg(image: Image.Image, path: Path, quality: int) -> Path:
    target = path.with_suffix(".jpg")
    image.save(target, "JPEG", quality=quality)
    return target


def _resaved(image: Image.Image, path: Path) -> Path:
    """As PNG, without any metadata: what most programs make of it."""
    image.save(path, "PNG")
    return path


def _noisy(image: Image.Image, path: Path) -> Path:
    """A third of the samples one lower, a third one higher, which stops at 0 and 255."""
    samples = np.asarray(image).astype(np.int16)
    noise = np.random.default_rng(0).integers(-1, 2, samples.shape)
    return _resaved(Image.fromarray((samples + noise).clip(0, 255).astype(np.uint8)), path)


def _painted(image: Image.Image, path: Path) -> Path:
    """A filled rectangle, in the proportions of the picture, a little off its middle."""
    samples = np.array(image)
    height, width = (max(1, round(side * _PAINTED**0.5)) for side in samples.shape[:2])
    top, left = (int(side * 0.4) for side in samples.shape[:2])
    samples[top : top + height, left : left + width] = _COLOUR
    return _resaved(Image.fromarray(samples), path)


def _cropped(image: Image.Image, path: Path) -> Path:
    width, height = (round(side * _KEPT) for side in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return _resaved(image.crop((left, top, left + width, top + height)), path)


def _resized(image: Image.Image, path: Path) -> Path:
    width, height = (max(1, round(side * _KEPT)) for side in image.size)
    return _resaved(image.resize((width, height), Image.Resampling.LANCZOS), path)


def _converted(image: Image.Image, path: Path) -> Path:
    """To Adobe RGB and back to sRGB, 8 bits in between; gray goes as RGB."""
    adobe = ImageCms.ImageCmsProfile(io.BytesIO(adobe_rgb.profile()))
    srgb = ImageCms.createProfile("sRGB")
    there = ImageCms.profileToProfile(image.convert("RGB"), srgb, adobe, outputMode="RGB")
    assert there is not None  # it always is, as long as inPlace is not asked for
    back = ImageCms.profileToProfile(there, adobe, srgb, outputMode="RGB")
    assert back is not None
    return _resaved(back.convert(image.mode), path)


DAMAGES: Mapping[str, Callable[[Image.Image, Path], Path]] = {
    "none": lambda image, path: path,
    "lossless re-save": _resaved,
    "1 % painted": _painted,
    "±1 noise": _noisy,
    "colour profile": _converted,
    "JPEG 95": functools.partial(_jpeg, quality=95),
    "JPEG 90": functools.partial(_jpeg, quality=90),
    "JPEG 80": functools.partial(_jpeg, quality=80),
    "crop to 90 %": _cropped,
    "resize to 0.9": _resized,
}
"""By name. Each takes a carrier's picture and file, changes the file or writes another beside it,
and gives the path of what there is then."""


def damaged(name: str, path: Path, folder: Path) -> Path:
    """A damaged copy of a carrier.

    Args:
        name: a key of `DAMAGES`.
        path: the carrier, which stays as it is.
        folder: where the copy goes.
    """
    copy = folder / path.name
    copy.write_bytes(path.read_bytes())
    with Image.open(copy) as image:
        image.load()
        bare = Image.fromarray(np.asarray(image))
    return DAMAGES[name](bare, copy)


def words() -> dict[str, Any]:
    """What each damage is, for those who read the figures."""
    return {
        "none": "as written",
        "lossless re-save": "saved again as PNG, metadata gone",
        "1 % painted": "a filled rectangle of 1 % of the area",
        "±1 noise": "each sample -1, 0 or +1 at random",
        "colour profile": "sRGB to Adobe RGB and back, 8 bits",
        "JPEG 95": "Pillow's JPEG, 4:2:0",
        "JPEG 90": "likewise",
        "JPEG 80": "likewise",
        "crop to 90 %": "the middle, 90 % as wide and high",
        "resize to 0.9": "Lanczos, 90 % as wide and high",
    }
