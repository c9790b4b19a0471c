"""Modules with drawn weights, with none yet, and with none at all."""

import torch

import s2mlp_dsl as s2
from s2mlp_dsl.api import elaborate

SIZES = {"width": 8, "depth": 2, "patch": 4, "size": 16, "classes": 3}


def test_weights_to_come_are_not_drawn() -> None:
    program = elaborate("specs/s2mlp.arch", settings=SIZES)
    drawn = program.build().eval()
    before = torch.get_rng_state()
    waiting = program.build(initialized=False).eval()
    assert torch.equal(torch.get_rng_state(), before)
    waiting.load_state_dict(drawn.state_dict())
    x_BCHW = torch.randn(2, 3, 16, 16)
    assert torch.equal(waiting(x_BCHW), drawn(x_BCHW))


def test_a_seed_means_the_same_weights_again() -> None:
    torch.manual_seed(3)
    first = s2.compile("specs/s2mlp.arch", **SIZES).state_dict()
    torch.manual_seed(3)
    again = s2.compile("specs/s2mlp.arch", **SIZES).state_dict()
    assert all(torch.equal(again[name], first[name]) for name in first)


def test_on_meta_there_are_names_and_shapes_alone() -> None:
    before = torch.get_rng_state()
    net = s2.compile("specs/s2mlp.arch", device="meta", **SIZES)
    assert torch.equal(torch.get_rng_state(), before)
    assert {tensor.device.type for tensor in net.state_dict().values()} == {"meta"}
    wanted = s2.compile("specs/s2mlp.arch", **SIZES).state_dict()
    found = {name: one.shape for name, one in net.state_dict().items()}
    assert found == {name: one.shape for name, one in wanted.items()}
    assert net(torch.empty(2, 3, 16, 16, device="meta")).shape == (2, 3)
