"""Several pictures in one normal-looking picture, and back.

The public API is `embed`, `restore` and `evaluate`; each is imported on first use, so that
`import iiccli` loads neither torch nor numpy.
"""

from __future__ import annotations

__version__ = "0.1.0"
