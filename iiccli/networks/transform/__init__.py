"""The transform network: everything but the cover as a modulo message.

The other pictures are predicted from the cover (motion compensated where that helps), the
prediction's error goes through a learned block transform, every coefficient gets as many bits
as its local variance is worth, and a convolutional enhancer repairs what was rounded away.
The bits travel as whole numbers mod q (quantisation index modulation, Chen & Wornell 2001).
"""

from iiccli.networks.transform.config import TransformConfig
from iiccli.networks.transform.net import Coefficients, TransformNet, Window, side_planes

__all__ = ["Coefficients", "TransformConfig", "TransformNet", "Window", "side_planes"]
