"""Video embedding: frames of a clip in one carrier, or a whole clip in as many as it takes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from iiccli.atomic import atomic_folder, check_target
from iiccli.carrier import CODEC, FORMATS, Header, check_carrier_target, write_carrier
from iiccli.errors import UsageError
from iiccli.media.clip import CLIP_SUFFIXES, Clip, choose_frames, open_clip
from iiccli.media.fitting import Rule
from iiccli.media.image import PICTURE_SUFFIXES
from iiccli.tasks.conversion import Conversion, numbered
from iiccli.tasks.models import Codec, LoadedModel, Loader, check_method, choose_entry
from iiccli.tasks.pictures import QUALITIES, Pixels, embed_pictures, quality_index
from iiccli.zoo.catalogue import Entry, find, most_pictures

TASK = "video"
DEFAULT_FRAMES = 5
MAX_PARTS = 65535
MAX_FRAMES = 255
"""As many as a header can count."""
CONVERSION = Conversion(TASK, numbered, clip=True)
_FILES = (*FORMATS, *CLIP_SUFFIXES, *PICTURE_SUFFIXES)
_MAX_DENOMINATOR = 1001 * 65535
"""Of a frame rate: what every usual rate divided by a number of frames fits into."""

Progress = Callable[[int, int, float], None]
"""Called with: covers done, covers in all, share of the present one."""


@dataclass(frozen=True)
class VideoOptions:
    """How a clip is embedded.

    Attributes:
        frames: how many frames go into one cover; None takes five, or as many as the model or
            the clip has.
        start: seconds from which on frames are taken.
        end: seconds up to which.
        every: take every so-many-th frame; None spreads them evenly.
        reference: `middle`, `first`, `last` or a number from 0: what the cover looks like.
        quality: `cover`, `balanced` or `content`.
        whole: use as many covers as the clip takes.
        max_side: shrink the frames so that the longer side has at most so many pixels.
        model: name or path of a model; None chooses by the number of frames.
        half: make the cover half as wide and high as the frames.
        method: `network`, or `codec`, which needs no model and takes any number of frames.
        fit: how still pictures of another size than the first one's are brought to that; None
            refuses them.
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
    half: bool = False
    method: str = "network"
    fit: Rule | None = None

    @property
    def scale(self) -> int:
        """How many times smaller than the frames the cover is to be."""
        return 2 if self.half else 1


@dataclass(frozen=True)
class Cover:
    """One cover that was made.

    Attributes:
        path: where it was written.
        pixels: (h, w, 3) uint8 as written.
        header: what it says about itself.
        cover: what it should look like, as large as `pixels`.
        originals: the frames in it, (H, W, 3) uint8, in order of time.
        indices: their numbers in the clip.
    """

    path: Path
    pixels: Pixels
    header: Header
    cover: Pixels
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
    quality_index(options.quality, len(QUALITIES))
    for what, number in (("frames", options.frames), ("every", options.every)):
        if number is not None and number < 1:
            raise UsageError(f"{number} is no number for {what}.", "Give 1 or more.")
    if options.whole:
        _check_folder(target, force=force)
    else:
        if not target.suffix:
            raise UsageError(
                f"{target} names a folder; one cover is one file.",
                "Name a picture (-o cover.png), or take the whole clip with --all.",
            )
        check_carrier_target(target, force)
    if Path(source).is_file() and target.exists() and target.samefile(source):
        raise UsageError(f"{target} is the clip itself.", "Give another name with -o.")
    entry = _entry(options)
    reference_index(options.reference, options.frames or entry.card.pictures)
    clip = open_clip(source, options.fit)
    for message in clip.notes:
        note(message)
    part = _part(clip, options)
    count = options.frames or min(DEFAULT_FRAMES, entry.card.pictures, len(part))
    if options.model is None:
        entry = choose_entry(TASK, count, scale=options.scale, method=options.method)
    reference_index(options.reference, count)
    groups = list(_groups(clip, options, part, count))
    if len(groups) > MAX_PARTS:
        raise UsageError(f"The clip would take {len(groups)} covers; {MAX_PARTS} are possible.")
    model = loader.load(entry)
    if model.converter.card.pictures > count:
        words = "1 frame goes" if count == 1 else f"{count} frames go"
        note(
            f"{words} into {model.name}, which takes {model.converter.card.pictures}: "
            "filled up with repeats of the cover."
        )
    if not options.whole:
        return [
            _one(
                clip,
                groups[0],
                target,
                options,
                model,
                _timing(clip, groups[0], groups[0][-1] + 1),
                force,
                lambda share: progress(0, 1, share),
                keep,
            )
        ]
    identity = _identity(clip, groups, options, model)
    covers = []
    with atomic_folder(target, force=force) as folder:
        digits = max(4, len(str(len(groups))))
        for number, group in enumerate(groups):
            fields = {
                **_timing(clip, group, min(group[-1] + part.step, part.stop), part.step),
                "part": number,
                "parts": len(groups),
                "clip_id": identity if len(groups) > 1 else "",
            }
            path = folder / f"{number + 1:0{digits}}.png"

            def share_of(share: float, number: int = number) -> None:
                progress(number, len(groups), share)

            cover = _one(clip, group, path, options, model, fields, force, share_of, keep)
            nothing = cover.pixels[:0].copy()
            covers.append(
                Cover(target / path.name, nothing, cover.header, nothing, [], cover.indices)
            )
    return covers


def _check_folder(target: Path, *, force: bool) -> None:
    """Refuse a target for several covers, before any work is done."""
    names_a_file = target.suffix.lower() in _FILES and not target.is_dir()
    if names_a_file or target.is_file():
        raise UsageError(
            f"With --all the covers go into a folder, but {target} names a file.",
            f"Give a folder, such as -o {target.with_suffix('') if names_a_file else 'covers'}/.",
        )
    check_target(target, force=force)


def _entry(options: VideoOptions) -> Entry | Codec:
    """The model meant, or the smallest that takes the frames; or the codec.

    Raises:
        UsageError: see `check_method`; or more frames than a carrier can hold.
        ModelError: there is none, or it is for another task, or takes fewer frames.
    """
    frames = options.frames
    check_method(options.method, options.model)
    if options.method == CODEC:
        if frames is not None and frames > MAX_FRAMES:
            raise UsageError(
                f"{frames} frames do not go into one cover.", f"Take {MAX_FRAMES} at most."
            )
        return Codec(TASK, frames or DEFAULT_FRAMES, options.scale)
    if options.model is None:
        if frames is None:
            frames = min(DEFAULT_FRAMES, most_pictures(TASK, options.scale))
        return choose_entry(TASK, frames, scale=options.scale)
    scale = options.scale if options.half else find(options.model).card.scale
    return choose_entry(TASK, frames or 1, options.model, scale, noun="frames")


def _part(clip: Clip, options: VideoOptions) -> range:
    """The frames to choose from: from start to end, every so-many-th."""
    start, end = options.start, options.end
    (first,) = choose_frames(clip.info, 1, start=start, end=end)
    try:
        last = choose_frames(clip.info, 2, start=start, end=end)[1]
    except UsageError:
        last = first  # there is only this one
    return range(first, last + 1, options.every or 1)


def _groups(
    clip: Clip, options: VideoOptions, part: Sequence[int], count: int
) -> Iterator[list[int]]:
    """Which frames go into which cover."""
    if not options.whole:
        yield choose_frames(
            clip.info, count, start=options.start, end=options.end, every=options.every
        )
        return
    for i in range(0, len(part), count):
        yield list(part[i : i + count])


def _one(
    clip: Clip,
    indices: list[int],
    target: Path,
    options: VideoOptions,
    model: LoadedModel,
    fields: dict[str, Any],
    force: bool,
    progress: Callable[[float], None],
    keep: Callable[[Cover], None],
) -> Cover:
    frames = list(clip.read(indices, max_side=options.max_side))
    reference = reference_index(options.reference, len(frames), clamp=options.whole)
    pixels, header = embed_pictures(model, frames, reference, options.quality, progress, **fields)
    look = model.converter.cover(frames[reference])
    written = write_carrier(target, pixels, header, target=look, force=force)
    cover = Cover(target, written, header, look, frames, indices)
    keep(cover)
    return cover


def reference_index(name: str, count: int, *, clamp: bool = False) -> int:
    """Number of the frame called `middle`, `first`, `last`, or by its number from 0.

    With `clamp` the last of `count` stands for all after it: the last cover of a clip may hold
    fewer frames.

    Raises:
        UsageError: none of these, or not among `count` frames.
    """
    names = {"first": 0, "middle": count // 2, "last": count - 1}
    if name in names:
        return names[name]
    if name.isascii() and name.isdigit() and (clamp or int(name) < count):
        return min(int(name), count - 1)
    raise UsageError(
        f"There is no reference frame {name!r}.",
        f"Give middle, first, last, or a number from 0 to {count - 1}.",
    )


def _timing(
    clip: Clip, indices: Sequence[int], until: int, every: int | None = None
) -> dict[str, Any]:
    """Rate and durations of the chosen frames, so that what is restored lasts as long.

    Args:
        clip: the clip.
        indices: the chosen frames.
        until: the frame before which the last of them ends.
        every: their distance, where it is known; else their mean distance.
    """
    info = clip.info
    step = Fraction(every or 1)
    if every is None and len(indices) > 1:
        step = Fraction(indices[-1] - indices[0], len(indices) - 1)
    fields: dict[str, Any] = {"fps": (info.fps / step).limit_denominator(_MAX_DENOMINATOR)}
    if info.durations is not None:
        ends = [*indices[1:], until]
        pairs = zip(indices, ends, strict=True)
        fields["durations"] = tuple(sum(info.durations[a:b]) for a, b in pairs)
    return fields


def _identity(
    clip: Clip, groups: Sequence[Sequence[int]], options: VideoOptions, model: LoadedModel
) -> str:
    """A name for the clip that its covers share; the same for the same input.

    Not for one that is locked, where it would confirm to whoever has the clip that it is this.
    Many clips begin with the same black frame, so the whole file counts; of still pictures,
    some.
    """
    if model.phrase is not None:
        return os.urandom(8).hex()
    digest = hashlib.sha256(repr((clip.info, groups, options, model.hash)).encode())
    path = Path(clip.source)
    if path.is_file():
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    else:
        for frame in clip.read(sorted({group[0] for group in groups[:: len(groups) // 8 + 1]})):
            digest.update(frame.tobytes())
    return digest.hexdigest()[:16]
