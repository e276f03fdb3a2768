"""What others have published, and the first bars: to be read next to our own figures.

RGB PSNR in dB, as collected in issue 3: IICNet (Cheng, Xie and Chen, 2021), IRN (Xiao et al.,
2020), and the networks called WIN and IDN. Their carriers have 8 bits too, but hold no header.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """Figures of a method.

    Attributes:
        model: which of our models does the same, without version.
        method: its name.
        data: the test set.
        cover: PSNR of the carrier; None where it was not published.
        others: PSNR of what is restored.
    """

    model: str
    method: str
    data: str
    cover: float | None
    others: float


PUBLISHED = (
    Published("hide-1", "IICNet", "DIV2K", 38.33, 46.90),
    Published("hide-1", "WIN", "DIV2K", 50.05, 49.46),
    Published("hide-2", "IICNet", "DIV2K", 36.99, 41.43),
    Published("hide-2", "WIN", "DIV2K", 46.95, 42.30),
    Published("hide-3", "IICNet", "DIV2K", 36.45, 38.36),
    Published("hide-3", "WIN", "DIV2K", 44.32, 39.53),
    Published("hide-4", "IICNet", "DIV2K", 35.35, 36.77),
    Published("hide-4", "WIN", "DIV2K", 42.52, 37.72),
    Published("gray", "IDN", "Kodak24", None, 42.84),
    Published("rescale-2", "IRN", "Set5", None, 39.79),
    Published("rescale-2", "IRN", "Set14", None, 36.69),
    Published("rescale-2", "IRN", "BSD100", None, 38.85),
    Published("rescale-2", "IRN", "Urban100", None, 36.40),
    Published("rescale-2", "WIN", "Set5", None, 40.98),
    Published("rescale-2", "WIN", "Set14", None, 37.79),
    Published("rescale-2", "WIN", "BSD100", None, 40.28),
    Published("rescale-2", "WIN", "Urban100", None, 37.44),
    Published("rescale-4", "IRN", "Set5", None, 33.23),
    Published("rescale-4", "IRN", "Set14", None, 30.12),
    Published("rescale-4", "IRN", "BSD100", None, 29.95),
    Published("rescale-4", "IRN", "Urban100", None, 29.24),
    Published("rescale-4", "WIN", "Set5", None, 33.40),
    Published("rescale-4", "WIN", "Set14", None, 30.53),
    Published("rescale-4", "WIN", "BSD100", None, 30.15),
    Published("rescale-4", "WIN", "Urban100", None, 29.61),
)

FIRST_BARS: dict[str, tuple[str, float | None, float]] = {
    "video-3": ("", 40.5, 33),
    "video-5": ("", 40.5, 31),
    "video-9": ("", 40.5, 28),
    "mono": ("", 40.5, 35),
    "dual": ("", 40.5, 33),
    "hide-1": ("", 40.5, 36),
    "hide-2": ("", 40.5, 31),
    "hide-4": ("", 40.5, 27),
    "layers": ("", 40.5, 34),
    "gray": ("", 40, 36),
    "rescale-2": ("Set14", 34, 33),
    "rescale-4": ("Set14", None, 27),
}
"""What a model trained on a CPU has to reach at least: on which set, cover, others."""
