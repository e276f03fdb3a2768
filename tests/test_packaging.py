"""What makes the project a project: versions, targets and tables agree with the code."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import iiccli
from iiccli.errors import IicError

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINS = dict(
    re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M)
)
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required() -> list[str]:
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    for extra in project["optional-dependencies"].values():
        wanted += extra
    names = [canonical(re.split(r"[\s<>=!~;\[]", item, maxsplit=1)[0]) for item in wanted]
    return [name for name in names if name != canonical(project["name"])]


def test_everything_required_is_pinned() -> None:
    assert set(required()) <= {canonical(name) for name in PINS}


def test_torch_is_pinned_where_it_is_installed() -> None:
    assert PINS["torch"] == "2.13.0"
    assert f"TORCH ?= torch=={PINS['torch']}\n" in MAKEFILE


def test_the_version_has_one_home() -> None:
    assert version("iiccli") == iiccli.__version__
    assert f"## [{iiccli.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_command_is_installed() -> None:
    (script,) = entry_points(group="console_scripts", name="iic")
    assert script.value == "iiccli.__main__:main"


@pytest.mark.parametrize("arguments", [["--version"], ["-m", "iiccli", "--version"]])
def test_both_ways_to_start_give_the_version(arguments: list[str]) -> None:
    program = sys.executable if arguments[0] == "-m" else str(Path(sys.executable).with_name("iic"))
    run = subprocess.run([program, *arguments], capture_output=True, text=True, check=True)
    assert run.stdout == f"iic {iiccli.__version__}\n"


def test_make_help_lists_every_target() -> None:
    run = subprocess.run(
        ["make", "-C", str(ROOT), "--no-print-directory"],
        capture_output=True,
        text=True,
        check=True,
    )
    (targets,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.M)
    assert re.findall(r"^  make (\w+)", run.stdout, re.M) == targets.split()


def test_make_refuses_an_old_python(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 || exit 1\n')
    python.chmod(0o755)
    old = ["-o", "pyproject.toml", "-o", "constraints.txt"]  # not there, and not to be made
    run = subprocess.run(
        ["make", "-f", str(ROOT / "Makefile"), *old, "install", f"PYTHON={python}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "iic needs Python 3.11 or newer, this is Python 3.9.2" in run.stderr
    assert not (tmp_path / ".venv").exists()


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = script.read_text(encoding="utf-8").splitlines()
    assert "set -euo pipefail" in commands
    assert commands[-1] == "make test"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(r"^make test\b", readme, re.M)


def error_classes(base: type[IicError] = IicError) -> Iterator[type[IicError]]:
    yield base
    for child in base.__subclasses__():
        yield from error_classes(child)


def test_the_table_of_exit_codes_is_complete() -> None:
    for module in pkgutil.walk_packages(iiccli.__path__, "iiccli."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    text = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (?:`(\w+)`)? *\| (.+) \|$", text, re.M)
    listed = {name: int(code) for code, name, _ in rows if name}
    ours = {c for c in error_classes() if c.__module__.startswith("iiccli.")}
    assert listed == {c.__name__: c.exit_code for c in ours}
    assert {"0", "70", "130", "143"} <= {code for code, name, _ in rows if not name}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs"])
def test_links_lead_somewhere(name: str) -> None:
    path = ROOT / name
    for file in sorted(path.glob("*.md")) if path.is_dir() else [path]:
        text = file.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in link:
                assert (file.parent / link).exists(), f"{file.name}: {link}"
