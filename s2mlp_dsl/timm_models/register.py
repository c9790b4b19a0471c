"""Registers a model of a spec with timm, under its own name."""

import sys
from collections.abc import Mapping
from functools import partial
from types import ModuleType
from typing import Any

import torch
from torch import nn

from s2mlp_dsl.elaborate.spec import Spec
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.program import Program
from s2mlp_dsl.timm_models.model import TimmModel, require_free_names, timm_model
from s2mlp_dsl.timm_models.parts import feature_rows, head_of, parts_of
from s2mlp_dsl.train.model import set_drop_path
from s2mlp_dsl.weights.match import stored_in

_HOME = "s2mlp_dsl_timm"  # timm keeps lists in the module that a function comes from


def register(
    spec: Spec,
    model: str | None,
    settings: Mapping[str, str],
    pretrained_cfg: Mapping[str, Any],
) -> str:
    """As `api.register_timm`."""
    from timm.models import build_model_with_cfg, generate_default_cfgs, register_model

    declared = spec.choose_model(model)
    name = declared.declaration.name.id
    program = Program(spec, spec.expand(declared, settings), dict(settings))
    home = sys.modules.setdefault(_HOME, ModuleType(_HOME))
    require_free_names(program.model)
    cfg = _cfg(program.model) | dict(pretrained_cfg)
    cfgs = vars(home).setdefault("default_cfgs", {})
    cfgs |= generate_default_cfgs({name: cfg})
    maps = len(list(feature_rows(program.model)))

    def entry(pretrained: bool = False, **given: Any) -> nn.Module:
        features = {"feature_cls": "getter", "out_indices": maps}
        built: nn.Module = build_model_with_cfg(
            partial(_configured, program),
            name,
            pretrained,
            feature_cfg=features,
            **given,
        )
        return built

    entry.__name__ = entry.__qualname__ = name
    entry.__module__ = home.__name__
    register_model(entry)
    return name


def _cfg(model: Model) -> dict[str, Any]:
    """What timm knows of a model without building it."""
    parts, channels = parts_of(model, head_of(model.body)), model.input_size[0]
    weights = (name for name in stored_in(model) if name.endswith(".weight"))
    first = next(weights, None)
    known: dict[str, Any] = {
        "input_size": tuple(model.input_size),
        "fixed_input_size": True,
        "num_classes": parts.num_classes,
        "classifier": parts.classifier,
        "first_conv": first and first.removesuffix(".weight"),
        "pool_size": parts.pool_size,
    }
    if channels != 3:  # timm's statistics are of ImageNet's three colours
        known |= {"mean": (0.5,) * channels, "std": (0.5,) * channels}
    return known


def _configured(
    program: Program,
    num_classes: int | None = None,
    in_chans: int | None = None,
    img_size: int | tuple[int, int] | None = None,
    global_pool: str | None = None,
    drop_rate: float = 0.0,
    drop_path_rate: float = 0.0,
    device: Any = None,
    dtype: torch.dtype | None = None,
    **settings: Any,
) -> TimmModel:
    """A model with timm's arguments; others are parameters of the spec's model."""
    given = program.settings | {key: str(value) for key, value in settings.items()}
    channels, *size = program.model.input_size
    if isinstance(img_size, int):
        img_size = (img_size, img_size)
    wanted = (in_chans or channels, *(img_size or size))
    image = None if wanted == tuple(program.model.input_size) else wanted
    spec = program.spec
    declared = spec.choose_model(program.model.name)
    names = {one.name.id for one in spec.base(declared).params}
    if num_classes and "classes" in names:
        given["classes"] = str(num_classes)
    if image and "size" in names and image[1] == image[2]:
        given["size"] = str(image[1])
    chosen = Program(spec, spec.expand(declared, given, image), given)
    made = timm_model(chosen, drop_path=drop_path_rate > 0)
    if num_classes is not None and num_classes != made.num_classes:
        made.reset_classifier(num_classes)
    if global_pool is not None:
        made.reset_classifier(made.num_classes, global_pool)
    made.head_drop.p = drop_rate
    set_drop_path(made, drop_path_rate)
    return made.to(device=device, dtype=dtype)
