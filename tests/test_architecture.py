"""Imports run one way, and nothing heavy is loaded before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import iiccli

ROOT = Path(iiccli.__file__).parent

FOUNDATION = {"errors", "atomic", "temporary", "limits", "room"}

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "atomic": {"errors", "temporary"},
    "temporary": set(),
    "limits": {"errors"},
    "room": set(),
    "networks": set(),
    "coding": set(),
    "media": FOUNDATION,
    "carrier": FOUNDATION,
    "locking": FOUNDATION | {"carrier"},
    "zoo": FOUNDATION | {"networks"},
    "inference": FOUNDATION | {"networks", "coding", "zoo", "media"},
    "datasets": FOUNDATION | {"media"},
    "tasks": FOUNDATION | {"inference", "networks", "media", "carrier", "locking", "zoo"},
    "evaluation": FOUNDATION
    | {"tasks", "inference", "networks", "media", "carrier", "zoo", "datasets"},
    "training": FOUNDATION
    | {"evaluation", "tasks", "inference", "networks", "coding", "media", "zoo", "datasets"},
    "benchmarking": FOUNDATION
    | {"evaluation", "tasks", "inference", "networks", "coding", "media", "carrier", "zoo"},
    "cli": FOUNDATION
    | {"benchmarking", "training", "evaluation", "tasks", "inference", "media", "carrier", "zoo"}
    | {"datasets", "locking"},
    "api": FOUNDATION | {"evaluation", "tasks", "inference", "locking", "zoo"},
    # the public API, lazily; and the version, which everybody may ask for
    "__init__": {"api"},
    "__main__": {"cli"},
}
"""What of ours each part may import besides itself."""

FOREIGN: dict[str, set[str]] = {
    "errors": set(),
    "atomic": set(),
    "temporary": set(),
    "limits": {"PIL"},
    "room": {"numpy", "PIL"},
    "networks": {"torch"},
    "coding": {"numpy", "reedsolo"},
    "carrier": {"numpy", "PIL"},
    "locking": {"numpy", "cryptography"},
    "media": {"numpy", "PIL", "imageio", "imageio_ffmpeg"},
    "datasets": {"numpy"},
    "cli": {"typer", "rich"},
    "__init__": set(),
    "__main__": set(),
}
"""Which foreign packages a part may import, where that is limited."""

EXCEPTIONS = {("cli/train.py", "torch")}
"""Threads and precision are settings of torch's own; the command line knows no tensor."""

HEAVY = {"torch", "numpy", "PIL", "imageio", "safetensors", "scipy", "skimage"}


def parts() -> list[str]:
    names = {path.stem for path in ROOT.glob("*.py")}
    return sorted(names | {path.parent.name for path in ROOT.glob("*/__init__.py")})


def modules(part: str) -> list[Path]:
    single = ROOT / f"{part}.py"
    return [single] if single.exists() else sorted((ROOT / part).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, inside functions too, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            module = node.module or ""
            if module == "iiccli":
                for alias in node.names:
                    yield f"iiccli.{alias.name}", node.lineno
            else:
                yield module, node.lineno


def test_every_part_is_listed() -> None:
    assert set(parts()) == set(MAY_IMPORT)


def test_the_rules_have_no_circle() -> None:
    order: list[str] = []
    rest = dict(MAY_IMPORT)
    while rest:
        free = sorted(part for part, needs in rest.items() if needs <= set(order))
        assert free, f"a circle among {sorted(rest)}"
        order += free
        for part in free:
            del rest[part]


@pytest.mark.parametrize("part", parts())
def test_imports_run_one_way(part: str) -> None:
    allowed = MAY_IMPORT[part] | {part, "__version__"}
    wrong = [
        f"{path.relative_to(ROOT.parent)}:{line} imports {name}"
        for path in modules(part)
        for name, line in imported(path)
        if name.startswith("iiccli.") and name.split(".")[1] not in allowed
    ]
    assert not wrong


@pytest.mark.parametrize("part", sorted(FOREIGN))
def test_foreign_packages_stay_where_they_belong(part: str) -> None:
    allowed = FOREIGN[part] | set(sys.stdlib_module_names) | {"iiccli"}
    wrong = [
        f"{path.relative_to(ROOT.parent)}:{line} imports {name}"
        for path in modules(part)
        for name, line in imported(path)
        if name.split(".")[0] not in allowed
        and (path.relative_to(ROOT).as_posix(), name) not in EXCEPTIONS
    ]
    assert not wrong


@pytest.mark.parametrize(
    "arguments",
    [[], ["--version"], ["--help"], ["embed-video", "--help"], ["gray", "-h"], ["restore", "-h"]],
)
def test_nothing_heavy_is_loaded_for_an_answer(arguments: list[str]) -> None:
    """`import iiccli`, the version and the help texts come at once."""
    code = f"""
import sys
import iiccli
if {arguments!r}:
    import runpy
    sys.argv[1:] = {arguments!r}
    try:
        runpy.run_module("iiccli", run_name="__main__")
    except SystemExit as leaving:
        assert not leaving.code, leaving.code
print("loaded:", *sorted({HEAVY!r} & set(sys.modules)))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "loaded:"
