"""One small carrier for each model that ships and each thing that the codec does, kept for good.

A carrier NAME.png lies in `carriers` with NAME.json, which says what made it and how close what
comes back was to what went in. `scripts/golden.py` makes new ones; what is there never changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

import iiccli
from iiccli.atomic import atomic_path, check_target
from iiccli.carrier import read_carrier
from iiccli.inference.codec import MODULI
from iiccli.media.resize import resize
from iiccli.tasks.models import Loader
from iiccli.tasks.restoring import restore_outputs
from iiccli.zoo.catalogue import Entry
from iiccli.zoo.packing import models_in, stem
from tests.golden.drawing import SIZE, Pixels, disc, scene

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
CARRIERS = Path(__file__).parent / "carriers"
MOST_BYTES = 32_000
"""A golden carrier is not larger."""

Pictures = dict[str, Pixels]
"""By the names under which they come back; alpha with its picture, (H, W, 4)."""


def model_names() -> list[str]:
    """All models that ship."""
    return [stem(path) for path in models_in(MODELS)]


def entry_of(name: str) -> Entry:
    """A model that ships."""
    return next(Entry(name, path) for path in models_in(MODELS) if stem(path) == name)


def codec_names() -> list[str]:
    """All that the codec does: `codec-TASK`, and `codec-half-TASK` for smaller carriers."""
    return sorted(f"codec-{'half-' if scale == 2 else ''}{task}" for task, scale in MODULI)


def drawn(task: str, pictures: int, scale: int) -> Pictures:
    """What goes into a golden carrier.

    Args:
        task: the conversion.
        pictures: how many the model takes.
        scale: how many times smaller the carrier is.
    """
    size = (SIZE[0] * scale, SIZE[1] * scale)
    if task == "video":
        middle = pictures // 2
        return {str(i): scene(size, 1, at=i - middle) for i in range(pictures)}
    if task == "mono":
        return {"left": scene(size, 2), "right": scene(size, 2, at=1.0)}
    if task == "dual":
        whole = scene((2 * size[0], 2 * size[1]), 3)
        top, left = size[1] // 2, size[0] // 2
        near = np.ascontiguousarray(whole[top : top + size[1], left : left + size[0]])
        return {"wide": resize(whole, size, method="bicubic"), "tele": near}
    if task == "hide":
        secrets = {f"secret-{i}": scene(size, 4 + i) for i in range(1, pictures)}
        return {**secrets, "cover": scene(size, 4)}
    if task == "layers":
        return {
            "background": scene(size, 9),
            "foreground": np.dstack((scene(size, 10, at=3), disc(size))),
        }
    return {"colour" if task == "gray" else "full": scene(size, 11)}


def make(name: str, target: Path, pictures: Pictures) -> None:
    """Embed pictures as a golden carrier with the model, or what the codec does, of that name."""
    codec = name.startswith("codec-")
    how: dict[str, Any] = {"method": "codec"} if codec else {"model": name}
    half = "-half" in name
    task = name.removeprefix("codec-").removeprefix("half-") if codec else ""
    task = task or entry_of(name).card.task
    with TemporaryDirectory() as folder:
        files = {key: Path(folder) / f"{key}.png" for key in pictures}
        for key, file in files.items():
            Image.fromarray(pictures[key]).save(file)
        if task == "video":
            iiccli.embed(folder, target, frames=len(pictures), half=half, device="cpu", **how)
        elif task == "mono":
            iiccli.mononize(files["left"], files["right"], target, device="cpu", **how)
        elif task == "dual":
            wide, tele = files["wide"], files["tele"]
            iiccli.dual_view(wide, tele, target, zoom=2, device="cpu", **how)
        elif task == "hide":
            secrets = [file for key, file in files.items() if key != "cover"]
            iiccli.hide(files["cover"], secrets, target, device="cpu", **how)
        elif task == "layers":
            front, back = files["foreground"], files["background"]
            iiccli.compose(front, back, target, device="cpu", **how)
        elif task == "gray":
            iiccli.gray(files["colour"], target, device="cpu", **how)
        else:
            iiccli.rescale(files["full"], target, device="cpu", **how)


def figures(carrier: Path, pictures: Pictures) -> dict[str, float]:
    """PSNR in dB of all that comes back, against what went in; 99 where they are equal.

    Raises:
        IicError: it cannot be restored.
        KeyError: other things come back.
    """
    back = restore_outputs(Loader(device="cpu"), read_carrier(carrier))
    found = {}
    for place, output in enumerate(back.outputs):
        name = output.name if output.name in pictures else str(place)
        had = pictures[name].astype(np.float64)
        has = output.pixels.astype(np.float64)
        if had.shape[2] == 4:  # colour counts where it is seen
            assert output.alpha is not None
            found[f"{name} alpha"] = _psnr(had[..., 3], output.alpha.astype(np.float64))
            had = had[..., :3] * (had[..., 3:] / 255)
            has = has * (output.alpha[..., None] / 255)
        found[name] = _psnr(had, has)
    assert {key.split(" ")[0] for key in found} == set(pictures)
    return found


def add(name: str, folder: Path = CARRIERS) -> Path:
    """Make the golden carrier of a model, or of what the codec does, and say what it gives.

    Raises:
        OutputExistsError: there is one.
        IicError: the model is not there, or fails.
    """
    codec = name.startswith("codec-")
    if codec:
        task = name.removeprefix("codec-").removeprefix("half-")
        digest = "0" * 64
        count, scale = {"video": 5, "layers": 3}.get(task, 2), 2 if "-half" in name else 1
    else:
        entry = entry_of(name)
        task, count, scale = entry.card.task, entry.card.pictures, entry.card.scale
        digest = entry.hash
    pictures = drawn(task, count, scale)
    target = folder / f"{name}.png"
    check_target(target, force=False)
    with TemporaryDirectory() as place:
        made = Path(place) / target.name
        make(name, made, pictures)
        psnr = {key: round(value, 3) for key, value in figures(made, pictures).items()}
        content = made.read_bytes()
    record = {
        "model_sha256": digest,
        "carrier_sha256": hashlib.sha256(content).hexdigest(),
        "task": task,
        "pictures": count,
        "scale": scale,
        "psnr": psnr,
    }
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)
    with atomic_path(target.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return target


def record_of(name: str) -> Mapping[str, Any]:
    """What is kept beside a golden carrier."""
    record: Mapping[str, Any] = json.loads((CARRIERS / f"{name}.json").read_text(encoding="utf-8"))
    return record


def _psnr(had: Any, has: Any) -> float:
    error = float(np.mean((had - has) ** 2))
    return 99.0 if error == 0 else 10 * float(np.log10(255**2 / error))
