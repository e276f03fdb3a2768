"""The protocols: what is embedded, written, read back, restored and compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from statistics import mean

from iiccli.carrier import read_carrier, write_carrier
from iiccli.errors import InputError
from iiccli.evaluation.metrics import Pixels, psnr, ssim
from iiccli.media.clip import is_clip_source, open_clip
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.tasks.pictures import embed_pictures, restore_pictures

PROTOCOL = (
    "RGB PSNR (dB) and SSIM per picture on the 8-bit carrier, header included, written to disk "
    "and read back; full frames; mean over the other frames of a clip, then over clips"
)


@dataclass(frozen=True)
class Result:
    """Figures of one clip.

    Attributes:
        name: of the clip.
        cover_psnr: of the carrier against the reference.
        reference_psnr: of the restored reference.
        others_psnr: mean over the other pictures.
        cover_ssim: as `cover_psnr`.
        others_ssim: as `others_psnr`.
    """

    name: str
    cover_psnr: float
    reference_psnr: float
    others_psnr: float
    cover_ssim: float
    others_ssim: float


def evaluate_video(
    folder: Path,
    model: LoadedModel,
    loader: Loader,
    quality: str,
    *,
    first: int = 3,
    exclude: Sequence[str] = (),
    progress: Callable[[int, int, float], None] = lambda done, total, share: None,
) -> list[Result]:
    """Evaluate on consecutive frames of every clip below `folder`.

    Args:
        folder: one sub-folder of frames, or one video, per clip.
        model: to embed with.
        loader: to restore with.
        quality: of the carrier.
        first: number of the first frame taken, from 0; earlier if the clip is too short.
        exclude: patterns (`vid4-*`) of names to leave out.
        progress: told how far it is.

    Raises:
        InputError: there is no clip.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    patterns = (".*", *exclude)
    clips = sorted(
        p
        for p in folder.iterdir()
        if not any(fnmatch(p.name, pattern) for pattern in patterns) and is_clip_source(p)
    )
    if not clips:
        raise InputError(
            f"The folder {folder} holds no clips.", "Give each a sub-folder of frames, or a video."
        )
    count = model.converter.card.pictures
    results = []
    for done, path in enumerate(clips):
        progress(done, len(clips), 0.0)
        clip = open_clip(path)
        begin = max(0, min(first, clip.info.frames - count))
        frames = list(clip.read(range(begin, min(begin + count, clip.info.frames))))
        results.append(evaluate_group(path.name, frames, len(frames) // 2, model, loader, quality))
    progress(len(clips), len(clips), 0.0)
    return results


def evaluate_group(
    name: str,
    pictures: Sequence[Pixels],
    reference: int,
    model: LoadedModel,
    loader: Loader,
    quality: str,
) -> Result:
    """Embed, write, read, restore and compare one group of pictures."""
    pixels, header = embed_pictures(model, pictures, reference, quality)
    target = pictures[reference]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "carrier.png"
        same = pixels.shape == target.shape
        write_carrier(path, pixels, header, target=target if same else None)
        carrier = read_carrier(path)
        back = restore_pictures(loader, carrier)
    others = [i for i in range(len(pictures)) if i != reference] or [reference]
    return Result(
        name=name,
        cover_psnr=psnr(carrier.pixels, target) if same else float("nan"),
        reference_psnr=psnr(back.pictures[reference], target),
        others_psnr=mean(psnr(back.pictures[i], pictures[i]) for i in others),
        cover_ssim=ssim(carrier.pixels, target) if same else float("nan"),
        others_ssim=mean(ssim(back.pictures[i], pictures[i]) for i in others),
    )
