"""Movement: every shift on maps of unique integers, bit for bit, both ways."""

from collections.abc import Iterator

import torch
from torch import nn

from s2mlp_dsl.analysis.graph import dataflow
from s2mlp_dsl.ir.program import Model, Op
from s2mlp_dsl.ops import OPERATORS, Args
from s2mlp_dsl.ops.base import Term
from s2mlp_dsl.verify.certificate import Check, Failure


def check_movement(model: Model, module: nn.Module) -> Check:
    """Each operator that only moves values, on a map tagged with integers.

    Forward, the tags must arrive where the operator's matrix says; backward,
    gradients must return along the same entries. No rounding is involved, so
    equality is exact.
    """
    failures: list[Failure] = []
    cases = 0
    for path, op in dataflow(model).nodes(data="op"):
        terms = _moves(op)
        if terms is None:
            continue
        cases += 1
        message = _try(module, path, op, terms)
        if message:
            failures.append(Failure(statement=path, message=message, span=op.span))
    return Check(
        name="movement",
        what="integer tags through every shift, values and gradients, bit for bit",
        cases=max(cases, 1),
        failures=tuple(failures),
    )


def _moves(op: Op | None) -> list[Term] | None:
    """The entries of an operator without weights of its own, else None."""
    if op is None or op.source is None:
        return None
    operator, args = OPERATORS[op.operator], Args(dict(op.args))
    if operator.tensors(op.source, args):
        return None
    terms = operator.linear_map(op.source, args)
    return None if terms is None else list(terms)


def _try(module: nn.Module, path: str, op: Op, terms: list[Term]) -> str | None:
    assert op.source is not None
    size, channels = op.source.dims, op.source.channels
    tags = torch.arange(1.0, 1 + torch.Size(size).numel(), dtype=torch.float64)
    x = tags.reshape(1, *size).requires_grad_()
    expected = torch.zeros_like(tags)
    gradient = torch.zeros_like(tags)
    for target, source, amount in _flat(terms, channels):
        expected[target] += amount * tags[source]
        gradient[source] += amount * tags[target]
    try:
        y = module.get_submodule(path)(x)
        (found,) = torch.autograd.grad(y, x, x.detach())
    except Exception as error:  # whatever a wrong module raises is the finding
        return f"it does not run: {error}"
    if not torch.equal(y.flatten(), expected):
        wrong = int((y.flatten() != expected).sum())
        return f"{wrong} of {len(expected)} values are in the wrong place"
    if not torch.equal(found.flatten(), gradient):
        wrong = int((found.flatten() != gradient).sum())
        return f"{wrong} of {len(gradient)} gradients are wrong"
    return None


def _flat(terms: list[Term], channels: int) -> Iterator[tuple[int, int, int]]:
    for term in terms:
        assert term.source is not None
        (place, channel), (from_place, from_channel) = term.target, term.source
        yield (
            place * channels + channel,
            from_place * channels + from_channel,
            term.coefficient,
        )
