"""Shift movement: every shift on maps of unique integers, bit for bit, both ways."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.ir.program import Model, Op
from s2mlp_dsl.operators import applied
from s2mlp_dsl.verify.certificate import Check, failure


@dataclass(frozen=True)
class Moved:
    """A map of tags, and where a shift takes them and their gradient."""

    tags: Tensor
    expected: Tensor
    gradient: Tensor


def check_shift_movement(model: Model, module: nn.Module) -> Check:
    """Each operator that only moves values, on a map tagged with integers.

    Forward, the tags must arrive where the operator's matrix says; backward, gradients
    must return along the same entries. Nothing is rounded, so equality is exact. The
    matrix of equal statements is written down once; each of their modules is run.
    """
    graph = dataflow(model)
    failures, cases = [], 0
    known: dict[object, Moved | None] = {}
    for path, op in graph.nodes(data="op"):
        if op is None or op.source is None or applied(op).role == "merge":
            continue
        key = op.content
        if key not in known:
            known[key] = _moved(op)
        moved = known[key]
        if moved is None:
            continue
        cases += 1
        message = _difference(module, path, moved)
        if message:
            failures.append(failure(graph, path, message))
    return Check(
        name="shift movement",
        what="integer tags through every shift, values and gradients, bit for bit",
        cases=cases,
        failures=tuple(failures),
    )


def _moved(op: Op) -> Moved | None:
    """Where tags are moved; None for an operator that does more than move them."""
    assert op.source is not None
    operator = applied(op)
    terms = operator.linear_map()
    if terms is None or operator.tensors():
        return None
    into, outof = [], []
    for term in terms:
        if term.coefficient != 1:
            return None  # it scales what it moves, and rounds: see values.py
        assert term.source is not None
        (place, channel), (from_place, from_channel) = term.target, term.source
        into.append(place * op.result.channels + channel)
        outof.append(from_place * op.source.channels + from_channel)
    # There may be no terms at all, so the dtype is given.
    target = torch.tensor(into, dtype=torch.int64)
    source = torch.tensor(outof, dtype=torch.int64)
    tags, upstream = _tags(op.source.dims), _tags(op.result.dims)
    expected, gradient = torch.zeros_like(upstream), torch.zeros_like(tags)
    expected.view(-1).index_add_(0, target, tags.flatten()[source])
    gradient.view(-1).index_add_(0, source, upstream.flatten()[target])
    return Moved(tags, expected, gradient)


def _tags(size: tuple[int, ...]) -> Tensor:
    count = torch.Size(size).numel()
    return torch.arange(1.0, 1 + count, dtype=torch.float64).reshape(1, *size)


def _difference(module: nn.Module, path: str, moved: Moved) -> str | None:
    """In both memory layouts: a module that works in place depends on them."""
    channels_last = moved.tags.movedim(-1, 1).contiguous().movedim(1, -1)
    for layout in (moved.tags, channels_last):
        leaf = layout.clone().requires_grad_()
        x = leaf.clone()
        try:
            y = module.get_submodule(path)(x)
            (found,) = torch.autograd.grad(y, leaf, _tags(tuple(y.shape[1:])))
        except Exception as error:  # any error of a wrong module is the finding
            return f"it does not run: {error}"
        if not torch.equal(x, moved.tags):
            return "it changes its input"
        for values, wanted, what in (
            (y, moved.expected, "values are in the wrong place"),
            (found, moved.gradient, "gradients are wrong"),
        ):
            if values.shape != wanted.shape:
                return f"its shape is {tuple(values.shape)}, not {tuple(wanted.shape)}"
            if not torch.equal(values, wanted):
                wrong = int((values != wanted).sum())
                return f"{wrong} of {wanted.numel()} {what}"
    return None
