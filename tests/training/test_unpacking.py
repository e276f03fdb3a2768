"""Archives among the training data."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from iiccli.errors import TrainingError
from iiccli.training.footage import load_footage
from iiccli.training.unpacking import unpacked


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(
        "iiccli.training.unpacking.user_cache_path", lambda *_, **__: tmp_path / "cache"
    )
    return tmp_path / "cache"


def png(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (24, 16), (value, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def tar_of(path: Path, *values: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for value in values:
            member = tarfile.TarInfo(f"photos/{'abcdef'[value]}.png")
            content = png(value)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_archives_serve_as_folders_do(tmp_path):
    tar = tar_of(tmp_path / "all" / "one.tar", 0, 1)
    with zipfile.ZipFile(tmp_path / "all" / "two.zip", "w") as archive:
        archive.writestr("x.png", png(2))
    Image.new("RGB", (24, 16)).save(tmp_path / "all" / "beside.png")
    assert len(load_footage([tar], frames=0).index.stills) == 2
    assert len(load_footage([tmp_path / "all"], frames=0).index.stills) == 4


def test_what_was_unpacked_is_not_unpacked_again_and_what_changed_is(tmp_path):
    tar = tar_of(tmp_path / "one.tar", 0)
    (folder,) = unpacked([tar])
    (folder / "photos" / "a.png").write_bytes(b"changed by hand")
    assert unpacked([tar]) == [folder]
    assert (folder / "photos" / "a.png").read_bytes() == b"changed by hand"
    tar_of(tar, 0, 1, 2)
    (other,) = unpacked([tar])
    assert other != folder
    assert len(list(other.rglob("*.png"))) == 3


def test_folders_and_manifests_stay_as_they_are(tmp_path):
    manifest = tmp_path / "a.jsonl"
    assert unpacked([tmp_path, manifest]) == [tmp_path, manifest]


def test_a_damaged_archive_is_named_and_tried_again(tmp_path):
    tar = tar_of(tmp_path / "one.tar", 0, 1)
    whole = tar.read_bytes()
    tar.write_bytes(whole[:700])
    with pytest.raises(TrainingError, match=r"one\.tar"):
        unpacked([tar])
    tar.write_bytes(whole)
    assert len(list(unpacked([tar])[0].rglob("*.png"))) == 2
