"""Claims of a spec, each decided or said to be undecided.

`params`, `macs`, `flops` (with `without` and `of` selecting statements),
`full_reach`, and `instance(A, of = B, on = [h, w, c])`. `==` is exact; `~=`
holds within half a unit of the last printed digit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from s2mlp_dsl.analysis import codes
from s2mlp_dsl.analysis.compare import check_instance
from s2mlp_dsl.analysis.cost import Row, total_macs, total_params
from s2mlp_dsl.analysis.instance import Undecided
from s2mlp_dsl.analysis.reach import Reach
from s2mlp_dsl.analysis.select import select_rows
from s2mlp_dsl.diagnostics import Label, Poisoned, Report
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.files import Unit
from s2mlp_dsl.elaborate.numbers import half_last_digit
from s2mlp_dsl.elaborate.values import Env, Value, Word, show, words_in
from s2mlp_dsl.ir.node import Node
from s2mlp_dsl.syntax import tree

Verdict = Literal["holds", "fails", "undecided"]
_NONE = Word("none")
_FULL_REACH = "full_reach"
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")


class Claimed(Node):
    """A claim with its verdict.

    `found` is what the analysis computed for the left side, as a spec would
    write it, and None where nothing was computed.
    """

    text: str
    verdict: Verdict
    found: str | None = None
    reason: str | None = None


@dataclass
class ClaimChecker:
    """Decides the claims made of one model.

    `rows` is None for a model whose parameters are `open`: it has no figures.
    """

    unit: Unit
    report: Report
    rows: list[Row] | None
    reach: Reach | None
    open: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        quantities: dict[str, Callable[[tree.Call, Env], Value]] = {
            "params": lambda call, env: total_params(self._selected(call)),
            "macs": lambda call, env: total_macs(self._selected(call)),
            "flops": lambda call, env: 2 * total_macs(self._selected(call)),
        }
        self.evaluator = Evaluator(self.report, quantities, frozenset({_FULL_REACH}))

    def check(self, fact: tree.Fact) -> Claimed:
        """The verdict on one line. A claim that does not hold is reported too."""
        text = " ".join(fact.span.text.split())
        try:
            holds, found = self._decide(fact)
        except Undecided as why:
            self.report.add(codes.CLAIM_UNDECIDED, fact.span, str(why), help=why.help)
            return Claimed(
                text=text, verdict="undecided", reason=str(why), span=fact.span
            )
        except Poisoned:
            return Claimed(
                text=text, verdict="undecided", reason="it is not valid", span=fact.span
            )
        return Claimed(
            text=text,
            verdict="holds" if holds else "fails",
            found=found,
            span=fact.span,
        )

    def _decide(self, fact: tree.Fact) -> tuple[bool, str | None]:
        env = Env(self.unit, self._constants(fact))
        expression = fact.expression
        if fact.about is not None:
            return self._about(expression, fact.about, env)
        if isinstance(expression, tree.Call) and expression.name.id == "instance":
            return check_instance(expression, self.unit, self.report), None
        if isinstance(expression, tree.Binary) and expression.operator in _COMPARISONS:
            return self._comparison(expression, env)
        if isinstance(expression, tree.Binary | tree.Name | tree.Call):
            value = self.evaluator.value(expression, env, frozenset({"none"}))
            hint = f"`{expression.span.text} == {_exactly(value)}`"
        else:
            hint = "`params() == 53_476_224`"
        raise self.report.add(
            codes.CLAIM_FORM,
            expression.span,
            "this is neither true nor false",
            help=f"compare it with a figure, such as {hint}",
        )

    def _comparison(self, node: tree.Binary, env: Env) -> tuple[bool, str | None]:
        words = frozenset({"none"})
        left = self.evaluator.value(node.left, env, words)
        right = self.evaluator.value(node.right, env, words)
        if node.operator in ("==", "!="):
            holds = (left == right) == (node.operator == "==")
        else:
            holds = self.evaluator.value(node, env) is True
        if not holds:
            written = isinstance(node.right, tree.Number | tree.Name)
            self.report.add(
                codes.CLAIM_FAILS,
                node.left.span,
                f"this is {_grouped(left)}",
                secondary=[]
                if written and right != left
                else [Label(node.right.span, f"this is {_grouped(right)}")],
                notes=self._difference(left, right),
                help=f"claim `{node.left.span.text} == {_exactly(left)}`, "
                "or change the model",
            )
        return holds, _grouped(left)

    def _about(
        self, left: tree.Expr, right: tree.Expr, env: Env
    ) -> tuple[bool, str | None]:
        """`~=`: within half a unit of the last digit that is printed."""
        found = Fraction(self.evaluator.number(left, env))
        wanted = Fraction(self.evaluator.number(right, env))
        if not isinstance(right, tree.Number):
            raise self.report.add(
                codes.CLAIM_FORM,
                right.span,
                "the printed figure stands here, as printed",
            )
        half = half_last_digit(right, self.report)
        off = abs(found - wanted)
        if off > half:
            self.report.add(
                codes.CLAIM_FAILS,
                left.span,
                f"this is {_grouped(found)}",
                notes=[
                    f"`{right.lexeme}` as printed allows ± {_grouped(half)}; "
                    f"this is off by {_grouped(off)}"
                ],
                help=f"claim `{left.span.text} == {_exactly(found)}`, "
                "or change the model",
            )
        return off <= half, _grouped(found)

    def _constants(self, fact: tree.Fact) -> dict[str, Value]:
        """`full_reach`, where it is asked for and can be known."""
        words = words_in(fact.expression)
        if _FULL_REACH not in words or _FULL_REACH in self.unit.names:
            return {}
        if self.open:
            raise self._is_open()
        if self.reach is None:
            raise Undecided("the maps are too large to compute the reach")
        full = self.reach.full
        return {_FULL_REACH: _NONE if full is None else full}

    def _is_open(self) -> Undecided:
        names = " and ".join(f"`{name}`" for name in self.open)
        return Undecided(
            f"the model leaves {names} open",
            help="claim it of a variant that gives them values",
        )

    def _selected(self, call: tree.Call) -> list[Row]:
        """The rows that `of` names, less those that `without` names."""
        if self.rows is None:
            match_arguments(call, ("of", "without"), self.report)
            raise self._is_open()
        return select_rows(call, self.rows, self.report)

    def _difference(self, left: Value, right: Value) -> list[str]:
        """Which part of the model the difference is as large as, if one is."""
        if not isinstance(left, int) or not isinstance(right, int):
            return []
        gap = abs(left - right)
        notes = [f"they differ by {gap:,}"]
        parts: dict[str, int] = {}
        for row in self.rows or ():
            for key in (f"op({row.operator})", *row.labels):
                parts[key] = parts.get(key, 0) + row.total_params
        notes += [
            f"that is what {key} has" for key, size in parts.items() if size == gap
        ]
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
