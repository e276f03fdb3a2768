"""Consecutive frames of clips, for `video`."""

from __future__ import annotations

from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from iiccli.errors import InputError
from iiccli.evaluation.cases.base import Case, CaseOptions, Plan, Planned, check_folder
from iiccli.media.clip import is_clip_source, open_clip


def clips(folder: Path, count: int, options: CaseOptions) -> Plan:
    """From every clip in `folder`, a sub-folder of frames or a video, `count` frames.

    The middle one is the reference; a clip that is shorter gives fewer.

    Raises:
        InputError: there is no clip.
    """
    check_folder(folder)
    patterns = (".*", *options.exclude)
    found = sorted(
        path
        for path in folder.iterdir()
        if not any(fnmatch(path.name, pattern) for pattern in patterns) and is_clip_source(path)
    )
    if not found:
        raise InputError(
            f"The folder {folder} holds no clips.", "Give each a sub-folder of frames, or a video."
        )
    return Plan([Planned(path.name, partial(_read, path, count, options.first)) for path in found])


def _read(path: Path, count: int, first: int) -> Case:
    clip = open_clip(path)
    begin = max(0, min(first, clip.info.frames - count))
    frames = list(clip.read(range(begin, min(begin + count, clip.info.frames))))
    return Case(path.name, frames, len(frames) // 2)
