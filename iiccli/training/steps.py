"""Single steps of a training, on the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from iiccli.training.average import Average
from iiccli.training.rates import factor_at
from iiccli.training.recipes import Recipe

if TYPE_CHECKING:
    from accelerate import Accelerator


class Objective(Protocol):
    """What is trained, on what, and how good it is."""

    module: nn.Module

    def batch(self, step: int, share: range) -> Any:
        """What the module is given in a step: those groups of the batch, on the device."""
        ...

    def loss(self, module: nn.Module, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean loss over a batch, and figures for the log, detached and on the device."""
        ...

    def validate(self, module: nn.Module) -> dict[str, float]:
        """Measure `module` on pictures kept out of training; nothing where there are none."""
        ...

    def sheet(self, module: nn.Module) -> npt.NDArray[np.uint8] | None:
        """A picture that shows how good it is, (H, W, 3), if there is one."""
        ...


class Steps:
    """Single steps of a training: forward, backward, and what the optimiser makes of it.

    Attributes:
        optimiser: Adam.
        average: of the weights.
        skipped: steps left out since it was last looked at, on the device: their gradients were
            not finite.
    """

    def __init__(self, objective: Objective, recipe: Recipe, engine: Accelerator) -> None:
        self.objective, self.recipe, self.engine = objective, recipe, engine
        module, optimiser = objective.module, recipe.optimiser
        module.train()
        # Fused: it can leave out a step on the device's own word, which nobody has to wait for.
        self.optimiser = torch.optim.Adam(
            module.parameters(),
            lr=optimiser.rate,
            betas=optimiser.betas,
            weight_decay=optimiser.weight_decay,
            fused=True,
        )
        self.average = Average(module, optimiser.ema)
        self.skipped = torch.zeros((), device=engine.device)
        self._parameters = list(module.parameters())
        self._prepared: tuple[nn.Module, Any] | None = None

    def take(self, batch: Any, number: int, share: float) -> tuple[float, dict[str, Tensor]]:
        """One step.

        Args:
            batch: of the objective.
            number: of the step, from 0.
            share: of the budget that is used up.

        Returns:
            The learning rate, and figures on the device.
        """
        module, optimiser = self._prepared = self._prepared or self._prepare()
        engine, recipe = self.engine, self.recipe
        rate = recipe.optimiser.rate * factor_at(share, recipe.optimiser)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss, figures = self.objective.loss(module, batch)
        optimiser.zero_grad(set_to_none=True)
        engine.backward(loss)
        norm = engine.clip_grad_norm_(self._parameters, recipe.optimiser.clip or float("inf"))
        bad = (~torch.isfinite(torch.as_tensor(norm, device=engine.device))).float()
        if engine.scaler is None:
            self.optimiser.found_inf = bad  # type: ignore[attr-defined]
        optimiser.step()
        self.skipped += bad
        self.average.update(self.objective.module, number)
        return rate, {"loss": loss.detach(), **figures}

    def end(self) -> None:
        """Leave the averaged weights in the module, which is as it was before otherwise."""
        if self._prepared is not None:
            self.engine.unwrap_model(
                self._prepared[0], keep_fp32_wrapper=False, keep_torch_compile=False
            )
        self.average.exchange(self.objective.module)
        self.objective.module.eval()

    def _prepare(self) -> tuple[nn.Module, Any]:
        """The module and the optimiser as the engine wants them."""
        module = self.objective.module
        choice, device = self.recipe.loop, self.engine.device
        if choice.channels_last == "always" or (
            choice.channels_last == "auto" and device.type == "cuda"
        ):
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if choice.compile == "always" or (choice.compile == "auto" and device.type == "cuda"):
            module = torch.compile(module)  # type: ignore[assignment]
        prepared: tuple[nn.Module, Any] = self.engine.prepare(module, self.optimiser)
        return prepared
