"""Several pictures in one normal-looking picture, and back.

The public API is what `__all__` names; it is imported on first use, so that `import iiccli` loads
neither torch nor numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iiccli.api import (
        compose,
        dual_view,
        embed,
        evaluate,
        gray,
        hide,
        mononize,
        rescale,
        restore,
    )

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "compose",
    "dual_view",
    "embed",
    "evaluate",
    "gray",
    "hide",
    "mononize",
    "rescale",
    "restore",
]


def __getattr__(name: str) -> Any:
    """Import the public functions when they are asked for (PEP 562)."""
    if name in __all__:
        from iiccli import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name the public functions too."""
    return sorted({*globals(), *__all__})
