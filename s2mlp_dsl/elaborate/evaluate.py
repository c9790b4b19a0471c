"""Expressions to values, exactly."""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import Any

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.diagnostics import AlreadyReported, Label, Message, Report
from s2mlp_dsl.diagnostics.catalogue import arguments, names
from s2mlp_dsl.diagnostics.catalogue.limits import CONSTANTS_TOO_DEEP, EVALUATION_STEPS
from s2mlp_dsl.elaborate.bind import NO_SHIFT, bind
from s2mlp_dsl.elaborate.files import Declared, is_value
from s2mlp_dsl.elaborate.numbers import bounded, number
from s2mlp_dsl.elaborate.resolve import (
    FUNCTIONS,
    statement_of,
    unknown_function,
    unknown_value,
    wrong_declaration,
)
from s2mlp_dsl.elaborate.values import (
    BlockArgument,
    EnumValue,
    Env,
    ShiftRef,
    String,
    Value,
    kind_of,
    show,
    with_article,
)
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.source import Span

Number = int | Fraction
Words = frozenset[str]

_FRAMES_SHOWN = 3
# How many times as deep as the brackets of a file expressions may be nested, through
# the constants that they read.
_DEEPER = 2
_SHORT = 40  # characters of an expression that a help line repeats

_COMPARISONS: dict[str, Callable[[Number, Number], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


@dataclass(slots=True)
class Steps:
    """Counts steps of evaluation, of one model or of several."""

    taken: int = 0


@dataclass(eq=False, repr=False)
class Evaluator:
    """Evaluates expressions; mistakes go to the report.

    `words` are bare names that are enum values at a place. `functions` are calls that
    are allowed in addition, such as `params(…)` in a claim, and `constants` further
    names to suggest.
    """

    report: Report
    functions: Mapping[str, Callable[[tree.Call, Env], Value]] = field(
        default_factory=dict
    )
    constants: Words = frozenset()
    calls: list[Span] = field(default_factory=list)  # that led here, outermost first
    spent: Steps = field(default_factory=Steps)  # by all evaluators that share it
    _constants: dict[int, Value | None] = field(default_factory=dict)
    _open_constants: list[tree.Let] = field(default_factory=list)
    _open_shifts: list[tree.Shift] = field(default_factory=list)
    _depth: int = 0
    _steps: int = 0

    def fail(
        self,
        message: Message,
        span: Span,
        secondary: Iterable[Label] = (),
        **given: Any,
    ) -> AlreadyReported:
        """Report a mistake together with the calls that led to it; see `Message.at`."""
        frames = [Label(at, "in this call") for at in self.calls[-_FRAMES_SHOWN:][::-1]]
        return self.report.add(message, span, secondary=[*secondary, *frames], **given)

    def step(self, span: Span, steps: int = 1) -> None:
        """Count work, so that a spec which would take minutes is refused."""
        limit = limits().steps
        if self._steps > limit:
            raise AlreadyReported  # reported once
        self._steps += steps
        self.spent.taken += steps
        if self._steps > limit:
            raise self.fail(EVALUATION_STEPS, span, limit=limit)

    def value(self, node: tree.Expr, env: Env, words: Words = frozenset()) -> Value:
        """The value of an expression. Raises `AlreadyReported` when it has none."""
        self.step(node.span)
        limit = _DEEPER * limits().nesting
        if self._depth >= limit:
            raise self.fail(CONSTANTS_TOO_DEEP, node.span, limit=limit)
        self._depth += 1
        try:
            match node:
                case tree.Number():
                    return number(node, self.report)
                case tree.Text(_, text):
                    return String(text)
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
        finally:
            self._depth -= 1

    def number(self, node: tree.Expr, env: Env) -> Number:
        value = self.value(node, env)
        if isinstance(value, int | Fraction) and not isinstance(value, bool):
            return value
        raise self.wrong_kind(node.span, "number", value)

    def count(
        self, node: tree.Expr, env: Env, least: int = 1, most: int | None = None
    ) -> int:
        """A whole number from `least` to `most`."""
        return self.as_count(self.value(node, env), node.span, least, most)

    def as_count(
        self, value: Value, span: Span, least: int = 1, most: int | None = None
    ) -> int:
        if isinstance(value, bool) or not isinstance(value, int | Fraction):
            raise self.wrong_kind(span, "number", value)
        if isinstance(value, Fraction):
            raise self.fail(
                arguments.FRACTION,
                span,
                numerator=value.numerator,
                denominator=value.denominator,
                decimal=float(value),
                text=span.text if len(span.text) < _SHORT else "…",
            )
        if value < least:
            raise self.fail(arguments.BELOW_LEAST, span, value=value, least=least)
        if most is not None and value > most:
            raise self.fail(arguments.ABOVE_MOST, span, value=value, most=most)
        return value

    def constant(self, declared: Declared) -> Value:
        """The value of a declared constant."""
        let = declared.declaration
        assert isinstance(let, tree.Let)
        return self._constant(let, declared, let.name)

    def block_argument(self, node: tree.Expr, env: Env) -> Value:
        """A call for `apply` to make later, or the parameter that has one."""
        if isinstance(node, tree.Name) and node.id in env.values:
            return env.values[node.id]
        outside = Env(env.unit, dict(env.values), None, env.origins)
        if isinstance(node, tree.Name) and node.id == NO_SHIFT:
            return BlockArgument(None, outside)
        call = tree.Call(node.span, node, ()) if isinstance(node, tree.Name) else node
        if not isinstance(call, tree.Call):
            raise self.wrong_kind(node.span, "block", self.value(node, env))
        statement_of(env.unit, call.name, self.report)
        return BlockArgument(call, outside)

    def bind(self, call: tree.Call, declared: Declared, env: Env) -> Env:
        """The environment of a shift, block or model that is called in `env`."""
        declaration = declared.declaration
        assert isinstance(declaration, tree.Shift | tree.Block | tree.Model)
        return bind(self, call, declaration.params, declared, env)

    def wrong_kind(self, span: Span, wanted: str, value: Value) -> AlreadyReported:
        """Report a value of another kind than is `wanted`."""
        digits = str(value) if isinstance(value, String) and value.isdigit() else None
        return self.fail(
            arguments.QUOTED_NUMBER if digits else arguments.NOT_THE_KIND,
            span,
            fix=digits,
            value=show(value),
            found=with_article(kind_of(value)),
            wanted=with_article(wanted),
            number=digits,
        )

    def _name(self, node: tree.Name, env: Env, words: Words) -> Value:
        if node.id in env.values:
            return env.values[node.id]
        if node.id == "dim" and env.dim is not None:
            return env.dim
        declared = env.unit.names.get(node.id)
        if node.id in words and not is_value(declared):
            return EnumValue(node.id)
        if declared is not None:
            return self._declared(node, declared, env)
        known = {*env.values, *self.constants}
        raise unknown_value(self.report, env.unit, node, known, words)

    def _declared(self, node: tree.Name, declared: Declared, env: Env) -> Value:
        declaration = declared.declaration
        if isinstance(declaration, tree.Let):
            return self._constant(declaration, declared, node)
        if isinstance(declaration, tree.Shift):
            return self._shift(tree.Call(node.span, node, ()), declared, env)
        raise wrong_declaration(self.report, node, declared, "value")

    def _constant(self, let: tree.Let, declared: Declared, at: tree.Name) -> Value:
        """The value of a constant, evaluated once."""
        if declared.damaged:
            raise AlreadyReported
        if any(let is outer for outer in self._open_constants):
            cycle = [outer.name.id for outer in (*self._open_constants, let)]
            cycle = cycle[cycle.index(let.name.id) :]
            raise self.fail(names.CONSTANT_CYCLE, at.span, cycle=" → ".join(cycle))
        if id(let) not in self._constants:
            self._constants[id(let)] = None
            self._open_constants.append(let)
            try:
                value = self.value(let.value, Env(declared.unit, {}))
            finally:
                self._open_constants.pop()
            self._constants[id(let)] = value
        found = self._constants[id(let)]
        if found is None:
            raise AlreadyReported
        return found

    def _binary(self, node: tree.Binary, env: Env) -> Value:
        if node.operator in ("==", "!="):
            words = self._compared_words(node, env)
            left = self.value(node.left, env, words)
            right = self.value(node.right, env, words)
            return (left == right) == (node.operator == "==")
        left = self.number(node.left, env)
        right = self.number(node.right, env)
        if node.operator in _COMPARISONS:
            return _COMPARISONS[node.operator](left, right)
        if node.operator == "/" and right == 0:
            raise self.fail(arguments.ZERO, node.right.span)
        result = _ARITHMETIC[node.operator](Fraction(left), Fraction(right))
        return bounded(result, node.span, self.report)

    def _compared_words(self, node: tree.Binary, env: Env) -> Words:
        """A bare name beside an enum parameter is an enum value itself."""
        sides = [
            side for side in (node.left, node.right) if isinstance(side, tree.Name)
        ]
        if any(isinstance(env.values.get(side.id), EnumValue) for side in sides):
            return frozenset(side.id for side in sides)
        return frozenset()

    def _index(self, node: tree.Index, env: Env, words: Words) -> Value:
        items = self.value(node.base, env, words)
        if not isinstance(items, tuple):
            raise self.wrong_kind(node.base.span, "list", items)
        index = self.count(node.index, env, least=0)
        if index < len(items):
            return items[index]
        raise self.fail(
            arguments.PAST_THE_END if items else arguments.INDEX_OF_EMPTY,
            node.index.span,
            index=index,
            count=len(items),
            last=len(items) - 1,
        )

    def _call(self, node: tree.Call, env: Env, words: Words) -> Value:
        name = node.name.id
        if name in self.functions:
            return self.functions[name](node, env)
        declared = env.unit.names.get(name)
        if declared is not None and isinstance(declared.declaration, tree.Shift):
            return self._shift(node, declared, env)
        if name in FUNCTIONS:
            return self._function(node, env, words)
        raise unknown_function(self.report, env.unit, node.name, self.functions)

    def _shift(self, call: tree.Call, declared: Declared, env: Env) -> ShiftRef:
        assert isinstance(declared.declaration, tree.Shift)
        if declared.damaged:
            raise AlreadyReported
        if any(declared.declaration is outer for outer in self._open_shifts):
            raise self.fail(names.SHIFT_OF_ITSELF, call.span, name=call.name.id)
        self._open_shifts.append(declared.declaration)
        try:
            bound = self.bind(call, declared, env)
        finally:
            self._open_shifts.pop()
        return ShiftRef(declared, tuple(bound.values.items()), bound.origins)

    def _function(self, call: tree.Call, env: Env, words: Words) -> Value:
        """The value of a call of one of `FUNCTIONS`."""
        match call.name.id:
            case "choose":
                condition, yes, no = self._positional(call, 3)
                chosen = self.value(condition, env)
                if not isinstance(chosen, bool):
                    raise self.wrong_kind(condition.span, "comparison", chosen)
                # The other one is not evaluated: it may divide by zero.
                return self.value(yes if chosen else no, env, words)
            case "min" | "max" as name:
                values = [self.number(one, env) for one in self._positional(call, None)]
                return min(values) if name == "min" else max(values)
            case "mod":
                left, right = self._positional(call, 2)
                dividend, divisor = self.number(left, env), self.number(right, env)
                if divisor == 0:
                    raise self.fail(arguments.ZERO, right.span)
                return bounded(Fraction(dividend) % divisor, call.span, self.report)
            case name:
                (inner,) = self._positional(call, 1)
                return (floor if name == "floor" else ceil)(self.number(inner, env))

    def _positional(self, call: tree.Call, wanted: int | None) -> list[tree.Expr]:
        """The arguments of a function: exactly so many, or at least one."""
        name = call.name.id
        for argument in call.arguments:
            if argument.name is not None:
                raise self.fail(
                    arguments.BY_POSITION_ONLY,
                    argument.name.span,
                    name=name,
                    value=argument.value.span.text,
                )
        given = [argument.value for argument in call.arguments]
        needed = wanted or 1
        plural = f"{needed} argument{'s' if needed > 1 else ''}"
        if len(given) < needed:
            raise self.fail(
                arguments.FUNCTION_ARGUMENTS_MISSING,
                call.span,
                name=name,
                wanted=plural,
                given=len(given),
            )
        if wanted is not None and len(given) > wanted:
            span = given[wanted].span
            raise self.fail(arguments.TAKES_FEWER, span, name=name, parameters=plural)
        return given
