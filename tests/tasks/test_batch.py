"""What there is to convert, where it goes, and what is left to do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.carrier import Header, write_carrier
from iiccli.errors import InputError, ModelError, OutputError, UsageError
from iiccli.tasks.batch import (
    EmbedOne,
    Item,
    Job,
    Outcome,
    common_code,
    find_items,
    is_done,
    is_folder,
    own_results,
    plan,
    run,
)
from iiccli.tasks.conversion import Made
from tests.conftest import Pixels, texture

HASH = "ab" * 32


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """photos/: two pictures, one in a folder of it, and what is none."""
    monkeypatch.chdir(tmp_path)
    for name in ("img10.JPG", "img2.png", "trip/a.webp", "trip/deep/b.tif"):
        path = Path("photos", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name in (".hidden.png", "notes.txt", "trip/.b.png", ".cache/x.png"):
        path = Path("photos", name)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return Path("photos")


def places(items: Sequence[Item]) -> list[str]:
    return [item.place.as_posix() for item in items]


def test_a_folder_gives_its_pictures_in_natural_order(photos: Path) -> None:
    items = find_items([photos])
    assert places(items) == ["img2", "img10"]
    assert items[0].sources == (photos / "img2.png",)


def test_recursive_keeps_the_tree(photos: Path) -> None:
    assert places(find_items([photos], recursive=True)) == [
        "img2",
        "img10",
        "trip/a",
        "trip/deep/b",
    ]


def test_links_to_folders_are_not_followed(photos: Path) -> None:
    (photos / "loop").symlink_to(photos.resolve(), target_is_directory=True)
    assert len(find_items([photos], recursive=True)) == 4


def test_files_are_taken_whatever_they_are_called(photos: Path) -> None:
    items = find_items([photos / "notes.txt", Path("missing.png")])
    assert places(items) == ["notes", "missing"]


def test_a_pattern_that_no_shell_has_expanded(photos: Path) -> None:
    assert places(find_items([Path("photos/img*")])) == ["img2", "img10"]
    with pytest.raises(InputError, match="No file matches"):
        find_items([Path("photos/*.bmp")])
    odd = photos / "a[1].png"
    odd.touch()
    assert find_items([odd])[0].sources == (odd,)


def test_a_folder_without_pictures(photos: Path) -> None:
    (photos / "empty").mkdir()
    with pytest.raises(InputError, match="empty holds no pictures") as caught:
        find_items([photos / "empty"])
    assert "--recursive" in caught.value.hint


def test_results_of_an_earlier_run_are_no_inputs(photos: Path) -> None:
    (photos / "img2.gray.png").touch()
    (photos / "out").mkdir()
    (photos / "out/img2.png").touch()
    beside = find_items([photos], leave_out=own_results(None, "gray"))
    assert places(beside) == ["img2", "img10"]
    elsewhere = find_items([photos], leave_out=own_results("elsewhere", "gray"))
    assert sorted(places(elsewhere)) == ["img10", "img2", "img2.gray"]
    inside = find_items([photos], recursive=True, leave_out=own_results("photos/out", "gray"))
    assert "out/img2" not in places(inside)


@pytest.mark.parametrize(
    ("output", "folder"),
    [("out", True), ("out/", True), ("out.d/", True), ("a.png", False), ("here.d", True)],
)
def test_what_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, folder: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here.d").mkdir()
    assert is_folder(output) == folder


def item(name: str, place: str | None = None) -> Item:
    return Item((Path(name),), Path(place or Path(name).stem))


@pytest.mark.parametrize(
    ("output", "targets"),
    [
        (None, ["in/photo.gray.png", "in/b.c.gray.png"]),
        ("out", ["out/trip/photo.png", "out/b.c.png"]),
        ("out.d/", ["out.d/trip/photo.png", "out.d/b.c.png"]),
    ],
)
def test_where_results_go(output: str | None, targets: list[str]) -> None:
    jobs = plan([item("in/photo.jpg", "trip/photo"), item("in/b.c.png")], output, "gray")
    assert [job.target.as_posix() for job in jobs] == targets
    assert not any(job.named for job in jobs)


def test_one_result_may_be_named() -> None:
    assert plan([item("a.jpg")], "b.tif", "gray") == [
        Job((Path("a.jpg"),), Path("b.tif"), named=True)
    ]
    with pytest.raises(UsageError, match=r"b\.tif is one file"):
        plan([item("a.jpg")], "b.tif", "gray", single=False)
    with pytest.raises(UsageError, match=r"b\.png is one file") as caught:
        plan([item("a.jpg"), item("b.jpg")], "b.png", "gray")
    assert "-o b/" in caught.value.hint


def test_nothing_to_do() -> None:
    with pytest.raises(UsageError, match="nothing to do"):
        plan([], None, "gray")


def test_two_results_of_one_name_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"x/a\.jpg and y/a\.png would both become out/a\.png"):
        plan([item("x/a.jpg"), item("y/a.png")], "out", "gray")
    with pytest.raises(UsageError, match=r"a\.jpg is given twice"):
        plan([item("a.jpg"), item("./a.jpg")], "out", "gray")


def test_a_result_never_overwrites_an_input() -> None:
    with pytest.raises(UsageError, match=r"a\.png would overwrite"):
        plan([item("a.png")], "a.png", "gray")
    with pytest.raises(UsageError, match=r"would overwrite in/b\.png, which is one"):
        plan([item("in/a.jpg"), item("in/b.png")], "in/", "gray")


def pixels(seed: int) -> Pixels:
    values = (texture(40, 50, seed).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    return np.asarray(values)


def carrier(path: Path, seed: int, quality: int = 0, task: str = "mono") -> None:
    header = Header(
        task=task,
        model="m",
        model_hash=HASH,
        size=(50, 40),
        pictures=2,
        reference=0,
        valid=2,
        quality=quality,
    )
    write_carrier(path, pixels(seed), header)


def photo(path: Path, seed: int) -> Path:
    Image.fromarray(pixels(seed)).save(path)
    return path


def test_what_is_done(tmp_path: Path) -> None:
    a, b = photo(tmp_path / "a.png", 1), photo(tmp_path / "b.png", 2)
    target = tmp_path / "c.png"
    assert not is_done(target, "mono", a)
    carrier(target, 1)
    assert is_done(target, "mono", a)
    assert is_done(target, "mono", None)
    assert not is_done(target, "mono", b)
    assert not is_done(target, "dual", a)
    assert not is_done(target, "mono", a, lambda header: header.quality == 1)
    assert not is_done(target, "mono", tmp_path / "missing.png")
    assert not is_done(a, "mono", a)
    target.write_bytes(target.read_bytes()[:-500])
    assert not is_done(target, "mono", a)
    carrier(tmp_path / "d.png", 1)
    Image.open(tmp_path / "d.png").save(target, pnginfo=None)  # its metadata is lost
    assert not is_done(target, "mono", a)


def test_a_smaller_gray_carrier_is_known_again(tmp_path: Path) -> None:
    a, b = photo(tmp_path / "a.png", 1), photo(tmp_path / "b.png", 2)
    small = np.asarray(Image.open(a).convert("L").resize((25, 20)))
    header = Header(
        task="gray", model="m", model_hash=HASH, size=(25, 20), pictures=1, reference=0, valid=1
    )
    write_carrier(tmp_path / "c.png", small, header)
    assert is_done(tmp_path / "c.png", "gray", a)
    assert not is_done(tmp_path / "c.png", "gray", b)


def jobs_in(folder: Path, count: int, named: bool = False) -> list[Job]:
    return [
        Job((photo(folder / f"{i}.jpg.png", i),), folder / f"out{i}.png", named)
        for i in range(count)
    ]


def fake(fails: Sequence[str] = (), made: list[str] | None = None) -> EmbedOne:
    def embed_one(sources: Sequence[Path], target: Path) -> Made:
        if target.stem in fails:
            raise InputError(f"{sources[0]} is bad.")
        if made is not None:
            made.append(target.stem)
        return Made(target, pixels(0), None, pixels(0), [])  # type: ignore[arg-type]

    return embed_one


def states(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.state for outcome in outcomes]


def test_a_bad_one_does_not_stop_the_others(tmp_path: Path) -> None:
    jobs = jobs_in(tmp_path, 3)
    outcomes = list(run(jobs, fake(["out1"]), "mono"))
    assert states(outcomes) == ["done", "failed", "done"]
    assert "is bad" in str(outcomes[1].error)


def test_what_is_there_and_whole_is_left(tmp_path: Path) -> None:
    jobs = jobs_in(tmp_path, 3)
    carrier(jobs[1].target, 1)
    carrier(jobs[2].target, 7)  # of another picture
    made: list[str] = []
    assert states(list(run(jobs, fake(made=made), "mono"))) == ["done", "skipped", "done"]
    assert made == ["out0", "out2"]
    assert states(list(run(jobs, fake(), "mono", force=True))) == ["done"] * 3
    other = run(jobs, fake(), "mono", same=lambda job, header: header.quality == 2)
    assert states(list(other)) == ["done"] * 3
    assert states(list(run(jobs, fake(), "mono", look=False))) == ["done", "skipped", "skipped"]


def test_a_target_that_was_named_is_not_passed_over(tmp_path: Path) -> None:
    (job,) = jobs_in(tmp_path, 1, named=True)
    carrier(job.target, 0)
    assert states(list(run([job], fake(), "mono"))) == ["done"]


def test_one_that_is_too_large_does_not_stop_the_others(tmp_path: Path) -> None:
    def large(sources: Sequence[Path], target: Path) -> Made:
        if target.stem == "out0":
            raise MemoryError
        return fake()(sources, target)

    first, second = run(jobs_in(tmp_path, 2), large, "mono")
    assert (first.state, second.state) == ("failed", "done")
    assert first.error is not None
    assert first.error.exit_code == 9


def test_mistakes_of_ours_are_not_swallowed(tmp_path: Path) -> None:
    def broken(sources: Sequence[Path], target: Path) -> Made:
        raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError):
        list(run(jobs_in(tmp_path, 1), broken, "mono"))


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([None, None], 0),
        ([], 0),
        ([InputError("x"), None, InputError("y")], 3),
        ([InputError("x"), OutputError("y")], 1),
        ([ModelError("x")], 6),
    ],
)
def test_the_code_of_a_batch(errors: list[InputError | None], code: int) -> None:
    assert common_code(errors) == code


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(photos: Path) -> None:
    (photos / "trip").chmod(0)
    try:
        with pytest.raises(InputError, match="cannot be read"):
            find_items([photos], recursive=True)
    finally:
        (photos / "trip").chmod(0o755)
