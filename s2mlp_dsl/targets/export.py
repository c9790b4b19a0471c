"""The model as a `torch.export` program, a `.pt2` file.

It is loaded with `torch.export.load` and needs none of this package. The batch
may have any size; height and width too, in whole steps of what the patches
divide by, where every operator of the model is the same for every map.
"""

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config
from torch.overrides import TorchFunctionMode

from s2mlp_dsl.analysis.dataflow import dataflow, distinct_statements
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.ir.walk import modules
from s2mlp_dsl.targets.codes import NOT_SAID
from s2mlp_dsl.targets.failed import TargetFailed, reason_of
from s2mlp_dsl.targets.identity import Identity

BATCH = 2
_BATCH: dict[int, object] = {0: Dim("batch", min=1)}


def export_bytes(model: Model, module: nn.Module, identity: Identity) -> bytes:
    """The `.pt2` file of a built model, with its identity as an extra file."""
    program = export_program(model, module)
    file = io.BytesIO()
    torch.export.save(
        program, file, extra_files={"s2mlp_dsl.json": json.dumps(identity.metadata())}
    )
    return file.getvalue()


def export_program(
    model: Model, module: nn.Module, *, any_size: bool = True
) -> ExportedProgram:
    """The exported program, for images of as many sizes as it allows.

    It is bound to the kind of number that the weights are. Without `any_size`
    height and width are the model's own. Raises `TargetFailed`.
    """
    image = torch.zeros(BATCH, *model.input_size, dtype=_kind(module))
    image_alone = len(model.input_size) == 3  # the frames of a clip keep their size
    if any_size and image_alone and None not in steps(model):
        try:
            return _exported(module, image, {**_BATCH, **_sides(model)})
        except (
            torch._dynamo.exc.UserError,
            torch.fx.experimental.symbolic_shapes.ConstraintViolationError,
            RuntimeError,
        ):
            pass  # some operator is bound to its number of positions
    try:
        return _with_any_batch(module, image)
    except Exception as error:  # of many types, none of them documented
        path = first_refused(model, module, _with_any_batch)
        said = f"torch.export: {reason_of(error)}"
        raise TargetFailed(NOT_SAID, model, said, statement=path) from error


def first_refused(
    model: Model,
    module: nn.Module,
    attempt: Callable[[nn.Module, torch.Tensor], object],
) -> str | None:
    """The first statement that an exporter refuses alone, None where it takes each."""
    for path, op in distinct_statements(dataflow(model)):
        x = torch.zeros(BATCH, *(op.source or op.result).dims, dtype=_kind(module))
        if op.source is None:  # the image comes in with its channels first
            x = x.movedim(-1, 1)
        part = module.get_submodule(path)
        try:
            attempt(part, x)
        except Exception:
            return path
    return None


def steps(model: Model) -> tuple[int | None, int | None]:
    """In which steps height and width may change: the product of all patches.

    None where a map does not divide evenly, so that no such step is known.
    """
    found: list[int | None] = []
    for axis in ("height", "width"):
        step: int | None = 1
        for _, op in modules(model):
            if isinstance(op.source, Map) and isinstance(op.result, Map):
                before, after = getattr(op.source, axis), getattr(op.result, axis)
                if before < after or before % after:
                    step = None
                elif step is not None and before != after:
                    step *= before // after
        found.append(step)
    return found[0], found[1]


def free_sizes(program: ExportedProgram) -> bool:
    """Whether height and width of the image are free."""
    (name,) = program.graph_signature.user_inputs
    node = next(one for one in program.graph.nodes if one.name == name)
    shape = node.meta["val"].shape
    return not isinstance(shape[-1], int) and not isinstance(shape[-2], int)


def _kind(module: nn.Module) -> torch.dtype:
    """The numbers that a module computes in: those of its weights."""
    kinds = (one.dtype for one in module.parameters())
    return next(kinds, torch.float32)


def _sides(model: Model) -> dict[int, object]:
    found: dict[int, object] = {}
    names = ("height", "width")
    for axis, name, step in zip((2, 3), names, steps(model), strict=True):
        one = Dim(name, min=1)
        found[axis] = one if step == 1 else step * one
    return found


def _exported(
    module: nn.Module, image: torch.Tensor, sizes: Mapping[int, object]
) -> ExportedProgram:
    """The module for images of these free sizes, by axis."""
    with quiet(), _one_is_no_special_size(), _PlainConvolutions():
        return torch.export.export(
            module.eval(), (image,), dynamic_shapes=(dict(sizes),), strict=False
        )


def _with_any_batch(module: nn.Module, image: torch.Tensor) -> ExportedProgram:
    return _exported(module, image, _BATCH)


def decomposed(program: ExportedProgram) -> ExportedProgram:
    """The program in PyTorch's core operators, for maps of the same sizes."""
    with quiet(), _one_is_no_special_size():
        core: ExportedProgram = program.run_decompositions()
    return core


def _one_is_no_special_size() -> contextlib.AbstractContextManager[None]:
    """Else a batch or a side of one is a case of its own, and is then refused."""
    patch: contextlib.AbstractContextManager[None]
    patch = _config.patch(backed_size_oblivious=True)  # type: ignore[attr-defined]
    return patch


class _PlainConvolutions(TorchFunctionMode):
    """Convolutions get maps whose memory lies in the order channel, row, column.

    Of any other order PyTorch asks whether the batch is one image, where an order
    cannot be told from another, and the answer would stay in the program.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func is torch.conv2d:
            # Of one channel, what lies in either order counts as contiguous.
            plain = args[0].clone(memory_format=torch.contiguous_format)
            args = (plain, *args[1:])
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Exporters speak of what they try; only what they raise concerns a user."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
