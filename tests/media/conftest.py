from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from iiccli.media import ffmpeg


@pytest.fixture
def run_ffmpeg(tmp_path: Path) -> Callable[..., Path]:
    """Make a file in tmp_path: `run_ffmpeg("a.mp4", "-f", "lavfi", ...)`."""

    def run(name: str, *arguments: str | Path) -> Path:
        target = tmp_path / name
        command = [ffmpeg.executable(), "-v", "error", "-y", *map(str, arguments), str(target)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return target

    return run


@pytest.fixture
def make_video(run_ffmpeg: Callable[..., Path]) -> Callable[..., Path]:
    def make(name: str, *more: str, size: str = "64x48", rate: str = "10", count: int = 8) -> Path:
        source = f"testsrc=s={size}:r={rate}"
        options = more or ("-pix_fmt", "yuv420p")
        return run_ffmpeg(name, "-f", "lavfi", "-i", source, "-frames:v", str(count), *options)

    return make


def smooth(height: int, width: int, phase: float = 0.0) -> np.ndarray:
    """A picture without sharp edges: what video codecs and chroma subsampling keep well."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 9 + phase), np.cos(y / 7 + phase), np.sin((x + y) / 11 - phase)]
    return np.stack([128 + 100 * wave for wave in waves], -1).round().astype(np.uint8)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)
