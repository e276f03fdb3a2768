"""The videos of Background Matting, for `layers`: people, and the place without them.

There is no alpha: a group is a frame and the captured background. The videos are unpacked into
frames once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from iiccli.atomic import atomic_folder
from iiccli.datasets.layouts.base import Desk, Draft, Layout, Need, Part, Request
from iiccli.datasets.manifest import Item
from iiccli.errors import InputError
from iiccli.media.clip import open_clip
from iiccli.media.frames import frames_in_folder, write_frames
from iiccli.media.image import Pixels

_HOME = "Real-Matting"
_FRAMES = "frames"

VIDEOS = {
    "fixed-camera/test_extra": "ao dlh ei1 ew1 rb rkf ro rs2 xk xl xo2",
    "fixed-camera/test_paper": "dlh es2 jl llh mpf rpb vp vs2 xk",
    "fixed-camera/train": "ak do1 do2 es klp lo mkw mlp mo2 mpb rf rhw ri1 rml rpw rs vi1 vs xo "
    "yld yo1",
    "hand-held/test_extra": "er1 er2 rs",
    "hand-held/test_paper": "akh do1h eoh rb1 rs2 vb1 yo1h",
    "hand-held/train": "ahh do2h loh rlh rs1 vs1",
}
"""All videos, by folder."""

VAL = ("fixed-camera/train/mo2",)
TEST = (
    "fixed-camera/test_extra/ao",
    "fixed-camera/test_extra/ei1",
    "fixed-camera/test_extra/ro",
    "fixed-camera/test_paper/vp",
    "fixed-camera/train/ri1",
    "fixed-camera/train/vi1",
)
"""The published splits are by place: val is the door; test the office, the corridor and the
painting of a lake; all others train."""


class Real(Layout):
    """Frame and background."""

    alias = "real"
    task = "layers"
    source = "https://github.com/senguptaumd/Background-Matting (captured data)"
    pictures = 2

    def needs(self, request: Request) -> Iterator[Need]:
        """See `Layout`."""
        wanted = {Path(v).parent for split in request.splits for v in videos_of(split)}
        for folder in (folder for folder in VIDEOS if Path(folder) in wanted):
            what = f"videos NAME.mp4 with their backgrounds NAME.png; the release's {folder}"
            yield Need(request.root / _HOME / folder, what)

    def drafts(self, request: Request, desk: Desk) -> Iterator[Draft]:
        """See `Layout`."""
        for split in request.splits:
            clips = [_clip(desk.root / _HOME, name) for name in videos_of(split)]
            _unpack([clip for clip in clips if not clip.frames.is_dir()], desk)
            items = [item for clip in clips for item in _items(clip, desk)]
            yield self.draft(request, split, items)


@dataclass(frozen=True)
class _Clip:
    """A video, its background and the folder of its frames."""

    name: str
    video: Path
    background: Path
    frames: Path


def videos_of(split: str) -> list[str]:
    """The videos of a split, without suffix, relative to the set's folder."""
    everything = [f"{folder}/{name}" for folder, names in VIDEOS.items() for name in names.split()]
    chosen = {"val": VAL, "test": TEST}
    if split in chosen:
        return list(chosen[split])
    return [name for name in everything if name not in (*VAL, *TEST)]


def _clip(home: Path, name: str) -> _Clip:
    # Not with_suffix, which would cut a name at its first dot.
    video, background = (home / f"{name}{suffix}" for suffix in (".mp4", ".png"))
    return _Clip(name.replace("/", "-"), video, background, home / _FRAMES / name)


def _unpack(clips: list[_Clip], desk: Desk) -> None:
    """Write the frames of videos, each video's all or none.

    Raises:
        OutputError: the system refuses.
    """
    if clips:
        videos = "1 video is" if len(clips) == 1 else f"{len(clips)} videos are"
        desk.remark(
            f"{videos} unpacked below {desk.root / _HOME / _FRAMES}, as PNG: a thousand frames of "
            "1920×1080 take about 3 GB."
        )
    for done, clip in enumerate(clips):
        try:
            source = open_clip(clip.video)
            info = source.info
            for note in source.notes:
                desk.remark(f"{clip.video}: {note}.")
            with atomic_folder(clip.frames) as folder:
                frames = source.read(range(info.frames))
                write_frames(folder, _counted(frames, done, len(clips), info.frames, desk))
        except InputError as error:
            desk.leave_out(clip.name, error.message)


def _counted(
    frames: Iterable[Pixels], done: int, clips: int, count: int, desk: Desk
) -> Iterator[Pixels]:
    for number, frame in enumerate(frames):
        yield frame
        desk.progress(done, clips, (number + 1) / count)


def _items(clip: _Clip, desk: Desk) -> Iterator[Item | None]:
    if not clip.frames.is_dir():
        return  # said already
    background = Part("background", clip.background)
    if desk.item(clip.name, [background]) is None:
        return
    paths = frames_in_folder(clip.frames)
    desk.scan(paths)
    for path in paths:
        name = f"{clip.name}-{path.stem}"
        item = desk.item(name, [Part("composite", path), background])
        if item is not None and desk.scanned(path).size != desk.scanned(clip.background).size:
            desk.leave_out(clip.name, f"{clip.background} differs in size from the frames.")
            return
        yield item
