"""All that reads what nobody vouches for, each as a target of `harness.feed`.

Pictures above `MOST_PIXELS` are refused meanwhile, as those above 2^28 are by default. What is read
of a picture grows with its pixels, all 268 million of which are allowed to take their minute and
their gigabytes: with damage that makes a picture large by chance the harness could tell neither
hanging nor a hole from honest work. What is done at the limit does not depend on where it lies;
`claim` tries it where it lies by default.
"""

from __future__ import annotations

import io
import lzma
import os
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from PIL import Image

from iiccli import limits
from iiccli.__main__ import main
from iiccli.carrier import CODEC_VERSION, NO_MODEL, Header, describe, read_carrier, sentence
from iiccli.carrier.header import BINARY_LENGTH
from iiccli.coding.protection import OWN, Protection
from iiccli.coding.whole import Whole
from iiccli.datasets.manifest import read_manifest
from iiccli.errors import IicError, InputError
from iiccli.evaluation.detecting.check import check
from iiccli.evaluation.detecting.specimens import Manner, split_groups
from iiccli.inference import message
from iiccli.inference.adaptive import region_message
from iiccli.inference.codec import CodecConverter
from iiccli.inference.converter import make_converter
from iiccli.inference.places import put_digits
from iiccli.media import av1
from iiccli.media.clip import Clip, open_clip
from iiccli.media.image import read_picture
from iiccli.tasks.conversion import MODULES, conversion
from iiccli.tasks.models import Loader, choose_entry
from iiccli.tasks.restoring import restore, restore_outputs
from iiccli.training.recipes import read_recipe
from iiccli.zoo.catalogue import entries
from iiccli.zoo.importing import import_official
from iiccli.zoo.modelfile import load_model
from iiccli.zoo.packing import PACKED, packed
from tests.conftest import Pixels, moving_clip
from tests.fuzz.claims import claim
from tests.fuzz.harness import Target
from tests.fuzz.mutating import (
    ODD_NUMBERS,
    ODD_TEXTS,
    damaged,
    odd_json_text,
    odd_png,
    odd_safetensors,
)
from tests.fuzz.seeds import SIDE, Seeds

CPU = torch.device("cpu")
MOST_PIXELS = 2**18
Damage = Callable[[bytes, Random, Sequence[bytes]], bytes]


def targets(seeds: Seeds) -> dict[str, Target]:
    """All of them, by name."""
    return {
        "carrier": _carrier(seeds),
        "header": _header(),
        "stamp": _stamp(),
        "adaptive": _message(seeds, "adaptive"),
        "transform": _message(seeds, "transform"),
        "codec": _codec(),
        "model": _file(seeds.model_files, ".safetensors", _use_model, 10, odd_safetensors),
        "packed": _file([packed(f) for f in seeds.model_files], PACKED, _use_model, 5, _odd_packed),
        "checkpoint": _file(seeds.checkpoints, ".pth", _import, 10),
        "manifest": _file(seeds.manifests, ".jsonl", _manifest, 15, _odd_lines),
        "recipe": _file(seeds.recipes, ".yaml", _recipe, 10),
        "clip": _file(seeds.clips, "", _clip, 3),
        "picture": _file(seeds.pictures, "", _picture, 12),
        "claim": Target(claim, _claim, 8),
        "photos": _photos(seeds),
        "words": Target(_words, _command, 5),
    }


def _file(
    contents: Sequence[bytes],
    suffix: str,
    use: Callable[[Path], object],
    weight: int,
    special: Damage | None = None,
) -> Target:
    """Files that are damaged as bytes, and, half of them, in a way that suits their format."""

    def make(chance: Random) -> bytes:
        content = chance.choice(contents)
        if special is not None and chance.random() < 0.5:
            return special(content, chance, contents)
        return damaged(content, chance, contents)

    def run(content: bytes, folder: Path, chance: Random) -> None:
        path = folder / f"input{suffix}"
        path.write_bytes(content)
        use(path)

    return Target(make, run, weight)


def _carrier(seeds: Seeds) -> Target:
    loader = Loader(device="cpu")
    targets = ("out/", "out/", "out.png", "out.gif", "out.mp4", "out.webp")

    def make(chance: Random) -> bytes:
        content = chance.choice(seeds.carriers)
        if content.startswith(b"\x89PNG") and chance.random() < 0.75:
            return odd_png(content, chance, seeds.carriers)
        return damaged(content, chance, seeds.carriers)

    def run(content: bytes, folder: Path, chance: Random) -> None:
        path = folder / "carrier.png"
        path.write_bytes(content)
        carrier = read_carrier(path)
        sentence(carrier), describe(carrier)
        if chance.random() < 0.9:
            restore_outputs(loader, carrier)
        else:
            target = f"{folder}/{chance.choice(targets)}"
            restore([path], target, loader, force=True)

    return Target(make, run, 20)


def _honest(**changes: Any) -> Header:
    usual: dict[str, Any] = {"task": "hide", "model": "hide-1.v1", "model_hash": "ab" * 32}
    usual |= {"size": SIDE[::-1], "pictures": 2, "reference": 0, "valid": 2}
    return Header(**{**usual, **changes})


def _header() -> Target:
    texts = [
        _honest().to_json(),
        _honest(extra={"profile": "AAAA"}, durations=(0.5, 1.0)).to_json(),
        _honest(version=CODEC_VERSION, model="codec", model_hash=NO_MODEL).to_json(),
    ]

    def run(text: str, folder: Path, chance: Random) -> None:
        _name_all(Header.from_json(text))

    return Target(lambda chance: odd_json_text(chance.choice(texts), chance), run, 20)


def _stamp() -> Target:
    def make(chance: Random) -> bytes:
        task = chance.choice(list(MODULES))
        content = _honest(task=task, essentials=chance.randbytes(chance.randint(0, 16))).to_bytes()
        body = damaged(content[:-4], chance, [content])[: BINARY_LENGTH - 4].ljust(
            BINARY_LENGTH - 4, b"\0"
        )
        crc = struct.pack(">I", zlib.crc32(body))
        return body + crc

    def run(content: bytes, folder: Path, chance: Random) -> None:
        _name_all(Header.from_bytes(content))

    return Target(make, run, 20)


def _name_all(header: Header) -> None:
    kinds = [header.task] if header.task in MODULES else list(MODULES)
    for kind in kinds:
        found = conversion(kind)
        found.zoom(header)
        assert all(name.replace("-", "").isalnum() for name in found.names(header))


class _Anything:
    """A check sum that is always right: what is behind it has to stand it."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


@contextmanager
def _no_check_sums() -> Iterator[None]:
    modules: tuple[Any, ...] = (message, region_message)
    kept = [module.checksum for module in modules]
    try:
        for module in modules:
            module.checksum = lambda *bits: _Anything()
        yield
    finally:
        for module, own in zip(modules, kept, strict=True):
            module.checksum = own


def _message(seeds: Seeds, network: str) -> Target:
    """Messages of regions: an honest one with noise in it, or noise alone."""
    found = [e for e in entries() if e.card.network == network and e.card.scale < 4]
    converters = {}
    for entry in found:
        if entry.card.task not in converters:
            card, state = load_model(entry.path)
            converters[entry.card.task] = make_converter(card, state, CPU)
    cases = []
    height, width = 72, 80
    for converter in converters.values():
        pictures = moving_clip(height, width, converter.card.pictures)
        cover = converter.cover(pictures[0])
        free = np.ones(cover.shape, bool)
        cases.append((converter, converter.embed(pictures, 0, free), free))

    def make(chance: Random) -> bytes:
        return chance.randbytes(8)

    def run(content: bytes, folder: Path, chance: Random) -> None:
        converter, carrier, free = chance.choice(cases)
        noise = np.random.default_rng(list(content))
        carrier = carrier.copy()
        top, left = chance.randint(0, height - 1), chance.randint(0, width - 1)
        part = carrier[top : top + chance.choice((1, 8, 99)), left : left + chance.choice((1, 99))]
        part[...] = noise.integers(0, 256, part.shape)
        with _no_check_sums():
            converter.restore(carrier, (width, height), chance.randint(0, 1), free)

    return Target(make, run, 3)


def _codec() -> Target:
    """A message whose codes are right, and whose head or stream is not."""
    height, width = 64, 80
    pictures = moving_clip(height, width, 3)
    converter = CodecConverter("video", 3)
    moduli = converter.moduli(0)
    free = np.ones((height, width, 3), bool)
    whole = Whole(free, moduli)
    protection = Protection(whole.rows)
    stream = av1.encode(pictures[1:], 60, moving=True)
    head = struct.pack(">BBBHBHB", 1, 1, 2, width, 0, height, 0)
    assert len(head) == OWN

    def make(chance: Random) -> bytes:
        own = head if chance.random() < 0.8 else damaged(head, chance, [head])
        coded = damaged(stream, chance, [stream])[: protection.room]
        return own[:OWN].ljust(OWN, b"\0") + coded

    def run(content: bytes, folder: Path, chance: Random) -> None:
        numbers, used = whole.write(protection.write(content[:OWN], content[OWN:]))
        carrier = put_digits(pictures[0], numbers, used, moduli)
        converter.restore(carrier, (width, height), 0, free)

    return Target(make, run, 2)


def _odd_packed(content: bytes, chance: Random, contents: Sequence[bytes]) -> bytes:
    """A whole archive of something odd."""
    plain = [lzma.decompress(other) for other in contents]
    return packed(odd_safetensors(lzma.decompress(content), chance, plain))


def _use_model(path: Path) -> None:
    """Load a model and restore with it: its tables are as little trusted as its description."""
    converter = make_converter(*load_model(path), CPU)
    height, width = 16 * converter.scale, 24 * converter.scale
    shape = (16, 24) if converter.channels == 1 else (16, 24, converter.channels)
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    with _no_check_sums():
        converter.restore(noise, (width, height), 0, np.ones(shape, bool))


def _import(path: Path) -> None:
    import_official(path, path.with_name("out.safetensors"), "mono", force=True)


def _manifest(path: Path) -> None:
    manifest = read_manifest(path)
    for item, _ in zip(manifest.items, range(10), strict=False):
        for picture in item.pictures:
            assert ".." not in Path(picture.path).parts
            assert not Path(picture.path).is_absolute()
            manifest.file_of(picture)


def _odd_lines(content: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    lines = content.decode().splitlines()
    at = chance.randrange(len(lines))
    lines[at] = odd_json_text(lines[at], chance)
    return "\n".join(lines).encode("utf-8", "replace")


def _recipe(path: Path) -> None:
    read_recipe(str(path))


def _clip(path: Path) -> None:
    clip = open_clip(path)
    for _ in clip.read(range(min(clip.info.frames, 3)), max_side=64):
        pass


def _picture(path: Path) -> None:
    read_picture(path)


def _claim(content: bytes, folder: Path, chance: Random) -> None:
    """A picture that claims to be larger than is read: refused in a sentence, by all that reads.

    ffmpeg passes over what the box of an AVIF claims, and plays the small picture in it.
    """
    path = folder / "claim.png"
    path.write_bytes(content)
    before = os.environ.pop(limits.VARIABLE, None)
    try:
        for reads in (read_picture, read_carrier, open_clip):
            try:
                found = reads(path)
            except InputError as error:
                assert error.message.startswith(str(path))
                assert error.message.endswith(".")
                assert error.message.isprintable()
            else:
                assert isinstance(found, Clip)
                assert np.prod(found.info.size) < MOST_PIXELS
    finally:
        if before is not None:
            os.environ[limits.VARIABLE] = before


def _photos(seeds: Seeds) -> Target:
    """A folder of photographs for `iic detect`, some damaged, of another format, or missing."""
    model = Loader(device="cpu").load(choose_entry("hide", 2, "hide-1"))
    honest = [_png_of(moving_clip(64, 72, 1, seed=seed)[0]) for seed in range(9)]

    def make(chance: Random) -> list[bytes]:
        found = list(honest)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(found))
            found[at] = damaged(found[at], chance, seeds.pictures)
            if chance.random() < 0.3:
                found[at] = chance.choice((b"", chance.choice(seeds.pictures)))
        return found[: chance.choice((2, 8, 9, 9, 9))]

    def run(contents: list[bytes], folder: Path, chance: Random) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as name:
            for number, content in enumerate(contents):
                (Path(name) / f"{number}.png").write_bytes(content)
            told: list[str] = []
            groups = split_groups(Path(name), None, 1)
            made = check(*groups, model, Manner(size=64), failed=lambda name, _: told.append(name))
        assert made.trained + made.tried + len(told) == len(contents)
        for verdict in made.verdicts:
            assert 0 <= verdict.rating.auc <= 1
            assert 0 <= verdict.rating.accuracy <= 1

    return Target(make, run, 1)


def _png_of(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


_VERBS = (
    *("embed-video", "hide", "compose", "decompose", "mononize", "dual-view", "gray", "rescale"),
    *("restore", "inspect", "evaluate", "detect", "devices", "models", "models list"),
    *("models show", "models import", "data", "data check", "train recipes", "train plot", "help"),
)
_OPTIONS = (
    *("-o", "--output", "--json", "--model", "--quality", "--frames", "--start", "--end", "--key"),
    *("--reference", "--every", "--tile", "--device", "--secrets", "--size", "--task", "--fit"),
    *("--zoom", "--layout", "--only", "--as", "--scale", "--position", "--max-side", "--method"),
    *(
        "--force",
        "--no-header",
        "--alpha",
        "--recursive",
        "--data",
        "--help",
        "--nonsense",
        "--all",
        "--train",
        "--limit",
        "--locked",
    ),
)
_VALUES = (
    *(
        "in.png",
        "in.mp4",
        "in",
        ".",
        "out.png",
        "out.jpg",
        "out/",
        "-",
        "in.png/x",
        "video-5",
        "hide",
    ),
    *("codec", "cover", "1x1", "0x0", "99999999x1", "1:2:3", "40,25", "2", "16", "-3", "1e9", "0"),
)


def _words(chance: Random) -> list[str]:
    numbers = [str(n) for n in ODD_NUMBERS]
    harmless = [text for text in ODD_TEXTS if "/" not in text]  # as they may be written to
    values = [*_VALUES, *_VALUES, *harmless, *numbers]
    words = chance.choice(_VERBS).split()
    if chance.random() < 0.7:  # something that may well be meant
        words += ["in.png"] * chance.choice((1, 1, 2))
        words += chance.choice(([], ["-o", "out.png"], ["-o", "out/"], ["-o", "out.webp"]))
    for _ in range(chance.randint(0, 3)):
        words.append(chance.choice(_OPTIONS))
        if chance.random() < 0.8:
            words.append(chance.choice(values))
    return words


def _command(words: list[str], folder: Path, chance: Random) -> None:
    """A command line, where `in.png` is a picture and nothing is asked of a terminal."""
    here, words_before = Path.cwd(), sys.argv
    place = folder / "desk"
    place.mkdir(exist_ok=True)
    os.chdir(place)
    streams = sys.stdin, sys.stdout, sys.stderr
    said = io.BytesIO()
    sys.stdin, sys.stdout = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO(), "utf-8")
    sys.stderr = io.TextIOWrapper(said, "utf-8", "backslashreplace")
    sys.argv = ["iic", *words]
    code: object = 0
    try:
        if not Path("in.png").exists():
            Image.fromarray(moving_clip(24, 32, 1)[0]).save("in.png")
        main()
    except SystemExit as leaving:
        code = leaving.code or 0
    finally:
        sys.stderr.flush()
        words_said = said.getvalue()
        sys.stdin, sys.stdout, sys.stderr = streams
        sys.argv = words_before
        os.chdir(here)
    assert code in KNOWN_CODES, (code, words_said)
    assert b"Traceback" not in words_said
    if code:
        raise IicError(f"exit code {code}")


KNOWN_CODES = range(11)
"""70 is a mistake of ours."""


__all__ = ["targets"]
