"""Expressions to values, exactly."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from s2mlp_dsl.bounds import how_to_raise, limits
from s2mlp_dsl.diagnostics import (
    AlreadyReported,
    Code,
    Fix,
    Label,
    Message,
    Report,
    Suggestion,
)
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.bind import NO_SHIFT, Bound, bind
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.functions import call_function
from s2mlp_dsl.elaborate.numbers import bounded, number
from s2mlp_dsl.elaborate.unknown import (
    FUNCTIONS,
    is_statement,
    unknown_function,
    unknown_statement,
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
)
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.frontend.codes import TOO_DEEP
from s2mlp_dsl.source import Span

Number = int | Fraction

_FRAMES_SHOWN = 3
# Expressions inside one another, through the constants that they read, may go
# deeper than brackets in a file by so much.
_DEEPER = 2

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


@dataclass(eq=False, repr=False)
class Evaluator:
    """Evaluates expressions; mistakes go to the report.

    `words` are bare names that count as words at this place. `functions` are
    calls that a caller adds, such as `params(…)` in a claim.
    """

    report: Report
    functions: Mapping[str, Callable[[tree.Call, Env], Value]] = field(
        default_factory=dict
    )
    constants: frozenset[str] = frozenset()  # further names a caller may add
    calls: list[Span] = field(default_factory=list)  # that led here, outermost first
    _lets: dict[int, Value | None] = field(default_factory=dict)
    _open_lets: list[tree.Let] = field(default_factory=list)
    _open_shifts: list[tree.Shift] = field(default_factory=list)
    _depth: int = 0
    _steps: int = 0

    def fail(
        self,
        message: Message | Code,
        span: Span,
        label: str = "",
        *,
        related: Span | Sequence[Span] = (),
        secondary: Iterable[Label] = (),
        notes: Iterable[str] = (),
        help: str | None = None,
        fix: Fix | str | None = None,
        **fields: object,
    ) -> AlreadyReported:
        """Report a mistake together with the calls that led to it; see `Message.at`."""
        frames = [Label(at, "in this call") for at in self.calls[-_FRAMES_SHOWN:][::-1]]
        return self.report.add(
            message,
            span,
            label,
            related=related,
            secondary=[*secondary, *frames],
            notes=notes,
            help=help,
            fix=fix,
            **fields,
        )

    def step(self, span: Span, steps: int = 1) -> None:
        """Count work, so that a spec which would take minutes is refused."""
        most = limits().steps
        if self._steps > most:
            raise AlreadyReported  # said already
        self._steps += steps
        if self._steps > most:
            raise self.fail(
                codes.STEPS,
                span,
                f"the limit of {most:,} steps is reached here",
                notes=[how_to_raise("steps")],
                help="let fewer iterations of stacks differ",
            )

    def value(
        self, node: tree.Expr, env: Env, words: frozenset[str] = frozenset()
    ) -> Value:
        """The value of an expression. Raises `AlreadyReported` when it has none."""
        self.step(node.span)
        most = _DEEPER * limits().nesting
        if self._depth >= most:
            raise self.fail(
                TOO_DEEP,
                node.span,
                f"more than {most} steps from one constant to the next",
                help="declare a constant after those it reads",
            )
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

    def count(self, node: tree.Expr, env: Env, least: int = 1) -> int:
        """A whole number of at least `least`."""
        return self.as_count(self.value(node, env), node.span, least)

    def as_count(self, value: Value, span: Span, least: int = 1) -> int:
        if isinstance(value, bool) or not isinstance(value, int | Fraction):
            raise self.wrong_kind(span, "number", value)
        if isinstance(value, Fraction):
            raise self.fail(
                codes.NOT_A_COUNT,
                span,
                f"this is {value.numerator}/{value.denominator}, or {float(value):g}",
                help=f"choose numbers that divide, or write `floor({span.text})`"
                if len(span.text) < 40
                else "choose numbers that divide, or write `floor(…)`",
            )
        if value < least:
            raise self.fail(
                codes.NOT_A_COUNT,
                span,
                f"this is {value}",
                help=f"write a number of at least {least}",
            )
        return value

    def _name(self, node: tree.Name, env: Env, words: frozenset[str]) -> Value:
        if node.id in env.values:
            return env.values[node.id]
        if node.id == "dim" and env.dim is not None:
            return env.dim
        declared = env.unit.names.get(node.id)
        if declared is not None:
            return self._declared(node, declared, env)
        if node.id in words:
            return EnumValue(node.id)
        raise self.unknown(node, env, words)

    def _declared(self, node: tree.Name, declared: Declared, env: Env) -> Value:
        declaration = declared.declaration
        if isinstance(declaration, tree.Let):
            return self._let(declaration, declared, node)
        if isinstance(declaration, tree.Shift):
            return self._shift(tree.Call(node.span, node, ()), declared, env)
        raise wrong_declaration(self.report, node.id, node.span, declared, "value")

    def _let(self, let: tree.Let, declared: Declared, at: tree.Name) -> Value:
        """The value of a constant, evaluated once."""
        if declared.damaged:
            raise AlreadyReported
        if any(let is one for one in self._open_lets):
            names = [one.name.id for one in (*self._open_lets, let)]
            names = names[names.index(let.name.id) :]
            raise self.fail(
                codes.RECURSION,
                at.span,
                " → ".join(names),
                help="give one of them a number",
            )
        if id(let) not in self._lets:
            self._lets[id(let)] = None
            self._open_lets.append(let)
            try:
                value = self.value(let.value, Env(declared.unit, {}))
            finally:
                self._open_lets.pop()
            self._lets[id(let)] = value
        found = self._lets[id(let)]
        if found is None:
            raise AlreadyReported
        return found

    def constant(self, declared: Declared) -> Value:
        """The value of a declared constant."""
        let = declared.declaration
        assert isinstance(let, tree.Let)
        return self._let(let, declared, let.name)

    def unknown(
        self, node: tree.Name, env: Env, words: frozenset[str]
    ) -> AlreadyReported:
        """Report a name that stands for nothing here."""
        known = {*env.values, *self.constants}
        return unknown_value(self.report, env.unit, node.id, node.span, known, words)

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
            raise self.divided_by_zero(node.right)
        result = _ARITHMETIC[node.operator](Fraction(left), Fraction(right))
        return bounded(result, node.span, self.report)

    def divided_by_zero(self, divisor: tree.Expr) -> AlreadyReported:
        """Report a divisor that came out as 0."""
        return self.fail(
            codes.DIVIDED_BY_ZERO,
            divisor.span,
            "this is 0",
            help="divide by what is never 0; the index of a stack begins at 0",
        )

    def _words_of(self, node: tree.Binary, env: Env) -> frozenset[str]:
        """A bare name beside a parameter that holds a word is a word itself."""
        sides = (node.left, node.right)
        compares_word = any(
            isinstance(side, tree.Name)
            and isinstance(env.values.get(side.id), EnumValue)
            for side in sides
        )
        if not compares_word:
            return frozenset()
        return frozenset(side.id for side in sides if isinstance(side, tree.Name))

    def _index(self, node: tree.Index, env: Env, words: frozenset[str]) -> Value:
        items = self.value(node.base, env, words)
        if not isinstance(items, tuple):
            raise self.wrong_kind(node.base.span, "list", items)
        index = self.count(node.index, env, least=0)
        if index >= len(items):
            raise self.fail(
                codes.OUT_OF_RANGE,
                node.index.span,
                f"this is {index}; the list has {len(items)} items",
                help=f"write a number from 0 to {len(items) - 1}"
                if items
                else "give the list an item",
            )
        return items[index]

    def _call(self, node: tree.Call, env: Env, words: frozenset[str]) -> Value:
        name = node.name.id
        if name in self.functions:
            return self.functions[name](node, env)
        declared = env.unit.names.get(name)
        if declared is not None and isinstance(declared.declaration, tree.Shift):
            return self._shift(node, declared, env)
        if name in FUNCTIONS:
            return call_function(self, node, env, words)
        raise unknown_function(self.report, env.unit, node, self.functions)

    def _shift(self, call: tree.Call, declared: Declared, env: Env) -> ShiftRef:
        assert isinstance(declared.declaration, tree.Shift)
        if declared.damaged:
            raise AlreadyReported
        if any(declared.declaration is one for one in self._open_shifts):
            raise self.fail(
                codes.RECURSION,
                call.span,
                f"this is in the parameters of `{call.name.id}` itself",
                help="give it a number",
            )
        self._open_shifts.append(declared.declaration)
        try:
            bound = self.bind(call, declared, env)
        finally:
            self._open_shifts.pop()
        return ShiftRef(declared, tuple(bound.items()))

    def piece(self, node: tree.Expr, env: Env) -> Value:
        """A call that is not made yet, or a parameter that holds one."""
        if isinstance(node, tree.Name) and node.id in env.values:
            return env.values[node.id]
        closed = Env(env.unit, dict(env.values), None, env.origins)
        if isinstance(node, tree.Name) and node.id == NO_SHIFT:
            return BlockArgument(None, closed)
        call = tree.Call(node.span, node, ()) if isinstance(node, tree.Name) else node
        if not isinstance(call, tree.Call):
            raise self.wrong_kind(node.span, "block", self.value(node, env))
        if not is_statement(env.unit, call.name, self.report):
            raise unknown_statement(self.report, env.unit, call.name)
        return BlockArgument(call, closed)

    def bind(self, call: tree.Call, declared: Declared, env: Env) -> Bound:
        """Arguments of a call of a shift, block or model, defaults filled in."""
        declaration = declared.declaration
        assert isinstance(declaration, tree.Shift | tree.Block | tree.Model)
        return bind(self, call, declaration.params, declared, env)

    def wrong_kind(self, span: Span, wanted: str, value: Value) -> AlreadyReported:
        """Report a value of one kind where another is needed."""
        found = f"`{show(value)}` is a {kind_of(value)}"
        bare = str(value) if isinstance(value, String) and value.isdigit() else None
        help = f"write a {wanted} here"
        if bare:
            help = Suggestion(f"write `{bare}`, without quotes", bare)
        return self.fail(codes.WRONG_KIND, span, f"{found}, not a {wanted}", help=help)
