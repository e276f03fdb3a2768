"""All layouts, by the names that users give them."""

from __future__ import annotations

from collections.abc import Mapping

from iiccli.datasets.layouts.adobe import Adobe
from iiccli.datasets.layouts.base import Layout
from iiccli.datasets.layouts.davis import Davis
from iiccli.datasets.layouts.div2k import Div2kDual, Div2kSr
from iiccli.datasets.layouts.flickr import Flickr
from iiccli.datasets.layouts.flickr1024 import Flickr1024
from iiccli.datasets.layouts.real import Real
from iiccli.datasets.layouts.voc2012 import Voc2012
from iiccli.errors import UsageError

_ALL = (Davis, Flickr1024, Div2kDual, Adobe, Real, Flickr, Voc2012, Div2kSr)

LAYOUTS: Mapping[str, type[Layout]] = {layout.alias: layout for layout in _ALL}
"""By alias; the first of a task is the one that the task's name means."""


def find_layout(name: str) -> Layout:
    """The layout of a data set, or the first of those for a task.

    Raises:
        UsageError: there is none of that name.
    """
    wanted = name.casefold()
    for layout in _ALL:
        if wanted == layout.alias:
            return layout()
    for layout in _ALL:
        if wanted == layout.task:
            return layout()
    tasks = dict.fromkeys(layout.task for layout in _ALL)
    raise UsageError(
        f"There is no data set {name!r}.",
        f"Data sets: {', '.join(LAYOUTS)}. Tasks: {', '.join(tasks)}.",
    )


def others_for(layout: Layout) -> list[str]:
    """The aliases of the other data sets for the same task."""
    return [o.alias for o in _ALL if o.task == layout.task and o.alias != layout.alias]
