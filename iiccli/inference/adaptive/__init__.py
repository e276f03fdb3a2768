"""Running the adaptive network on pictures of any size.

`AdaptiveConverter` goes from region to region. What the cover tells of a region's pictures is seen
through an `Outlook`; they are coded `together`, or `in_turn` where one is predicted from the other;
a `RegionMessage` turns what is coded into digits; and `Repairing` enhances what was decoded.
"""

from iiccli.inference.adaptive.converter import AdaptiveConverter, tables_of

__all__ = ["AdaptiveConverter", "tables_of"]
