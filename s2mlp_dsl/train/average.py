"""An exponential moving average of the weights (Polyak and Juditsky 1992)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from s2mlp_dsl.train.errors import EnvironmentFailure


class Average:
    """Shadows a model's trained parameters, on its device, in float32."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.live = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.shadow = {n: p.detach().clone() for n, p in self.live.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """After step 0, 1, …: soon at first, so that no start value lingers."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(
            list(self.shadow.values()), list(self.live.values()), 1 - decay
        )

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Put back what a checkpoint kept."""
        if tensors.keys() != self.shadow.keys():
            raise EnvironmentFailure("the averaged weights are of another model")
        for name, tensor in tensors.items():
            self.shadow[name].copy_(tensor)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model has the averaged weights while the block runs."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def settle(self) -> None:
        """Leave the averaged weights in the model for good."""
        for name, live in self.live.items():
            live.copy_(self.shadow[name])

    def _swap(self) -> None:
        for name, live in self.live.items():
            live.data, self.shadow[name] = self.shadow[name], live.data
