"""Which inputs belong together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from iiccli.errors import InputError, UsageError
from iiccli.tasks.batch import Item, Job
from iiccli.tasks.pairs import arrangement, items_of, up_to_date


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("l/2.png", "l/10.png", "l/sub/3.png", "r/a.png", "r/b.png", "r/c.mpo"):
        Path(name).parent.mkdir(exist_ok=True, parents=True)
        Image.new("RGB", (2, 2)).save(name, "PNG")
    return tmp_path


def test_arrangements(tree: Path) -> None:
    assert arrangement(["a.png", "b.png"], each=False) == "pair"
    assert arrangement(["a.png", "b.png"], each=True) == "each"
    assert arrangement(["a.png"], each=False) == "each"
    assert arrangement(["a", "b", "c"], each=False) == "each"
    assert arrangement(["l", "r"], each=False) == "folders"
    assert arrangement(["-", "b.png"], each=False) == "pair"
    with pytest.raises(UsageError, match="only one is a folder"):
        arrangement(["l", "b.png"], each=False)


def test_two_files_are_one_item() -> None:
    paths = [Path("x/l.png"), Path("r.png")]
    assert items_of("pair", recursive=False)(paths) == [Item(tuple(paths), Path("l"))]


def test_folders_go_together_in_order(tree: Path) -> None:
    found = items_of("folders", recursive=False)([Path("l"), Path("r")])
    names = [tuple(map(str, item.sources)) for item in found]
    assert names == [("l/2.png", "r/a.png"), ("l/10.png", "r/b.png")]
    assert [str(item.place) for item in found] == ["2", "10"]


def test_folders_of_unequal_number(tree: Path) -> None:
    with pytest.raises(InputError, match="l holds 3 pictures, r holds 2"):
        items_of("folders", recursive=True)([Path("l"), Path("r")])
    more = items_of("folders", recursive=True, more_suffixes=(".mpo",))
    assert str(more([Path("l"), Path("r")])[2].place) == "sub/3"


def test_each_for_itself(tree: Path) -> None:
    found = items_of("each", recursive=False, more_suffixes=(".mpo",))([Path("r"), Path("l/2.png")])
    assert [item.sources[0].name for item in found] == ["a.png", "b.png", "c.mpo", "2.png"]


def test_a_target_is_up_to_date_until_a_source_changes(tree: Path) -> None:
    job = Job((Path("l/2.png"), Path("r/a.png")), Path("l/10.png"))
    os.utime("l/10.png", (10**9, 10**9))
    assert not up_to_date(job)
    for source in job.sources:
        os.utime(source, (10**9, 10**9))
    assert up_to_date(job)
    assert not up_to_date(Job(job.sources, Path("none.png")))
