"""Mononizing a clip: a carrier for each of its frames, which give it back together."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iiccli.atomic import atomic_folder, check_target
from iiccli.carrier import Header, write_carrier
from iiccli.errors import UsageError
from iiccli.media.clip import choose_frames
from iiccli.media.fitting import Rule
from iiccli.media.stereo_clip import StereoClip, open_stereo_clip
from iiccli.tasks.batch import is_folder
from iiccli.tasks.models import LoadedModel
from iiccli.tasks.stereo import AUTOMATIC, Views, embed_views, note_fit
from iiccli.tasks.stills import Note, silent

MAX_PARTS = 65535

Progress = Callable[[int, int, float], None]
"""Called with: frames done, frames in all, share of the present one."""


@dataclass(frozen=True)
class Stretch:
    """Which part of a clip is taken.

    Attributes:
        start: seconds from which on frames are taken.
        end: seconds up to which.
    """

    start: float | None = None
    end: float | None = None


WHOLE = Stretch()


def mononize_clip(
    sources: Sequence[str],
    target: str,
    model: LoadedModel,
    quality: str = "balanced",
    views: Views = AUTOMATIC,
    stretch: Stretch = WHOLE,
    *,
    fit: Rule | None = None,
    force: bool = False,
    progress: Progress = lambda done, total, share: None,
    note: Note = silent,
) -> list[Header]:
    """Put every frame of a stereo clip into a carrier of its own.

    Args:
        sources: a clip of both views, or the left view's clip and the right one's.
        target: a folder.
        model: takes two pictures.
        quality: `cover`, `balanced` or `content`.
        views: how one clip holds both views.
        stretch: which part is taken.
        fit: how right views of other proportions are fitted, and still pictures of another size
            than the first one's; None stretches the former and refuses the latter.
        force: replace what exists.
        progress: see `Progress`.
        note: told remarks for the user.

    Returns:
        What the carriers say of themselves.

    Raises:
        UsageError, InputError, ModelError, OutputError, OutputExistsError: see `errors`.
    """
    if not is_folder(target):
        raise UsageError(
            f"A clip becomes a carrier for each frame, but {target} names one file.",
            f"Give a folder, such as -o {Path(target).with_suffix('')}/.",
        )
    folder = Path(target)
    check_target(folder, force=force)
    clip = open_stereo_clip(sources, views.layout, swap=views.swap, rule=fit)
    rule: Rule = fit or "stretch"
    for message in clip.notes:
        note(message)
    taken = _frames(clip, stretch)
    if len(taken) > MAX_PARTS:
        raise UsageError(
            f"The clip would take {len(taken)} carriers; {MAX_PARTS} are possible.",
            "Take a part of it with --start and --end.",
        )
    identity = _identity(clip, sources, (taken, quality, views, fit), model)
    digits = max(4, len(str(len(taken))))
    headers = []
    with atomic_folder(folder, force=force) as place:
        for number, (left, right) in enumerate(clip.read(taken)):
            if number == 0:
                note_fit(left, right, note, rule)

            def share_of(share: float, number: int = number) -> None:
                progress(number, len(taken), share)

            fields: dict[str, Any] = {
                "fps": clip.info.fps.limit_denominator(2**31 - 1),
                "part": number,
                "parts": len(taken),
                "clip_id": identity if len(taken) > 1 else "",
            }
            if clip.info.durations is not None:
                # Of both pictures, as they are shown at once.
                fields["durations"] = (clip.info.durations[taken[number]],) * 2
            pixels, header = embed_views(model, left, right, quality, share_of, fit=rule, **fields)
            write_carrier(
                place / f"{number + 1:0{digits}}.png",
                pixels,
                header,
                target=model.converter.cover(left),
            )
            headers.append(header)
    return headers


def _frames(clip: StereoClip, stretch: Stretch) -> range:
    (first,) = choose_frames(clip.info, 1, start=stretch.start, end=stretch.end)
    try:
        last = choose_frames(clip.info, 2, start=stretch.start, end=stretch.end)[1]
    except UsageError:
        last = first  # there is only this one
    return range(first, last + 1)


def _identity(
    clip: StereoClip,
    sources: Sequence[str],
    manner: tuple[range, str, Views, Rule | None],
    model: LoadedModel,
) -> str:
    """A name for the clip that its carriers share; the same for the same input.

    Not for one that is locked, where it would confirm to whoever has the clip that it is this.
    """
    if model.phrase is not None:
        return os.urandom(8).hex()
    digest = hashlib.sha256(repr((clip.info, manner, model.hash)).encode())
    for source in sources:
        if Path(source).is_file():
            with Path(source).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    if not any(Path(source).is_file() for source in sources):
        taken = manner[0]
        for left, right in clip.read(taken[:: len(taken) // 8 + 1]):
            digest.update(left.tobytes())
            digest.update(right.tobytes())
    return digest.hexdigest()[:16]
