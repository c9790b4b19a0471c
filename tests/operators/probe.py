"""What a module does, found out from outside."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from s2mlp_dsl.operators import ReceptiveField, Term
from tests.operators.cases import Case


def grid(case: Case) -> tuple[int, int, int, int]:
    """Positions and channels that leave, then those that enter."""
    result, shape = case.op.result, case.shape
    return (
        torch.Size(result.dims[:-1]).numel(),
        result.channels,
        torch.Size(shape.dims[:-1]).numel(),
        shape.channels,
    )


def dependence(case: Case) -> Tensor:
    """Which outputs have a gradient to which inputs, as grid of booleans.

    Beside random inputs, each position is raised in turn: a maximum has a
    gradient to one position only.
    """
    module, size = case.module(), grid(case)
    bases = case.input(3)
    raised = bases[:1].reshape(1, size[2], size[3]).repeat(size[2], 1, 1)
    raised[torch.arange(size[2]), torch.arange(size[2])] += 10
    found = torch.zeros(size, dtype=torch.bool)
    for x in torch.cat([bases, raised.reshape(-1, *bases.shape[1:])]):
        jacobian = torch.autograd.functional.jacobian(
            lambda x: module(case.feed(x[None]))[0], x, vectorize=True
        )
        found |= (jacobian.abs() > 1e-13).reshape(size)
    return found


def expected_dependence(case: Case, receptive_field: ReceptiveField) -> Tensor:
    """The same grid from what the operator says."""
    out_positions, out_channels, in_positions, in_channels = size = grid(case)
    expected = torch.zeros(size, dtype=torch.bool)
    if receptive_field.moves is not None:
        flat = expected.view(out_positions * out_channels, -1)
        flat[torch.arange(len(flat)), torch.tensor(receptive_field.moves.sources())] = (
            True
        )
        return expected
    for part in receptive_field.parts:
        mask = part.channels
        mine = [c for c in range(in_channels) if mask is None or mask >> c & 1]
        run_in, run_out = (
            in_channels // receptive_field.groups,
            out_channels // receptive_field.groups,
        )
        table = part.table
        for place in range(out_positions):
            reads: Iterable[int] = [place]
            if part.reads == "all":
                reads = range(in_positions)
            elif table is not None:
                reads = table[place]
            for source in reads:
                for channel in mine:
                    own = channel % (in_channels // receptive_field.slices)
                    start = channel // run_in * run_out
                    mixed = [c for c in range(start, start + run_out) if part.feeds(c)]
                    outs = mixed if receptive_field.mixes else [own]
                    expected[place, list(outs), source, channel] = True
    return expected


def matrices_of_terms(case: Case, terms: Iterable[Term]) -> tuple[Tensor, Tensor]:
    """The fixed matrix, and those that single weights act through.

    A matrix has a row per output entry, a column per input entry and one for
    the constant input. Those of weights come sorted, without empty ones.
    """
    _, out_channels, in_positions, in_channels = size = grid(case)
    rows, columns = size[0] * size[1], size[2] * size[3] + 1
    found: dict[object, Tensor] = {}
    for term in terms:
        matrix = found.setdefault(term.weight, torch.zeros(rows, columns))
        place, channel = term.target
        column = in_positions * in_channels
        if term.source is not None:
            column = term.source[0] * in_channels + term.source[1]
        matrix[place * out_channels + channel, column] += float(term.coefficient)
    fixed = found.pop(None, torch.zeros(rows, columns))
    return fixed, _sorted(list(found.values()), fixed)


def matrices_of_module(case: Case) -> tuple[Tensor, Tensor]:
    """The same, by switching on one weight after the other."""
    module = case.module()
    scalars = [p.data.view(-1) for p in module.parameters()]
    for values in scalars:
        values.zero_()
    fixed = _matrix(case, module)
    found = []
    for values in scalars:
        for index in range(len(values)):
            values[index] = 1
            found.append(_matrix(case, module) - fixed)
            values[index] = 0
    return fixed, _sorted(found, fixed)


def _matrix(case: Case, module: nn.Module) -> Tensor:
    """The matrix of an affine map, from its values on a basis."""
    count = case.shape.channels * grid(case)[2]
    basis = torch.cat([torch.eye(count), torch.zeros(1, count)]).double()
    with torch.no_grad():
        y = module(case.feed(basis.reshape(-1, *case.shape.dims))).reshape(
            count + 1, -1
        )
    y[:-1] -= y[-1].clone()
    return y.T.float()


def _sorted(matrices: list[Tensor], like: Tensor) -> Tensor:
    kept = [matrix.flatten() for matrix in matrices if matrix.any()]
    kept.sort(key=lambda matrix: matrix.numpy().tobytes())
    return torch.stack(kept) if kept else torch.empty(0, like.numel())
