"""Models in other people's code: backbones."""

from functools import partial
from pathlib import Path

import pytest
import torch

import s2mlp_dsl as s2
from s2mlp_dsl.lower.backbone import NoFeature
from s2mlp_dsl.lower.shift_implementations import SHIFTS

SPECS = Path(__file__).parents[2] / "specs"
EACH = {"depths": "[1, 1, 1, 1]", "size": 64}
CYCLE = {"widths": "[8, 16, 24, 32]", "depths": "[1, 1, 1, 1]"}
STACKS = ["stack1", "stack2", "stack3", "stack4"]
STAGES = ["stage", "stage_2", "stage_3", "stage_4"]

SPEC = """edition 1

shift cross {
    edge keep
    1/2 right
    1/2 down
}

model small(classes = 5) {
    image(3, 16, 24)
    patch(2, 8)
    early: residual {
        linear(dim)
        mixed: shift(cross)
    }
    patch(2, 16)
    late: stack 2 {
        residual {
            inner: linear(dim)
            gelu
        }
    }
    pooled: pool(mean)
    head: linear(classes)
}
"""


def test_labelled_maps() -> None:
    torch.manual_seed(0)
    net = s2.compile(SPEC, features=["early", "late", "mixed"])
    torch.manual_seed(0)
    whole = s2.compile(SPEC)
    x = torch.randn(2, 3, 16, 24)
    early, late, mixed = net(x)
    assert early.shape == (2, 8, 8, 12)
    assert late.shape == (2, 16, 4, 6)
    assert torch.equal(whole.head(late.mean((2, 3))), whole(x))
    seen = {}
    whole.mixed.register_forward_hook(lambda m, i, o: seen.update(mixed=o))
    whole(x)
    assert torch.equal(mixed.permute(0, 2, 3, 1), seen["mixed"])
    assert [row["num_chs"] for row in net.feature_info] == [8, 16, 8]
    assert [row["reduction"] for row in net.feature_info] == [2, 4, 2]
    assert [row["module"] for row in net.feature_info] == ["early", "late", "mixed"]


def test_what_is_not_used_is_gone() -> None:
    net = s2.compile(SPEC, features=["early"])
    whole = s2.compile(SPEC).state_dict()
    assert set(net.state_dict()) < set(whole)
    assert not any(key.startswith(("late", "head")) for key in net.state_dict())
    net.load_state_dict({key: whole[key] for key in net.state_dict()})


def test_shifts_of_any_edge_rule() -> None:
    (mixed,) = s2.compile(SPEC.replace("keep", "reflect"), features=["mixed"])(
        torch.randn(2, 3, 16, 24)
    )
    assert mixed.shape == (2, 8, 8, 12)


def test_a_vector_stays_a_vector() -> None:
    (pooled,) = s2.compile(SPEC, features=["pooled"])(torch.randn(2, 3, 16, 24))
    assert pooled.shape == (2, 16)


def test_labels_must_be_there_once() -> None:
    with pytest.raises(NoFeature, match="no statement of small is called `nothing`"):
        s2.compile(SPEC, features=["nothing"])
    with pytest.raises(NoFeature, match=r"several statements .* choose from `mixed`"):
        s2.compile(SPEC, features=["inner"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("late", "a list of names"),
        ([], "names no statement"),
        (["late[2]"], r"is called `late\[2\]`"),
        (["early[0]"], r"is called `early\[0\]`"),
        (["late[-1]"], r"is called `late\[-1\]`"),
    ],
)
def test_names_that_are_none(asked: object, said: str) -> None:
    with pytest.raises(NoFeature, match=said):
        s2.compile(SPEC, features=asked)


def test_modules_and_iterations_have_names_too() -> None:
    torch.manual_seed(0)
    net = s2.compile(SPEC, features=["patch1", "late[0]", "late.1.gelu", "late"])
    torch.manual_seed(0)
    whole, x = s2.compile(SPEC), torch.randn(2, 3, 16, 24)
    seen = {}
    for path in ("patch1", "late.0", "late.1.gelu", "late"):
        keep = partial(seen.__setitem__, path)
        whole.get_submodule(path).register_forward_hook(lambda *a, k=keep: k(a[2]))
    whole(x)
    for found, (path, wanted) in zip(net(x), seen.items(), strict=True):
        assert torch.equal(found.permute(0, 2, 3, 1), wanted), path
    assert net.feature_info.module_name() == list(seen)
    assert net.feature_info.channels() == [8, 16, 16, 16]
    assert net.feature_info.reduction() == [2, 4, 4, 4]


def test_a_width_that_strides_do_not_divide() -> None:
    text = "edition 1\nmodel m {\n    image(3, 30, 30)\n    conv(4, 3, stride = 4)\n}\n"
    net = s2.compile(text, features=["conv"])
    assert net.feature_info.reduction() == [4]  # 8 columns of 30


@pytest.mark.parametrize("lowering", list(SHIFTS))
def test_every_shift_implementation(lowering: str) -> None:
    torch.manual_seed(0)
    net = s2.elaborate(SPEC).backbone(["mixed", "late"], lowering=lowering)
    torch.manual_seed(0)
    usual, x = s2.compile(SPEC, features=["mixed", "late"]), torch.randn(2, 3, 16, 24)
    assert all(map(torch.equal, net(x), usual(x)))


@pytest.mark.parametrize(
    ("file", "model", "settings", "names", "reduction"),
    [
        ("shift_networks", "tsm", {"width": 16, "depth": 2}, ["stack[0]"], [4]),
        ("cycle_mlp", "cycle_mlp", CYCLE, STACKS, [4, 8, 16, 32]),
        ("as_mlp", "as_mlp", {"width": 20, **EACH}, STACKS, [4, 8, 16, 32]),
        (
            "shiftvit",
            "shiftvit",
            {"ratio": 2, "width": 24, **EACH},
            STACKS,
            [4, 8, 16, 32],
        ),
        ("s2mlpv2", "s2mlpv2", {"width": 12, "size": 56}, STACKS[:2], [7, 14]),
        ("vip", "vip", {"widths": "[32, 64]", "depths": "[1, 1]"}, STACKS[:2], [7, 14]),
        ("resnet", "resnet_50", {"size": 64}, STAGES, [4, 8, 16, 32]),
    ],
)
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_shipped_models_of_several_scales(
    file: str,
    model: str,
    settings: dict[str, object],
    names: list[str],
    reduction: list[int],
    device: str,
) -> None:
    """By the names that their stages have anyway: labels would rename the weights."""
    program = s2.elaborate(SPECS / f"{file}.arch", model, settings)
    net = program.backbone(names, device).eval()
    assert net.feature_info.reduction() == reduction
    x = torch.randn(1, *program.model.input_size)
    with torch.no_grad():
        maps = net(x)
    assert [one.shape[1] for one in maps] == net.feature_info.channels()
    assert [x.shape[-1] // one.shape[-1] for one in maps] == reduction
    weights = {key: value.shape for key, value in program.build().state_dict().items()}
    kept = {key: value.shape for key, value in net.state_dict().items()}
    assert kept.items() <= weights.items()
