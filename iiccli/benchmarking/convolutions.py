"""What a network computes, in how long, and against what the machine can do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import conv_flop_count

_CONVOLUTIONS = {
    torch.ops.aten.convolution,
    torch.ops.aten._convolution,
    torch.ops.aten.cudnn_convolution,
    torch.ops.aten.mkldnn_convolution,
}
_ROOF_SIDE = {"cpu": 2048}
_ROOF_SIDE_ELSE = 8192
_ROOF_RUNS = 5


class Convolutions(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts floating-point operations of all convolutions inside its block, and torch's time.

    It sees every operation that reaches a kernel, whatever module or function asks for it. On
    CUDA times are of the device's own clock, and there once `finish` was called.

    Attributes:
        flops: of convolutions; a multiplication and an addition are two.
        seconds: in convolutions alone.
        kernel_seconds: in all of torch's operations: the network, without what is around it.
    """

    def __init__(self, device: torch.device) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0
        self.seconds = 0.0
        self.kernel_seconds = 0.0
        self._device = device
        self._events: list[tuple[Any, Any, bool]] = []

    def __torch_dispatch__(
        self,
        function: Any,
        types: Any,
        arguments: tuple[Any, ...] = (),
        keywords: dict[str, Any] | None = None,
    ) -> Any:
        """Run one operation."""
        keywords = keywords or {}
        if function.overloadpacket is torch.ops.aten.conv2d:
            # In inference mode it arrives whole; taken apart, the convolution comes here again.
            with self:
                return function.decompose(*arguments, **keywords)
        convolves = function.overloadpacket in _CONVOLUTIONS
        if self._device.type == "cuda":
            begun, ended = _event(), _event()
            begun.record()
            result = function(*arguments, **keywords)
            ended.record()
            self._events.append((begun, ended, convolves))
        else:
            moment = time.perf_counter()
            result = function(*arguments, **keywords)
            self._add(time.perf_counter() - moment, convolves)
        if not convolves:
            return result
        x, weight = arguments[0], arguments[1]
        transposed = bool(arguments[6]) if len(arguments) > 6 else False
        self.flops += conv_flop_count(
            list(x.shape), list(weight.shape), list(result.shape), transposed=transposed
        )
        return result

    def finish(self) -> None:
        """Wait for the device and add up its times."""
        if self._events:
            torch.cuda.synchronize(self._device)
            for begun, ended, convolves in self._events:
                self._add(begun.elapsed_time(ended) / 1000, convolves)
            self._events.clear()

    def _add(self, seconds: float, convolves: bool) -> None:
        self.kernel_seconds += seconds
        self.seconds += seconds if convolves else 0.0


def roof(device: torch.device, dtype: torch.dtype = torch.float32) -> float:
    """Operations a second that a large matrix product reaches here: the best of some."""
    side = _ROOF_SIDE.get(device.type, _ROOF_SIDE_ELSE)
    a = torch.randn(side, side, device=device).to(dtype)
    b = torch.randn(side, side, device=device).to(dtype)
    torch.mm(a, b)
    fastest = min(stopwatch(device, lambda: torch.mm(a, b)) for _ in range(_ROOF_RUNS))
    return 2 * side**3 / fastest


def stopwatch(device: torch.device, work: Callable[[], Any]) -> float:
    """Seconds that some work takes; on CUDA by the device's own clock."""
    if device.type == "cuda":
        begun, ended = _event(), _event()
        begun.record()
        work()
        ended.record()
        torch.cuda.synchronize(device)
        return float(begun.elapsed_time(ended)) / 1000
    moment = time.perf_counter()
    work()
    return time.perf_counter() - moment


def _event() -> Any:
    """A moment by the device's own clock."""
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
