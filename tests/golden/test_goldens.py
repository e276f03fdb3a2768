"""Every model that ever shipped still restores what it once embedded, as well as it did then."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from iiccli.carrier import read_carrier
from iiccli.errors import ModelError, OutputExistsError
from iiccli.tasks.models import Loader
from iiccli.zoo import catalogue
from tests.golden import goldens

CLOSE = 0.02
"""In dB: machines round differently where a network runs in floating point."""

KEPT = sorted(path.stem for path in goldens.CARRIERS.glob("*.json"))


def test_every_model_that_ships_has_a_golden_carrier() -> None:
    lacking = set(goldens.model_names() + goldens.codec_names()) - set(KEPT)
    assert not lacking, f"make them with scripts/golden.py: {sorted(lacking)}"


@pytest.mark.parametrize("name", KEPT)
def test_it_restores_as_it_did(name: str) -> None:
    record, carrier = goldens.record_of(name), goldens.CARRIERS / f"{name}.png"
    assert hashlib.sha256(carrier.read_bytes()).hexdigest() == record["carrier_sha256"]
    found = read_carrier(carrier)
    assert found.state == "whole"
    assert found.header.model_hash == record["model_sha256"]
    if found.header.method != "codec":
        assert goldens.entry_of(name).hash == record["model_sha256"]
    pictures = goldens.drawn(record["task"], record["pictures"], record["scale"])
    assert goldens.figures(carrier, pictures) == pytest.approx(record["psnr"], abs=CLOSE)


def test_they_stay_small() -> None:
    sizes = {path.name: path.stat().st_size for path in goldens.CARRIERS.iterdir()}
    assert max(sizes.values()) <= goldens.MOST_BYTES
    assert sum(sizes.values()) <= 700_000


def test_what_is_kept_is_never_replaced(tmp_path: Path) -> None:
    name = goldens.codec_names()[0]
    (tmp_path / f"{name}.png").write_bytes(b"kept")
    with pytest.raises(OutputExistsError):
        goldens.add(name, tmp_path)
    assert (tmp_path / f"{name}.png").read_bytes() == b"kept"


def test_a_model_that_was_damaged_or_swapped_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bit of the weights is another: the carrier does not take it, and neither does a verb."""
    name = "hide-1.v1"
    content = bytearray((goldens.MODELS / f"{name}.safetensors").read_bytes())
    content[-1000] ^= 1
    path = tmp_path / f"{name}.safetensors"
    path.write_bytes(content)
    shutil.copy(goldens.MODELS / "README.md", tmp_path)
    monkeypatch.setattr(catalogue, "folders", lambda: iter([tmp_path]))
    loader = Loader(device="cpu")
    with pytest.raises(ModelError, match=f"needs {name} with the SHA-256.*another file of that"):
        loader.load_for_carrier(read_carrier(goldens.CARRIERS / f"{name}.png").header)
    with pytest.raises(ModelError, match="not the file that was published"):
        loader.load(catalogue.find(name))
