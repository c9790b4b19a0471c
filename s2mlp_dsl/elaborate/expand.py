"""Bodies to IR: calls opened, arguments evaluated, every shape proved.

Each iteration of a stack is elaborated for itself, but an iteration that must
come out like the one before it (same shape in, index not read) is not repeated.
"""

from dataclasses import dataclass, field

from s2mlp_dsl.diagnostics import Code, Label, Poisoned
from s2mlp_dsl.elaborate import bounds, codes
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.shifts import no_shift, resolve_shift
from s2mlp_dsl.elaborate.values import Env, ShiftRef, Value, kind_of, show, words_in
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.names import assign_names
from s2mlp_dsl.ir.shape import Shape, positions
from s2mlp_dsl.ops import OPERATORS, Args, Operator, Parameter, Refusal
from s2mlp_dsl.ops.codes import NO_IMAGE
from s2mlp_dsl.source import Span
from s2mlp_dsl.syntax import tree

_FRAMES_SHOWN = 3


@dataclass
class Expander:
    """Elaborates the body of one model."""

    evaluator: Evaluator
    blocks: dict[str, ir.Block] = field(default_factory=dict)
    _known: dict[object, str] = field(default_factory=dict)
    _shifts: dict[str, ir.Shift] = field(default_factory=dict)
    _calls: list[Span] = field(default_factory=list)
    _iterations: int = 0

    def scope(
        self, body: tree.Body, env: Env, entering: Shape | None
    ) -> tuple[tuple[ir.Statement, ...], Shape]:
        """The statements of a body that names things for itself."""
        named = _named_statements(body)
        wanted = [_wanted_name(statement) for statement in named]
        names = dict(zip(map(id, named), assign_names(wanted), strict=True))
        return self._body(body, env, entering, names)

    def _body(
        self, body: tree.Body, env: Env, entering: Shape | None, names: dict[int, str]
    ) -> tuple[tuple[ir.Statement, ...], Shape]:
        statements = []
        shape = entering
        for statement in body.statements:
            made, shape = self._statement(statement, env, shape, names)
            statements.append(made)
        if shape is None:
            raise Poisoned  # an empty body, reported with the names
        return tuple(statements), shape

    def _statement(
        self,
        statement: tree.Statement,
        env: Env,
        shape: Shape | None,
        names: dict[int, str],
    ) -> tuple[ir.Statement, Shape]:
        label = statement.label.id if statement.label else None
        if isinstance(statement, tree.Operation):
            return self._operation(statement, env, shape, names, label)
        if shape is None:
            raise self._report(NO_IMAGE, _head(statement), help=_BEGIN)
        if isinstance(statement, tree.Residual):
            body, result = self._body(
                statement.body, env.inner(shape.channels), shape, names
            )
            if result != shape:
                raise self._residual_mismatch(statement, shape, result)
            residual = ir.Residual(body=body, label=label, span=statement.span)
            return residual, shape
        return self._stack(statement, env, shape, names, label)

    def _residual_mismatch(
        self, statement: tree.Residual, entering: Shape, leaving: Shape
    ) -> Exception:
        last = statement.body.statements[-1]
        return self._report(
            codes.RESIDUAL,
            _head(last),
            f"{leaving} leaves here",
            Label(_head(statement), f"{entering} enters here"),
            help=f"end with `linear({entering.channels})`, or `linear(dim)`"
            if leaving.channels != entering.channels
            else "keep the positions as they are inside a residual",
        )

    # stacks and blocks

    def _stack(
        self,
        statement: tree.Stack,
        env: Env,
        shape: Shape,
        names: dict[int, str],
        label: str | None,
    ) -> tuple[ir.Statement, Shape]:
        index = statement.index.id if statement.index else None
        runs: list[ir.Run] = []
        before = 0
        for part in statement.parts:
            count = self.evaluator.count(part.count, env)
            reads_index = index is not None and index in _names_read(part.body)
            done = 0
            while done < count:
                number = {index: before + done} if index else {}
                inside = env.inner(shape.channels, **number)
                block, result = self._iteration(part.body, inside, shape)
                same_again = not reads_index and result == shape
                repeat = count - done if same_again else 1
                _append(runs, block, repeat)
                done += repeat
                shape = result
                self._iterations += 1
                if self._iterations > bounds.ITERATIONS:
                    raise self._report(
                        codes.STATEMENTS,
                        _head(statement),
                        f"more than {bounds.ITERATIONS:,} iterations that differ",
                    )
            before += count
        stack = ir.Stack(
            runs=tuple(runs),
            name=names[id(statement)],
            label=label,
            span=_head(statement),
        )
        return stack, shape

    def _iteration(self, body: tree.Body, env: Env, shape: Shape) -> tuple[str, Shape]:
        """One iteration as a definition: the block it calls, or one of its own."""
        only = body.statements[0] if len(body.statements) == 1 else None
        if isinstance(only, tree.Operation) and only.label is None:
            declared = env.unit.names.get(only.call.name.id)
            if declared and isinstance(declared.declaration, tree.Block):
                return self._block(only.call, declared, env, shape)
        statements, result = self.scope(body, env, shape)
        block = ir.Block(
            name="layer",
            source=shape,
            result=result,
            body=statements,
            inline=True,
            span=body.span,
        )
        return self._define(block), result

    def _block(
        self, call: tree.Call, declared: Declared, env: Env, shape: Shape
    ) -> tuple[str, Shape]:
        """The definition that a call stands for, elaborated once per meaning."""
        if declared.damaged:
            raise Poisoned
        declaration = declared.declaration
        assert isinstance(declaration, tree.Block)
        bound = self.evaluator.bind(call, declared, env)
        key = (id(declaration), tuple(_hashable(v) for v in bound.values()), shape)
        if key not in self._known:
            self._calls.append(call.span)
            inside = Env(declared.unit, bound, shape.channels)
            statements, result = self.scope(declaration.body, inside, shape)
            self._calls.pop()
            block = ir.Block(
                name=declaration.name.id,
                source=shape,
                result=result,
                body=statements,
                doc=declaration.doc,
                span=declaration.name.span,
            )
            self._known[key] = self._define(block)
        name = self._known[key]
        return name, self.blocks[name].result

    def _define(self, block: ir.Block) -> str:
        """Keep a definition under a name that no other content has."""
        name, number = block.name, 1
        while True:
            candidate = block.model_copy(update={"name": name})
            if self.blocks.setdefault(name, candidate) == candidate:
                return name
            number += 1
            name = f"{block.name}_{number}"

    # operators

    def _operation(
        self,
        statement: tree.Operation,
        env: Env,
        shape: Shape | None,
        names: dict[int, str],
        label: str | None,
    ) -> tuple[ir.Statement, Shape]:
        call = statement.call
        declared = env.unit.names.get(call.name.id)
        if declared is not None:
            if not isinstance(declared.declaration, tree.Block):
                raise Poisoned  # reported with the names
            if shape is None:
                raise self._report(NO_IMAGE, call.name.span, help=_BEGIN)
            block, result = self._block(call, declared, env, shape)
            return (
                ir.Call(
                    block=block, name=names[id(statement)], label=label, span=call.span
                ),
                result,
            )
        operator = OPERATORS.get(call.name.id)
        if operator is None:
            raise Poisoned  # reported with the names
        if shape is None and operator.role != "input":
            raise self._report(NO_IMAGE, call.name.span, help=_BEGIN)
        return self._operator(operator, statement, env, shape, names[id(statement)])

    def _operator(
        self,
        operator: Operator,
        statement: tree.Operation,
        env: Env,
        shape: Shape | None,
        name: str,
    ) -> tuple[ir.Statement, Shape]:
        call = statement.call
        order = tuple(parameter.name for parameter in operator.parameters)
        given = match_arguments(call, order, self.evaluator.report)
        args: dict[str, ir.Value] = {}
        for parameter in operator.parameters:
            if parameter.name in given:
                node = given[parameter.name].value
                args[parameter.name] = self._argument(parameter, node, env, call, shape)
            elif parameter.default is not None:
                args[parameter.name] = parameter.default
            else:
                raise self._report(
                    codes.MISSING,
                    call.span,
                    f"`{operator.name}` needs `{parameter.name}`: {parameter.doc}",
                    help=f"see `s2mlp-dsl explain {codes.MISSING.number}`",
                )
        try:
            result = operator.shape(shape, Args(args))
        except Refusal as refusal:
            at = call.span
            if refusal.argument in given:
                at = given[refusal.argument].value.span
            raise self._report(
                refusal.code,
                at,
                refusal.label,
                notes=refusal.notes,
                help=refusal.help,
            ) from None
        if positions(result) * result.channels > bounds.ACTIVATION:
            raise self._report(codes.ACTIVATION, call.span, f"{result} leaves here")
        op = ir.Op(
            operator=operator.name,
            version=operator.version,
            args=tuple(args.items()),
            source=shape,
            result=result,
            name=name,
            label=statement.label.id if statement.label else None,
            span=call.span,
        )
        return op, result

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
        words = frozenset(parameter.choices)
        value = self.evaluator.value(node, env, words)
        if parameter.kind == "count":
            return self.evaluator.as_count(value, node.span, parameter.least)
        fits = (
            value in words if parameter.kind == "word" else kind_of(value) == "number"
        )
        if not fits or isinstance(value, tuple | ShiftRef):
            raise self._report(
                codes.UNKNOWN_WORD if words else codes.WRONG_KIND,
                node.span,
                f"`{parameter.name}` cannot be {show(value)}",
                help=f"there is {', '.join(sorted(words))}" if words else None,
            )
        return str(value) if words else value

    def _shift(
        self, node: tree.Expr, env: Env, call: tree.Call, shape: Shape | None
    ) -> ir.Value:
        value = self.evaluator.value(node, env, frozenset({"none"}))
        channels = shape.channels if shape is not None else 0
        if value == "none":
            return no_shift(channels)
        if not isinstance(value, ShiftRef):
            raise self._report(
                codes.WRONG_KIND,
                node.span,
                f"{show(value)} is a {kind_of(value)}, not a shift",
            )
        if value.declared.damaged:
            raise Poisoned
        shift = resolve_shift(value, channels, call.span, self.evaluator)
        return self._name_shift(shift)

    def _name_shift(self, shift: ir.Shift) -> ir.Shift:
        """Equal names mean equal groups; another width gets another name."""
        name, number = shift.name, 1
        while True:
            candidate = shift.model_copy(update={"name": name})
            if self._shifts.setdefault(name, candidate) == candidate:
                return candidate
            number += 1
            name = f"{shift.name}_{number}"

    def _report(
        self,
        code: Code,
        span: Span,
        label: str = "",
        *more: Label,
        notes: tuple[str, ...] = (),
        help: str | None = None,
    ) -> Poisoned:
        """Report with the calls that led here, innermost first."""
        frames = [
            Label(at, "in this call") for at in self._calls[-_FRAMES_SHOWN:][::-1]
        ]
        return self.evaluator.report.add(
            code, span, label, secondary=[*more, *frames], notes=notes, help=help
        )


_BEGIN = "write `image(channels, height, width)` first"


def _append(runs: list[ir.Run], block: str, repeat: int) -> None:
    """One more run; equal neighbours become one."""
    if runs and runs[-1].block == block:
        repeat += runs.pop().count
    runs.append(ir.Run(count=repeat, block=block))


def _head(statement: tree.Statement) -> Span:
    """The first line of a statement, where its carets go."""
    span = statement.span
    bodies = tree.bodies(statement)
    if not bodies:
        return span
    text = span.source.text[span.start : bodies[0].span.start]
    return Span(span.source, span.start, span.start + len(text.rstrip()))


def _named_statements(body: tree.Body) -> list[tree.Operation | tree.Stack]:
    found: list[tree.Operation | tree.Stack] = []
    for statement in body.statements:
        if isinstance(statement, tree.Residual):
            found += _named_statements(statement.body)
        else:
            found.append(statement)
    return found


def _wanted_name(statement: tree.Operation | tree.Stack) -> tuple[str, bool]:
    if statement.label is not None:
        return statement.label.id, True
    if isinstance(statement, tree.Stack):
        return "stack", False
    return statement.call.name.id, False


def _names_read(body: tree.Body) -> set[str]:
    """Every name that the expressions of a body read."""
    found: set[str] = set()
    for statement in body.statements:
        if isinstance(statement, tree.Operation):
            found |= words_in(statement.call).keys()
        if isinstance(statement, tree.Stack):
            for part in statement.parts:
                found |= words_in(part.count).keys()
        for inner in tree.bodies(statement):
            found |= _names_read(inner)
    return found


def _hashable(value: Value) -> object:
    if isinstance(value, ShiftRef):
        arguments = tuple(_hashable(v) for _, v in value.arguments)
        return (id(value.declared.declaration), arguments)
    return (type(value), value)
