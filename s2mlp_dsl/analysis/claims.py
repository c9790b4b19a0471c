"""Claims of a spec, each decided or said to be undecided.

A claim compares figures (see `quantities.py`), or is
`instance(A, of = B, on = [h, w, c])`. `==` is exact; `~=` holds within half a
unit of the last printed digit, or within the tolerance that is given.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from s2mlp_dsl.analysis.claim_gap import MEASURES, explain_gap
from s2mlp_dsl.analysis.instance import Undecided, check_instance
from s2mlp_dsl.analysis.quantities import NONE, Quantities
from s2mlp_dsl.diagnostics import AlreadyReported
from s2mlp_dsl.diagnostics.catalogue import claims
from s2mlp_dsl.elaborate.files import Unit
from s2mlp_dsl.elaborate.numbers import half_last_digit, whole
from s2mlp_dsl.elaborate.values import Env, Value, names_in, show
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.source import Span

Verdict = Literal["holds", "fails", "undecided"]
_FULL_RECEPTIVE_FIELD = "full_receptive_field"
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim with its verdict.

    `found` is the computed value of the left side, as a spec would write it, and None
    where nothing was computed.
    """

    text: str
    verdict: Verdict
    found: str | None = None
    reason: str | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


class ClaimChecker:
    """Decides the claims about the model that has the quantities."""

    def __init__(self, unit: Unit, quantities: Quantities) -> None:
        self.unit, self.quantities = unit, quantities
        self.report, self.evaluator = quantities.report, quantities.evaluator

    def check(self, fact: tree.Fact) -> Claimed:
        """The verdict on one line. A claim that does not hold is reported too."""
        text = " ".join(fact.span.text.split())
        verdict: Verdict = "undecided"
        found = reason = None
        try:
            holds, found = self._decide(fact)
            verdict = "holds" if holds else "fails"
        except Undecided as undecided:
            self.report.add(undecided.message, fact.span, **undecided.fields)
            reason = str(undecided)
        except AlreadyReported:
            reason = "it is not valid"
        return Claimed(text, verdict, found, reason, fact.span)

    def _decide(self, fact: tree.Fact) -> tuple[bool, str | None]:
        env = Env(self.unit, self._constants(fact))
        expression = fact.expression
        if fact.about is not None:
            return self._about(expression, fact.about, fact.within, env)
        if isinstance(expression, tree.Call) and expression.name.id == "instance":
            return check_instance(expression, self.unit, self.report), None
        if isinstance(expression, tree.Binary) and expression.operator in _COMPARISONS:
            return self._comparison(expression, env)
        example = "params() == 53_476_224"
        if isinstance(expression, tree.Binary | tree.Name | tree.Call):
            value = self.evaluator.value(expression, env, frozenset({NONE}))
            example = f"{expression.span.text} == {_exactly(value)}"
        raise self.report.add(claims.NOT_A_COMPARISON, expression.span, example=example)

    def _comparison(self, node: tree.Binary, env: Env) -> tuple[bool, str | None]:
        words = frozenset({NONE})
        left = self.evaluator.value(node.left, env, words)
        right = self.evaluator.value(node.right, env, words)
        if node.operator in ("==", "!="):
            holds = (left == right) == (node.operator == "==")
        else:
            holds = self.evaluator.value(node, env) is True
        if not holds:
            written = isinstance(node.right, tree.Number | tree.Name)
            shown = not written or right == left
            self.report.add(
                claims.IS_NOT_EQUAL,
                node.left.span,
                related=[node.right.span] if shown else [],
                notes=self._difference(node.left, left, right),
                found=_grouped(left),
                wanted=_grouped(right),
                claim=node.left.span.text,
                exact=_exactly(left),
            )
        return holds, _grouped(left)

    def _about(
        self, left: tree.Expr, right: tree.Expr, within: tree.Expr | None, env: Env
    ) -> tuple[bool, str | None]:
        """`~=`: within a tolerance, else half a unit of the last printed digit."""
        found = Fraction(self.evaluator.number(left, env))
        wanted = Fraction(self.evaluator.number(right, env))
        if within is not None:
            allowed = self._tolerance(within, wanted, env)
            reason = f"within {within.span.text} is ± {_grouped(allowed)}"
        elif isinstance(right, tree.Number):
            allowed = half_last_digit(right, self.report)
            reason = f"`{right.lexeme}` as printed allows ± {_grouped(allowed)}"
        else:
            span = right.span
            raise self.report.add(claims.NOT_AS_PRINTED, span, text=span.text)
        gap = abs(found - wanted)
        if gap > allowed:
            self.report.add(
                claims.IS_NOT_NEAR,
                left.span,
                notes=self._difference(left, whole(found), whole(wanted))[1:],
                found=_grouped(found),
                reason=reason,
                gap=_grouped(gap),
                claim=left.span.text,
                exact=_exactly(whole(found)),
            )
        return gap <= allowed, _grouped(found)

    def _tolerance(self, node: tree.Expr, wanted: Fraction, env: Env) -> Fraction:
        """The largest difference that is allowed; % is relative to `wanted`."""
        value = Fraction(self.evaluator.number(node, env))
        if value < 0:
            raise self.report.add(claims.NEGATIVE_TOLERANCE, node.span, tolerance=value)
        is_relative = isinstance(node, tree.Number) and node.lexeme.endswith("%")
        return value * abs(wanted) if is_relative else value

    def _constants(self, fact: tree.Fact) -> dict[str, Value]:
        """`full_receptive_field`, where it is asked for and can be known."""
        sides = (fact.expression, fact.about, fact.within)
        names = [name for side in sides if side is not None for name in names_in(side)]
        if _FULL_RECEPTIVE_FIELD in names and (
            _FULL_RECEPTIVE_FIELD not in self.unit.names
        ):
            return {_FULL_RECEPTIVE_FIELD: self.quantities.full_receptive_field()}
        return {}

    def _difference(self, node: tree.Expr, left: Value, right: Value) -> list[str]:
        """By how much they differ, and which part of the model is as large."""
        if not isinstance(left, int) or not isinstance(right, int):
            return []
        gap = left - right
        notes = [f"they differ by {abs(gap):,}"]
        if isinstance(node, tree.Call) and node.name.id in MEASURES:
            selected = self.quantities.selected(node)
            notes += explain_gap(gap, node.name.id, selected, self.quantities.rows)
        return notes


def _grouped(value: Value) -> str:
    """Large numbers with separators, fractions as decimals."""
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        return show(value)
    exact = Fraction(value)
    if exact.denominator == 1:
        return f"{exact.numerator:,}"
    return f"{float(exact):,g}"


def _exactly(value: Value) -> str:
    """A number as a spec writes it, digits grouped."""
    return f"{value:_}" if isinstance(value, int) else show(value)
