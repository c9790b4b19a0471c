"""The road of a spec, in order. Read this file to learn the compiler.

    text ── parse ── elaborate ── analyze ── lower ── build
            syntax   IR           figures    source   torch.nn.Module

Each function stops at one of these points. torch is imported by `compile` and
`verify` alone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2mlp_dsl.analysis.analyze import Analysis, analyze_model
from s2mlp_dsl.elaborate.spec import Spec, load
from s2mlp_dsl.ir.program import Model, Shift
from s2mlp_dsl.program import VERSION, Program

if TYPE_CHECKING:
    from torch import nn

    from s2mlp_dsl.pictures.picture import Picture
    from s2mlp_dsl.pictures.theme import ThemeName
    from s2mlp_dsl.verify.certificate import Certificate

__all__ = [
    "VERSION",
    "Program",
    "analyze",
    "compile",
    "diagram",
    "elaborate",
    "load",
    "register_timm",
    "verify",
]


def elaborate(
    spec: "str | Path | Spec",
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Program:
    """One model of a spec with its parameters bound.

    `spec` is a path, the text of a spec, or a loaded one; `settings` are the
    model's parameters, as numbers or as a spec would write them. Raises
    `SpecError` when the spec is wrong and `ChoiceError` when it does not say
    which model, or a parameter has no value.
    """
    loaded = spec if isinstance(spec, Spec) else load(spec)
    declared = loaded.choose_model(model)
    given = {name: str(value) for name, value in (settings or {}).items()}
    expanded = loaded.expand(declared, given)
    return Program(loaded, expanded, given)


def analyze(
    spec: "str | Path | Spec", model: str | None = None, **settings: Any
) -> Analysis:
    """The figures and claims of one model: shapes, params, MACs, receptive field.

    torch is not imported. Claims that fail are in the result, not raised.
    """
    return elaborate(spec, model, settings).checked


def diagram(
    spec: "str | Path | Spec",
    model: str | None = None,
    *,
    view: str = "model",
    theme: "ThemeName" = "light",
    block: str | None = None,
    **settings: Any,
) -> "Picture":
    """A picture of one model: a notebook shows it, `save` writes it to a file.

    `view` is model, block, shift, receptive-field, graph, or one that a package adds;
    `theme` is light, dark or print. Only `graph` imports torch. Raises `CannotDraw`.
    """
    return elaborate(spec, model, settings).diagram(view, theme, block)


def compile(
    spec: "str | Path | Spec",
    model: str | None = None,
    *,
    features: Sequence[str] | None = None,
    device: str = "cpu",
    **settings: Any,
) -> "nn.Module":
    """One model of a spec as a `torch.nn.Module`, on the device it will run on.

    It maps images [batch, channels, height, width] to what the model says,
    logits [batch, classes] for a classifier. With `features`, names of
    statements (`NoFeature` if there is none), it returns a list of the maps that leave
    them, channels first. On the device `meta` it has shapes and no weights.
    """
    program = elaborate(spec, model, settings)
    if features is not None:
        built = program.backbone(features, device)
    else:
        built = program.build(device=device)
    return built if device == "meta" else built.to(device)


def register_timm(
    spec: "str | Path | Spec",
    model: str | None = None,
    *,
    pretrained_cfg: Mapping[str, Any] | None = None,
    **settings: Any,
) -> str:
    """Make `timm.create_model(name)` build a model of a spec; returns the name.

    The module is what `compile` builds, with the methods of timm's models. timm's
    `num_classes`, `in_chans`, `img_size`, `global_pool`, `drop_rate`, `drop_path_rate`,
    `features_only` and `out_indices` mean there what they mean for any model; other
    keywords are parameters of the spec's model, as `settings` are. `pretrained_cfg`
    has entries of timm's own: `file` for weights, `mean` and `std` for images that are
    not normalised as ImageNet's. timm must be installed. Raises ValueError where a
    label of the model means something else in timm.
    """
    from s2mlp_dsl.timm_models.register import register

    loaded = spec if isinstance(spec, Spec) else load(spec)
    given = {name: str(value) for name, value in settings.items()}
    return register(loaded, model, given, pretrained_cfg or {})


def verify(
    spec: "str | Path | Spec",
    model: str | None = None,
    *,
    backends: Sequence[str] | None = None,
    full: bool = False,
    **settings: Any,
) -> "Certificate":
    """Compare the compiled model with its IR; the certificate says how.

    `backends` (see `verify/backends`) are compared with the reference too, by default
    all but slow ones. They run each distinct block and two iterations of a stack; with
    `full`, the whole model, and slow ones as well.
    """
    from s2mlp_dsl.verify.backends import default_backends
    from s2mlp_dsl.verify.verify import verify_program

    program = elaborate(spec, model, settings)
    names = default_backends(full) if backends is None else backends
    return verify_program(program, names, full=full)


def _paint_model(model: Model) -> str:
    from s2mlp_dsl.pictures.views.model import draw_model

    return draw_model(model, analyze_model(model)).inline_svg()


def _paint_shift(shift: Shift) -> str:
    from s2mlp_dsl.pictures.views.shift import draw_shift

    return draw_shift(shift).inline_svg()


# In a notebook a model and a shift show themselves.
Model.shown_by(_paint_model)
Shift.shown_by(_paint_shift)
