"""Ways to put pictures into one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from iiccli.benchmarking.contestants import Contestant, Job, contestants, others
from iiccli.benchmarking.contestants.coded import avif, h265
from iiccli.benchmarking.contestants.method import Method
from iiccli.benchmarking.contestants.naive import Bicubic, LowBits, Mosaic, PlainGray
from iiccli.errors import DamagedCarrierError, OutputError
from iiccli.evaluation.cases import Case
from iiccli.evaluation.metrics import psnr
from iiccli.evaluation.protocol import judged
from iiccli.inference.covers import cover_of
from iiccli.tasks.models import Loader
from iiccli.zoo.catalogue import Entry
from iiccli.zoo.modelfile import Card
from tests.conftest import moving_clip
from tests.task_models import disc, photograph


def card(task: str, pictures: int = 1, scale: int = 1) -> Card:
    return Card(task, task, "adaptive", {"pictures": pictures, "scale": scale})


def job(
    task: str, count: int = 1, *, scale: int = 1, reference: int = 0, psnr: float = 46.4
) -> Job:
    pictures = moving_clip(64, 96, count, (2, 1), seed=5)
    channels = 1 if task == "gray" else 3
    cover = cover_of(pictures[reference], scale, channels)
    case = Case("it", pictures, reference)
    return Job(case, card(task, count, scale), "balanced", pictures, cover, psnr)


def test_who_takes_part() -> None:
    def names(*what: object) -> list[str]:
        wanted = card(*what)  # type: ignore[arg-type]
        return [c.name for c in contestants(Entry("it", Path("it")), wanted, Loader())]

    assert names("video", 5) == ["network", "codec", "av1", "h265", "4-bit LSB", "mosaic"]
    assert names("video", 9) == ["network", "codec", "av1", "h265", "mosaic"]
    assert names("video", 3, 2) == ["network", "codec", "av1", "h265", "mosaic"]
    assert names("hide", 2) == ["network", "codec", "avif", "4-bit LSB", "mosaic"]
    assert names("gray") == ["network", "avif", "gray"]
    assert names("rescale", 1, 2) == ["network", "avif", "bicubic"]
    every = others(Loader())
    assert len({c.name for c in every}) == len(every)
    assert [c.name for c in every if c.fair] == ["codec", "avif", "av1", "h265"]


def test_the_tool_s_own_codec(tmp_path: Path) -> None:
    work = job("hide", 3)
    method = Method(Loader(device="cpu"))
    method.embed(work, tmp_path / "it.png")
    back = method.restore(work, tmp_path / "it.png")
    result = judged(work.case, work.card, work.cover, back.carrier, back.header, back.restored)
    assert back.header.model == "codec"
    assert result.cover_psnr == pytest.approx(46.4, abs=0.3)
    assert result.others_psnr > 20


@pytest.mark.parametrize(
    ("contestant", "work"),
    [
        (avif(), job("hide", 3)),
        (avif(), job("gray")),
        (avif(), job("rescale", scale=2)),
        (h265(), job("video", 3, reference=1)),
        (h265(), job("video", 3, scale=2, reference=1)),
    ],
)
def test_a_codec_at_the_same_cover(contestant: Contestant, work: Job, tmp_path: Path) -> None:
    path = tmp_path / "carrier.png"
    contestant.embed(work, path)
    back = contestant.restore(work, path)
    result = judged(work.case, work.card, work.cover, back.carrier, back.header, back.restored)
    assert result.cover_psnr == pytest.approx(46.4, abs=0.2)
    assert 25 < result.others_psnr < 60
    assert len(back.restored.pictures) == len(work.pictures)
    # More room gives better pictures.
    more = Job(work.case, work.card, "content", work.pictures, work.cover, 40.0)
    contestant.embed(more, path)
    better = contestant.restore(more, path)
    again = judged(work.case, work.card, work.cover, better.carrier, back.header, better.restored)
    assert again.cover_psnr < result.cover_psnr - 6
    if work.card.task in ("hide", "video"):
        assert again.others_psnr > result.others_psnr + 1


def test_alpha_is_coded_in_one_channel(tmp_path: Path) -> None:
    front, back = photograph(64, 96, 1), photograph(64, 96, 2)
    alpha = disc(64, 96)
    share = alpha[..., None] / 255
    composite = np.rint(share * front + (1 - share) * back).astype(np.uint8)
    pictures = [composite, back, np.repeat(alpha[..., None], 3, axis=2)]
    case = Case("it", pictures, foreground=front)
    work = Job(case, card("layers", 3), "balanced", pictures, composite, 46.4)
    contestant = avif()
    contestant.embed(work, tmp_path / "it.png")
    found = contestant.restore(work, tmp_path / "it.png")
    result = judged(case, work.card, composite, found.carrier, found.header, found.restored)
    assert result.alpha_error is not None
    assert result.alpha_error < 0.02
    assert result.background_psnr is not None
    assert result.background_psnr > 30


def test_a_codec_says_why_not(tmp_path: Path) -> None:
    work = job("hide", 3, psnr=75.0)
    with pytest.raises(OutputError, match="Even the coarsest avif does not fit"):
        avif().embed(work, tmp_path / "it.png")


def test_low_bits(tmp_path: Path) -> None:
    for count, least in ((2, 34), (3, 22), (5, 15)):
        work = job("hide", count)
        LowBits().embed(work, tmp_path / "it.png")
        back = LowBits().restore(work, tmp_path / "it.png")
        width = 4 // (count - 1) * (count - 1)
        assert np.abs(back.carrier.astype(int) - work.cover).max() < 2**width
        for picture, original in zip(back.restored.pictures[1:], work.others, strict=True):
            error = np.abs(picture.astype(int) - original).max()
            assert error <= 2 ** (7 - 4 // (count - 1))
            assert psnr(picture, original) > least


def test_a_mosaic(tmp_path: Path) -> None:
    work = job("video", 5, reference=2)
    Mosaic().embed(work, tmp_path / "it.png")
    back = Mosaic().restore(work, tmp_path / "it.png")
    assert back.carrier.shape == work.cover.shape
    assert psnr(back.carrier, work.cover) < 25
    assert all(psnr(a, b) > 25 for a, b in zip(back.restored.pictures, work.pictures, strict=True))


@pytest.mark.parametrize(
    ("contestant", "work"), [(Bicubic(), job("rescale", scale=2)), (PlainGray(), job("gray"))]
)
def test_the_cover_alone(contestant: Contestant, work: Job, tmp_path: Path) -> None:
    contestant.embed(work, tmp_path / "it.png")
    back = contestant.restore(work, tmp_path / "it.png")
    assert np.array_equal(back.carrier, work.cover)
    (picture,) = back.restored.pictures
    assert 20 < psnr(picture, work.pictures[0]) < 50


def test_another_size_is_told(tmp_path: Path) -> None:
    work = job("hide", 2)
    avif().embed(work, tmp_path / "it.png")
    smaller = Job(work.case, work.card, "balanced", work.pictures, work.cover[:40], 46.4)
    with pytest.raises(DamagedCarrierError, match="It is 96×64 and was 96×40"):
        avif().restore(smaller, tmp_path / "it.png")
