"""Every form of a model against the reference: results, gradients and buffers.

Results and buffers are held against the reference in NumPy, gradients against those
of the module in float64, which are themselves held against differences of the
reference.
"""

from dataclasses import dataclass

import torch

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.program import Program
from s2mlp_dsl.verify.case import Case, case_of
from s2mlp_dsl.verify.certificate import Check, Failure
from s2mlp_dsl.verify.comparison import ROUNDING, TOLERANCES, Comparison, Worst
from s2mlp_dsl.verify.differences import check_differences
from s2mlp_dsl.verify.forms import NOT_IN_BFLOAT16
from s2mlp_dsl.verify.narrow import first_wrong
from s2mlp_dsl.verify.trials import outcomes

MOST = 0.5  # of a gradient: where rounding may do more, nothing can be told

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
    found: dict[tuple[torch.dtype, bool], Comparison] = {}
    for trial, outcome in outcomes(case, name):
        setting = trial.dtype, trial.training and case.has_two_modes
        comparison = found.setdefault(setting, Comparison(case, trial.dtype))
        comparison.add(trial, outcome)
    checks = [
        _check(case, _Part(name, kind, *setting), comparison)
        for setting, comparison in found.items()
        for kind, worst in comparison.worst.items()
        # Results are always looked for; not every form has the others.
        if worst.cases or kind == "values"
    ]
    if name in NOT_IN_BFLOAT16:
        part = _Part(name, "values", torch.bfloat16, False)
        reason = NOT_IN_BFLOAT16[name]
        checks.append(Check(name=part.name, what=part.what, cases=0, omitted=reason))
    return checks


@dataclass(frozen=True)
class _Part:
    """What one check is about. `training` where it is a mode of its own."""

    form: str
    kind: str
    dtype: torch.dtype
    training: bool

    @property
    def number(self) -> str:
        return str(self.dtype).removeprefix("torch.")

    @property
    def name(self) -> str:
        mode = " in training" if self.training else ""
        number = "" if self.dtype == torch.float32 else f" {self.number}"
        return f"{self.form} {self.kind}{mode}{number}"

    @property
    def what(self) -> str:
        return _WHAT[self.kind].format(self.number)


def _check(case: Case, part: _Part, comparison: Comparison) -> Check:
    worst, allowed = comparison.worst[part.kind], comparison.allowed(part.kind)
    if worst.error <= allowed and allowed > MOST:
        share = (
            f"rounding to {part.number} alone moves them by {allowed / ROUNDING:.0%}"
        )
        return Check(
            name=part.name, what=part.what, cases=0, omitted=f"not told: {share}"
        )
    wrong = not worst.error <= allowed
    return Check(
        name=part.name,
        what=part.what,
        cases=worst.cases,
        worst=worst.error,
        at=worst.at or case.program.model.name,
        tolerance=allowed,
        failures=(_blame(case, part, worst),) if wrong else (),
    )


def _blame(case: Case, part: _Part, worst: Worst) -> Failure:
    model, broken = case.program.model, worst.broken
    message = str(broken) if broken else f"{part.kind} are off by {worst.error:.3g}"
    path, code = worst.at or model.name, broken.code if broken else None
    if broken and code:
        path = broken.statement or model.name
    else:
        net = case.module(part.form, part.dtype).train(part.training)
        tolerance = TOLERANCES[part.dtype]["values"]
        found = first_wrong(model, part.form, net, tolerance)
        path, message = found or (path, message)
    graph = dataflow(model)
    span = graph.nodes[path]["span"] if path in graph else model.span
    said = f"as {part.form}: {message}"
    return Failure(statement=path, message=said, code=code, span=span)
