"""Expressions to values, exactly."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.bind import Bound, bind
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.numbers import bounded, number
from s2mlp_dsl.elaborate.suggest import did_you_mean
from s2mlp_dsl.elaborate.values import Env, Quoted, ShiftRef, Value, Word, kind_of, show
from s2mlp_dsl.source import Span
from s2mlp_dsl.syntax import tree

Number = int | Fraction

_COMPARISONS: dict[str, Callable[[Number, Number], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
FUNCTIONS = ("ceil", "choose", "floor", "max", "min", "mod")


@dataclass
class Evaluator:
    """Evaluates expressions; mistakes go to the report.

    `words` are bare names that count as words at this place. `functions` are
    calls that a caller adds, such as `params(…)` in a claim.
    """

    report: Report
    functions: Mapping[str, Callable[[tree.Call, Env], Value]] = field(
        default_factory=dict
    )
    _open_lets: list[tree.Let] = field(default_factory=list)

    def value(
        self, node: tree.Expr, env: Env, words: frozenset[str] = frozenset()
    ) -> Value:
        """The value of an expression. Raises `Poisoned` when it has none."""
        match node:
            case tree.Number():
                return number(node, self.report)
            case tree.Text(_, text):
                return Quoted(text)
            case tree.Group(_, inner):
                return self.value(inner, env, words)
            case tree.Name():
                return self._name(node, env, words)
            case tree.Negative(span, inner):
                return bounded(-self.number(inner, env), span, self.report)
            case tree.Binary():
                return self._binary(node, env)
            case tree.ListExpr(_, items):
                return tuple(self.value(item, env, words) for item in items)
            case tree.Index():
                return self._index(node, env, words)
            case tree.Call():
                return self._call(node, env, words)

    def number(self, node: tree.Expr, env: Env) -> Number:
        value = self.value(node, env)
        if isinstance(value, int | Fraction) and not isinstance(value, bool):
            return value
        raise self._wrong_kind(node.span, "number", value)

    def count(self, node: tree.Expr, env: Env, least: int = 1) -> int:
        """A whole number of at least `least`."""
        return self.as_count(self.value(node, env), node.span, least)

    def as_count(self, value: Value, span: Span, least: int = 1) -> int:
        if isinstance(value, bool) or not isinstance(value, int | Fraction):
            raise self._wrong_kind(span, "number", value)
        if isinstance(value, Fraction):
            raise self.report.add(
                codes.NOT_A_COUNT,
                span,
                f"this is {value.numerator} / {value.denominator} = {float(value):g}",
                help="choose numbers that divide, or say `floor(…)` or `ceil(…)`",
            )
        if value < least:
            raise self.report.add(
                codes.NOT_A_COUNT, span, f"this is {value}; at least {least} is needed"
            )
        return value

    def _name(self, node: tree.Name, env: Env, words: frozenset[str]) -> Value:
        if node.id in env.values:
            return env.values[node.id]
        if node.id == "dim":
            if env.dim is None:
                raise self.report.add(
                    codes.NO_DIM,
                    node.span,
                    help="`dim` is the number of channels that enter the nearest "
                    "block, residual, stack or shift",
                )
            return env.dim
        declared = env.unit.names.get(node.id)
        if declared is not None:
            return self._declared(node, declared, env)
        if node.id in words:
            return Word(node.id)
        raise self.unknown(node, env, words)

    def _declared(self, node: tree.Name, declared: Declared, env: Env) -> Value:
        declaration = declared.declaration
        if isinstance(declaration, tree.Let):
            if declaration in self._open_lets:
                raise self.report.add(codes.RECURSION, declaration.name.span)
            self._open_lets.append(declaration)
            try:
                return self.value(declaration.value, Env(declared.unit, {}))
            finally:
                self._open_lets.pop()
        if isinstance(declaration, tree.Shift):
            return self._shift(tree.Call(node.span, node, ()), declared, env)
        raise self.report.add(
            codes.WRONG_DECLARATION,
            node.span,
            f"`{node.id}` is a {type(declaration).__name__.lower()}, not a value",
        )

    def unknown(self, node: tree.Name, env: Env, words: frozenset[str]) -> Exception:
        """Report a name that stands for nothing here."""
        from s2mlp_dsl.diagnostics import Poisoned

        if node.id in env.unit.lost:
            return Poisoned()
        known = {*env.values, *words}
        known |= {
            name
            for name, one in env.unit.names.items()
            if isinstance(one.declaration, tree.Let | tree.Shift)
        }
        code = codes.UNKNOWN_WORD if words else codes.UNKNOWN_NAME
        return self.report.add(code, node.span, help=did_you_mean(node.id, known))

    def _binary(self, node: tree.Binary, env: Env) -> Value:
        if node.operator in ("==", "!="):
            words = self._words_of(node, env)
            left = self.value(node.left, env, words)
            right = self.value(node.right, env, words)
            return (left == right) == (node.operator == "==")
        left = self.number(node.left, env)
        right = self.number(node.right, env)
        if node.operator in _COMPARISONS:
            return _COMPARISONS[node.operator](left, right)
        if node.operator == "/" and right == 0:
            raise self.report.add(codes.DIVIDED_BY_ZERO, node.right.span, "this is 0")
        result = {
            "+": lambda: left + right,
            "-": lambda: left - right,
            "*": lambda: left * right,
            "/": lambda: Fraction(left) / right,
        }[node.operator]()
        return bounded(result, node.span, self.report)

    def _words_of(self, node: tree.Binary, env: Env) -> frozenset[str]:
        """A bare name beside a parameter that holds a word is a word itself."""
        sides = (node.left, node.right)
        compares_word = any(
            isinstance(side, tree.Name) and isinstance(env.values.get(side.id), Word)
            for side in sides
        )
        if not compares_word:
            return frozenset()
        return frozenset(side.id for side in sides if isinstance(side, tree.Name))

    def _index(self, node: tree.Index, env: Env, words: frozenset[str]) -> Value:
        items = self.value(node.base, env, words)
        if not isinstance(items, tuple):
            raise self._wrong_kind(node.base.span, "list", items)
        index = self.count(node.index, env, least=0)
        if index >= len(items):
            raise self.report.add(
                codes.OUT_OF_RANGE,
                node.index.span,
                f"this is {index}; the list has items 0 to {len(items) - 1}",
            )
        return items[index]

    def _call(self, node: tree.Call, env: Env, words: frozenset[str]) -> Value:
        name = node.name.id
        if name in self.functions:
            return self.functions[name](node, env)
        declared = env.unit.names.get(name)
        if declared is not None and isinstance(declared.declaration, tree.Shift):
            return self._shift(node, declared, env)
        if declared is not None:
            return self._declared(node.name, declared, env)
        if name == "choose":
            condition, yes, no = self._arguments(node, 3)
            if not isinstance(chosen := self.value(condition, env), bool):
                raise self._wrong_kind(condition.span, "comparison", chosen)
            return self.value(yes if chosen else no, env, words)
        if name in ("floor", "ceil"):
            (inner,) = self._arguments(node, 1)
            return (floor if name == "floor" else ceil)(self.number(inner, env))
        if name == "mod":
            left, right = (self.number(one, env) for one in self._arguments(node, 2))
            if right == 0:
                raise self.report.add(codes.DIVIDED_BY_ZERO, node.span)
            return bounded(Fraction(left) % right, node.span, self.report)
        if name in ("min", "max"):
            numbers = [self.number(one, env) for one in self._arguments(node, None)]
            return min(numbers) if name == "min" else max(numbers)
        raise self.report.add(
            codes.UNKNOWN_NAME,
            node.name.span,
            "there is no such function",
            help=did_you_mean(name, {*FUNCTIONS, *self.functions}),
        )

    def _arguments(self, node: tree.Call, wanted: int | None) -> list[tree.Expr]:
        """The positional arguments of a function: exactly, or at least one."""
        for argument in node.arguments:
            if argument.name is not None:
                raise self.report.add(codes.UNKNOWN_ARGUMENT, argument.name.span)
        given = [argument.value for argument in node.arguments]
        if len(given) < (wanted or 1):
            raise self.report.add(
                codes.MISSING, node.span, f"{len(given)} given, {wanted or 1} needed"
            )
        if wanted is not None and len(given) > wanted:
            raise self.report.add(
                codes.TOO_MANY, given[wanted].span, f"only {wanted} are taken"
            )
        return given

    def _shift(self, call: tree.Call, declared: Declared, env: Env) -> ShiftRef:
        assert isinstance(declared.declaration, tree.Shift)
        bound = self.bind(call, declared, env)
        return ShiftRef(declared, tuple(bound.items()))

    def bind(self, call: tree.Call, declared: Declared, env: Env) -> Bound:
        """Arguments of a call of a shift, block or model, defaults filled in."""
        declaration = declared.declaration
        assert isinstance(declaration, tree.Shift | tree.Block | tree.Model)
        return bind(self, call, declaration.params, declared, env)

    def _wrong_kind(self, span: Span, wanted: str, value: Value) -> Exception:
        found = f"{show(value)} is a {kind_of(value)}"
        return self.report.add(codes.WRONG_KIND, span, f"{found}, not a {wanted}")
