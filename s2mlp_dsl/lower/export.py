"""The model as a `torch.export` program.

The batch may have any size. So may height and width, in multiples of the patch sizes,
where no operator of the model is bound to its number of positions.
"""

import contextlib
import io
import logging
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any, Literal

import torch
from torch import nn
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map_only

from s2mlp_dsl.analysis.dataflow import dataflow, distinct_statements
from s2mlp_dsl.diagnostics.catalogue import targets
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.lower.errors import CannotLower

_BATCH: dict[int, object] = {0: Dim("batch", min=1)}
_EXPORTING = threading.RLock()


def export_program(
    model: Model, module: nn.Module, *, any_size: bool = True
) -> ExportedProgram:
    """The exported program, for images of as many sizes as possible.

    It takes images in the dtype of the weights. Without `any_size`, height and width
    are the model's own. Raises `CannotLower` (A0901).
    """
    image = torch.zeros(2, *model.input_size, dtype=_dtype(module))
    is_image = len(model.input_size) == 3  # clips keep their size
    height, width = size_step(model, "height"), size_step(model, "width")
    if any_size and is_image and height and width:
        sizes = {2: _multiple("height", height), 3: _multiple("width", width)}
        # Refused where an operator is bound to its number of positions.
        with contextlib.suppress(Exception):
            return _export(module, image, _BATCH | sizes)
    try:
        return _export(module, image)
    except Exception as error:  # of many types, none of them documented
        raise CannotLower(
            targets.EXPORT_FAILED,
            model,
            statement=first_refused(model, module, _export),
            reason=reason_of(error),
        ) from error


def export_bytes(program: ExportedProgram, extra_file: str, text: str) -> bytes:
    """The `.pt2` file of a program, with a file of text beside it."""
    file = io.BytesIO()
    torch.export.save(program, file, extra_files={extra_file: text})
    return file.getvalue()


def first_refused(
    model: Model,
    module: nn.Module,
    attempt: Callable[[nn.Module, torch.Tensor], object],
) -> str | None:
    """The first statement that an exporter refuses alone, None where it takes each."""
    for path, op in distinct_statements(dataflow(model)):
        x = torch.zeros(2, *(op.source or op.result).dims, dtype=_dtype(module))
        if op.source is None:  # the image has its channels first
            x = x.movedim(-1, 1)
        try:
            attempt(module.get_submodule(path), x)
        except Exception:
            return path
    return None


def size_step(model: Model, axis: Literal["height", "width"]) -> int | None:
    """The step in which a side of the image may change: the product of all patches.

    None where some map is not a whole multiple of the next, so that no step is known.
    """
    step = 1
    for op in (visit.op for visit in occurrences(model)):
        if isinstance(op.source, Map) and isinstance(op.result, Map):
            before, after = getattr(op.source, axis), getattr(op.result, axis)
            if before < after or before % after:
                return None
            step *= before // after
    return step


def reason_of(error: Exception) -> str:
    """The first line of what an exporter raised, or of what caused it."""
    while isinstance(error.__cause__, Exception):
        error = error.__cause__
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line.partition(" For more information")[0]


def _dtype(module: nn.Module) -> torch.dtype:
    """The dtype that a module computes in: that of its weights."""
    return next((one.dtype for one in module.parameters()), torch.float32)


def _multiple(name: str, step: int) -> object:
    side = Dim(name, min=1)
    return side if step == 1 else step * side


def _export(
    module: nn.Module, image: torch.Tensor, sizes: Mapping[int, object] = _BATCH
) -> ExportedProgram:
    """The module for images of these free sizes, by axis."""
    with quiet(), _no_special_case_of_one():
        try:
            return _export_under(_ContiguousInputs(), module, image, sizes)
        except Exception:  # of many types, none of them documented
            return _export_under(_ContiguousOutputs(), module, image, sizes)


def _export_under(
    mode: TorchFunctionMode,
    module: nn.Module,
    image: torch.Tensor,
    sizes: Mapping[int, object],
) -> ExportedProgram:
    """The module, its functions changed by the mode. It is tried on a batch of one."""
    forward = module.eval().forward

    def changed(x: torch.Tensor) -> Any:
        with mode:
            return forward(x)

    module.forward = changed
    try:
        program = torch.export.export(
            module, (image,), dynamic_shapes=(dict(sizes),), strict=False
        )
    finally:
        del module.forward
    with torch.no_grad():
        program.module()(image[:1])  # some guards refuse it only here
    return program


def decomposed(program: ExportedProgram) -> ExportedProgram:
    """The program in PyTorch's core operators, for maps of the same sizes."""
    with quiet(), _no_special_case_of_one():
        core: ExportedProgram = program.run_decompositions()
    return core


def _no_special_case_of_one() -> contextlib.AbstractContextManager[None]:
    """Without it a batch or a side of one is specialized, and then refused.

    The module is private, but is what PyTorch's own export tutorial names.
    """
    patch: contextlib.AbstractContextManager[None]
    patch = _config.patch(backed_size_oblivious=True)  # type: ignore[attr-defined]
    return patch


class _ContiguousInputs(TorchFunctionMode):
    """Convolutions and products get contiguous inputs, and cropped maps become so.

    For any other order PyTorch asks whether the batch is one image, where the orders
    are the same, and the answer would become part of the program. So `unflatten` is a
    `reshape`, which does not ask.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func is torch.conv2d:
            args = (_contiguous(args[0]), *args[1:])
        elif func in (torch.Tensor.__matmul__, torch.Tensor.matmul, torch.matmul):
            args = tuple(_contiguous(arg) for arg in args)
        elif func in (torch.unflatten, torch.Tensor.unflatten):
            return _unflattened(*args)
        made = func(*args, **(kwargs or {}))
        return _contiguous(made) if func is torch.Tensor.narrow else made


class _ContiguousOutputs(TorchFunctionMode):
    """Every result becomes contiguous: copies, but no question about any order."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        return tree_map_only(torch.Tensor, _contiguous, made)


def _unflattened(x: torch.Tensor, axis: int, sizes: Sequence[int]) -> torch.Tensor:
    axis %= x.dim()
    known = prod(size for size in sizes if size != -1)
    split = [x.shape[axis] // known if size == -1 else size for size in sizes]
    return x.reshape(*x.shape[:axis], *split, *x.shape[axis + 1 :])


def _contiguous(x: torch.Tensor) -> torch.Tensor:
    """A copy in plain order. `contiguous()` takes any order of one channel for it."""
    return x.clone(memory_format=torch.contiguous_format)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence exporters, which log every attempt; what they raise is enough.

    Logging and warnings belong to the process, so one thread exports at a time.
    """
    with _EXPORTING, warnings.catch_warnings():
        before = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            warnings.simplefilter("ignore")
            yield
        finally:
            logging.disable(before)
