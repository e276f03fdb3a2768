"""Whole trainings in processes of their own: killed, gone on with, shared out over two."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from iiccli.__main__ import main
from iiccli.training import checkpoints
from iiccli.training.watching.log import read_log
from tests.adaptive_models import coloured

WORDS = shlex.split(
    "train --recipe fast-hide --data photos --batch 8 --crop 32 --threads 1 --device cpu "
    "--set config.width=8 --set config.blocks=1 --set loop.report_steps=1 --precision fp32"
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs, and a run of ten steps in one process that nothing has disturbed."""
    tmp_path = tmp_path_factory.mktemp("desk")
    (tmp_path / "photos").mkdir()
    for number in range(4):
        Image.fromarray(coloured(48, 56, number)).save(
            tmp_path / "photos" / f"{'abcd'[number]}.png"
        )
    here(tmp_path, "--run", "whole", "--steps", 10)
    return tmp_path


def command(*words: object, launcher: tuple[object, ...] = ()) -> list[str]:
    first = (
        (sys.executable, "-m", *launcher, "iiccli")
        if launcher
        else (sys.executable, "-m", "iiccli")
    )
    return [*map(str, (*first, *WORDS, *words))]


def run(desk: Path, *words: object, launcher: tuple[object, ...] = ()) -> str:
    made = subprocess.run(
        command(*words, launcher=launcher),
        cwd=desk,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


def here(desk: Path, *words: object) -> None:
    """The same in this process, which takes half as long to start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(desk)
        patch.setattr(sys, "argv", ["iic", *WORDS, *map(str, words)])
        with pytest.raises(SystemExit) as leaving:
            main()
    assert leaving.value.code == 0


def state_of(run: Path) -> dict:
    state = checkpoints.load(run / "checkpoints", None)
    assert state is not None
    return state


def losses_of(run: Path) -> list[float]:
    return [line["loss"] for line in read_log(run / "log.jsonl") if "loss" in line]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_killed_and_gone_on_with_is_bit_for_bit_as_if_never_killed(desk):
    # As a machine that goes down: no time for a last word. The steps are those of the whole.
    victim = subprocess.Popen(
        command("--run", "parts", "--steps", 10, "--set", "loop.checkpoint_steps=1"),
        cwd=desk,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    folder = desk / "parts" / "checkpoints"
    deadline = time.monotonic() + 120
    while not (folder / "step-00000005.pt").exists() and time.monotonic() < deadline:
        assert victim.poll() is None
        time.sleep(0.002)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    assert not (desk / "parts" / "model.safetensors").exists()
    for late in checkpoints.found(folder):
        if int(late.stem[-8:]) > 5:
            late.unlink()
    here(desk, "--run", "parts", "--steps", 10, "--resume")
    whole, parts = state_of(desk / "whole"), state_of(desk / "parts")
    assert whole["step"] == parts["step"] == 10
    for table in ("module", "average"):
        for name, value in whole[table].items():
            assert torch.equal(value, parts[table][name]), name
    for number, moments in whole["optimiser"]["state"].items():
        for name, value in moments.items():
            assert torch.equal(value, parts["optimiser"]["state"][number][name])
    assert losses_of(desk / "whole") == losses_of(desk / "parts")


@pytest.mark.parametrize("launcher", ["torchrun", "accelerate"])
def test_two_processes_with_half_the_batch_each_learn_the_same(desk, launcher):
    port = free_port()
    launchers = {
        "torchrun": ("torch.distributed.run", "--nproc-per-node", 2, "--master-port", port, "-m"),
        "accelerate": (
            *("accelerate.commands.launch", "--multi_gpu", "--num_processes", 2),
            *("--num_machines", 1, "--mixed_precision", "no", "--dynamo_backend", "no"),
            *("--main_process_port", port, "-m"),
        ),
    }
    out = run(desk, "--run-folder", launcher, "--steps", 10, launcher=launchers[launcher])
    assert out.count(f"{launcher}/model.safetensors: {launcher}, for hide.") == 1
    one, two = state_of(desk / "whole"), state_of(desk / launcher)
    for name, value in one["average"].items():
        assert torch.allclose(value, two["average"][name], atol=1e-6), name
    assert losses_of(desk / launcher) == pytest.approx(losses_of(desk / "whole"), rel=1e-4)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_checkpoint_to_go_on_from(desk, number, code):
    process = subprocess.Popen(
        command("--run", f"run{code}", "--steps", 100000),
        cwd=desk,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    folder = desk / f"run{code}"
    log = folder / "log.jsonl"
    deadline = time.monotonic() + 120
    while not (log.exists() and log.read_bytes()) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert out == ""
    assert "Traceback" not in err
    assert f"iic train --run run{code} --resume" in err
    assert state_of(folder)["step"] == read_log(log)[-1]["step"] > 0
    assert not (folder / "model.safetensors").exists()
