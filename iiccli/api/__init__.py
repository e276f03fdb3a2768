"""The public API: the verbs of the command line as functions.

Whatever goes wrong is raised as one of the classes of `iiccli.errors`.
"""

from iiccli.api.making import compose, dual_view, embed, gray, hide, mononize, rescale
from iiccli.api.measuring import evaluate
from iiccli.api.taking import restore
from iiccli.tasks.conversion import Made
from iiccli.tasks.restoring import Report

__all__ = [
    "Made",
    "Report",
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
