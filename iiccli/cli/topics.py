"""What `iic help TOPIC` says, as Markdown.

Every paragraph and every row stands in README.md or docs/ word for word, and a test sees to it.
"""

from __future__ import annotations

from iiccli.errors import exit_codes


def exit_code_table() -> str:
    """The table of `docs/exit-codes.md`, from the classes themselves."""
    rows = [
        f"| {code} | {f'`{name}`' if name else ''} | {meaning} |".replace("|  |", "| |")
        for code, name, meaning in exit_codes()
    ]
    return "\n".join(["| code | error | meaning |", "| ---: | --- | --- |", *rows])


_EXIT_CODES = f"""\
Every expected error is one sentence on stderr, with a hint where one helps, and one of these
codes. Results go to stdout, so a script can read `--json` and look at the code.

{exit_code_table()}

With several inputs, one that fails does not stop the others. Each failure is one sentence on
stderr, and an object with `error` and `exit_code` with `--json`; at the end comes the summary,
and the code is the one that all failures share, else 1.
"""

_CARRIERS = """\
A carrier is a lossless picture of 8 bits a sample, RGB or gray: PNG, lossless WebP or TIFF. It
says what it holds twice: in full in the file's metadata, and in essence in its pixels, so that a
program that strips metadata takes nothing that is needed.

- **Damage stays local.** What is painted over is lost in blocks of 64 × 64 pixels, there and in
  places nearby that kept something under it; the rest restores.

- **Nothing survives a change of every sample**: JPEG, resizing, colour conversion.
"""

_KEYS = """\
Every verb that makes carriers takes a pass phrase: `--key` asks for it, `--key-file` reads it, or
it is in `IIC_KEY`.

A locked carrier looks as good, and what comes back is as good. Without the pass phrase its
message is noise. Restoring without one, or with a wrong one, ends with code 11.

- **The cover shows.** What the carrier looks like everybody sees: the reference frame of a clip,
  the left view, the wide view, the composite, the gray version.

- **A lost phrase.** There is no way back.
"""

_QUALITY = """\
`--quality`, which every verb has, shifts the balance. For clips:

| `--quality` | the cover, against its frame | the frames that come back |
| --- | ---: | ---: |
| `cover` | 49.9 dB | 41.9 dB |
| `balanced` (default) | 46.4 dB | 43.6 dB |
| `content` | 43.6 dB | 44.5 dB |

Above about 40 dB the eye sees no difference at normal distance.
"""

TOPICS = {
    "exit-codes": ("what the command's exit status means", _EXIT_CODES),
    "carriers": ("what a carrier is, and what it survives", _CARRIERS),
    "keys": ("pass phrases, and what they protect", _KEYS),
    "quality": ("what --quality does", _QUALITY),
}
"""By name: what it is about, and the text."""
