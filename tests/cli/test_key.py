"""Pass phrases: whole commands."""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import iiccli
from iiccli.carrier import read_carrier
from iiccli.locking import key as keys
from iiccli.zoo import catalogue
from tests.cli.conftest import Iic, nothing_new
from tests.conftest import psnr
from tests.tasks.stills import picture, put, put_still_models

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def models(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small ones, and the one for gray that ships: the small one for gray locks nothing."""
    folder = put_still_models(tmp_path_factory.mktemp("key-models"), tiny_models)
    shutil.copy(ROOT / "models" / "gray.v1.safetensors", folder)
    return folder


@pytest.fixture(autouse=True)
def desk_with_pictures(
    desk: Path, models: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folders() -> Iterator[Path]:
        yield from (models, tiny_models)

    monkeypatch.setattr(catalogue, "folders", folders)
    monkeypatch.setattr(keys, "SCRYPT_N", 16)  # what it is in earnest: tests/locking
    monkeypatch.delenv("IIC_KEY", raising=False)
    put(Path("cover.png"), picture(144, 160))
    put(Path("one.png"), picture(90, 50, 1))
    Path("key").write_text("correct horse battery staple\n")
    Path("bad").write_text("correct horse battery stapler\n")


def opened(path: str) -> np.ndarray:
    return np.asarray(Image.open(path))


def stripped(name: str, to: str) -> None:
    Image.fromarray(opened(name)).save(to)


def painted(name: str, to: str) -> None:
    """The same file, its metadata too, with a square painted over."""
    source = Image.open(name)
    pixels = np.array(source)
    pixels[100:120, 90:110] = 128
    info = {"icc_profile": source.info.get("icc_profile")}
    Image.fromarray(pixels).save(to, **{k: v for k, v in info.items() if v})


HIDE = ("hide", "cover.png", "one.png")


@pytest.mark.parametrize("method", ["network", "codec"])
def test_locked_and_opened(iic: Iic, method: str) -> None:
    assert iic(*HIDE, "-o", "open.png", "--method", method).code == 0
    assert iic(*HIDE, "-o", "c.png", "--method", method, "--key-file", "key").code == 0
    assert "locked with a pass phrase" in iic("inspect", "c.png").out
    assert iic("inspect", "c.png", "--json").json["locked"] is True
    before = set(Path.cwd().rglob("*"))
    iic("restore", "c.png", "-o", "s.png").fails(11, "c.png is locked", "--key-file")
    iic("restore", "c.png", "-o", "s.png", "--key-file", "bad").fails(11, "does not open c.png")
    iic("restore", "c.png", "-o", "s.png", "--key-file", "none").fails(3, "none cannot be read")
    nothing_new(Path.cwd(), before)
    assert iic("restore", "open.png", "-o", "o.png").code == 0
    stripped("c.png", "bare.png")
    for name in ("c.png", "bare.png"):
        assert iic("restore", name, "-o", "s.png", "--key-file", "key", "--force").code == 0
        # Not the same: the lock takes some room, and another carrier predicts the secret.
        lost = psnr(opened("o.png"), opened("one.png")) - psnr(opened("s.png"), opened("one.png"))
        assert lost < 0.3


def test_without_the_phrase_the_message_is_noise(iic: Iic) -> None:
    put(Path("flat.png"), np.full((144, 160, 3), 100, np.uint8))
    assert iic("hide", "flat.png", "flat.png", "-o", "c.png", "--key-file", "key").code == 0
    digits = opened("c.png")[20:-20, 20:-20] % 4
    counts = np.bincount(digits.reshape(-1), minlength=4)
    expected = digits.size / 4
    assert ((counts - expected) ** 2 / expected).sum() < 30
    rows, columns = digits[1:] == digits[:-1], digits[:, 1:] == digits[:, :-1]
    assert abs(rows.mean() - 0.25) < 0.02
    assert abs(columns.mean() - 0.25) < 0.02


def test_the_same_twice_is_another_carrier(iic: Iic) -> None:
    for name in ("a.png", "b.png"):
        assert iic(*HIDE, "-o", name, "--key-file", "key").code == 0
    same = np.mean(opened("a.png") == opened("b.png"))
    assert same < 0.5


def test_a_changed_one_is_told_from_a_wrong_phrase(iic: Iic) -> None:
    assert iic(*HIDE, "-o", "c.png", "--key-file", "key").code == 0
    painted("c.png", "d.png")
    words = ("restore", "d.png", "-o", "s.png", "--key-file")
    iic(*words, "key").fails(5, "changed since it was locked", "--force")
    iic(*words, "bad", "--force").fails(11, "does not open")
    done = iic(*words, "key", "--force")
    assert done.code == 0
    assert "do not trust" in done.err
    one = opened("c.png").copy()
    one[60, 70, 1] ^= 4  # more than q: the message stays as it is, the picture does not
    Image.fromarray(one).save("e.png")
    iic("restore", "e.png", "-o", "t.png", "--key-file", "key").fails(5, "changed since")


def test_a_veiled_one_shows_nothing(iic: Iic) -> None:
    done = iic(*HIDE, "-o", "q.png", "--no-header", "--key-file", "key")
    assert "iic restore q.png --key" in done.err
    iic("inspect", "q.png").fails(4, "not a carrier")
    before = set(Path.cwd().rglob("*"))
    iic("restore", "q.png", "-o", "s.png").fails(4, "not a carrier")
    iic("restore", "q.png", "-o", "s.png", "--key-file", "bad").fails(4, "not a carrier")
    nothing_new(Path.cwd(), before)
    assert iic("restore", "q.png", "-o", "s.png", "--key-file", "key").code == 0
    assert opened("s.png").shape == (90, 50, 3)
    put(Path("small.png"), picture(40, 40))
    iic(*("hide", "small.png", "one.png", "-o", "r.png", "--no-header", "--key-file", "key")).fails(
        3, "small.png is too small"
    )


def test_asked_for(iic: Iic, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["a phrase of words", "a phrase of words", "one", "other", "a phrase of words"])
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(answers))
    assert iic(*HIDE, "-o", "c.png", "--key").code == 0
    iic(*HIDE, "-o", "d.png", "--key").fails(2, "differ")
    assert iic("restore", "c.png", "-o", "s.png", "--key").code == 0


def test_without_a_terminal(iic: Iic, monkeypatch: pytest.MonkeyPatch) -> None:
    def fallback(prompt: str) -> str:
        import warnings

        warnings.warn("cannot control echo", getpass.GetPassWarning, stacklevel=1)
        return "shown"

    monkeypatch.setattr(getpass, "getpass", fallback)
    iic(*HIDE, "-o", "c.png", "--key").fails(2, "no terminal", "--key-file")
    iic(*HIDE, "-o", "c.png", "--key", "--key-file", "key").fails(2, "do not go together")


def test_from_the_environment(iic: Iic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IIC_KEY", "short")
    done = iic("gray", "cover.png", "-o", "g.png")
    assert done.code == 0
    assert "IIC_KEY" in done.err
    assert "soon guessed" in done.err
    assert iic("restore", "g.png", "-o", "s.png").code == 0
    monkeypatch.setenv("IIC_KEY", "")
    iic("restore", "g.png", "-o", "t.png").fails(11, "locked")
    assert iic("gray", "cover.png", "-o", "h.png").code == 0
    assert read_carrier(Path("h.png")).header.lock is None


def test_done_already_means_locked_with_this_phrase(iic: Iic) -> None:
    Path("in").mkdir()
    put(Path("in/a.png"), picture(144, 160))
    assert iic("gray", "in", "-o", "out/").code == 0
    first = opened("out/a.png")
    assert iic("gray", "in", "-o", "out/").code == 0
    assert (opened("out/a.png") == first).all()
    # It would be overwritten, which nobody has asked for; but it is not passed off as done.
    iic("gray", "in", "-o", "out/", "--key-file", "key").fails(7, "exists already")


@pytest.mark.parametrize("method", ["network", "codec"])
def test_all_covers_of_a_clip(iic: Iic, clips: Path, method: str) -> None:
    words = ("--all", "--frames", 3, "--method", method, "--key-file", "key")
    done = iic("embed-video", clips / "folder", "-o", "covers/", *words)
    assert done.code == 0, done
    locks = [read_carrier(path).header.lock for path in Path("covers").iterdir()]
    assert len({lock.nonce for lock in locks if lock}) == len(locks) > 1
    iic("restore", "covers/", "-o", "back/").fails(11, "locked")
    assert iic("restore", "covers/", "-o", "back/", "--key-file", "key").code == 0
    assert len(list(Path("back").iterdir())) == 12


def test_a_locked_clip_does_not_tell_which_it_is(iic: Iic, clips: Path) -> None:
    names = set()
    for number in range(2):
        for key in ((), ("--key-file", "key")):
            words = ("embed-video", clips / "folder", "-o", f"{number}{len(key)}/", "--all", *key)
            assert iic(*words, "--frames", 5).code == 0
            carrier = read_carrier(next(Path(f"{number}{len(key)}").iterdir()))
            names.add(carrier.header.clip_id)
    assert len(names) == 3  # those without lock are the same


def test_in_python(desk: Path) -> None:
    iiccli.hide("cover.png", "one.png", "c.png", key="from python")
    with pytest.raises(iiccli.errors.PhraseError):
        iiccli.restore("c.png")
    secret, _ = iiccli.restore("c.png", key=b"from python")
    assert secret.shape == (90, 50, 3)
