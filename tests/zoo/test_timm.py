"""Models of timm, under our names: as many params and MACs, and equal outputs."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.utils.flop_counter import FlopCounterMode

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.cli import main

timm = pytest.importorskip("timm")
SPECS = Path(__file__).parents[2] / "specs"
# Model of ours, its spec and map, the name in timm, and what makes both small.
MODELS = {
    "mixer_b16": ("mlp_mixer", "mixer_b16_224", ("mixer", "width=16 depth=2 size=32")),
    "gmlp_s16": ("gmlp", "gmlp_s16_224", ("gmlp", "width=16 depth=2 size=32")),
    "resmlp_24": ("resmlp", "resmlp_24_224", ("resmlp", "width=16 depth=2 size=32")),
}
WHOLE = {
    **MODELS,
    "resnet_50": ("resnet", "resnet50", ("resnet_50", "")),
    "vit_b16": ("vit", "vit_base_patch16_224", ("vit", "")),
    "deit_s16": ("vit", "deit_small_patch16_224", ("vit", "")),
}


@pytest.mark.parametrize("name", WHOLE)
def test_as_many_parameters(name: str) -> None:
    spec, theirs, _ = WHOLE[name]
    program = elaborate(SPECS / f"{spec}.arch", name)
    with torch.device("meta"):
        model = timm.create_model(theirs)
    assert sum(p.numel() for p in model.parameters()) == program.analysis.params


@pytest.mark.parametrize("name", WHOLE)
def test_as_many_macs(name: str) -> None:
    # Without the fused kernel, so that both products of attention are counted.
    before = timm.layers.use_fused_attn()
    timm.layers.set_fused_attn(False)
    try:
        with torch.device("meta"):
            model = timm.create_model(WHOLE[name][1]).eval()
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                model(torch.empty(1, 3, 224, 224))
    finally:
        timm.layers.set_fused_attn(before)
    program = elaborate(SPECS / f"{WHOLE[name][0]}.arch", name)
    assert counter.get_total_flops() == 2 * (program.figures.macs or 0)


_OF = timm.models.mlp_mixer
_BLOCKS: dict[str, dict[str, Any]] = {
    "mlp_mixer": {},
    "gmlp": {
        "mlp_ratio": 6,
        "block_layer": _OF.SpatialGatingBlock,
        "mlp_layer": timm.layers.GatedMlp,
    },
    "resmlp": {"mlp_ratio": 4, "block_layer": _OF.ResBlock, "norm_layer": _OF.Affine},
}


def settings_of(text: str) -> dict[str, str]:
    return dict(one.split("=") for one in text.split())


def small(name: str) -> tuple[Program, torch.nn.Module]:
    """Ours and theirs with the same small sizes."""
    spec, _, (model, said) = MODELS[name]
    settings = settings_of(said)
    program = elaborate(SPECS / f"{spec}.arch", model, settings)
    other = timm.models.mlp_mixer.MlpMixer(
        embed_dim=int(settings["width"]),
        num_blocks=int(settings["depth"]),
        img_size=int(settings["size"]),
        **_BLOCKS[spec],
    )
    return program, other


@pytest.mark.parametrize("name", MODELS)
def test_equal_outputs(name: str, tmp_path: Path) -> None:
    program, theirs = small(name)
    spec, _, (model, said) = MODELS[name]
    options = [part for one in said.split() for part in ("--set", one)]
    equal(program, theirs, [f"{spec}.arch", "--model", model, *options], spec, tmp_path)


def test_equal_vit(tmp_path: Path) -> None:
    sizes = {"width": "16", "depth": "2", "heads": "4", "size": "32"}
    program = elaborate(SPECS / "vit.arch", "vit", sizes)
    theirs = timm.models.vision_transformer.VisionTransformer(
        img_size=32, embed_dim=16, depth=2, num_heads=4
    )
    options = [part for key in sizes for part in ("--set", f"{key}={sizes[key]}")]
    equal(program, theirs, ["vit.arch", "--model", "vit", *options], "vit", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_equal_at_full_size(name: str, tmp_path: Path) -> None:
    spec, theirs, _ = WHOLE[name]
    program = elaborate(SPECS / f"{spec}.arch", name)
    arguments = [f"{spec}.arch", "--model", name]
    equal(program, timm.create_model(theirs), arguments, spec, tmp_path)


def equal(
    program: Program,
    theirs: torch.nn.Module,
    arguments: list[str],
    name_map: str,
    folder: Path,
) -> None:
    """Every tensor of theirs drawn at random, imported, and run in float64."""
    random = torch.Generator().manual_seed(0)
    state: dict[str, Any] = {}
    for name, tensor in theirs.state_dict().items():
        value = torch.randn(tensor.shape, generator=random, dtype=torch.float64)
        if tensor.dim() > 1:
            value = value / (tensor[0].numel() ** 0.5)
        if name.endswith("running_var"):
            value = value.abs() + 0.5
        state[name] = value if tensor.is_floating_point() else tensor
    save_file(state, folder / "theirs.safetensors")
    theirs.double().eval().load_state_dict(state)
    command = ["s2mlp-dsl", "import-weights", str(SPECS / arguments[0]), *arguments[1:]]
    command += ["--from", str(folder / "theirs.safetensors")]
    command += ["--map", f"std:{name_map}", "-o", str(folder / "ours.safetensors")]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as left:
        patch.setattr(sys, "argv", command)
        main()
    assert left.value.code == 0
    ours = program.build().double().eval()
    ours.load_state_dict(load_file(folder / "ours.safetensors"), strict=True)
    x = torch.randn(2, *program.model.input_size, generator=random).double()
    with torch.no_grad():
        found, expected = ours(x), theirs(x)
    assert float((found - expected).abs().max() / expected.abs().max()) < 1e-5
