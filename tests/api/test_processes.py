"""Modules go to other processes, which have not built them."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
import torch
import torch.multiprocessing as mp
from torch import nn

import s2mlp_dsl as s2

SPEC = Path(__file__).parents[2] / "specs" / "digits.arch"
LOAD = """
import pickle, sys, torch, s2mlp_dsl
with open("net.pkl", "rb") as file:
    net = pickle.load(file)
x = torch.load("x.pt")
torch.save([net(x), torch.load("net.pt", weights_only=False)(x)], "y.pt")
"""


def module(features: list[str] | None) -> nn.Module:
    return s2.compile(SPEC, features=features, depth=2, width=16).eval()


def run(rank: int, net: nn.Module, x: torch.Tensor, folder: Path) -> None:
    torch.save(net(x), folder / f"{rank}.pt")


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    return len(one) == len(other) and all(map(torch.equal, one, other))


@pytest.mark.parametrize("features", [None, ["stack[0]", "patch"]])
@pytest.mark.parametrize("library", [pickle, cloudpickle])
def test_pickled(features: list[str] | None, library: Any, tmp_path: Path) -> None:
    net, x = module(features), torch.randn(2, 1, 8, 8)
    (tmp_path / "net.pkl").write_bytes(library.dumps(net))
    torch.save(net, tmp_path / "net.pt")
    torch.save(x, tmp_path / "x.pt")
    subprocess.run([sys.executable, "-c", LOAD], cwd=tmp_path, check=True)
    for y in torch.load(tmp_path / "y.pt"):
        assert same(y, net(x))


@pytest.mark.parametrize("features", [None, ["stack[0]"]])
def test_spawned(features: list[str] | None, tmp_path: Path) -> None:
    net, x = module(features), torch.randn(2, 1, 8, 8)
    mp.spawn(run, args=(net, x, tmp_path), nprocs=1)
    assert same(torch.load(tmp_path / "0.pt"), net(x))


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        lambda net: pickle.loads(pickle.dumps(net)),
        lambda net: copy.deepcopy(pickle.loads(pickle.dumps(net))),
    ],
)
def test_copies_of_a_backbone_are_backbones(copied: Any) -> None:
    net, x = module(["stack[0]", "patch"]), torch.randn(2, 1, 8, 8)
    twin = copied(net)
    assert same(twin(x), net(x))
    assert twin.feature_info.channels() == [16, 16]
    assert twin.feature_info == net.feature_info
    assert list(twin.state_dict()) == list(net.state_dict())
