"""How what comes back is written: decided from header, target and choice, before any work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from iiccli.carrier import Carrier, contents
from iiccli.errors import UsageError
from iiccli.media.clip import CLIP_SUFFIXES, check_clip_target
from iiccli.media.image import PICTURE_SUFFIXES, check_picture_target
from iiccli.tasks.batch import is_folder
from iiccli.tasks.conversion import COVER, Conversion, Form, Output
from iiccli.tasks.pictures import Pixels


@dataclass(frozen=True)
class Choice:
    """What is wanted of what comes back.

    Attributes:
        only: the name of one output; None takes all, or the main one where the target is one
            picture.
        form: a form of the conversion, see `Conversion.forms`; None takes what the target's
            suffix says, or a picture for each output.
        strip: leave out EXIF and XMP. The profile stays, without which colours would change.
    """

    only: str | None = None
    form: str | None = None
    strip: bool = False


EVERYTHING = Choice()
"""Whatever comes back, as the target has it."""


def is_moving(kind: Conversion, carriers: Sequence[Carrier]) -> bool:
    """Tell whether carriers give a clip: frames in one, or a frame in each of several."""
    return kind.clip or len(carriers) > 1


class Way:
    """How what comes back is written, decided before anything is restored.

    Attributes:
        clip: whether it goes on as a clip.
        folder: whether the target is a folder.
        tracks: whether the frames of a clip go into one folder for each output.
        names: of the outputs that are wanted.
        form: see `Form`; None is a picture for each output.
        form_name: what it is called.
    """

    def __init__(
        self, kind: Conversion, carriers: Sequence[Carrier], target: str, choice: Choice
    ) -> None:
        """Decide.

        Args:
            kind: the conversion.
            carriers: one, or all parts of a clip.
            target: as given.
            choice: what is wanted.

        Raises:
            UsageError: the target or the choice does not suit what the carrier holds.
        """
        header = carriers[0].header
        self.kind = kind
        self._holds = contents(header)
        path = Path(target)
        suffix = path.suffix.lower()
        self.folder = is_folder(target)
        self.names = wanted(kind.names(header), choice.only, self._holds)
        moving = is_moving(kind, carriers)
        implies = not (self.folder or moving or choice.only)
        self.form_name, self.form = self._form(choice, suffix if implies else "")
        single = suffix in PICTURE_SUFFIXES and suffix not in CLIP_SUFFIXES
        alone = header.parts == 1 and (len(self.names) == 1 or self.form is not None)
        still = not self.folder and single and (alone or not moving)
        self.clip = moving and not still and not (choice.only and kind.clip)
        self.tracks = self.clip and not kind.clip and self.form is None and choice.only is None
        if self.clip and single and not self.folder:
            raise UsageError(
                f"{sum(c.header.valid for c in carriers)} pictures come back; {target} names "
                "one file.",
                "Give a folder (-o frames/) or a clip (-o clip.mp4).",
            )
        if self.clip:
            self._check_clip(target)
        elif not self.folder:
            self._check_file(path, suffix)

    def _form(self, choice: Choice, suffix: str) -> tuple[str, Form | None]:
        forms = self.kind.forms
        name = choice.form
        if name is None:
            name = next((name for name, form in forms.items() if suffix in form.implied), None)
        elif name not in forms:
            offered = f"Choose one of: {', '.join(forms)}." if forms else "Leave out --as."
            raise UsageError(
                f"The carrier holds {self._holds}, which does not come as {name!r}.", offered
            )
        if name is None or (forms[name].combine is None and forms[name].write is None):
            return "", None
        if choice.only is not None:
            raise UsageError("--only and --as do not go together.", "Leave out one of them.")
        return name, forms[name]

    def _check_clip(self, target: str) -> None:
        check_clip_target(target, force=True)
        if self.form is not None and self.form.combine is None:
            raise UsageError("A clip cannot be given back in this form.", self._forms_for_clips())
        if self.tracks and not self.folder:
            raise UsageError(
                f"What comes back is not one clip but {len(self.names)}: {', '.join(self.names)}.",
                f"Give a folder, --only NAME, or one form. {self._forms_for_clips()}",
            )

    def _forms_for_clips(self) -> str:
        names = [name for name, form in self.kind.forms.items() if form.combine is not None]
        return f"Choose one of --as {', '.join(names)}." if names else ""

    def _check_file(self, path: Path, suffix: str) -> None:
        if self.form is not None and self.form.write is not None:
            return
        if suffix not in PICTURE_SUFFIXES:
            raise UsageError(
                f"{path} names a clip, but what comes back is {self._holds}.",
                "Give a picture (-o back.png) or a folder (-o back/).",
            )
        check_picture_target(path)
        if self.form is not None:
            return
        main = [name for name in self.names if name != COVER] or self.names
        if len(main) == 1:
            self.names = main
            return
        forms = f"; or one of --as {', '.join(self.kind.forms)}" if self.kind.forms else ""
        raise UsageError(
            f"{len(self.names)} pictures come back; {path} names one file.",
            f"Give a folder (-o back/), or choose with --only: {', '.join(self.names)}{forms}.",
        )

    def writes(self, name: str) -> bool:
        """Tell whether a file of that name may be written into the folder."""
        stem, suffix = Path(name).stem, Path(name).suffix
        if self.form is not None and not self.clip:
            return stem == self.form_name
        return suffix == ".png" and (stem.isdigit() if self.clip else stem in self.names)

    def takes(self, name: str) -> bool:
        """Tell whether the target is one picture, the output of that name."""
        return not (self.folder or self.clip or self.form) and self.names == [name]

    def frames(self, stream: Iterator[list[Output]]) -> Iterator[Pixels]:
        """Pictures of a clip out of the outputs of its carriers."""
        for outputs in stream:
            if self.form is not None and self.form.combine is not None:
                yield self.form.combine(outputs).pixels
            else:
                yield from (o.pixels for o in outputs if self.kind.clip or o.name in self.names)


def wanted(names: Sequence[str], only: str | None, holds: str) -> list[str]:
    """The names of the outputs that are wanted: all, or one.

    Raises:
        UsageError: there is none of that name in what the carrier `holds`.
    """
    if only is None:
        return list(names)
    if only in names:
        return [only]
    raise UsageError(
        f"The carrier holds {holds}, and no {only!r}.", f"Choose one of: {', '.join(names)}."
    )
