"""The bundled ffmpeg as a child process: reading its output, feeding it, and its complaints."""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import imageio_ffmpeg

from iiccli.errors import IicError, InputError, OutputError
from iiccli.limits import max_pixels

# "[mov,mp4 @ 0x55d0]" and "[error]" before a message tell a user nothing.
_PREFIX = re.compile(r"^(\[[^\]]*\]\s*)+")
_MOST = 2**31 - 1  # pixels; as many as ffmpeg can count


@functools.cache
def executable() -> str:
    """Return the path of ffmpeg: IMAGEIO_FFMPEG_EXE, the bundled one, or one on the PATH.

    Raises:
        InputError: there is none.
    """
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise InputError(
            "No ffmpeg was found for reading or writing video.",
            "Install ffmpeg, or set IMAGEIO_FFMPEG_EXE to its path.",
        ) from error


def input_options(path: Path) -> list[str]:
    """Return the options that name an input file, and only a local file, whatever its name.

    Frames of more than `iiccli.limits.max_pixels` are not decoded.
    """
    limits = ["-max_pixels", str(min(max_pixels(), _MOST))]
    return [*limits, "-protocol_whitelist", "file", "-i", f"file:{path}"]


@contextmanager
def reading(arguments: Sequence[str]) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Run ffmpeg and yield its stdout and a file with its stderr; kill it when left early."""
    with tempfile.TemporaryFile() as complaints:
        child = _start(arguments, complaints, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert child.stdout is not None
        try:
            yield child.stdout, complaints
            child.stdout.close()
            child.wait()
        finally:
            _end(child)


def read_all(arguments: Sequence[str]) -> tuple[int, bytes, list[str]]:
    """Run ffmpeg to its end; return exit status, stdout and the lines of stderr."""
    with tempfile.TemporaryFile() as complaints:
        child = _start(arguments, complaints, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            output, _ = child.communicate()
        finally:
            _end(child)
        return child.returncode, output, lines_of(complaints)


def feed(arguments: Sequence[str], pieces: Iterable[bytes | memoryview], target: Path) -> None:
    """Run ffmpeg, write `pieces` to its stdin one by one, and wait for it to finish.

    Whatever goes wrong, also in `pieces` or by Ctrl-C, the child is gone afterwards.

    Raises:
        OutputError: ffmpeg fails; `target` is named in the message.
    """
    with tempfile.TemporaryFile() as complaints:
        child = _start(arguments, complaints, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert child.stdin is not None
        try:
            try:
                for piece in pieces:
                    child.stdin.write(piece)
                child.stdin.close()
            except BrokenPipeError:
                child.wait()  # it gave up first; its own words below say why
            status = child.wait()
        finally:
            _end(child)
        if status != 0:
            raise _write_error(target, lines_of(complaints))


def lines_of(complaints: IO[bytes]) -> list[str]:
    """Return what ffmpeg said on stderr, one message a line, without addresses."""
    complaints.seek(0)
    text = complaints.read().decode("utf-8", "replace")
    return [line for raw in text.splitlines() if (line := _PREFIX.sub("", raw).strip())]


def _start(
    arguments: Sequence[str], complaints: IO[bytes], *, stdin: int, stdout: int
) -> subprocess.Popen[bytes]:
    command = [executable(), "-hide_banner", "-nostats", "-y", *arguments]
    try:
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=complaints,
            # Ctrl-C reaches us alone; we then end the child ourselves.
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(
            f"ffmpeg cannot be started: {error.strerror or error}.",
            "Set IMAGEIO_FFMPEG_EXE to a working ffmpeg.",
        ) from error


def _end(child: subprocess.Popen[bytes]) -> None:
    """Make sure that the child has gone and its pipes are closed."""
    if child.poll() is None:
        child.kill()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:
                continue  # closing flushes; what a killed child never took is not wanted
    child.wait()


def _write_error(target: Path, lines: list[str]) -> IicError:
    if any("No space left" in line for line in lines):
        return OutputError(f"No space left to write {target}.", "Free some space and run again.")
    # The last line is often only "Conversion failed!"; the cause stands above it.
    telling = [line for line in lines if line != "Conversion failed!"] or ["no reason given"]
    return OutputError(f"ffmpeg cannot write {target}: {telling[-1]}")
