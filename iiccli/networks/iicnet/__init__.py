"""IICNet: a generic framework for reversible image conversion (Cheng et al., ICCV 2021)."""

from iiccli.networks.iicnet.config import IICNetConfig
from iiccli.networks.iicnet.network import IICNet

__all__ = ["IICNet", "IICNetConfig"]
