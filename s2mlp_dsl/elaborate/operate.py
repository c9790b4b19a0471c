"""Operators in statements: arguments evaluated, output shapes computed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import Any

from s2mlp_dsl.bounds import FLOAT_BYTES, fits_float32, limits
from s2mlp_dsl.diagnostics import AlreadyReported
from s2mlp_dsl.diagnostics.catalogue import arguments
from s2mlp_dsl.diagnostics.catalogue.limits import MAP_BYTES
from s2mlp_dsl.diagnostics.suggest import either
from s2mlp_dsl.elaborate.bind import NO_SHIFT, match_arguments
from s2mlp_dsl.elaborate.definitions import Definitions
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.shifts import no_shift, resolve_shift
from s2mlp_dsl.elaborate.values import (
    BlockArgument,
    Env,
    ShiftRef,
    Value,
    kind_of,
    show,
    traced,
    with_article,
)
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators import (
    NONE,
    Definition,
    Operator,
    Parameter,
    Refusal,
    parse_pattern,
)
from s2mlp_dsl.source import Span

_GROUP_STEPS = 3  # what a group of a shift counts in steps of evaluation
_MOST_COUNT = 2**31 - 1  # beyond it, PyTorch's kernels have no room for a size
_KERNEL = 2  # how deep the lists of one kernel are nested

Given = Mapping[str, tree.Argument]


@dataclass(eq=False, repr=False)
class Operators:
    """Applies operators: it uses their definitions and tests no names."""

    evaluator: Evaluator
    definitions: Definitions

    def apply(
        self,
        operator: type[Operator],
        call: tree.Call,
        env: Env,
        shape: Shape | None,
        implied: Mapping[str, ir.Value] | None = None,
    ) -> ir.Op:
        """The statement of a call, applied to `shape`."""
        args, given = self.arguments(operator, call, env, shape, implied)
        with self.refusals(call, given):
            return self.make(operator(shape, args), traced(call.span, call, env))

    def make(self, operator: Operator, span: Span) -> ir.Op:
        """The statement of an operator. Raises `Refusal` and `AlreadyReported`."""
        result, limit = operator.shape(), limits().map
        if FLOAT_BYTES * prod(result.dims) > limit:
            raise self.evaluator.fail(MAP_BYTES, span, shape=result, limit=limit)
        for parameter in operator.parameters:
            name, value = parameter.name, operator.args.get(parameter.name)
            if parameter.kind != "count" or not isinstance(value, int):
                continue
            # The sizes of a map are bounded by its bytes.
            if value > _MOST_COUNT and value not in result.dims:
                raise Refusal(
                    arguments.ABOVE_MOST, argument=name, value=value, most=_MOST_COUNT
                )
        return ir.Op(
            operator=operator.name,
            version=operator.version,
            args=tuple(operator.canonical_args().items()),
            source=operator.source,
            result=result,
            name=operator.name,
            span=span,
        )

    @contextmanager
    def refusals(self, call: tree.Call, given: Given) -> Iterator[None]:
        """Report what an operator or region refuses, at the argument to blame."""
        try:
            yield
        except Refusal as refusal:
            at = call.span
            if refusal.argument is not None and refusal.argument in given:
                at = given[refusal.argument].value.span
            raise self.evaluator.fail(refusal.message, at, **refusal.fields) from None

    def arguments(
        self,
        definition: type[Definition],
        call: tree.Call,
        env: Env,
        shape: Shape | None,
        implied: Mapping[str, ir.Value] | None = None,
    ) -> tuple[dict[str, ir.Value], Given]:
        """The value of every argument, and the arguments that the call gives."""
        parameters = [one for one in definition.parameters if not one.implied]
        axes = axis_names(parameters, call)
        order = (*(parameter.name for parameter in parameters), *axes)
        given = match_arguments(call, order, self.evaluator.report)
        args: dict[str, ir.Value] = dict(implied or {})
        missing: list[Parameter[Any]] = []
        faults = False
        for parameter in parameters:
            name = parameter.name
            if name in given:
                try:
                    node = given[name].value
                    if parameter.kind == "pattern":
                        sizes = {axis: given[axis] for axis in axes if axis in given}
                        args[name] = self._pattern(node, sizes, env)
                    else:
                        args[name] = self._argument(parameter, node, env, call, shape)
                except AlreadyReported:
                    faults = True
            elif parameter.required:
                missing.append(parameter)
            elif parameter.default is not None:
                args[name] = parameter.default
        if missing:
            needed = [one.name for one in definition.parameters if one.required]
            raise self.evaluator.fail(
                arguments.OPERATOR_ARGUMENTS_MISSING,
                call.span,
                name=definition.name,
                parameters=" and ".join(f"`{one.name}` ({one.doc})" for one in missing),
                written=f"{definition.name}({', '.join(needed)})",
                example=definition.example,
            )
        if faults:
            raise AlreadyReported
        return args, given

    def _argument(
        self,
        parameter: Parameter[Any],
        node: tree.Expr,
        env: Env,
        call: tree.Call,
        shape: Shape | None,
    ) -> ir.Value:
        if parameter.kind == "shift":
            return self._shift(node, env, call, shape)
        if parameter.kind == "kernels":
            return self._kernels(node, env)
        words = frozenset(parameter.choices)
        value = self.evaluator.value(node, env, words)
        if parameter.kind == "count":
            return self.evaluator.as_count(value, node.span, parameter.least)
        if value in words if words else kind_of(value) == "number":
            assert not isinstance(value, tuple | ShiftRef | BlockArgument)
            if not isinstance(value, str) and not fits_float32(Fraction(value)):
                raise self.evaluator.fail(arguments.BEYOND_FLOATS, node.span)
            return str(value) if words else value
        raise self.evaluator.fail(
            arguments.NO_CHOICE_OF_PARAMETER if words else arguments.NO_NUMBER_VALUE,
            node.span,
            name=parameter.name,
            value=show(value),
            choices=either(parameter.choices),
        )

    def _shift(
        self, node: tree.Expr, env: Env, call: tree.Call, shape: Shape | None
    ) -> ir.Shift:
        value = self.evaluator.value(node, env, frozenset({NO_SHIFT}))
        if value == NO_SHIFT or not isinstance(shape, Map):
            # Without a map the operator refuses any shift.
            return no_shift(shape.channels if shape is not None else 0)
        if not isinstance(value, ShiftRef):
            raise self.evaluator.fail(
                arguments.NO_SHIFT_VALUE,
                node.span,
                value=show(value),
                found=with_article(kind_of(value)),
            )
        if value.declared.damaged:
            raise AlreadyReported
        shift = resolve_shift(value, shape.channels, call.span, self.evaluator)
        self.evaluator.step(call.span, _GROUP_STEPS * len(shift.groups))
        return self.definitions.named(shift)

    def _pattern(self, node: tree.Expr, sizes: Given, env: Env) -> str:
        """The pattern, with the sizes of axes that are given as arguments."""
        if not isinstance(node, tree.Text):
            value = self.evaluator.value(node, env)
            raise self.evaluator.wrong_kind(node.span, "pattern", value)
        try:
            pattern = parse_pattern(node.value)
        except Refusal as refusal:
            raise self.evaluator.fail(
                refusal.message, node.span, **refusal.fields
            ) from None
        given = dict(pattern.given)
        for axis, argument in sizes.items():
            if axis in given:
                raise self.evaluator.fail(
                    arguments.GIVEN_IN_PATTERN,
                    argument.span,
                    axis=axis,
                    size=given[axis],
                )
            given[axis] = self.evaluator.count(argument.value, env)
        return str(replace(pattern, given=tuple(given.items())))

    def _kernels(self, node: tree.Expr, env: Env) -> ir.Kernels | str:
        """Fixed kernels: rows of numbers, or lists of such kernels, or `none`.

        A list of kernels is one of filters with a kernel each, and a list of lists of
        kernels one of filters with several.
        """
        value = self.evaluator.value(node, env, frozenset({NONE}))
        if value == NONE:
            return NONE
        depth, first = 0, value
        while isinstance(first, tuple):
            depth, first = depth + 1, self._items(node, first)[0]
        filters: list[Value]
        if depth <= _KERNEL:
            filters = [(value,)]
        else:
            filters = list(self._items(node, value))
            if depth == _KERNEL + 1:
                filters = [(kernel,) for kernel in filters]
        return ir.Kernels(
            filters=tuple(
                tuple(self._rows(node, kernel) for kernel in self._items(node, kernels))
                for kernels in filters
            )
        )

    def _rows(self, node: tree.Expr, kernel: Value) -> tuple[tuple[Fraction, ...], ...]:
        rows = []
        for row in self._items(node, kernel):
            numbers = self._items(node, row)
            # A constant that is listed again and again is longer than its text.
            self.evaluator.step(node.span, len(numbers))
            rows.append(tuple(self._number(node, number) for number in numbers))
        return tuple(rows)

    def _items(self, node: tree.Expr, value: Value) -> tuple[Value, ...]:
        if isinstance(value, tuple) and value:
            return value
        raise self._no_kernels(node, value)

    def _number(self, node: tree.Expr, value: Value) -> Fraction:
        if isinstance(value, int | Fraction) and not isinstance(value, bool):
            return Fraction(value)
        raise self._no_kernels(node, value)

    def _no_kernels(self, node: tree.Expr, value: Value) -> AlreadyReported:
        return self.evaluator.fail(
            arguments.EMPTY_KERNELS if value == () else arguments.NO_KERNELS,
            node.span,
            value=show(value),
            found=with_article(kind_of(value)),
        )


def axis_names(
    parameters: Sequence[Parameter[Any]], call: tree.Call
) -> tuple[str, ...]:
    """The axes whose sizes a call may give: those of the pattern that it names."""
    patterns = [one.name for one in parameters if one.kind == "pattern"]
    for argument in call.arguments if patterns else ():
        named = argument.name is None or argument.name.id in patterns
        if named and isinstance(argument.value, tree.Text):
            try:
                return parse_pattern(argument.value.value).axes
            except Refusal:  # reported with the pattern
                return tuple(one.name.id for one in call.arguments if one.name)
    return ()
