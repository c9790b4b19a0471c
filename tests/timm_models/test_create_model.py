"""What timm asks of its models, asked of ours through `timm.create_model`."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import s2mlp_dsl as s2

timm = pytest.importorskip("timm")
from timm.models import group_parameters  # noqa: E402
from timm.optim import param_groups_layer_decay  # noqa: E402

SPECS = Path(__file__).parents[2] / "specs"
TINY = """edition 1
import s2mlp_block, cross from "std:s2mlp"

model timm_tiny(classes = 3, width = 16, depth = 3, size = 16) {
    image(3, size, size)
    patch(4, width)
    position
    stack depth {
        s2mlp_block(ratio = 2, via = cross)
    }
    norm(layer)
    pool(mean)
    gelu
    head: linear(classes)
}
"""
PYRAMID = """edition 1
import s2mlp_block, cross from "std:s2mlp"

model timm_pyramid(classes = 3) {
    image(3, 32, 32)
    patch(4, 16)
    stage_1: stack 2 { s2mlp_block(ratio = 2, via = cross) }
    patch(2, 32)
    stage_2: stack 1 { s2mlp_block(ratio = 2, via = cross) }
    patch(2, 64)
    stage_3: stack 2 { s2mlp_block(ratio = 2, via = cross) }
    pool(max)
    linear(classes)
}
"""


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    for text in (TINY, PYRAMID):
        s2.register_timm(text)
    yield


def model(name: str = "timm_tiny", **given: Any) -> Any:
    torch.manual_seed(0)
    return timm.create_model(name, **given).eval()


def images(*size: int, batch: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, *(size or (3, 16, 16)), generator=generator)


def test_it_is_what_is_compiled() -> None:
    ours, theirs = s2.compile(TINY).eval(), model()
    ours.load_state_dict(theirs.state_dict())
    assert torch.equal(ours(images()), theirs(images()))
    assert theirs.default_cfg["classifier"] == "head"
    assert theirs.default_cfg["first_conv"] == "patch"
    assert theirs.default_cfg["pool_size"] == (4, 4)
    assert theirs.num_features == theirs.head_hidden_size == 16


@pytest.mark.parametrize(
    ("given", "size", "result"),
    [
        ({"num_classes": 7}, (3, 16, 16), (2, 7)),
        ({"num_classes": 0}, (3, 16, 16), (2, 16)),
        ({"num_classes": 0, "global_pool": ""}, (3, 16, 16), (2, 4, 4, 16)),
        ({"in_chans": 1}, (1, 16, 16), (2, 3)),
        ({"img_size": 32}, (3, 32, 32), (2, 3)),
        ({"img_size": (16, 32)}, (3, 16, 32), (2, 3)),
        ({"width": 32, "depth": 1}, (3, 16, 16), (2, 3)),
        ({"dtype": torch.float64}, (3, 16, 16), (2, 3)),
    ],
)
def test_timms_arguments(
    given: dict[str, Any], size: tuple[int, ...], result: tuple[int, ...]
) -> None:
    made = model(**given)
    x = images(*size).to(given.get("dtype", torch.float32))
    assert made(x).shape == result
    assert made.num_classes == given.get("num_classes", 3)


def test_an_argument_of_neither_is_refused() -> None:
    with pytest.raises(Exception, match="no parameter `expansion`"):
        model(expansion=2)


def test_parts_of_the_forward_pass() -> None:
    made = model("timm_pyramid")
    x = images(3, 32, 32)
    features = made.forward_features(x)
    assert features.shape == (2, 2, 2, 64)
    hidden = made.forward_head(features, pre_logits=True)
    assert torch.equal(hidden, features.amax((1, 2)))
    assert torch.equal(made.get_classifier()(hidden), made(x))


def test_the_classifier_is_replaced() -> None:
    made = model()
    made.reset_classifier(5)
    assert made(images()).shape == (2, 5)
    made.reset_classifier(0, "")
    assert made(images()).shape == (2, 4, 4, 16)
    with pytest.raises(ValueError, match="'max'"):
        made.reset_classifier(5, "max")


def test_dropout_is_before_the_classifier() -> None:
    made = model(drop_rate=0.999).train()
    bias = made.head.bias.detach()
    assert torch.allclose(made(images()), bias.expand(2, 3), atol=1e-3)
    assert any(
        m.p == 0.3 for m in model(drop_path_rate=0.3).modules() if hasattr(m, "p")
    )


def test_intermediate_maps_are_those_of_a_backbone() -> None:
    made = model("timm_pyramid")
    backbone = s2.compile(PYRAMID, features=["stage_1", "stage_2", "stage_3"]).eval()
    backbone.load_state_dict(made.state_dict(), strict=False)
    features, maps = made.forward_intermediates(images(3, 32, 32))
    assert torch.equal(features, made.forward_features(images(3, 32, 32)))
    for ours, theirs in zip(maps, backbone(images(3, 32, 32)), strict=True):
        assert torch.equal(ours, theirs)
    assert [one["reduction"] for one in made.feature_info] == [4, 8, 16]
    (one,) = made.forward_intermediates(
        images(3, 32, 32), [-2], output_fmt="NLC", intermediates_only=True
    )
    assert torch.equal(one, maps[1].flatten(2).transpose(1, 2))


def test_features_only() -> None:
    made = model("timm_pyramid", features_only=True, out_indices=(0, 1))
    assert made.feature_info.channels() == [16, 32]
    assert [tuple(one.shape) for one in made(images(3, 32, 32))] == [
        (2, 16, 8, 8),
        (2, 32, 4, 4),
    ]
    assert len(made.model.stage_3) == 0
    each = model(features_only=True)
    assert each.feature_info.reduction() == [4, 4, 4]


@pytest.mark.parametrize("given", [{"indices": 4}, {"norm": True}, {"output_fmt": "N"}])
def test_maps_that_there_are_not(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        model().forward_intermediates(images(), **given)


def test_layers_for_layer_decay() -> None:
    made = model("timm_pyramid")
    groups = group_parameters(made, made.group_matcher())
    names = [
        {name.split(".")[0] + name.split(".")[1] for name in group}
        if group[0].startswith("stage")
        else {name.split(".")[0] for name in group}
        for _, group in sorted(groups.items())
    ]
    assert names[0] == {"patch1"}
    assert names[1:3] == [{"stage_10"}, {"stage_11"}]
    assert names[-1] == {"linear"}
    assert sum(map(len, groups.values())) == len(list(made.parameters()))
    scales = {g["lr_scale"] for g in param_groups_layer_decay(made, layer_decay=0.5)}
    assert max(scales) == 1 and len(scales) >= 6


def test_what_does_not_decay() -> None:
    assert model().no_weight_decay() == {"position.weight"}


def test_gradient_checkpointing_can_be_switched() -> None:
    made = model().train()

    def gradients() -> list[torch.Tensor]:
        made.zero_grad()
        made(images()).sum().backward()
        return [p.grad.clone() for p in made.parameters()]

    plain = gradients()
    for enable in (True, True, False):
        made.set_grad_checkpointing(enable)
        for one, other in zip(plain, gradients(), strict=True):
            torch.testing.assert_close(one, other)


def test_it_can_be_copied_and_sent_to_another_process(tmp_path: Path) -> None:
    made = model()
    assert torch.equal(copy.deepcopy(made)(images()), made(images()))
    torch.save((made, images(), made(images())), tmp_path / "sent.pt")
    code = (
        "import sys, torch\n"
        "made, x, y = torch.load(sys.argv[1], weights_only=False)\n"
        "assert torch.equal(made(x), y)\n"
        "made.reset_classifier(2)\n"
        "assert made(x).shape == (2, 2)\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "sent.pt"], check=True)
    again = pickle.loads(pickle.dumps(made))
    assert type(again) is type(made)


def test_weights_from_a_file(tmp_path: Path) -> None:
    first = model()
    save_file(first.state_dict(), tmp_path / "first.safetensors")
    given = {"pretrained_cfg_overlay": {"file": str(tmp_path / "first.safetensors")}}
    torch.manual_seed(5)
    second = timm.create_model("timm_tiny", pretrained=True, **given).eval()
    assert torch.equal(first(images()), second(images()))


def test_a_label_with_another_meaning_in_timm_is_refused() -> None:
    with pytest.raises(ValueError, match="`global_pool`"):
        s2.register_timm(TINY.replace("pool(mean)", "global_pool: pool(mean)"))


# Shipped models, each with what makes it small.
SHIPPED = {
    "s2mlp_deep": ("s2mlp_deep", {"depth": 2}),
    "as_mlp": ("as_mlp_t", {}),
    "cycle_mlp": ("cycle_mlp_b2", {}),
    "gmlp": ("gmlp_s16", {}),
    "mlp_mixer": ("mixer_b16", {}),
    "resmlp": ("resmlp_24", {}),
    "resnet": ("resnet_50", {}),
    "s2mlpv2": ("s2mlpv2_small_7", {}),
    "shiftvit": ("shiftvit_t", {}),
    "vip": ("vip_small_7", {}),
    "vit": ("vit_b16", {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("spec", SHIPPED)
def test_shipped_models(spec: str) -> None:
    name, settings = SHIPPED[spec]
    s2.register_timm(SPECS / f"{spec}.arch", name, **settings)
    made = model(name, num_classes=42)
    x = images(*made.default_cfg["input_size"], batch=1)
    y = made(x)
    assert y.shape == (1, 42)
    y.sum().backward()
    assert all(p.grad is not None for p in made.parameters())
    assert f"{made.default_cfg['classifier']}.weight" in made.state_dict()
    features = made.forward_features(x)
    assert features.shape[-1] == made.num_features
    hidden = made.forward_head(features, pre_logits=True)
    assert hidden.shape == (1, made.head_hidden_size)
    made.set_grad_checkpointing()
    torch.testing.assert_close(made(x), y)
    made.set_grad_checkpointing(False)
    info = made.feature_info
    assert [one["module"] for one in info] or spec == "vit"
    _, maps = made.forward_intermediates(x)
    for one, found in zip(info, maps, strict=True):
        assert found.shape[1] == one["num_chs"]
        assert found.shape[-1] == x.shape[-1] // one["reduction"]
    made.reset_classifier(0)
    assert torch.equal(made(x), hidden)
