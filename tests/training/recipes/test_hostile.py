"""Recipes from people who mean harm: one short sentence, at once, in little memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iiccli.errors import TrainingError
from iiccli.training.recipes import parse_changes, read_recipe
from iiccli.training.recipes.bounded import MOST_BYTES, MOST_VALUES, parse
from tests.training.recipes.test_reading import FILE

MOST_SECONDS = 10
MOST_MEMORY = 2**28
LONGEST = 600
"""Characters of the sentence and its hint: nobody reads more."""


def laughs(first: str, again: str, depth: int = 9) -> str:
    """Each line stands for ten times the one before it."""
    begin = f"l0: &l0 {first}"
    more = (f"l{i}: &l{i} " + again.replace("?", f"*l{i - 1}") for i in range(1, depth + 1))
    return "\n".join((begin, *more)) + "\n"


TEN = f"[{', '.join(['?'] * 10)}]"
HOSTILE = {
    "billion laughs": laughs("[ha, ha]", TEN),
    "billion laughs of tables": laughs(
        "{a: ha}", f"{{{', '.join(f'{c}: ?' for c in 'abcdefghij')}}}"
    ),
    "merged a billion times": laughs("{a: ha}", f"{{<<: {TEN}}}"),
    "laughs where a text belongs": laughs("[ha, ha]", TEN, 3) + FILE + "words: *l3\n",
    "laughs as a name": laughs("[ha, ha]", TEN) + "name: *l9\n" + FILE,
    "laughs as a choice": laughs("[ha, ha]", TEN).replace("l9:", "network:") + "task: gray\n",
    "wide lists in wide lists": f"a: &a [{'1,' * 9000}]\nb: [{'*a,' * 9000}]\n",
    "long texts in wide lists": f"a: &a {'x' * 30_000}\nwords: [{'*a,' * 9000}]\n{FILE}",
    "part of itself": "config: &a {pictures: *a}\n",
    "a list of itself": "task: &a [*a]\n",
    "deep lists": "a: " + "[" * 60_000,
    "deep tables": "a: " + "{a: " * 15_000,
    "deep lines": "".join(" " * i + "- \n" for i in range(350)),
    "a long line": FILE + "words: " + "x" * 10_000_000,
    "many lines": FILE + "# \n" * 4_000_000,
    "many keys": "".join(f"k{i}: 1\n" for i in range(9_000)),
    "many values": "".join(f"{i:x}:\n" for i in range(MOST_VALUES // 2 + 1)),
    "a long key": f"? {'k' * 60_000}\n: 1\n" + FILE,
    "a long text for a number": FILE + f"calibration: {{side: {'x' * 60_000}}}\n",
    "a long name": f"name: {'n' * 60_000}\n" + FILE,
    "a name of two lines": 'name: "one\\ntwo"\n' + FILE,
    "a name elsewhere": "name: ../../elsewhere\n" + FILE,
    "a name that is no name": "name: ..\n" + FILE,
    "keys that ring a bell": '"\\e[31m\\a": 1\n' + FILE,
    "long numbers": FILE + f"calibration: {{side: 0x{'f' * 50_000}}}\n",
    "long numbers in a text": FILE + f"words: 0x{'f' * 50_000}\n",
    "numbers of hours": FILE + f"calibration: {{side: 1{':59' * 20_000}}}\n",
    "fractions of hours": FILE + f"optimiser: {{rate: 1{':59' * 20_000}.5}}\n".replace("59", "9"),
    "digits": FILE + f"calibration: {{side: {'9' * 50_000}}}\n",
    "a program": "task: !!python/object/apply:os.system [touch was-here]\n" + FILE,
    "a class": "task: !!python/name:os.system\n" + FILE,
    "an object": "!!python/object/new:type {args: [x, [], {}]}\n",
    "a tag of nobody": "task: !nobody gray\n" + FILE,
    "an empty number": "calibration: {side: !!int ''}\n" + FILE,
    "an empty fraction": "optimiser: {rate: !!float ''}\n" + FILE.replace("optimiser", "x"),
    "neither true nor false": "words: !!bool perhaps\n" + FILE,
    "a date that is none": "words: !!timestamp never\n" + FILE,
    "no such day": "words: 2001-99-99\n" + FILE,
    "bytes that are none": "words: !!binary x\n" + FILE,
    "a set": "config: !!set {a, b}\n" + FILE.replace("config", "x"),
    "an ordered table": "config: !!omap [a: 1]\n" + FILE.replace("config", "x"),
    "a list as key": "? [a]\n: b\n" + FILE,
    "several documents": FILE + "---\n" + FILE,
    "two anchors": "a: &a 1\nb: *b\n",
    "a directive": "%YAML 9.9\n---\n" + FILE,
    "null": "null\n",
    "a text": "recipe\n",
    "true": "true\n",
    "tables for all": "".join(f"{line.split(':')[0]}: {{a: b}}\n" for line in FILE.splitlines()),
    "nothing for all": "task:\nnetwork:\nconfig:\nloss:\n",
    "numbers for all": "task: 1\nnetwork: 2\nconfig: 3\nloss: 4\n",
    "NUL": FILE + "words: \0\n",
    "an endless number": FILE + "optimiser: {rate: .inf}\n".replace("optimiser", "calibration"),
}


@contextmanager
def little_memory() -> Iterator[None]:
    """This process gets `MOST_MEMORY` more than it has, and then a MemoryError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MOST_MEMORY, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, most))


@pytest.mark.parametrize("content", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_recipe_is_refused_in_one_sentence(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(content, encoding="utf-8")
    begun = time.monotonic()
    with little_memory(), pytest.raises(TrainingError) as caught:
        read_recipe("mine.yaml")
    said = caught.value.message
    assert "mine" in said or "name is a name for files" in said
    assert said.isprintable()
    assert said.endswith(".")
    assert len(said) + len(caught.value.hint or "") < LONGEST
    assert time.monotonic() - begun < MOST_SECONDS
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


def test_a_recipe_without_end_is_not_read_to_the_end(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").symlink_to("/dev/zero")
    with pytest.raises(TrainingError, match=r"mine\.yaml holds more than a recipe may\."):
        read_recipe(str(tmp_path / "mine.yaml"))


@pytest.mark.parametrize(
    "value",
    [
        "&a [*a]",
        "[" + "&a [x,x,x,x,x,x,x,x,x,x]" + ",*a" * (MOST_VALUES // 10) + "]",
        "x" * (MOST_BYTES + 1),
        "!!int ''",
        "0x" + "f" * 5000,
    ],
)
def test_a_hostile_value_is_refused_in_one_sentence(value: str) -> None:
    with (
        little_memory(),
        pytest.raises(TrainingError, match=r"The value of data\.crop cannot be read") as caught,
    ):
        parse_changes([f"data.crop={value}"])
    assert len(caught.value.message) < LONGEST


def test_anchors_may_be_used_in_measure(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    twice = FILE.replace("- {of: embedding, kind: l2}", "- &a {of: embedding, kind: l2}\n  - *a")
    path.write_text(twice, encoding="utf-8")
    recipe = read_recipe(str(path))
    assert len(recipe.loss) == 2
    assert recipe.loss[0] == recipe.loss[1]
    assert len(parse("[" + "1," * (MOST_VALUES - 1) + "]")) == MOST_VALUES - 1
