"""The adaptive network: what the cover does not show, as entropy-coded transform coefficients.

What the cover tells of the other pictures is taken off (motion, magnification); the rest goes
through a learned block transform and a uniform quantiser, whose step is as fine as the carrier's
capacity allows. How likely each value is follows from those around it (`iiccli.coding.contexts`,
with tables that are fitted to training pictures), and a convolutional enhancer repairs what
rounding took. The bits travel as whole numbers mod q (quantisation index modulation, Chen &
Wornell 2001).
"""

from iiccli.networks.adaptive.config import AdaptiveConfig
from iiccli.networks.adaptive.net import AdaptiveNet

__all__ = ["AdaptiveConfig", "AdaptiveNet"]
