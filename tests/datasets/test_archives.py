"""Unpacking: what is needed, safely, once."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from iiccli.datasets.archives import unpack
from iiccli.errors import InputError
from tests.datasets.trees import put_tar, put_zip

MEMBERS = {
    "a/one.txt": b"1",
    "a/two.txt": b"22",
    "../up.txt": b"evil",
    "a/../../up.txt": b"evil",
    "/root.txt": b"evil",
    "..\\up.txt": b"evil",
    "C:/root.txt": b"evil",
}
Put = Callable[[Path, dict[str, bytes]], None]


@pytest.fixture(params=[(put_zip, "x.zip"), (put_tar, "x.tar")], ids=["zip", "tar"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    put, name = request.param
    path = tmp_path / "packed" / name
    put(path, MEMBERS)
    return path


def nothing(done: int, total: int, share: float) -> None:
    assert 0 <= done <= total
    assert 0 <= share <= 1


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_harmless_members_alone_are_offered(archive: Path, tmp_path: Path) -> None:
    offered: list[str] = []

    def choose(member: PurePosixPath) -> Path:
        offered.append(str(member))
        return tmp_path / "out" / member

    assert unpack(archive, choose, nothing) == 2
    assert offered == ["a/one.txt", "a/two.txt"]
    assert files(tmp_path) == ["out/a/one.txt", "out/a/two.txt", f"packed/{archive.name}"]
    assert (tmp_path / "out/a/two.txt").read_bytes() == b"22"


def test_what_is_there_stays(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one.txt").write_bytes(b"mine")
    assert unpack(archive, lambda member: tmp_path / member, nothing) == 1
    assert (tmp_path / "a/one.txt").read_bytes() == b"mine"
    assert unpack(archive, lambda member: tmp_path / member, nothing) == 0


def test_an_interruption_leaves_whole_files_and_can_be_repeated(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import iiccli.datasets.archives as module

    copy = module.shutil.copyfileobj
    calls: list[int] = []

    def broken(source: io.BufferedIOBase, target: io.BufferedIOBase) -> None:
        calls.append(1)
        if len(calls) == 2:
            target.write(b"2")
            raise KeyboardInterrupt
        copy(source, target)

    monkeypatch.setattr(module.shutil, "copyfileobj", broken)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        unpack(archive, lambda member: out / member, nothing)
    assert files(out) == ["a/one.txt"]
    assert unpack(archive, lambda member: out / member, nothing) == 1
    assert (out / "a/two.txt").read_bytes() == b"22"


def test_links_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("a/link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert unpack(path, lambda member: tmp_path / member, nothing) == 0
    assert not (tmp_path / "a").exists()


def test_a_cut_archive_is_named(archive: Path, tmp_path: Path) -> None:
    os.truncate(archive, archive.stat().st_size // 8)
    with pytest.raises(InputError, match=f"{archive.name} is damaged") as caught:
        unpack(archive, lambda member: tmp_path / "out" / member, nothing)
    assert "what is unpacked already stays" in caught.value.hint


def test_a_member_that_changed_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.txt", b"content")
    path.write_bytes(path.read_bytes().replace(b"content", b"contend", 1))
    with pytest.raises(InputError, match="is damaged"):
        unpack(path, lambda member: tmp_path / member, nothing)
    assert not (tmp_path / "a.txt").exists()


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.tar cannot be read"):
        unpack(tmp_path / "none.tar", lambda member: None, nothing)


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_bomb_is_refused_before_it_fills_the_disk(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import iiccli.datasets.archives as module

    monkeypatch.setattr(module, "SMALL", 2**20)
    path, zeros = tmp_path / f"bomb.{kind}", bytes(2**20)
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("one.png", "two.png"):
                archive.writestr(name, zeros)
    else:
        with tarfile.open(path, "w:gz") as tar:
            for name in ("one.png", "two.png"):
                member = tarfile.TarInfo(name)
                member.size = len(zeros)
                tar.addfile(member, io.BytesIO(zeros))
    with pytest.raises(InputError, match="unpacks to more than 200 times its size"):
        unpack(path, lambda member: tmp_path / "out" / member, nothing)
    assert files(tmp_path / "out") == ["one.png"]
