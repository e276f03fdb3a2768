"""The page on the models that ship."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from iiccli.errors import ModelError
from iiccli.evaluation.published import FIRST_BARS, PUBLISHED
from iiccli.evaluation.report import models_page, sets_of
from iiccli.tasks.conversion import MODULES
from iiccli.zoo.catalogue import Entry, published_hash
from iiccli.zoo.modelfile import Card, save_model

ROW = {"cover_psnr": 46.351, "others_psnr": 39.046, "cover_ssim": 0.99137, "others_ssim": 0.96844}
NEW = {**ROW, "reference_psnr": 50.0, "others_y_psnr": 41.234}


def put(folder: Path, name: str, metrics: dict[str, Any], **config: int) -> Path:
    task = name.split("-")[0].split(".")[0]
    card = Card(name, task, "transform", config, metrics=metrics, data="much")
    card = replace(card, recipe={"schedule": {"minutes": 30, "rate": 1e-3}, "machine": "big"})
    path = folder / f"{name}.safetensors"
    save_model(path, card, {"x": torch.zeros(1)})
    return path


def rows(page: str) -> list[list[str]]:
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, "video-5.v1", {"qualities": {"content": ROW, "cover": ROW}}, pictures=5)
    put(tmp_path, "video-5.v2", {"sets": {"DAVIS": {"cover": NEW}}}, pictures=5)
    put(tmp_path, "hide-1.v1", {"sets": {"Kodak24": {"balanced": NEW}}}, pictures=2)
    layers = {**NEW, "alpha_error": 0.00312, "background_psnr": 37.0, "foreground_psnr": 42.0}
    put(tmp_path, "layers.v1", {"sets": {"matting": {"balanced": layers}}}, pictures=3)
    put(tmp_path, "rescale-4.v1", {}, pictures=1, scale=4)
    put(tmp_path, "rescale-2.v1", {"sets": {"Set14": {"balanced": NEW}}}, pictures=1, scale=2)
    return tmp_path


def test_tables(folder: Path) -> None:
    page = models_page(folder)
    found = rows(page)
    figures = ["46.35 dB", "39.05 dB", "", "0.9914", "0.9684"]
    assert ["video-5.v1", "5", "DAVIS", "cover", *figures] in found
    assert ["video-5.v1", "5", "DAVIS", "content", *figures] in found
    figures[2] = "41.23 dB"
    assert ["video-5.v2", "5", "DAVIS", "cover", *figures] in found
    assert ["hide-1.v1", "2", "Kodak24", "balanced", *figures] in found
    layers = ["37.00 dB", "42.00 dB", "0.0031"]
    assert ["layers.v1", "3", "matting", "balanced", *figures, *layers] in found
    # Next to them what others reach, and what is to be reached.
    assert ["*WIN*", "", "*DIV2K*", "", "*50.05 dB*", "*49.46 dB*", "", "", ""] in found
    assert ["*IRN*", "", "*Set14*", "", "", "*36.69 dB*", "", "", ""] in found
    assert ["*first bar*", "", "*Set14*", "", "*≥ 34 dB*", "*≥ 33 dB*", "", "", ""] in found
    assert not any("*IDN*" in row for row in found)  # there is no model for gray
    heads = [line for line in page.splitlines() if line.startswith("## ")]
    assert heads == ["## video", "## hide", "## layers", "## rescale", "## Protocol", "## Files"]


def test_sets_that_were_measured_in_part(tmp_path: Path) -> None:
    metrics = {"sets": {"Kodak24": {"cover": NEW}, "Set5": {"cover": NEW}}}
    metrics |= {"cases": {"Kodak24": 6, "Set5": 5}, "cut_from": {"Kodak24": 24}}
    put(tmp_path, "gray.v1", metrics, pictures=1)
    names = [row[2] for row in rows(models_page(tmp_path)) if row[0] == "gray.v1"]
    assert names == ["Kodak24, 6 of 24 cases", "Set5"]


def test_every_table_is_well_formed(folder: Path) -> None:
    for block in models_page(folder).split("\n\n"):
        widths = {len(row) for row in rows(block)}
        assert len(widths) <= 1, block


def test_files(folder: Path) -> None:
    page = models_page(folder)
    sections = [line[4:] for line in page.splitlines() if line.startswith("### ")]
    assert sections == [
        "video-5.v1",
        "video-5.v2",
        "hide-1.v1",
        "layers.v1",
        "rescale-2.v1",
        "rescale-4.v1",
    ]
    assert "- For: rescale, 1 picture, carrier of 1/4 their size; network `transform`" in page
    assert "- Trained on: much" in page
    assert "- Training: 30 minutes, learning rate 0.001\n" in page
    (folder / "README.md").write_text(page, encoding="utf-8")
    for path in folder.glob("*.safetensors"):
        entry = Entry(path.stem, path)
        assert published_hash(entry) == entry.hash


def test_no_models_and_damaged_ones(tmp_path: Path) -> None:
    assert models_page(tmp_path) == ""
    (tmp_path / "video-5.v1.safetensors").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"video-5\.v1\.safetensors is damaged"):
        models_page(tmp_path)


def test_figures_of_both_layouts() -> None:
    card = Card("a", "video", "transform", {})
    assert sets_of(card) == {}
    old = replace(card, metrics={"qualities": {"cover": ROW}})
    new = replace(card, metrics={"sets": {"DAVIS": {"cover": ROW}}})
    assert sets_of(old) == sets_of(new)


def test_what_is_published_belongs_to_a_task() -> None:
    for base in (*FIRST_BARS, *(row.model for row in PUBLISHED)):
        assert base.split("-")[0] in MODULES
