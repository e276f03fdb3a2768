"""Which pictures a model for layers is fed and gives back, and how layers become of them.

All models take the composite first and the background second. What follows differs:

- `adaptive`, `transform` and `fast` take alpha, from which the foreground follows;
- `iicnet` takes what the official checkpoints were trained on: the foreground times its alpha
  (Adobe Deep Matting, three pictures), and after it alpha, where it takes a fourth; one of two
  pictures (Real Matting) takes composite and background alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from iiccli.errors import ModelError
from iiccli.media.compositing import Layers, decomposed
from iiccli.zoo.modelfile import Card

Pixels = npt.NDArray[np.uint8]

COMPOSITE, BACKGROUND, ALPHA = "composite", "background", "alpha"
PREMULTIPLIED = "premultiplied"
"""The foreground's colours times its alpha: black where nothing of it is."""

_ROLES: Mapping[int, tuple[str, ...]] = {
    2: (COMPOSITE, BACKGROUND),
    3: (COMPOSITE, BACKGROUND, ALPHA),
    4: (COMPOSITE, BACKGROUND, PREMULTIPLIED, ALPHA),
}

_NOISE = 36.0
"""Four times the variance of a restored sample (38.6 dB): how far a guess at alpha counts."""
_BLACK = 8
"""A premultiplied sample above this is surely foreground and no noise."""


def roles_of(card: Card) -> tuple[str, ...]:
    """What each picture of a model for layers is, in the order in which it takes them.

    Raises:
        ModelError: it takes a number of pictures that means nothing.
    """
    if card.pictures not in _ROLES:
        raise ModelError(
            f"The model {card.name} takes {card.pictures} pictures, which cannot be layers.",
            "Models for layers take composite, background and alpha.",
        )
    if card.network == "iicnet" and card.pictures == 3:
        return (COMPOSITE, BACKGROUND, PREMULTIPLIED)
    return _ROLES[card.pictures]


def fed(card: Card, pictures: Mapping[str, Pixels]) -> list[Pixels]:
    """What a model for layers is given, the composite first.

    Args:
        card: of the model.
        pictures: by role; (H, W, 3) uint8 each, or (H, W) for alpha.

    Raises:
        ModelError: see `roles_of`; or it takes a picture that is not there.
    """
    wanted = roles_of(card)
    for role in wanted:
        if role not in pictures:
            raise ModelError(
                f"The model {card.name} takes {', '.join(wanted)}, but no {role} is known here.",
                "Choose a model of fewer pictures.",
            )
    return [_in_colour(pictures[role]) for role in wanted]


def premultiplied(colours: Pixels, alpha: Pixels) -> Pixels:
    """A foreground's (H, W, 3) colours times its (H, W) alpha, rounded."""
    result: Pixels = np.rint(colours * (alpha[..., None] / 255)).astype(np.uint8)
    return result


def layers_of(roles: Sequence[str], restored: Sequence[Pixels]) -> Layers | None:
    """The layers that pictures of such roles give; None where they hold no foreground.

    Put together again the layers are the restored composite exactly; see `decomposed`.

    Args:
        roles: as `roles_of` gives them.
        restored: at least as many pictures, (H, W, 3) uint8 each.
    """
    found = dict(zip(roles, restored, strict=False))
    if ALPHA in found:
        alpha = np.rint(found[ALPHA].mean(axis=2)).astype(np.uint8)
    elif PREMULTIPLIED in found:
        alpha = estimated_alpha(found[COMPOSITE], found[BACKGROUND], found[PREMULTIPLIED])
    else:
        return None
    return decomposed(found[COMPOSITE], found[BACKGROUND], alpha)


def estimated_alpha(composite: Pixels, background: Pixels, foreground: Pixels) -> Pixels:
    """Alpha of a composite whose foreground is known times alpha only.

    What is left of the composite without the foreground is the background times 1 - alpha, in
    all three colours. Where the background is so dark that this tells little, there is
    foreground where the foreground is not black.

    Args:
        composite: (H, W, 3) uint8, as the others.
        background: perhaps a little wrong, as the others.
        foreground: times alpha.

    Returns:
        (H, W) uint8.
    """
    behind = background.astype(np.float32)
    left = composite.astype(np.float32) - foreground
    guess = (foreground.max(axis=2) <= _BLACK).astype(np.float32)
    shines = ((left * behind).sum(axis=2) + _NOISE * guess) / ((behind**2).sum(axis=2) + _NOISE)
    result: Pixels = np.rint(255 * (1 - shines.clip(0, 1))).astype(np.uint8)
    return result


def _in_colour(picture: Pixels) -> Pixels:
    return np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture
