"""The fast invertible network: half resolution, learned mixing, informed starts."""

from iiccli.networks.fast.config import FastConfig
from iiccli.networks.fast.network import FastNet

__all__ = ["FastConfig", "FastNet"]
