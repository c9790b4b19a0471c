"""The compared networks, and a training step of each in the same precision."""

from collections.abc import Callable

import torch
from handwritten import SIZES, like
from rows import ROOT
from torch import Tensor, nn
from torch.nn import functional as F

import s2mlp_dsl as s2
from on_gpu.setup import BF16, Setup
from s2mlp_dsl.train.device import Accelerator
from s2mlp_dsl.train.model import compile_blocks

# Of the recipe's setting `precision`: what each of its values is, in words.
PRECISIONS = {"bf16_weights": "bf16 weights", "bf16": "autocast"}


def ours(name: str, depth: int, setup: Setup, layout: str = "rows") -> nn.Module:
    """A model as it is built for a GPU, whatever device tries it: in rows.

    In the layout `map` it differs in nothing else.
    """
    kind = "affine" if SIZES[name]["affine"] else "layer"
    sizes = {"width": setup.width(name), "depth": depth, "norm_kind": kind}
    program = s2.elaborate(ROOT / "specs/s2mlp.arch", settings=sizes)
    built = program.build(lowering="gather" if layout == "map" else None, device="cuda")
    return built.to(setup.device)


def port(name: str, depth: int, setup: Setup) -> nn.Module:
    """The same by hand, with the shift as a clone and slice assignments."""
    return like(name, depth=depth, width=setup.width(name)).to(setup.device)


def mixer(setup: Setup) -> nn.Module:
    """timm's Mixer-B/16: as wide and as deep as the wide model."""
    from timm.models.mlp_mixer import MlpMixer

    width, depth = setup.width("s2mlp_wide"), setup.depth("s2mlp_wide")
    net: nn.Module = MlpMixer(patch_size=16, num_blocks=depth, embed_dim=width)
    return net.to(setup.device)


def training(
    net: nn.Module, setup: Setup, precision: str, autotune: bool = False
) -> Callable[[], None]:
    """A step as `train` takes it: copies of weights, passes, AdamW of the masters."""
    compile_blocks(net, autotune)
    accelerator = Accelerator(setup.device, precision)
    images, labels = setup.images(), torch.arange(setup.batch, device=setup.device)
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)

    def step() -> None:
        net.zero_grad()
        with accelerator.weights(net):
            F.cross_entropy(accelerator.forward(net, images).float(), labels).backward()
        optimizer.step()

    return step


def inference(
    net: nn.Module, setup: Setup, autotune: bool = False
) -> Callable[[], None]:
    """All in bf16, without masters."""
    compile_blocks(net.to(BF16).eval(), autotune)
    images = setup.images().to(BF16)

    def forward() -> None:
        with torch.inference_mode():
            net(images)

    return forward


def passes(net: nn.Module, x: Tensor, precision: str) -> Callable[[], None]:
    """Forward and backward of a part of a model, of a map in the stream's type."""
    accelerator = Accelerator(x.device, precision)
    x = x.to(BF16 if precision == "bf16_weights" else torch.float32).requires_grad_()

    def both() -> None:
        net.zero_grad()
        x.grad = None
        with accelerator.weights(net):
            accelerator.forward(net, x).float().sum().backward()

    return both


def macs_of(net: nn.Module, setup: Setup) -> float:
    """MACs of one image: the products that PyTorch counts."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.randn(1, 3, 224, 224, device=setup.device))
    return counter.get_total_flops() / 2
