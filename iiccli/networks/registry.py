"""Networks by name: how a model file's hyper-parameters become a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn


def _transform(config: Mapping[str, Any]) -> nn.Module:
    from iiccli.networks.transform import TransformConfig, TransformNet

    values = dict(config)
    for key in ("bands", "ranks"):
        values[key] = tuple(int(v) for v in values[key])
    values["moduli"] = tuple(tuple(int(q) for q in row) for row in values["moduli"])
    return TransformNet(TransformConfig(**values))


def _adaptive(config: Mapping[str, Any]) -> nn.Module:
    from iiccli.networks.adaptive import AdaptiveConfig, AdaptiveNet

    values = dict(config)
    values["moduli"] = tuple(tuple(int(q) for q in row) for row in values["moduli"])
    return AdaptiveNet(AdaptiveConfig(**values))


def _iicnet(config: Mapping[str, Any]) -> nn.Module:
    from iiccli.networks.iicnet import IICNet, IICNetConfig

    return IICNet(IICNetConfig(**config))


def _fast(config: Mapping[str, Any]) -> nn.Module:
    from iiccli.networks.fast import FastConfig, FastNet

    return FastNet(FastConfig(**config))


BUILDERS: Mapping[str, Callable[[Mapping[str, Any]], nn.Module]] = {
    "adaptive": _adaptive,
    "transform": _transform,
    "iicnet": _iicnet,
    "fast": _fast,
}


def build(network: str, config: Mapping[str, Any]) -> nn.Module:
    """Build an untrained network.

    Raises:
        KeyError: no network of that name.
        TypeError, ValueError: hyper-parameters that fit no network.
    """
    return BUILDERS[network](config)
