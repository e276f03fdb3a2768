"""Which models are at hand, and which of them is meant."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from iiccli.errors import ModelError
from iiccli.zoo.modelfile import Card, read_card, sha256
from iiccli.zoo.packing import is_model, models_in, stem

FOLDER_VARIABLE = "IIC_MODELS"
"""Environment variable: a folder that is searched before the others."""

_VERSION = re.compile(r"(?P<base>.+)\.v(?P<number>\d+)")


@dataclass(frozen=True)
class Entry:
    """A model file at hand."""

    name: str
    path: Path

    @property
    def base(self) -> str:
        """The name without its version."""
        match = _VERSION.fullmatch(self.name)
        return match["base"] if match else self.name

    @property
    def version(self) -> int:
        """Its version; 0 where the name has none."""
        match = _VERSION.fullmatch(self.name)
        return int(match["number"]) if match else 0

    @property
    def hash(self) -> str:
        """SHA-256 of the file, unpacked if it is packed."""
        return sha256(self.path)

    @property
    def card(self) -> Card:
        """What the file says about itself."""
        return read_card(self.path)


def user_folder() -> Path:
    """Where a user's own models live."""
    from platformdirs import user_data_path

    return user_data_path("iic", appauthor=False) / "models"


def folders() -> Iterator[Path]:
    """All places that hold models, first come first served."""
    if named := os.environ.get(FOLDER_VARIABLE):
        yield Path(named)
    package = Path(__file__).parents[1]
    yield package / "_models"  # inside a wheel
    yield package.parent / "models"  # in a checkout
    yield user_folder()


def entries() -> list[Entry]:
    """All models at hand, by name; the first folder's where two have one name."""
    found: dict[str, Entry] = {}
    for folder in folders():
        if folder.is_dir():
            for path in models_in(folder):
                found.setdefault(stem(path), Entry(stem(path), path))
    return sorted(found.values(), key=lambda entry: (entry.base, entry.version))


def find(name: str) -> Entry:
    """The model meant by a path, a full name, or a name without version (the newest then).

    Raises:
        ModelError: there is none.
    """
    if is_model(name) or os.sep in name:
        path = Path(name)
        if not path.is_file():
            raise ModelError(f"There is no model file {path}.", "Check the path.")
        return Entry(stem(path), path)
    known = entries()
    exact = [entry for entry in known if entry.name == name]
    newest = [entry for entry in known if entry.base == name]
    if exact or newest:
        return (exact or newest)[-1]
    raise ModelError(
        f"There is no model {name!r}.",
        f"At hand: {', '.join(entry.name for entry in known) or 'none'}.",
    )


def find_by_hash(digest: str, name: str = "") -> Entry | None:
    """The model whose SHA-256 begins with `digest`; the one called `name` is tried first.

    The name is compared with those of the files at hand, and never used as a path.

    Raises:
        ModelError: there is none, but another file of that name: damaged, or swapped.
    """
    known = entries()
    known.sort(key=lambda entry: entry.name != name)
    hashes = {}
    for entry in known:
        hashes[entry.name] = entry.hash
        if hashes[entry.name].startswith(digest):
            return entry
    if name in hashes:
        path = next(entry.path for entry in known if entry.name == name)
        raise ModelError(
            f"The carrier needs {name} with the SHA-256 {digest[:16]}…, but {path} has "
            f"{hashes[name][:16]}…: it is damaged, or another file of that name.",
            "`iic models verify` tells whether it is as published; get the original file.",
        )
    return None


def check_published(entry: Entry, digest: str) -> None:
    """Refuse a model that is not the file which README.md beside it tells of.

    Raises:
        ModelError: it is another file of that name.
    """
    if published_hash(entry) not in (None, digest):
        raise ModelError(
            f"{entry.path} is not the file that was published: it is damaged, or was swapped.",
            "Get the file again; `iic models verify` checks all of them.",
        )


def for_pictures(task: str, pictures: int, scale: int = 1) -> Entry:
    """The model to convert so many pictures with: the smallest that takes them.

    `scale` is how many times smaller than the pictures the carrier is to be.

    Among those, one called after its task and what it takes goes before your others, and the newest
    version before older ones. Damaged files are passed over.

    Raises:
        ModelError: none takes that many.
    """

    def foreign(entry: Entry, card: Card) -> bool:
        return entry.base not in (_usual_name(task, card), task)

    fitting = [
        (card.pictures, foreign(entry, card), -entry.version, entry.name, entry)
        for entry, card in _cards(task, scale)
        if card.pictures >= pictures
    ]
    if fitting:
        return min(fitting)[-1]
    sizes = sorted({card.pictures for _, card in _cards(task, scale)})
    hint = f"Models at hand take {', '.join(map(str, sizes))}." if sizes else "See `iic models`."
    noun = "picture" if pictures == 1 else "pictures"
    raise ModelError(f"No model for {task} takes {pictures} {noun}{_smaller(scale)}.", hint)


def most_pictures(task: str, scale: int = 1) -> int:
    """How many pictures a model for `task` takes at most.

    Raises:
        ModelError: there is no model for it.
    """
    sizes = [card.pictures for _, card in _cards(task, scale)]
    if not sizes:
        raise ModelError(
            f"There is no model for {task}{_smaller(scale)}.",
            f"Put one into {user_folder()}, or name its folder with {FOLDER_VARIABLE}.",
        )
    return max(sizes)


def published_hash(entry: Entry) -> str | None:
    """The SHA-256 that README.md beside the model tells, if it tells one."""
    try:
        text = entry.path.with_name("README.md").read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return None
    name = re.escape(entry.path.name)
    found = re.search(rf"\({name}\)[^`]*SHA-256\s+`([0-9a-f]{{64}})`", text)
    return found[1] if found else None


def _usual_name(task: str, card: Card) -> str:
    """What a model of ours for so many pictures, at that scale, is called."""
    if task == "hide":
        return f"{task}-{card.pictures - 1}"  # after how many are hidden
    if task == "rescale":
        return f"{task}-{card.scale}"
    half = "-half" if card.scale == 2 else ""
    return f"{task}{half}-{card.pictures}"


def _smaller(scale: int) -> str:
    return f" in a carrier {scale} times smaller" if scale > 1 else ""


def _cards(task: str, scale: int) -> Iterator[tuple[Entry, Card]]:
    """Models for `task` that can be read; `iic models verify` names those that cannot."""
    for entry in entries():
        try:
            card = entry.card
        except ModelError:
            continue
        if card.task == task and card.scale == scale:
            yield entry, card
