"""Tools that read modules: fx, TorchScript, torchvision's extractor and timm's."""

import warnings
from collections.abc import Iterator

import pytest
import torch
from torch import fx, nn
from torch.ao.quantization import get_default_qconfig_mapping
from torch.ao.quantization.quantize_fx import prepare_fx

from s2mlp_dsl.ir.program import Parallel
from s2mlp_dsl.ir.walk import within
from tests.lower.specs import LARGE, MADE_UP, SMALL, program

SHIPPED = [name for name in SMALL if name not in MADE_UP]
# One of each kind of module that is not read node by node.
KINDS = ["cycle_mlp", "resnet_50", "s2mlpv2", "tsm", "vit", "wu_shift"]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Quantization by fx and TorchScript are deprecated, and still asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def made(name: str) -> tuple[nn.Module, torch.Tensor]:
    one = program(name)
    torch.manual_seed(0)
    return one.build().eval(), torch.randn(2, *one.model.input_size)


def is_scriptable(name: str) -> bool:
    """TorchScript has neither `*branches`, as merges take, nor `super().forward`.

    The modules for the frames of a clip call the latter.
    """
    model = program(name).model
    if len(model.input_size) == 4:
        return False
    bodies = [model.body, *(block.body for block in model.blocks)]
    return not any(isinstance(one, Parallel) for body in bodies for one in within(body))


def traced(name: str) -> None:
    net, x = made(name)
    with torch.no_grad():
        assert torch.equal(fx.symbolic_trace(net)(x), net(x))


@pytest.mark.parametrize("name", SHIPPED)
def test_symbolic_trace(name: str) -> None:
    traced(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_symbolic_trace_of_large_models(name: str) -> None:
    traced(name)


def test_the_traced_module_takes_another_batch() -> None:
    net, x = made("digits")
    graph = fx.symbolic_trace(net)
    assert torch.equal(graph(x[:1]), net(x[:1]))


@pytest.mark.parametrize("name", [one for one in SHIPPED if is_scriptable(one)])
def test_torchscript(name: str) -> None:
    net, x = made(name)
    with torch.no_grad():
        assert torch.equal(torch.jit.script(net)(x), net(x))


@pytest.mark.parametrize("name", KINDS)
def test_torchvision_extracts_features(name: str) -> None:
    extraction = pytest.importorskip("torchvision.models.feature_extraction")
    net, x = made(name)
    node = extraction.get_graph_node_names(net)[1][-1]
    found = extraction.create_feature_extractor(net, {node: "y"})
    with torch.no_grad():
        assert torch.equal(found(x)["y"], net(x))


def test_torchvision_extracts_an_iteration() -> None:
    extraction = pytest.importorskip("torchvision.models.feature_extraction")
    net, x = made("digits")
    found = extraction.create_feature_extractor(net, {"stack.1": "y"})(x)["y"]
    seen = {}
    net.stack[1].register_forward_hook(lambda m, i, o: seen.update(y=o))
    net(x)
    assert torch.equal(found, seen["y"])


@pytest.mark.parametrize("name", KINDS)
def test_timm_extracts_features(name: str) -> None:
    features = pytest.importorskip("timm.models")
    net, x = made(name)
    with torch.no_grad():
        (y,) = features.create_feature_extractor(net, ["head"])(x).values()
        assert torch.equal(y, net(x))


@pytest.mark.parametrize("name", KINDS)
def test_prepared_for_quantization(name: str) -> None:
    net, x = made(name)
    with torch.no_grad():
        prepared = prepare_fx(net, get_default_qconfig_mapping(), (x,))
        assert torch.allclose(prepared(x), made(name)[0](x), atol=1e-5)


@pytest.mark.parametrize("name", SHIPPED)
def test_an_empty_batch(name: str) -> None:
    net, x = made(name)
    with torch.no_grad():
        assert net(x[:0]).shape == (0, *net(x).shape[1:])


@pytest.mark.parametrize(
    ("name", "size"), [("digits", (3, 8, 8)), ("tsm", (8, 3, 32, 32))]
)
def test_other_channels_are_refused_with_what_is_expected(
    name: str, size: tuple[int, ...]
) -> None:
    net, _ = made(name)
    channels = program(name).model.input_size[0]
    for one in (net, fx.symbolic_trace(net)):
        with pytest.raises(AssertionError, match=rf"expected .* \[batch, {channels},"):
            one(torch.randn(2, *size))


def test_sides_that_patches_do_not_divide_are_refused() -> None:
    with pytest.raises(RuntimeError, match=r"\[-1, 2\] don't multiply up to .* \(7\)"):
        made("digits")[0](torch.randn(2, 1, 8, 7))
