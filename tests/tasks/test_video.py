"""Choosing frames, timing and identity of a clip's parts, as the Python API shows them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from iiccli.carrier import read_carrier
from iiccli.errors import IicError, ModelError, UsageError
from iiccli.media.clip import write_clip
from iiccli.tasks import video
from iiccli.tasks.models import Loader
from iiccli.tasks.video import Cover, VideoOptions, embed_video, reference_index
from iiccli.zoo import catalogue
from tests.conftest import moving_clip


@pytest.fixture(autouse=True)
def only_tiny_models(tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folders() -> Iterator[Path]:
        yield tiny_models

    monkeypatch.setattr(catalogue, "folders", folders)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("clip") / "clip"
    write_clip(path, moving_clip(32, 40, 8, seed=1), Fraction(25))
    return str(path)


def embed(clip: str, target: Path, **options: Any) -> list[Cover]:
    return embed_video(clip, target, VideoOptions(**options), Loader(device="cpu"))


@pytest.mark.parametrize(
    ("name", "count", "place"),
    [("middle", 5, 2), ("middle", 4, 2), ("first", 3, 0), ("last", 3, 2), ("2", 3, 2), ("0", 1, 0)],
)
def test_reference_index(name: str, count: int, place: int) -> None:
    assert reference_index(name, count) == place


@pytest.mark.parametrize("name", ["3", "-1", "", "MIDDLE", "1.0", "٢"])
def test_no_reference(name: str) -> None:
    with pytest.raises(UsageError, match="no reference frame"):
        reference_index(name, 3)


def test_a_reference_beyond_the_last_part_is_its_last() -> None:
    assert reference_index("4", 2, clamp=True) == 1
    assert reference_index("1", 2, clamp=True) == 1
    with pytest.raises(UsageError):
        reference_index("-4", 2, clamp=True)


def test_a_cover_tells_what_is_in_it(clip: str, tmp_path: Path) -> None:
    kept: list[Cover] = []
    told: list[tuple[int, int, float]] = []
    target = tmp_path / "c.png"
    (cover,) = embed_video(
        clip,
        target,
        VideoOptions(frames=3, every=2),
        Loader(device="cpu"),
        progress=lambda *share: told.append(share),
        keep=kept.append,
    )
    assert kept == [cover]
    assert cover.path == target
    assert cover.indices == [0, 2, 4]
    assert [frame.shape for frame in cover.originals] == [(32, 40, 3)] * 3
    assert (read_carrier(target).pixels == cover.pixels).all()
    assert cover.header.fps == Fraction(25, 2)
    assert cover.header.clip_id == ""
    assert told[-1] == (0, 1, 1.0)


def test_covers_of_a_long_clip_are_forgotten(clip: str, tmp_path: Path) -> None:
    kept: list[int] = []
    covers = embed_video(
        clip,
        tmp_path / "covers",
        VideoOptions(frames=3, whole=True),
        Loader(device="cpu"),
        keep=lambda cover: kept.append(len(cover.originals)),
    )
    assert kept == [3, 3, 2]
    assert [cover.indices for cover in covers] == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert all(cover.path.exists() for cover in covers)
    assert not any(cover.originals or cover.pixels.size for cover in covers)
    assert [(c.header.part, c.header.parts) for c in covers] == [(0, 3), (1, 3), (2, 3)]
    assert all(c.header.fps == 25 for c in covers)


def test_a_clip_that_fits_one_cover_is_no_part(clip: str, tmp_path: Path) -> None:
    (cover,) = embed(clip, tmp_path / "covers", whole=True, end=0.1)
    assert (cover.header.parts, cover.header.clip_id, cover.indices) == (1, "", [0, 1, 2])


def test_identity_is_the_clip_s_and_the_embedding_s(clip: str, tmp_path: Path) -> None:
    def identity(name: str, source: str = clip, **options: Any) -> str:
        covers = embed(source, tmp_path / name, whole=True, frames=3, **options)
        assert len({cover.header.clip_id for cover in covers}) == 1
        return covers[0].header.clip_id

    # The same first frame, another last one.
    other = moving_clip(32, 40, 8, seed=1)
    other[-2:] = moving_clip(32, 40, 2, seed=9)
    write_clip(tmp_path / "other", other, Fraction(25))
    write_clip(tmp_path / "other.apng", other, Fraction(25))
    first = identity("a")
    assert first == identity("b")
    found = {
        first,
        identity("c", str(tmp_path / "other")),
        identity("d", str(tmp_path / "other.apng")),
        identity("e", quality="cover"),
        identity("f", end=0.2),
        identity("g", model="video-5"),
    }
    assert len(found) == 6


def test_too_many_parts(clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "MAX_PARTS", 2)
    with pytest.raises(UsageError, match="would take 3 covers; 2 are possible"):
        embed(clip, tmp_path / "covers", whole=True, frames=3)


def test_which_model(clip: str, tmp_path: Path) -> None:
    assert embed(clip, tmp_path / "a.png")[0].header.model == "video-5.v1"
    assert embed(clip, tmp_path / "b.png", frames=2)[0].header.model == "video-3.v1"
    assert embed(clip, tmp_path / "c.png", model="video-3")[0].header.valid == 3
    with pytest.raises(ModelError, match="takes 7 pictures"):
        embed(clip, tmp_path / "d.png", frames=7)


def test_without_a_model_of_five_the_largest_is_taken(
    clip: str, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "folders", lambda: iter([tiny_model.parent]))
    (cover,) = embed(clip, tmp_path / "a.png")
    assert (cover.header.model, cover.indices) == ("video-3-tiny", [0, 4, 7])


@pytest.mark.parametrize(
    "options",
    [
        {"quality": "best"},
        {"reference": "none"},
        {"frames": 0},
        {"frames": -1},
        {"every": 0},
        {"every": -2},
        {"start": -1.0},
        {"start": float("nan")},
        {"end": float("inf")},
        {"max_side": 0},
    ],
)
def test_options_from_python_are_checked_too(
    clip: str, tmp_path: Path, options: dict[str, Any]
) -> None:
    for whole in (False, True):
        target = tmp_path / ("covers" if whole else "c.png")
        with pytest.raises(IicError):
            embed(clip, target, whole=whole, **options)
        assert not target.exists()
