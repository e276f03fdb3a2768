"""Cases out of manifests: the right pictures for the right models."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from iiccli.datasets.catalogue import LAYOUTS
from iiccli.datasets.manifest import Box, Heading, Item, Picture, write_manifest
from iiccli.errors import InputError, ModelError, UsageError
from iiccli.evaluation.cases import Case, CaseOptions, Plan, plan_cases
from iiccli.evaluation.cases.manifests import manifest_in
from iiccli.tasks.dual_view import essentials_of
from iiccli.zoo.modelfile import Card
from tests.conftest import Pixels, moving_clip
from tests.task_models import disc, photograph, save


class Desk:
    """A folder of data sets."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, role: str, path: str, pixels: Pixels, box: Box | None = None) -> Picture:
        file = self.root / path
        save(file, pixels)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        return Picture(role, path, pixels.shape[1], pixels.shape[0], digest, box)

    def manifest(self, alias: str, pictures: int, *items: Item, **heading: Any) -> Path:
        path = self.root / "manifests" / f"{alias}-test.jsonl"
        path.parent.mkdir(exist_ok=True)
        head = Heading(alias, "test", LAYOUTS[alias.split("-x")[0]].task, pictures, **heading)
        write_manifest(path, head, items)
        return path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def card(task: str, pictures: int, network: str = "adaptive", **config: int) -> Card:
    return Card("m.v1", task, network, {"pictures": pictures, **config})


def planned(path: Path, given: Card, **options: Any) -> Plan:
    return plan_cases(given, path, CaseOptions(**options))


def one(path: Path, given: Card) -> Case:
    (case,) = planned(path, given).cases
    found = case.read()
    assert found.name == case.name
    return found


def test_windows_are_as_long_as_the_model_takes(desk: Desk) -> None:
    frames = moving_clip(16, 20, 7, seed=1)
    clip = [desk.put("frame", f"clip/{i:05}.png", frame) for i, frame in enumerate(frames)]
    path = desk.manifest("davis", 5, Item("clip", tuple(clip)), steps=(3, 1))
    plan = planned(path, card("video", 3))
    assert len(plan.cases) == 1 + 5
    assert len({case.name for case in plan.cases}) == 6
    assert "windows of 3 frames that are 3 and 1 apart" in plan.words
    first, second = plan.cases[0].read(), plan.cases[1].read()
    assert [p.tolist() for p in first.pictures] == [frames[i].tolist() for i in (0, 3, 6)]
    assert [p.tolist() for p in second.pictures] == [frames[i].tolist() for i in (0, 1, 2)]
    assert first.reference == second.reference == 1
    assert len(planned(path, card("video", 3), step=3).cases) == 1
    assert len(planned(path, card("video", 5), step=1).cases) == 3
    assert len(planned(path, card("video", 3), limit=2).cases) == 2
    with pytest.raises(UsageError, match="no windows of step 2") as told:
        planned(path, card("video", 3), step=2)
    assert told.value.hint == "Its steps: 3, 1."
    with pytest.raises(InputError, match="nothing that can be measured"):
        planned(path, card("video", 9))


def test_pairs(desk: Desk) -> None:
    left, right = moving_clip(16, 20, 2, seed=2)
    pair = (desk.put("left", "0001_L.png", left), desk.put("right", "0001_R.png", right))
    case = one(desk.manifest("flickr1024", 2, Item("0001", pair)), card("mono", 2))
    assert case.reference == 0
    assert [p.tolist() for p in case.pictures] == [left.tolist(), right.tolist()]


def test_double_views_tell_their_zoom(desk: Desk) -> None:
    wide, large = photograph(20, 24, 1), photograph(80, 96, 2)
    views = (
        desk.put("wide", "low/1.png", wide),
        desk.put("tele", "high/1.png", large, (36, 30, 60, 50)),
    )
    path = desk.manifest("div2k-dual-x4", 2, Item("1", views, zoom=4))
    case = one(path, card("dual", 2))
    near = large[30:50, 36:60]
    assert (case.pictures[1] == near).all()
    assert case.zoom == 4
    assert case.header == {"essentials": essentials_of(wide, 4, near)}


def test_secrets_are_cropped_to_the_cover(desk: Desk) -> None:
    cover, secret = photograph(20, 24, 1), photograph(22, 22, 2)
    pictures = (desk.put("cover", "a.png", cover), desk.put("secret", "b.png", secret))
    path = desk.manifest("flickr", 2, Item("a", pictures))
    case = one(path, card("hide", 2))
    assert (case.pictures[0] == cover[:, 1:23]).all()
    assert (case.pictures[1] == secret[1:21]).all()
    with pytest.raises(ModelError, match=r"takes 3 pictures, but a group of flickr-test\.jsonl"):
        planned(path, card("hide", 3))


def test_gray_and_rescale(desk: Desk) -> None:
    picture = photograph(19, 22, 1)
    item = Item("a", (desk.put("picture", "a.png", picture),))
    assert (one(desk.manifest("voc2012", 1, item), card("gray", 1)).pictures[0] == picture).all()
    path = desk.manifest("div2k-sr", 1, item)
    case = one(path, card("rescale", 1, scale=4))
    assert (case.pictures[0] == picture[:16, :20]).all()
    assert "a multiple of 4" in planned(path, card("rescale", 1, scale=4)).words


def test_composites(desk: Desk) -> None:
    front, back, alpha = photograph(20, 24, 1), photograph(30, 40, 2), disc(20, 24)
    layers = (
        desk.put("foreground", "f.png", front),
        desk.put("alpha", "a.png", np.repeat(alpha[..., None], 3, axis=2)),
        desk.put("background", "b.png", back),
    )
    path = desk.manifest("adobe", 3, Item("f-b", layers))
    for given in (card("layers", 3), card("layers", 3, "iicnet"), card("layers", 2, "iicnet")):
        case = one(path, given)
        share = alpha[..., None] / 255
        expected = np.rint(share * front + (1 - share) * back[:20, :24])
        assert (case.pictures[0] == expected).all()
        assert (case.pictures[1] == back[:20, :24]).all()
        assert (case.pictures[2] == alpha[..., None]).all()
        assert case.premultiplied is not None
        assert (case.premultiplied == np.rint(share * front)).all()
    words = planned(path, card("layers", 3, "iicnet")).words
    assert "composite, background, premultiplied" in words


def test_composites_without_alpha(desk: Desk) -> None:
    layers = (
        desk.put("composite", "c.png", photograph(20, 24, 1)),
        desk.put("background", "b.png", photograph(20, 24, 2)),
    )
    path = desk.manifest("real", 2, Item("c", layers))
    case = one(path, card("layers", 2, "iicnet"))
    assert (len(case.pictures), case.premultiplied) == (2, None)
    for given in (card("layers", 3), card("layers", 3, "iicnet"), card("layers", 4, "iicnet")):
        with pytest.raises(ModelError, match=r"a group of real-test\.jsonl has 2"):
            planned(path, given)


def test_what_does_not_fit(desk: Desk) -> None:
    item = Item("a", (desk.put("picture", "a.png", photograph(16, 16, 1)),))
    path = desk.manifest("voc2012", 1, item)
    with pytest.raises(ModelError, match=r"is for hide, but voc2012-test\.jsonl is for gray"):
        planned(path, card("hide", 2))
    with pytest.raises(UsageError, match="no windows of step 3"):
        planned(path, card("gray", 1), step=3)
    (case,) = planned(path, card("gray", 1)).cases
    save(desk.root / "a.png", photograph(16, 17, 1))
    with pytest.raises(InputError, match="17×16"):
        case.read()
    (desk.root / "a.png").unlink()
    with pytest.raises(InputError, match=r"a\.png.* is not there"):
        planned(path, card("gray", 1))
    path.write_text("{}\n", encoding="utf-8")
    with pytest.raises(InputError, match="is no manifest"):
        planned(path, card("gray", 1))


def test_pictures_of_two_sizes(desk: Desk) -> None:
    pair = (
        desk.put("left", "l.png", photograph(16, 20, 1)),
        desk.put("right", "r.png", photograph(16, 21, 1)),
    )
    (case,) = planned(desk.manifest("flickr1024", 2, Item("x", pair)), card("mono", 2)).cases
    with pytest.raises(InputError, match="pictures of x differ in size"):
        case.read()


def test_where_manifests_are(tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    folder.mkdir()
    for name in ("davis-test", "davis-val", "div2k-dual-x8-test"):
        (folder / f"{name}.jsonl").touch()
    assert manifest_in(tmp_path, "davis") == folder / "davis-test.jsonl"
    assert manifest_in(tmp_path, "davis", "val").name == "davis-val.jsonl"
    assert manifest_in(tmp_path, "div2k-dual", zoom=8).name == "div2k-dual-x8-test.jsonl"
    with pytest.raises(InputError, match=r"no manifest .*davis-train\.jsonl") as told:
        manifest_in(tmp_path, "davis", "train")
    assert told.value.hint == f"Make it with: iic data prepare davis --root {tmp_path}"
    with pytest.raises(UsageError, match="no split 'all'"):
        manifest_in(tmp_path, "davis", "all")
    with pytest.raises(UsageError, match="no zoom of 3"):
        manifest_in(tmp_path, "div2k-dual", zoom=3)
