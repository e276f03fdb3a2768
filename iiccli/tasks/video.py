"""Video embedding: frames of a clip in one carrier, or a whole clip in as many as it takes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from iiccli.atomic import atomic_folder
from iiccli.carrier import Header, check_carrier_target, write_carrier
from iiccli.errors import ModelError, UsageError
from iiccli.media.clip import Clip, choose_frames, open_clip
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.tasks.pictures import Pixels, embed_pictures
from iiccli.zoo.catalogue import Entry, find, for_pictures

TASK = "video"
DEFAULT_FRAMES = 5
MAX_PARTS = 65535

Progress = Callable[[int, int, float], None]
"""Called with: covers done, covers in all, share of the present one."""


@dataclass(frozen=True)
class VideoOptions:
    """How a clip is embedded.

    Attributes:
        frames: how many frames go into one cover; None takes what `model` takes, else five.
        start: seconds from which on frames are taken.
        end: seconds up to which.
        every: take every so-many-th frame; None spreads them evenly.
        reference: `middle`, `first`, `last` or a number from 0: what the cover looks like.
        quality: `cover`, `balanced` or `content`.
        whole: use as many covers as the clip takes.
        max_side: shrink the frames so that the longer side has at most so many pixels.
        model: name or path of a model; None chooses by the number of frames.
    """

    frames: int | None = None
    start: float | None = None
    end: float | None = None
    every: int | None = None
    reference: str = "middle"
    quality: str = "balanced"
    whole: bool = False
    max_side: int | None = None
    model: str | None = None


@dataclass(frozen=True)
class Cover:
    """One cover that was made.

    Attributes:
        path: where it was written.
        pixels: (H, W, 3) uint8 as written.
        header: what it says about itself.
        originals: the frames in it, (H, W, 3) uint8, in order of time.
        indices: their numbers in the clip.
    """

    path: Path
    pixels: Pixels
    header: Header
    originals: list[Pixels]
    indices: list[int]


def embed_video(
    source: str,
    target: Path,
    options: VideoOptions,
    loader: Loader,
    *,
    force: bool = False,
    progress: Progress = lambda done, total, share: None,
    note: Callable[[str], None] = lambda message: None,
    keep: Callable[[Cover], None] = lambda cover: None,
) -> list[Cover]:
    """Embed a clip.

    Args:
        source: a video, an animation, a folder or pattern of frames.
        target: a picture file, or, with `options.whole`, a folder.
        options: see there.
        loader: gives the model.
        force: replace what exists.
        progress: see `Progress`.
        note: called with remarks for the user.
        keep: called with every cover; what it does not keep is forgotten, so that a long clip
            does not fill memory.

    Returns:
        The covers, without their frames and pixels if there are several.

    Raises:
        UsageError, InputError, ModelError, OutputError, OutputExistsError: see `errors`.
    """
    if options.whole:
        if target.suffix:
            raise UsageError(
                f"With --all the covers go into a folder, but {target} names a file.",
                f"Give a folder, such as -o {target.with_suffix('')}/.",
            )
    else:
        check_carrier_target(target, force)
    entry = _entry(options)
    count = options.frames or min(DEFAULT_FRAMES, entry.card.pictures)
    if entry.card.pictures < count:
        raise ModelError(
            f"The model {entry.name} takes {entry.card.pictures} frames, not {count}.",
            "Leave out --model, or give another number of --frames.",
        )
    clip = open_clip(source)
    for message in clip.notes:
        note(message)
    groups = list(_groups(clip, options, count))
    model = loader.load(entry)
    if model.converter.card.pictures > count:
        note(
            f"{count} frames go into {model.name}, which takes "
            f"{model.converter.card.pictures}: filled up with repeats."
        )
    if not options.whole:
        return [
            _one(
                clip,
                groups[0],
                target,
                options,
                model,
                _alone(clip, groups[0]),
                force,
                lambda share: progress(0, 1, share),
                keep,
            )
        ]
    if len(groups) > MAX_PARTS:
        raise UsageError(f"The clip would take {len(groups)} covers; {MAX_PARTS} are possible.")
    identity = _identity(clip, groups)
    covers = []
    with atomic_folder(target, force=force) as folder:
        digits = max(4, len(str(len(groups))))
        for part, group in enumerate(groups):
            fields = {
                **_alone(clip, group, whole=True),
                "part": part,
                "parts": len(groups),
                "clip_id": identity if len(groups) > 1 else "",
            }
            path = folder / f"{part + 1:0{digits}}.png"

            def share_of(share: float, part: int = part) -> None:
                progress(part, len(groups), share)

            cover = _one(clip, group, path, options, model, fields, force, share_of, keep)
            covers.append(
                Cover(target / path.name, cover.pixels[:0], cover.header, [], cover.indices)
            )
    return covers


def _entry(options: VideoOptions) -> Entry:
    if options.model is None:
        return for_pictures(TASK, options.frames or DEFAULT_FRAMES)
    entry = find(options.model)
    if entry.card.task != TASK:
        raise ModelError(
            f"The model {entry.name} is for {entry.card.task}, not for {TASK}.",
            "See `iic models` for those that fit.",
        )
    return entry


def _groups(clip: Clip, options: VideoOptions, count: int) -> Iterator[list[int]]:
    """Which frames go into which cover."""
    if not options.whole:
        yield choose_frames(
            clip.info, count, start=options.start, end=options.end, every=options.every
        )
        return
    first = choose_frames(clip.info, 1, start=options.start, end=options.end, every=1)[0]
    last = clip.info.frames - 1
    if options.end is not None:
        ends = choose_frames(clip.info, 1, start=options.end, every=1)
        last = min(last, ends[0]) if options.end < clip.info.seconds else last
    chosen = list(range(first, last + 1, options.every or 1))
    for i in range(0, len(chosen), count):
        yield chosen[i : i + count]


def _one(
    clip: Clip,
    indices: list[int],
    target: Path,
    options: VideoOptions,
    model: LoadedModel,
    fields: dict[str, object],
    force: bool,
    progress: Callable[[float], None],
    keep: Callable[[Cover], None],
) -> Cover:
    frames = list(clip.read(indices, max_side=options.max_side))
    reference = reference_index(options.reference, len(frames))
    pixels, header = embed_pictures(model, frames, reference, options.quality, progress, **fields)
    cover_size = (pixels.shape[1], pixels.shape[0])
    same = cover_size == (frames[0].shape[1], frames[0].shape[0])
    written = write_carrier(
        target, pixels, header, target=frames[reference] if same else None, force=force
    )
    cover = Cover(target, written, header, frames, indices)
    keep(cover)
    return cover


def reference_index(name: str, count: int) -> int:
    """Number of the frame called `middle`, `first`, `last`, or by its number from 0.

    Raises:
        UsageError: none of these, or not among `count` frames.
    """
    names = {"first": 0, "middle": count // 2, "last": count - 1}
    if name in names:
        return names[name]
    if name.isascii() and name.isdigit() and int(name) < count:
        return int(name)
    raise UsageError(
        f"There is no reference frame {name!r}.",
        f"Give middle, first, last, or a number from 0 to {count - 1}.",
    )


def _alone(clip: Clip, indices: Sequence[int], whole: bool = False) -> dict[str, object]:
    """Rate and durations of the chosen frames, so that what is restored lasts as long."""
    info = clip.info
    if info.durations is not None:
        ends = [*indices[1:], info.frames if whole else indices[-1] + 1]
        durations = tuple(sum(info.durations[a:b]) for a, b in zip(indices, ends, strict=True))
        return {"fps": info.fps, "durations": durations}
    if len(indices) < 2:
        return {"fps": info.fps}
    step = Fraction(indices[-1] - indices[0], len(indices) - 1)
    return {"fps": info.fps / step}


def _identity(clip: Clip, groups: Sequence[Sequence[int]]) -> str:
    """A name for the clip that its covers share; the same for the same input."""
    digest = hashlib.sha256(repr((clip.info, groups)).encode())
    for frame in clip.read(groups[0][:1]):
        digest.update(frame.tobytes())
    return digest.hexdigest()[:16]
