"""Models in other people's code: backbones, and timm's registry."""

import pytest
import torch

import s2mlp_dsl as s2
from s2mlp_dsl.lower.backbone import NoFeature

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
    with pytest.raises(NoFeature, match="no statement of small labelled `nothing`"):
        s2.compile(SPEC, features=["nothing"])
    with pytest.raises(NoFeature, match="several statements"):
        s2.compile(SPEC, features=["inner"])


def test_timm_makes_it() -> None:
    timm = pytest.importorskip("timm")
    assert s2.register_timm(SPEC) == "small"
    assert timm.is_model("small")
    net = timm.create_model("small", num_classes=7)
    assert net(torch.randn(2, 3, 16, 24)).shape == (2, 7)
    assert timm.create_model("small")(torch.randn(1, 3, 16, 24)).shape == (1, 5)
    (late,) = timm.create_model("small", features=["late"])(torch.randn(1, 3, 16, 24))
    assert late.shape == (1, 16, 4, 6)
    with pytest.raises(ValueError, match="no pretrained weights"):
        timm.create_model("small", pretrained=True)
