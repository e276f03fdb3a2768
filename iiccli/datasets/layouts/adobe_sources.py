"""What Adobe's matting data set is unpacked from, and where its files are then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from iiccli.datasets.archives import Choice, unpack
from iiccli.datasets.layouts.base import Need
from iiccli.datasets.scanning import Progress
from iiccli.errors import InputError

FOREGROUND, ALPHA = "fg", "alpha"

_TOP = "Combined_Dataset"
_LICENCES = ("Adobe-licensed images", "Other")
_ARCHIVES = ("Addobe_Deep_Matting_Dataset.zip", "Adobe_Deep_Matting_Dataset.zip")
"""The published tree has the former name, the data set's authors use the latter."""
_VOC = "http://host.robots.ox.ac.uk/pascal/VOC/voc2008/"


@dataclass(frozen=True)
class Half:
    """The training or the test set.

    Attributes:
        folder: below `Combined_Dataset`.
        lists: the files that list foregrounds, in the order that counts, and backgrounds, those
            of one foreground after those of the other.
        each: backgrounds for a foreground.
        whole: foregrounds in the published set.
        archives: where the backgrounds are, each with what it is.
        place: where they are unpacked, below the set's home.
    """

    folder: str
    lists: tuple[str, str]
    each: int
    whole: int
    archives: tuple[tuple[str, str], ...]
    place: str


TRAINING = Half(
    folder="Training_set",
    lists=("training_fg_names.txt", "training_bg_names.txt"),
    each=100,
    whole=431,
    archives=(("train2014.zip", "COCO's training pictures of 2014; https://cocodataset.org"),),
    place="train2014",
)
TEST = Half(
    folder="Test_set",
    lists=("test_fg_names.txt", "test_bg_names.txt"),
    each=20,
    whole=50,
    archives=(
        ("VOCtrainval_14-Jul-2008.tar", f"training/validation data of {_VOC}"),
        ("VOC2008test.tar", f"test data of {_VOC}"),
    ),
    place="VOCdevkit/VOC2008/JPEGImages",
)


def needs(home: Path, halves: Iterable[Half]) -> Iterator[Need]:
    """The archives that are needed: of what is unpacked already, none."""
    halves = tuple(halves)
    unpacked = all(_has_lists(home, half) and any(_layers(home, half).values()) for half in halves)
    if _archive(home) is None and not unpacked:
        what = "the data set, from its authors; https://sites.google.com/view/deepimagematting"
        yield Need(home / _ARCHIVES[0], what, file=True)
    for half in halves:
        if not _files(home / half.place):
            for name, what in half.archives:
                yield Need(home / name, what, file=True)


class Sources:
    """One half: its lists are unpacked at once, its pictures when they are asked for.

    Attributes:
        half: which.
        folder: where it is unpacked.
        foregrounds: names, in order.

    Raises:
        InputError: the lists are missing or damaged, or an archive is.
    """

    def __init__(self, home: Path, half: Half, progress: Progress) -> None:
        self.half = half
        self._home = home
        self._progress = progress
        self._archive = _archive(home)
        self.folder = folder = home / _TOP / half.folder
        if self._archive is not None and not _has_lists(home, half):
            lists = {folder / name for name in half.lists}
            unpack(self._archive, _into(home, lambda path: path in lists), progress)
        self.foregrounds, self._backgrounds = (_names(folder / name) for name in half.lists)
        wanted = half.each * len(self.foregrounds)
        if len(self._backgrounds) < wanted:
            raise InputError(
                f"{folder / half.lists[1]} names {len(self._backgrounds)} backgrounds, but "
                f"{len(self.foregrounds)} foregrounds take {half.each} each.",
                f"Fetch {_ARCHIVES[1]} again.",
            )
        self._layers = _layers(home, half)

    def unpack(self, numbers: Sequence[int]) -> None:
        """Unpack some foregrounds, their alphas and backgrounds, as far as they are not there.

        Raises:
            InputError: an archive is damaged.
            OutputError: the system refuses.
        """
        names = {self.foregrounds[number] for number in numbers}
        absent = any(self._found(kind, name) is None for name in names for kind in self._layers)
        if absent and self._archive is not None:
            folders = {folder: kind for kind in self._layers for folder in self._folders(kind)}
            stems = {Path(name).stem for name in names}

            def layer(path: Path) -> bool:
                return path.parent in folders and path.stem in stems

            unpack(self._archive, _into(self._home, layer), self._progress)
            self._layers = _layers(self._home, self.half)
        wanted = {path for number in numbers for path in self.backgrounds(number)}
        for name, _ in self.half.archives:
            archive = self._home / name
            if archive.is_file() and not all(path.exists() for path in wanted):
                unpack(archive, _flat(self._home / self.half.place, wanted), self._progress)

    def layer(self, kind: str, number: int) -> Path:
        """The file of a foreground or its alpha; where there is none, where it belongs."""
        name = self.foregrounds[number]
        return self._found(kind, name) or self._folders(kind)[0] / name

    def backgrounds(self, number: int) -> list[Path]:
        """The backgrounds of a foreground, in order."""
        each, place = self.half.each, self._home / self.half.place
        return [place / name for name in self._backgrounds[number * each : (number + 1) * each]]

    def _found(self, kind: str, name: str) -> Path | None:
        """That name, or that name with another suffix."""
        files = self._layers[kind]
        return files.get(name) or files.get(Path(name).stem)

    def _folders(self, kind: str) -> list[Path]:
        return _layer_folders(self._home, self.half, kind)


def _archive(home: Path) -> Path | None:
    return next((home / name for name in _ARCHIVES if (home / name).is_file()), None)


def _has_lists(home: Path, half: Half) -> bool:
    return all((home / _TOP / half.folder / name).is_file() for name in half.lists)


def _layer_folders(home: Path, half: Half, kind: str) -> list[Path]:
    return [home / _TOP / half.folder / licence / kind for licence in _LICENCES]


def _layers(home: Path, half: Half) -> dict[str, dict[str, Path]]:
    """The foregrounds and alphas that are there, by name and by stem."""
    found: dict[str, dict[str, Path]] = {}
    for kind in (FOREGROUND, ALPHA):
        paths = [path for f in _layer_folders(home, half, kind) for path in _files(f)]
        found[kind] = {path.stem: path for path in paths} | {path.name: path for path in paths}
    return found


def _files(folder: Path) -> list[Path]:
    """The files in a folder; none where it is missing or cannot be read."""
    try:
        return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    except OSError:
        return []


def _names(path: Path) -> tuple[str, ...]:
    """The file names in a list, one a line.

    Raises:
        InputError: the list is missing, no text, empty, or names something that is no file name.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing.", f"Fetch {_ARCHIVES[1]} again.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text.", f"Fetch {_ARCHIVES[1]} again.") from error
    names = tuple(line.strip() for line in lines if line.strip())
    for name in names:
        if name in (".", "..") or "/" in name or "\\" in name or "\0" in name:
            raise InputError(f"{path} names {name!r}, which is no file name.")
    if not names:
        raise InputError(f"{path} is empty.", f"Fetch {_ARCHIVES[1]} again.")
    return names


def _into(home: Path, wanted: Callable[[Path], bool]) -> Choice:
    """What is wanted of the members below `Combined_Dataset`, wherever in the archive that is."""

    def choose(member: PurePosixPath) -> Path | None:
        if _TOP not in member.parts:
            return None
        target = home.joinpath(*member.parts[member.parts.index(_TOP) :])
        return target if wanted(target) else None

    return choose


def _flat(place: Path, wanted: set[Path]) -> Choice:
    """Members in a folder that is called like `place`."""

    def choose(member: PurePosixPath) -> Path | None:
        target = place / member.name
        return target if member.parent.name == place.name and target in wanted else None

    return choose
