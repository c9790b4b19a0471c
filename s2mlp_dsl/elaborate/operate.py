"""Operators at work: arguments evaluated, the shape that leaves proved."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from s2mlp_dsl.bounds import FLOAT_BYTES, how_to_raise, limits
from s2mlp_dsl.diagnostics import AlreadyReported
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.definitions import Definitions
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.kernels import kernels_value
from s2mlp_dsl.elaborate.patterns import axis_names, pattern_value
from s2mlp_dsl.elaborate.shifts import no_shift, resolve_shift
from s2mlp_dsl.elaborate.values import (
    BlockArgument,
    Env,
    ShiftRef,
    kind_of,
    show,
    traced,
)
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.shape import Map, Shape, positions
from s2mlp_dsl.operators import Args, Operator, Parameter, Refusal, Region
from s2mlp_dsl.source import Span

_GROUP_STEPS = 3  # what a group of a shift is worth in steps of evaluation


@dataclass(eq=False, repr=False)
class Operators:
    """Applies operators; a pass asks them for facts and tests no names."""

    evaluator: Evaluator
    definitions: Definitions

    def apply(
        self,
        operator: Operator,
        call: tree.Call,
        env: Env,
        shape: Shape | None,
        label: str | None = None,
        implied: Mapping[str, ir.Value] | None = None,
    ) -> ir.Op:
        """The statement that a call is, its shape proved."""
        args, given = self.arguments(operator, call, env, shape, implied)
        with self.refusals(call, given):
            span = traced(call.span, call, env)
            return self.make(operator, args, shape, span, label)

    def make(
        self,
        operator: Operator,
        args: Mapping[str, ir.Value],
        shape: Shape | None,
        span: Span,
        label: str | None = None,
    ) -> ir.Op:
        """An operator with all its arguments. Raises `Refusal`, `AlreadyReported`."""
        result = operator.shape(shape, Args(args))
        most = limits().map
        if positions(result) * result.channels * FLOAT_BYTES > most:
            raise self.evaluator.fail(
                codes.MAP,
                span,
                f"{result} leaves here; the limit is {most:,} bytes",
                notes=[how_to_raise("map")],
                help="make the map smaller or the width less",
            )
        return ir.Op(
            operator=operator.name,
            version=operator.version,
            args=tuple(operator.settle(shape, Args(args)).values.items()),
            source=shape,
            result=result,
            name=operator.name,
            label=label,
            span=span,
        )

    @contextmanager
    def refusals(
        self, call: tree.Call, given: Mapping[str, tree.Argument]
    ) -> Iterator[None]:
        """Report what an operator or scope refuses, where it is written."""
        try:
            yield
        except Refusal as refusal:
            at = call.span
            if refusal.argument is not None and refusal.argument in given:
                at = given[refusal.argument].value.span
            raise self.evaluator.fail(refusal.message, at, **refusal.fields) from None

    def arguments(
        self,
        sheet: Operator | Region,
        call: tree.Call,
        env: Env,
        shape: Shape | None,
        implied: Mapping[str, ir.Value] | None = None,
    ) -> tuple[dict[str, ir.Value], dict[str, tree.Argument]]:
        """Every argument, and those that the call gives."""
        parameters = [one for one in sheet.parameters if not one.implied]
        axes = axis_names(parameters, call)
        order = (*(one.name for one in parameters), *axes)
        given = match_arguments(call, order, self.evaluator.report)
        args: dict[str, ir.Value] = dict(implied or {})
        missing: list[Parameter] = []
        faults = False
        for parameter in parameters:
            if parameter.name in given:
                node = given[parameter.name].value
                try:
                    if parameter.kind == "pattern":
                        sizes = {axis: given[axis] for axis in axes if axis in given}
                        args[parameter.name] = pattern_value(
                            self.evaluator, node, sizes, env
                        )
                    else:
                        args[parameter.name] = self._argument(
                            parameter, node, env, call, shape
                        )
                except AlreadyReported:
                    faults = True
            elif parameter.default is not None:
                args[parameter.name] = parameter.default
            else:
                missing.append(parameter)
        if missing:
            raise self._missing(call, sheet, missing)
        if faults:
            raise AlreadyReported
        return args, given

    def _missing(
        self, call: tree.Call, operator: Operator | Region, missing: list[Parameter]
    ) -> AlreadyReported:
        needs = " and ".join(f"`{one.name}` ({one.doc})" for one in missing)
        needed = [
            one.name
            for one in operator.parameters
            if one.default is None and not one.implied
        ]
        return self.evaluator.fail(
            codes.MISSING,
            call.span,
            f"`{operator.name}` needs {needs}",
            help=f"write `{operator.name}({', '.join(needed)})`, "
            f"such as `{operator.example}`",
        )

    def _argument(
        self,
        parameter: Parameter,
        node: tree.Expr,
        env: Env,
        call: tree.Call,
        shape: Shape | None,
    ) -> ir.Value:
        if parameter.kind == "shift":
            return self._shift(node, env, call, shape)
        if parameter.kind == "kernels":
            return kernels_value(self.evaluator, node, env)
        words = frozenset(parameter.choices)
        value = self.evaluator.value(node, env, words)
        if parameter.kind == "count":
            return self.evaluator.as_count(value, node.span, parameter.least)
        if words and value not in words:
            raise self.evaluator.fail(
                codes.UNKNOWN_CHOICE,
                node.span,
                f"`{parameter.name}` cannot be `{show(value)}`",
                help=f"write {' or '.join(f'`{one}`' for one in parameter.choices)}",
            )
        if not words and kind_of(value) != "number":
            raise self.evaluator.fail(
                codes.WRONG_KIND,
                node.span,
                f"`{parameter.name}` cannot be `{show(value)}`",
                help="write a number",
            )
        assert not isinstance(value, tuple | ShiftRef | BlockArgument)
        return str(value) if words else value

    def _shift(
        self, node: tree.Expr, env: Env, call: tree.Call, shape: Shape | None
    ) -> ir.Value:
        value = self.evaluator.value(node, env, frozenset({"none"}))
        if value == "none" or not isinstance(shape, Map):
            # Without a map the operator refuses, whatever the shift.
            return no_shift(shape.channels if shape is not None else 0)
        if not isinstance(value, ShiftRef):
            raise self.evaluator.fail(
                codes.WRONG_KIND,
                node.span,
                f"`{show(value)}` is a {kind_of(value)}, not a shift",
                help="name a declared shift, or `none`",
            )
        if value.declared.damaged:
            raise AlreadyReported
        shift = resolve_shift(value, shape.channels, call.span, self.evaluator)
        self.evaluator.step(call.span, _GROUP_STEPS * len(shift.groups))
        return self.definitions.named(shift)
