"""Running statistics: stored with the weights, and no parameters."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from s2mlp_dsl.analysis.cost import cost_table
from s2mlp_dsl.api import elaborate, verify
from s2mlp_dsl.nn.norms import BatchNorm
from s2mlp_dsl.verify.verify import verify_module

TEXT = """
edition 1

model normed {
    image(3, 6, 5)
    patch(1, 8)
    norm(batch)
    relu
    residual {
        norm(group, groups = 4)
        linear(8)
        norm(rms)
        silu
        scale(1/2)
    }
    pool(mean)
    linear(2)
}
"""


def test_it_is_verified() -> None:
    certificate = verify(TEXT)
    assert certificate.passed
    checks = {check.name: check for check in certificate.checks}
    # Weights: patch 2, batch 2, group 2, linear 2, rms 1, scale 1, linear 2.
    assert checks["parameters"].cases == 12 + 3


def test_they_are_no_parameters() -> None:
    program = elaborate(TEXT)
    rows = {row.path: row.params for row in cost_table(program.model)}
    assert rows["norm1"] == 16
    assert program.analysis.params == sum(
        p.numel() for p in program.build().parameters()
    )


def _untracked(net: nn.Module) -> None:
    net.norm1 = type(net.norm1)(8, track_running_stats=False)


def _trained(net: nn.Module) -> None:
    del net.norm1.running_mean
    net.norm1.running_mean = nn.Parameter(torch.zeros(8))


def _of_the_batch(net: nn.Module) -> None:
    net.norm1.forward = lambda x: (x - x.mean((0, 1, 2))) / x.std((0, 1, 2))


class _Biased(BatchNorm):
    """Keeps the variance that it divides by, where an unbiased one belongs."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        before = self.running_var.clone()
        y = super().forward(x)
        if self.training:
            biased = x.flatten(0, -2).var(0, correction=0)
            self.running_var.copy_(0.9 * before + 0.1 * biased)
        return y


def _biased(net: nn.Module) -> None:
    net.norm1 = _Biased(8)


@pytest.mark.parametrize(
    ("plant", "failing"),
    [
        (_untracked, {"parameters", "values", "values in training"}),
        (_trained, {"parameters"}),
        (_biased, {"values in training"}),
        (_of_the_batch, {"values", "values in training"}),
    ],
)
def test_faults(plant: Callable[[nn.Module], None], failing: set[str]) -> None:
    program = elaborate(TEXT)
    net = program.build()
    plant(net)
    failed = {
        check.name: check for check in verify_module(program, net) if check.failures
    }
    assert failed.keys() == failing
    blamed = {check.failures[0].statement.split(".")[0] for check in failed.values()}
    assert blamed <= {"norm1", "normed"}
