"""Every form of a model against the reference: results, gradients and buffers.

Results and buffers are held against the reference in NumPy, gradients against those
of the module in float64, which are themselves held against differences of the
reference.
"""

import torch

from s2mlp_dsl.analysis.graph import dataflow
from s2mlp_dsl.program import Program
from s2mlp_dsl.verify.case import Case, case_of
from s2mlp_dsl.verify.certificate import Check, Failure
from s2mlp_dsl.verify.comparison import TOLERANCES, Comparison, Worst
from s2mlp_dsl.verify.differences import check_differences
from s2mlp_dsl.verify.forms import NOT_IN_BFLOAT16
from s2mlp_dsl.verify.narrow import first_wrong
from s2mlp_dsl.verify.trials import DTYPES, outcomes

_WHAT = {
    "values": "results in {} equal the reference's",
    "gradients": "gradients in {} equal those in float64",
    "buffers": "buffers in {} after a step equal the reference's",
}


def check_forms(program: Program, names: tuple[str, ...], seed: int = 0) -> list[Check]:
    """The checks of each form, after those of the gradients they are held to."""
    case = case_of(program, seed)
    checks = check_differences(case, seed + 2)
    for name in names:
        checks += _form(case, name)
    return checks


def _form(case: Case, name: str) -> list[Check]:
    found = {dtype: Comparison(case, dtype) for dtype in DTYPES}
    for trial, outcome in outcomes(case, name):
        found[trial.dtype].add(trial, outcome)
    return [
        _check(case, name, dtype, kind, worst)
        for dtype, comparison in found.items()
        for kind, worst in comparison.worst.items()
        # Results are always looked for; not every form has the others.
        if worst.cases or kind == "values"
    ]


def _check(case: Case, name: str, dtype: torch.dtype, kind: str, worst: Worst) -> Check:
    number = str(dtype).removeprefix("torch.")
    full = dtype == torch.float32
    omitted = None if full else NOT_IN_BFLOAT16.get(name)
    return Check(
        name=f"{name} {kind}" if full else f"{name} {kind} {number}",
        what=_WHAT[kind].format(number),
        cases=worst.cases,
        worst=None if omitted else worst.error,
        at=None if omitted else worst.at or case.program.model.name,
        tolerance=None if omitted else TOLERANCES[dtype][kind],
        omitted=omitted,
        failures=tuple(_blame(case, name, dtype, kind, worst)),
    )


def _blame(
    case: Case, name: str, dtype: torch.dtype, kind: str, worst: Worst
) -> list[Failure]:
    if worst.error <= TOLERANCES[dtype][kind]:
        return []
    message = worst.broken or f"{kind} are off by {worst.error:.3g}"
    net = case.module(name, dtype).train(worst.training)
    found = first_wrong(case.program.model, name, net, TOLERANCES[dtype]["values"])
    path, reason = found or (worst.at or case.program.model.name, "")
    graph = dataflow(case.program.model)
    span = graph.nodes[path]["span"] if path in graph else None
    said = f"as {name}: {reason or message}"
    return [Failure(statement=path, message=said, span=span)]
