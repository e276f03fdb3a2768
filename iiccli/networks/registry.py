"""Networks by name: how a model file's hyper-parameters become a module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from torch import nn

NETWORKS = ("adaptive", "transform", "iicnet", "fast")


def build(network: str, config: Mapping[str, Any]) -> nn.Module:
    """Build an untrained network.

    Raises:
        KeyError: no network of that name.
        TypeError, ValueError: hyper-parameters that fit no network.
    """
    settled, module = _classes(network)
    built: nn.Module = module(settled(**_tuples(config)))
    return built


def settle(network: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """All hyper-parameters of a network, defaults filled in.

    Raises:
        KeyError, TypeError, ValueError: as `build`.
    """
    return asdict(_classes(network)[0](**_tuples(config)))


def options(network: str) -> type[Any]:
    """The class of a network's hyper-parameters.

    Raises:
        KeyError: no network of that name.
    """
    kind: type[Any] = _classes(network)[0]
    return kind


def _classes(network: str) -> tuple[Any, Any]:
    """The class of the hyper-parameters, and that of the network."""
    if network == "adaptive":
        from iiccli.networks.adaptive import AdaptiveConfig, AdaptiveNet

        return AdaptiveConfig, AdaptiveNet
    if network == "transform":
        from iiccli.networks.transform import TransformConfig, TransformNet

        return TransformConfig, TransformNet
    if network == "iicnet":
        from iiccli.networks.iicnet import IICNet, IICNetConfig

        return IICNetConfig, IICNet
    if network == "fast":
        from iiccli.networks.fast import FastConfig, FastNet

        return FastConfig, FastNet
    raise KeyError(network)


def _tuples(config: Mapping[str, Any]) -> dict[str, Any]:
    """Tuples for lists, all the way down: JSON and YAML know lists only."""

    def settled(value: Any) -> Any:
        return tuple(map(settled, value)) if isinstance(value, (list, tuple)) else value

    return {key: settled(value) for key, value in config.items()}
