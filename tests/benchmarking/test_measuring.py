"""Fidelity and robustness of small models on small sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from iiccli.benchmarking.book import FIDELITY, GALLERY, NAME, ROBUSTNESS, Book
from iiccli.benchmarking.contestants.coded import Coded
from iiccli.benchmarking.contestants.network import Network
from iiccli.benchmarking.damage import DAMAGES
from iiccli.benchmarking.fidelity import measure_fidelity
from iiccli.benchmarking.subjects import chosen_models, sets_in, subjects
from iiccli.benchmarking.summary import matches, summary, survivals
from iiccli.errors import InputError, ModelError, UsageError
from iiccli.evaluation.cases import CaseOptions, plan_cases
from iiccli.evaluation.protocol import evaluate_plan
from iiccli.tasks.models import Loader
from iiccli.zoo.catalogue import find
from tests.benchmarking.conftest import planned
from tests.task_models import photograph, save

Measured = tuple[Book, Path]


def test_models_are_chosen(models: Path) -> None:
    assert [e.base for e in chosen_models((), ())][:2] == ["video-half-3", "mono"]
    assert [e.name for e in chosen_models(("gray", "hide"), ())] == ["hide-2.v1", "gray.v1"]
    assert [e.name for e in chosen_models((), ("mono",))] == ["mono.v1"]
    with pytest.raises(UsageError, match="no task 'grey'"):
        chosen_models(("grey",), ())
    with pytest.raises(ModelError, match="no model for gray"):
        chosen_models(("gray",), ("mono",))


def test_sets_are_those_that_are_there(models: Path, sets: Path, tmp_path: Path) -> None:
    assert [s.name for s in sets_in(sets, "gray")] == ["Kodak24"]
    assert sets_in(sets, "mono") == []
    for number in range(3):
        save(tmp_path / "mine" / f"{number}.png", photograph(40, 48, number))
    (own,) = sets_in(tmp_path / "mine", "gray")
    assert (own.name, own.folder) == ("mine", ".")
    notes: list[str] = []
    both = subjects(
        tmp_path / "mine", chosen_models((), ("gray", "mono")), ("balanced",), 2, notes.append
    )
    assert [(s.entry.name, s.set, len(s.cases), s.of) for s in both] == [("gray.v1", "mine", 2, 3)]
    assert "mono.v1 is not measured on mine" in notes[0]
    with pytest.raises(InputError, match="no pictures for mono"):
        subjects(sets, chosen_models((), ("mono",)), ("balanced",), None, notes.append)


def test_our_figures_are_those_of_the_protocol(
    measured: Measured, models: Path, sets: Path
) -> None:
    entry = find("hide-2")
    loader = Loader(device="cpu")
    plan = plan_cases(entry.card, sets / "Kodak24", CaseOptions(limit=2))
    wanted = evaluate_plan(plan, loader.load(entry), loader, "balanced")
    rows = measured[0].rows(FIDELITY, model="hide-2.v1", contestant="network")
    assert [row["case"] for row in rows] == [result.name for result in wanted]
    for row, result in zip(rows, wanted, strict=True):
        for name, value in result.figures.items():
            assert row[name] == pytest.approx(value, abs=1e-3)
        assert row["embed_seconds"] > 0


def test_the_classical_way_has_our_cover(measured: Measured) -> None:
    match = matches(measured[0].facts)[0]
    ours = match.standings[0]
    rival = match.rival
    assert rival is not None
    assert rival.contestant == "avif"
    assert rival.cover_psnr == pytest.approx(ours.cover_psnr, abs=0.3)
    assert rival.ahead == pytest.approx(ours.others_psnr - rival.others_psnr)
    assert match.worst[1] <= ours.others_psnr <= match.best[1]
    assert not any(s.same_cover for s in match.standings if s.contestant in ("mosaic", "4-bit LSB"))


def test_damage(measured: Measured) -> None:
    found = {(s.model, s.contestant): s for s in survivals(measured[0].facts)}
    pairs = {(m, c) for m in ("hide-2.v1", "gray.v1") for c in ("network", "avif")}
    assert set(found) == {*pairs, ("hide-2.v1", "codec")}
    for survival in found.values():
        assert list(survival.survived) == list(DAMAGES)
        assert survival.others_psnr["none"] == survival.others_psnr["lossless re-save"]
    ours, classical = found["hide-2.v1", "network"], found["hide-2.v1", "avif"]
    # One place is lost, the rest is not; the classical way breaks at the first wrong bit.
    painted, whole = ours.others_psnr["1 % painted"], ours.others_psnr["none"]
    assert painted is not None
    assert whole is not None
    assert 15 < painted < whole
    assert "damaged" in classical.why["±1 noise"]
    for name in ("JPEG 80", "crop to 90 %", "resize to 0.9"):
        assert ours.survived[name] == classical.survived[name] == 0
        assert ours.why[name].endswith(".")
        assert "/tmp" not in ours.why[name]


def test_the_summary_is_plain(measured: Measured) -> None:
    facts = json.loads(json.dumps(summary(measured[0].facts)))
    assert [m["model"] for m in facts["fidelity"]] == ["hide-2.v1", "gray.v1"]
    assert facts["bars"] == []


def test_nothing_is_measured_twice(
    measured: Measured, sets: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, folder = measured
    for path in folder.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(folder)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    done: list[str] = []
    for kind in (Network, Coded):
        embed = kind.embed

        def counted(self, job, path, embed=embed):  # type: ignore[no-untyped-def]
            done.append(f"{self.name} {job.case.name}")
            embed(self, job, path)

        monkeypatch.setattr(kind, "embed", counted)
    again = Book(tmp_path / NAME)
    loader = Loader(device="cpu")
    measure_fidelity(planned(sets, "gray"), again, loader)
    assert done == []
    measure_fidelity(planned(sets, "gray", limit=3), again, loader)
    assert done == ["network 2", "avif 2"]
    # One missing contestant is measured at the cover that is known.
    done.clear()
    again.facts[FIDELITY] = [
        row
        for row in again.facts[FIDELITY]
        if (row["model"], row["case"], row["contestant"]) != ("gray.v1", "1", "avif")
    ]
    again.save()
    measure_fidelity(planned(sets, "gray"), Book(tmp_path / NAME), loader)
    assert done == ["avif 1"]
    fresh = {
        (r["model"], r["case"], r["contestant"]): r for r in Book(tmp_path / NAME).rows(FIDELITY)
    }
    old = {(r["model"], r["case"], r["contestant"]): r for r in book.rows(FIDELITY)}
    for name, value in old["gray.v1", "1", "avif"].items():
        if name.endswith("psnr"):
            assert fresh["gray.v1", "1", "avif"][name] == pytest.approx(value, abs=1e-3)
    # Pictures that have gone are made again, and --force measures all again.
    done.clear()
    next(tmp_path.glob("pictures/gray*.jpg")).unlink()
    measure_fidelity(planned(sets, "gray"), Book(tmp_path / NAME), loader)
    assert done == ["network 0", "avif 0"]
    done.clear()
    measure_fidelity(planned(sets, "gray"), Book(tmp_path / NAME), loader, force=True)
    assert done == ["network 0", "avif 0", "network 1", "avif 1"]


def test_a_case_that_cannot_be_read_is_told(models: Path, sets: Path, tmp_path: Path) -> None:
    root = tmp_path / "broken"
    save(root / "Kodak24" / "0.png", photograph(40, 48, 1))
    (root / "Kodak24" / "1.png").write_bytes(b"no picture")
    book = Book(tmp_path / NAME)
    notes: list[str] = []
    measure_fidelity(planned(root, "gray"), book, Loader(device="cpu"), note=notes.append)
    assert {row["case"] for row in book.rows(FIDELITY)} == {"0"}
    assert notes == [note for note in notes if note.startswith("1 is left out: ")] != []


def test_pictures_for_the_report(measured: Measured) -> None:
    book, folder = measured
    walls = book.rows(GALLERY)
    assert [(w["model"], w["set"], w["case"]) for w in walls] == [
        ("hide-2.v1", "Kodak24", "0"),
        ("gray.v1", "Kodak24", "0"),
    ]
    originals, carrier, restored, apart, others = walls[0]["rows"]
    assert [len(row) for row in (originals, carrier, restored, apart)] == [3, 3, 3, 3]
    assert [p["caption"].split(":")[0] for p in others[::2]] == [
        *("network", "codec", "avif", "4-bit LSB", "mosaic"),
    ]
    files = [panel["file"] for wall in walls for row in wall["rows"] for panel in row]
    assert len(set(files)) == len(files)
    assert all((folder / "pictures" / file).is_file() for file in files)
    assert all(row["damage"] in DAMAGES for row in book.rows(ROBUSTNESS))
