"""Several pictures in one normal-looking picture, and back.

The public API is `embed`, `restore` and `evaluate`; they are imported on first use, so that
`import iiccli` loads neither torch nor numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iiccli.api import embed, evaluate, restore

__version__ = "0.1.0"

__all__ = ["__version__", "embed", "evaluate", "restore"]


def __getattr__(name: str) -> Any:
    """Import the public functions when they are asked for (PEP 562)."""
    if name in ("embed", "evaluate", "restore"):
        from iiccli import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name the public functions too."""
    return sorted({*globals(), *__all__})
