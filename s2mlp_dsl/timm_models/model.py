"""What timm asks of a model: the methods of a class of its zoo.

The module is the one that `compile` builds, with the same names of weights. Its
`forward` is in two parts, and its class has these methods as well.
"""

import copyreg
import re
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from torch import Tensor, nn

from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.program import Program
from s2mlp_dsl.timm_models.parts import (
    Parts,
    feature_rows,
    head_of,
    module_names,
    parts_of,
)
from s2mlp_dsl.train.model import checkpoint_blocks, outermost_blocks

_JOINS_GROUP_BEFORE = (99999,)  # timm's MATCH_PREV_GROUP


class TimmModel(nn.Module):
    """The methods that timm asks of a model, for a subclass with an emitted `forward`.

    Maps are [batch, height, width, channels], timm's NHWC.
    """

    output_fmt = "NHWC"
    feature_dim = -1

    if TYPE_CHECKING:  # TorchScript would take these for its own types
        parts: Parts
        num_classes: int
        num_features: int
        head_hidden_size: int
        in_chans: int
        feature_info: list[dict[str, Any]]
        global_pool: str
        head_drop: nn.Dropout

    def get_classifier(self) -> nn.Module:
        """The last linear layer, an identity after `reset_classifier(0)`."""
        name = self.parts.classifier
        return nn.Identity() if name is None else self.get_submodule(name)

    def reset_classifier(
        self, num_classes: int, global_pool: str | None = None
    ) -> None:
        """A new classifier with initial weights; an identity for no classes.

        `global_pool` is the model's own, or empty for maps without pooling. Raises
        ValueError for another, and for classes where the model has no classifier.
        """
        if global_pool is not None:
            self._set_pool(global_pool)
        name = self.parts.classifier
        if name is None:
            if num_classes:
                raise ValueError("the model does not end in a linear layer")
            return
        like = next(self.parameters())
        made = (
            nn.Linear(self.head_hidden_size, num_classes)
            if num_classes
            else nn.Identity()
        )
        setattr(self, name, made.to(like.device, like.dtype).train(self.training))
        self.num_classes = num_classes

    def _set_pool(self, kind: str) -> None:
        if kind not in ("", self.global_pool):
            own = f"{self.global_pool!r} or ''" if self.global_pool else "''"
            raise ValueError(f"global_pool is {kind!r}; the model has {own}")
        self.global_pool = kind

    def no_weight_decay(self) -> set[str]:
        """Position embeddings and class tokens."""
        return {
            f"{path}.{name}" if path else name
            for path, module in self.named_modules()
            if type(module).__name__ in ("ClassToken", "Position")
            for name, _ in module.named_parameters(recurse=False)
        }

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Patterns of parameter names, by layer in their order, for layer decay.

        Each iteration of a stack is a layer, with `coarse` each stack. The head is
        what no pattern matches.
        """
        groups: dict[str, Any] = {}
        if self.parts.stem:
            groups["stem"] = _starts_with(self.parts.stem)
        for name in self.parts.stacks:
            number = "" if coarse else r"(\d+)\."
            groups[name] = [(rf"^{re.escape(name)}\.{number}", None)]
        if self.parts.between:
            last = self.parts.stacks[-1]
            groups[last].append((_starts_with(self.parts.between), _JOINS_GROUP_BEFORE))
        return groups

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Keep the inputs of blocks only, and compute the rest again when backward."""
        for block in outermost_blocks(self):
            vars(block).pop("forward", None)
        if enable:
            checkpoint_blocks(self)

    def forward_intermediates(
        self,
        x: Tensor,
        indices: int | list[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> Any:
        """The features and the maps of `feature_info`, or these alone.

        `indices` are the numbers of the maps, or how many of the last. `output_fmt` is
        NCHW, NHWC or NLC. Raises ValueError for others, and for `norm`: a model's norm
        is not for maps of other sizes.
        """
        if norm:
            raise ValueError("norm = True: intermediate maps have no norm")
        order = _FORMATS.get(str(getattr(output_fmt, "value", output_fmt)))
        if order is None:
            raise ValueError(f"output_fmt is {output_fmt}, not one of {list(_FORMATS)}")
        wanted = [
            self.feature_info[one]["module"]
            for one in _chosen(indices, len(self.feature_info))
        ]
        maps: dict[str, Tensor] = {}

        def keep(name: str, module: nn.Module, args: object, output: Tensor) -> None:
            maps[name] = output

        hooks = [
            self.get_submodule(name).register_forward_hook(partial(keep, name))
            for name in wanted
        ]
        try:
            features = self.forward_features(x)
        finally:
            for hook in hooks:
                hook.remove()
        found = [order(maps[name]) for name in wanted]
        return found if intermediates_only else (features, found)

    def prune_intermediate_layers(
        self,
        indices: int | list[int] = 1,
        prune_norm: bool = False,
        prune_head: bool = True,
    ) -> list[int]:
        """Remove the blocks behind the last of these maps, and the head."""
        taken = _chosen(indices, len(self.feature_info))
        stack, _, number = self.feature_info[max(taken)]["module"].partition(".")
        behind = False
        for name in self.parts.stacks:
            blocks = self.get_submodule(name)
            assert isinstance(blocks, nn.Sequential)
            if behind:
                setattr(self, name, nn.Sequential())
            elif name == stack and number:
                setattr(self, name, blocks[: int(number) + 1])
            behind = behind or name == stack
        if prune_head:
            self.reset_classifier(0, "")
        return taken

    def forward_features(self, x: Tensor) -> Tensor:
        """Images [batch, channels, height, width] to what is pooled."""
        raise NotImplementedError  # the emitted class has it

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Features to logits; with `pre_logits`, to what the classifier takes."""
        raise NotImplementedError  # the emitted class has it


_FORMATS = {
    "NCHW": lambda x: x.permute(0, 3, 1, 2).contiguous(),
    "NHWC": lambda x: x,
    "NLC": lambda x: x.flatten(1, 2),
}


def _starts_with(names: Iterable[str]) -> str:
    return rf"^(?:{'|'.join(map(re.escape, names))})\."


def _chosen(indices: int | Iterable[int] | None, count: int) -> list[int]:
    """Numbers from 0 for what timm takes as `indices`. Raises ValueError."""
    if indices is None:
        indices = count
    if isinstance(indices, int):
        indices = range(-indices, 0)
    chosen = [one + count if one < 0 else one for one in indices]
    if wrong := [one for one in chosen if not 0 <= one < count]:
        raise ValueError(f"there is no map {wrong[0]}: the model has {count}")
    return chosen


def require_free_names(model: Model) -> None:
    """Raise ValueError where a statement's name means something else in timm."""
    for name in module_names(model.body):
        if name in _TIMM_NAMES:
            raise ValueError(f"`{name}` is an attribute of every model in timm")


def timm_model(program: Program, drop_path: bool = False) -> TimmModel:
    """The program as a module with the methods of timm's models."""
    model = program.model
    head = head_of(model.body)
    parts = parts_of(model, head)
    made = program.build(drop_path=drop_path, rows=False, head=head)
    made.__class__ = _timm_class(type(made))
    assert isinstance(made, TimmModel)
    made.parts = parts
    made.num_classes, made.num_features = parts.num_classes, parts.num_features
    made.head_hidden_size = parts.head_hidden_size
    made.in_chans = model.input_size[0]
    made.feature_info = list(feature_rows(model))
    return made


_TIMM_NAMES = {
    *(name for name in vars(TimmModel) if not name.startswith("_")),
    *("parts", "num_classes", "num_features", "head_hidden_size", "in_chans"),
    *("feature_info", "global_pool", "head_drop", "default_cfg", "pretrained_cfg"),
}


_CLASSES: dict[type[nn.Module], type[nn.Module]] = {}


def _timm_class(emitted: type[nn.Module]) -> type[nn.Module]:
    """The emitted class with timm's methods. It is pickled with its source too."""
    if emitted not in _CLASSES:
        bases = (emitted, TimmModel)
        made = type(emitted.__name__, bases, {"__module__": emitted.__module__})
        _CLASSES[emitted] = made
        copyreg.pickle(made, _reduced)
    return _CLASSES[emitted]


def _reduced(module: nn.Module) -> tuple[Any, ...]:
    emitted = type(module).__mro__[1]
    function, arguments, state = cast(
        tuple[Any, Any, Any], copyreg.dispatch_table[emitted](module)
    )
    return _unpickled, (function, arguments), state


def _unpickled(function: Any, arguments: tuple[Any, ...]) -> nn.Module:
    module: nn.Module = function(*arguments)
    module.__class__ = _timm_class(type(module))
    return module
