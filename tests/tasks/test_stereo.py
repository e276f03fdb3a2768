"""Stereo pairs and clips into carriers, and what a header may say of them."""

from __future__ import annotations

import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.carrier import Header, read_carrier
from iiccli.errors import DamagedCarrierError, InputError, UsageError
from iiccli.media.clip import write_clip
from iiccli.media.stereo_writing import combined
from iiccli.tasks import stereo
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.tasks.pictures import RestoredPictures, restore_pictures
from iiccli.tasks.stereo import Views, check_pair, mononize, outputs
from iiccli.tasks.stereo_clip import Stretch, mononize_clip
from iiccli.zoo.catalogue import Entry
from tests.conftest import Pixels, moving_clip, psnr
from tests.tasks.pairs import put_pair_models, views
from tests.transform_tables import Group

LEFT, RIGHT = views()


@pytest.fixture(scope="module")
def model_file(training_groups: list[Group], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = put_pair_models(tmp_path_factory.mktemp("pair-models"), training_groups)
    return folder / "mono.v1.safetensors"


@pytest.fixture
def loader(model_file: Path) -> Loader:
    return Loader(device="cpu", override=str(model_file))


@pytest.fixture
def model(loader: Loader, model_file: Path) -> LoadedModel:
    return loader.load(Entry("mono.v1", model_file))


@pytest.fixture
def pair(tmp_path: Path) -> list[Path]:
    return [put(tmp_path / "l.png", LEFT), put(tmp_path / "r.png", RIGHT)]


def put(path: Path, pixels: Pixels) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def back(loader: Loader, path: Path) -> list[Pixels]:
    carrier = read_carrier(path)
    found = outputs(carrier.header, restore_pictures(loader, carrier))
    assert [output.name for output in found] == ["left", "right"]
    return [output.pixels for output in found]


def test_there_and_back(
    pair: list[Path], model: LoadedModel, loader: Loader, tmp_path: Path
) -> None:
    made = mononize(pair, tmp_path / "c.png", model)
    assert psnr(made.pixels, LEFT) > 40
    assert (made.cover == LEFT).all()
    left, right = back(loader, made.path)
    assert psnr(left, LEFT) > 40
    assert psnr(right, RIGHT) > 28
    assert psnr(right, RIGHT) > psnr(left, RIGHT) + 5


def test_swapped(pair: list[Path], model: LoadedModel, tmp_path: Path) -> None:
    made = mononize(pair, tmp_path / "c.png", model, views=Views(swap=True))
    assert (made.cover == RIGHT).all()


@pytest.mark.parametrize("size", [(50, 40), (201, 131)])
def test_a_right_view_of_another_size_comes_back_at_its_own(
    size: tuple[int, int], model: LoadedModel, loader: Loader, tmp_path: Path
) -> None:
    small = np.asarray(Image.fromarray(RIGHT).resize(size))
    sources = [put(tmp_path / "l.png", LEFT), put(tmp_path / "r.png", small)]
    told: list[str] = []
    made = mononize(sources, tmp_path / "c.png", model, note=told.append)
    assert f"from {size[0]}×{size[1]} to 96×64" in told[0]
    stripped = put(tmp_path / "stripped.png", made.pixels)
    assert read_carrier(stripped).state == "stripped"
    for path in (made.path, stripped):
        assert back(loader, path)[1].shape == (size[1], size[0], 3)


@pytest.mark.parametrize("size", [(96, 40), (50, 64), (120, 30)])
def test_a_right_view_with_borders_comes_back_without(
    model: LoadedModel, loader: Loader, tmp_path: Path, size: tuple[int, int]
) -> None:
    small = np.asarray(Image.fromarray(RIGHT).resize(size))
    sources = [put(tmp_path / "l.png", LEFT), put(tmp_path / "r.png", small)]
    told: list[str] = []
    made = mononize(sources, tmp_path / "c.png", model, fit="pad", note=told.append)
    assert "with borders; when restored it has its own size" in told[0]
    right = back(loader, made.path)[1]
    assert right.shape == small.shape
    assert psnr(right, small) > 20


def test_a_right_view_that_is_cut_comes_back_as_what_was_left(
    model: LoadedModel, loader: Loader, tmp_path: Path
) -> None:
    tall = np.asarray(Image.fromarray(RIGHT).resize((96, 128)))
    sources = [put(tmp_path / "l.png", LEFT), put(tmp_path / "r.png", tall)]
    made = mononize(sources, tmp_path / "c.png", model, fit="crop")
    assert (made.originals[1].pixels == tall[32:96]).all()
    right = back(loader, made.path)[1]
    assert right.shape == (64, 96, 3)
    assert psnr(right, tall[32:96]) > 20


def test_no_pair(model: LoadedModel, tmp_path: Path) -> None:
    sources = [put(tmp_path / "l.png", LEFT), put(tmp_path / "r.png", RIGHT[:5])]
    with pytest.raises(InputError, match="no pair"):
        mononize(sources, tmp_path / "c.png", model)
    with pytest.raises(InputError, match="differ in size"):
        mononize(sources, tmp_path / "c.png", model, one_size=True)
    assert not (tmp_path / "c.png").exists()
    check_pair(LEFT, RIGHT[:8])


def test_even_the_smallest(model: LoadedModel, loader: Loader, tmp_path: Path) -> None:
    small = put(tmp_path / "small.png", LEFT[:9, :9])
    made = mononize([small, small], tmp_path / "c.png", model)
    assert [view.shape for view in back(loader, made.path)] == [(9, 9, 3)] * 2
    one = put(tmp_path / "one.png", LEFT[:1, :1])
    with pytest.raises(InputError, match="too small to hold anything"):
        mononize([one, one], tmp_path / "d.png", model)


def header(essentials: bytes) -> Header:
    return Header(
        task="mono",
        model="mono.v1",
        model_hash="0" * 64,
        size=(96, 64),
        pictures=2,
        reference=0,
        valid=2,
        essentials=essentials,
    )


@pytest.mark.parametrize(
    "own", [(0, 0), (0, 64), (2**32 - 1, 2**32 - 1), (96, 513), (769, 64), (11, 64)]
)
def test_a_header_is_not_believed(own: tuple[int, int]) -> None:
    lying = header(struct.pack(">IIII", 96, 64, *own))
    found = outputs(lying, RestoredPictures([LEFT, RIGHT], 0, None))
    assert found[1].pixels.shape == (64, 96, 3)


@pytest.mark.parametrize("essentials", [b"", b"\0" * 8, b"\xff" * 16])
def test_other_essentials_are_passed_over(essentials: bytes) -> None:
    found = outputs(header(essentials), RestoredPictures([LEFT, RIGHT], 0, None))
    assert (found[1].pixels == RIGHT).all()


def test_one_picture_is_no_pair() -> None:
    with pytest.raises(DamagedCarrierError):
        outputs(replace(header(b""), valid=1), RestoredPictures([LEFT], 0, None))


def test_a_wiggle_or_mpo_of_a_wrong_suffix(tmp_path: Path) -> None:
    found = outputs(header(b""), RestoredPictures([LEFT, RIGHT], 0, None))
    for form in ("wiggle", "mpo"):
        write = stereo.FORMS[form].write
        assert write is not None
        with pytest.raises(UsageError, match="cannot be written"):
            write(tmp_path / "x.png", found, read_nothing(), False)


def read_nothing() -> object:
    from iiccli.carrier import Attached

    return Attached()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stereo-clips")
    lefts = moving_clip(48, 64, 4, (2, 0), seed=1)
    rights = moving_clip(48, 64, 4, (2, 0), seed=1)[::-1]
    rate = Fraction(24000, 1001)
    write_clip(folder / "left.mp4", lefts, rate)
    write_clip(folder / "right.mp4", rights, rate)
    write_clip(folder / "short.mp4", rights[:3], rate)
    write_clip(folder / "slow.mp4", rights, Fraction(8))
    pairs = [combined(a, b, "sbs") for a, b in zip(lefts, rights, strict=True)]
    write_clip(folder / "both.webp", pairs, Fraction(5), durations=[0.1, 0.2, 0.3, 0.5])
    return folder


def test_a_clip_is_a_carrier_for_each_frame(
    clips: Path, model: LoadedModel, tmp_path: Path
) -> None:
    told: list[tuple[int, int, float]] = []
    headers = mononize_clip(
        [str(clips / "left.mp4"), str(clips / "right.mp4")],
        f"{tmp_path}/c/",
        model,
        progress=lambda *share: told.append(share),
    )
    assert [header.part for header in headers] == [0, 1, 2, 3]
    assert {header.parts for header in headers} == {4}
    assert len({header.clip_id for header in headers}) == 1
    assert headers[0].fps == Fraction(24000, 1001)
    assert headers[0].durations is None
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == [
        f"000{i}.png" for i in (1, 2, 3, 4)
    ]
    assert read_carrier(tmp_path / "c" / "0002.png").header.part == 1
    assert {total for _, total, _ in told} == {4}


def test_uneven_times_are_kept(clips: Path, model: LoadedModel, tmp_path: Path) -> None:
    headers = mononize_clip(
        [str(clips / "both.webp")],
        str(tmp_path / "c"),
        model,
        views=Views("sbs"),
        stretch=Stretch(0.1, 0.4),
    )
    assert [header.durations for header in headers] == [(0.2, 0.2), (0.3, 0.3)]
    assert headers[0].size == (64, 48)


@pytest.mark.parametrize(
    ("names", "layout", "words"),
    [
        (("left.mp4", "short.mp4"), "auto", "4 frames"),
        (("left.mp4", "slow.mp4"), "auto", "frames per second"),
        (("left.mp4",), "auto", "not plain"),
        (("left.mp4",), "mpo", "no layout 'mpo'"),
    ],
)
def test_clips_that_are_no_pair(
    names: tuple[str, ...], layout: str, words: str, clips: Path, model: LoadedModel, tmp_path: Path
) -> None:
    sources = [str(clips / name) for name in names]
    with pytest.raises((InputError, UsageError), match=words):
        mononize_clip(sources, str(tmp_path / "c"), model, views=Views(layout))
    assert not list(tmp_path.iterdir())


def test_a_clip_does_not_go_into_a_file(clips: Path, model: LoadedModel, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names one file"):
        mononize_clip([str(clips / "both.webp")], str(tmp_path / "c.png"), model)
