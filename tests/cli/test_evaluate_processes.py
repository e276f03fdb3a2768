"""`iic evaluate` on two processes, started as a launcher starts them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Iic
from tests.fast_models import save_fast_models
from tests.task_models import photograph, save


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def on_two(folder: Path, *words: object) -> list[tuple[int, str, str]]:
    """Exit code, stdout and stderr of `iic` in each process."""
    launcher = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    launcher |= {"MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "iiccli", *map(str, words)],
            cwd=folder,
            env={**os.environ, **launcher, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        said = [process.communicate(timeout=300) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, *texts) for process, texts in zip(processes, said, strict=True)]


def test_two_processes_tell_what_one_does(iic: Iic, desk: Path) -> None:
    save_fast_models(desk)
    for number in range(5):
        save(desk / "photos" / f"{number}.png", photograph(24, 32, number))
    (desk / "photos" / "3.png").write_text("no picture")  # for the second process
    words = ("evaluate", "--data", "photos", "--model", "gray.v1.safetensors", "--device", "cpu")
    alone = iic(*words, "--json")
    main, other = on_two(desk, *words, "--json", "--output", "figures.json")
    assert (main[0], main[2]) == (3, alone.err)
    assert "3 cannot be measured" in alone.err
    assert json.loads(main[1]) == alone.json
    assert [case["name"] for case in alone.json["cases"]] == ["0", "1", "2", "4"]
    assert (desk / "figures.json").read_text(encoding="utf-8") == main[1]
    assert other == (0, "", "")
