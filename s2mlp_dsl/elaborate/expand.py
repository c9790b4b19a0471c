"""Bodies to IR: calls opened, arguments evaluated, every shape proved.

Each iteration of a stack is elaborated for itself, but an iteration that must
come out like the one before it (same shape in, index not read) is not repeated.
"""

from dataclasses import dataclass, field

from s2mlp_dsl.diagnostics import Label, Poisoned
from s2mlp_dsl.elaborate import bounds, codes
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.shifts import no_shift, resolve_shift
from s2mlp_dsl.elaborate.values import Env, ShiftRef, Value, kind_of, show, words_in
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.names import name_statements
from s2mlp_dsl.ir.shape import Map, Shape, positions, with_channels
from s2mlp_dsl.ops import OPERATORS, Args, Operator, Parameter, Refusal
from s2mlp_dsl.ops.codes import NO_IMAGE
from s2mlp_dsl.source import Span
from s2mlp_dsl.syntax import tree
from s2mlp_dsl.syntax.codes import TOO_DEEP

# What a statement, and a group of a shift, are worth in steps of evaluation.
_STATEMENT_STEPS = 100
_GROUP_STEPS = 3
_WORDS = frozenset(
    word
    for operator in OPERATORS.values()
    for parameter in operator.parameters
    for word in parameter.choices
)


@dataclass
class Expander:
    """Elaborates the body of one model."""

    evaluator: Evaluator
    name: str = ""  # of the model, which no definition may have
    blocks: dict[str, ir.Block] = field(default_factory=dict)
    # Definitions by what they are made from, None while they are being made and
    # where that failed; then by their content.
    _made: dict[object, str | None] = field(default_factory=dict)
    _by_content: dict[ir.Block, str] = field(default_factory=dict)
    _shifts: dict[ir.Shift, ir.Shift] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)  # names of blocks and shifts
    _depth: int = 0

    def scope(
        self, body: tree.Body, env: Env, entering: Shape | None
    ) -> tuple[tuple[ir.Statement, ...], Shape]:
        """The statements of a body that names things for itself."""
        statements, shape = self._body(body, env, entering)
        return name_statements(statements), shape

    def _body(
        self, body: tree.Body, env: Env, entering: Shape | None
    ) -> tuple[tuple[ir.Statement, ...], Shape]:
        if not body.statements:
            raise Poisoned  # reported with the names
        if self._depth >= bounds.NESTING:
            raise self.evaluator.fail(
                TOO_DEEP,
                _head(body.statements[0]),
                f"more than {bounds.NESTING} levels, one inside the other",
                help="call fewer blocks from blocks",
            )
        self._depth += 1
        statements: list[ir.Statement] = []
        shape = entering
        faults = False
        try:
            for statement in body.statements:
                try:
                    made, shape = self._statement(statement, env, shape)
                    statements.append(made)
                except Poisoned:
                    # A residual leaves what entered it, whatever went wrong inside.
                    if not isinstance(statement, tree.Residual) or shape is None:
                        raise
                    faults = True
        finally:
            self._depth -= 1
        if faults:
            raise Poisoned
        assert shape is not None  # the first statement brings the image in
        return tuple(statements), shape

    def _statement(
        self, statement: tree.Statement, env: Env, shape: Shape | None
    ) -> tuple[ir.Statement, Shape]:
        self.evaluator.step(_head(statement), _STATEMENT_STEPS)
        label = statement.label.id if statement.label else None
        if isinstance(statement, tree.Operation):
            return self._operation(statement, env, shape, label)
        if shape is None:
            raise self._no_image(_head(statement))
        if isinstance(statement, tree.Residual):
            body, result = self._body(statement.body, env.inner(shape.channels), shape)
            if result != shape:
                raise self._residual_mismatch(statement, shape, result)
            residual = ir.Residual(body=body, label=label, span=statement.span)
            return residual, shape
        return self._stack(statement, env, shape, label)

    def _no_image(self, span: Span) -> Poisoned:
        return self.evaluator.fail(
            NO_IMAGE,
            span,
            "there is nothing yet that it could work on",
            help="write `image(channels, height, width)` before it",
        )

    def _residual_mismatch(
        self, statement: tree.Residual, entering: Shape, leaving: Shape
    ) -> Poisoned:
        last = statement.body.statements[-1]
        only_channels = with_channels(leaving, entering.channels) == entering
        return self.evaluator.fail(
            codes.RESIDUAL,
            _head(last),
            f"{leaving} leaves here",
            secondary=[Label(_head(statement), f"{entering} enters here")],
            help=f"end with `linear(dim)`, which gives {entering.channels} channels"
            if only_channels
            else "keep the positions as they are inside a residual",
        )

    # stacks and blocks

    def _stack(
        self, statement: tree.Stack, env: Env, shape: Shape, label: str | None
    ) -> tuple[ir.Statement, Shape]:
        index = statement.index.id if statement.index else None
        runs: list[ir.Run] = []
        before = 0
        for part in statement.parts:
            count = self.evaluator.count(part.count, env)
            if count > bounds.STATEMENTS:
                raise self.evaluator.fail(
                    codes.STATEMENTS,
                    part.count.span,
                    f"this is {count:,}; the limit is {bounds.STATEMENTS:,}",
                    help="write a smaller number",
                )
            reads_index = index is not None and index in _names_read(part.body)
            done = 0
            while done < count:
                inside = env.inner(shape.channels, index, before + done)
                block, result = self._iteration(part.body, inside, shape)
                same_again = not reads_index and result == shape
                repeat = count - done if same_again else 1
                _append(runs, block, repeat)
                done += repeat
                shape = result
            before += count
        stack = ir.Stack(
            runs=tuple(runs), name="stack", label=label, span=_head(statement)
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
            name="iteration",
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
        if key not in self._made:
            self._made[key] = None
            self.evaluator.calls.append(call.span)
            try:
                inside = Env(declared.unit, bound, shape.channels)
                statements, result = self.scope(declaration.body, inside, shape)
            finally:
                self.evaluator.calls.pop()
            block = ir.Block(
                name=declaration.name.id,
                source=shape,
                result=result,
                body=statements,
                doc=declaration.doc,
                span=declaration.name.span,
            )
            self._made[key] = self._define(block)
        name = self._made[key]
        if name is None:
            raise Poisoned  # it calls itself, or it failed before
        return name, self.blocks[name].result

    def _define(self, block: ir.Block) -> str:
        """Keep a definition under a name that no other content has."""
        if block not in self._by_content:
            name = self._free(block.name)
            self.blocks[name] = block.model_copy(update={"name": name})
            self._by_content[block] = name
        return self._by_content[block]

    # operators

    def _operation(
        self,
        statement: tree.Operation,
        env: Env,
        shape: Shape | None,
        label: str | None,
    ) -> tuple[ir.Statement, Shape]:
        call = statement.call
        operator = OPERATORS.get(call.name.id)
        if operator is not None:
            if shape is None and operator.role != "input":
                raise self._no_image(call.span)
            return self._operator(operator, call, env, shape, label)
        declared = env.unit.names.get(call.name.id)
        if declared is None or not isinstance(declared.declaration, tree.Block):
            raise Poisoned  # reported with the names
        if shape is None:
            raise self._no_image(call.span)
        block, result = self._block(call, declared, env, shape)
        return ir.Call(block=block, name=block, label=label, span=call.span), result

    def _operator(
        self,
        operator: Operator,
        call: tree.Call,
        env: Env,
        shape: Shape | None,
        label: str | None,
    ) -> tuple[ir.Op, Shape]:
        args, given = self._arguments(operator, call, env, shape)
        try:
            result = operator.shape(shape, Args(args))
        except Refusal as refusal:
            at = call.span
            if refusal.argument in given:
                at = given[refusal.argument].value.span
            raise self.evaluator.fail(
                refusal.code,
                at,
                refusal.label,
                notes=refusal.notes,
                help=refusal.help,
            ) from None
        numbers = positions(result) * result.channels
        if numbers > bounds.ACTIVATION:
            raise self.evaluator.fail(
                codes.ACTIVATION,
                call.span,
                f"{result} leaves here; the limit is {bounds.ACTIVATION:,} numbers",
                help="make the map smaller or the width less",
            )
        op = ir.Op(
            operator=operator.name,
            version=operator.version,
            args=tuple(args.items()),
            source=shape,
            result=result,
            name=operator.name,
            label=label,
            span=call.span,
        )
        return op, result

    def _arguments(
        self, operator: Operator, call: tree.Call, env: Env, shape: Shape | None
    ) -> tuple[dict[str, ir.Value], dict[str, tree.Argument]]:
        """Every argument of an operator, and those that the call gives."""
        order = tuple(parameter.name for parameter in operator.parameters)
        given = match_arguments(call, order, self.evaluator.report)
        args: dict[str, ir.Value] = {}
        missing: list[Parameter] = []
        faults = False
        for parameter in operator.parameters:
            if parameter.name in given:
                node = given[parameter.name].value
                try:
                    args[parameter.name] = self._argument(
                        parameter, node, env, call, shape
                    )
                except Poisoned:
                    faults = True
            elif parameter.default is not None:
                args[parameter.name] = parameter.default
            else:
                missing.append(parameter)
        if missing:
            raise self._missing(call, operator, missing)
        if faults:
            raise Poisoned
        return args, given

    def _missing(
        self, call: tree.Call, operator: Operator, missing: list[Parameter]
    ) -> Poisoned:
        needs = " and ".join(f"`{one.name}` ({one.doc})" for one in missing)
        needed = [one.name for one in operator.parameters if one.default is None]
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
        words = frozenset(parameter.choices)
        value = self.evaluator.value(node, env, words)
        if parameter.kind == "count":
            return self.evaluator.as_count(value, node.span, parameter.least)
        if words and value not in words:
            raise self.evaluator.fail(
                codes.UNKNOWN_WORD,
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
        assert not isinstance(value, tuple | ShiftRef)
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
            raise Poisoned
        shift = resolve_shift(value, shape.channels, call.span, self.evaluator)
        self.evaluator.step(call.span, _GROUP_STEPS * len(shift.groups))
        return self._name_shift(shift)

    def _name_shift(self, shift: ir.Shift) -> ir.Shift:
        """Equal names mean equal groups; another width gets another name."""
        if shift not in self._shifts:
            name = self._free(shift.name)
            self._shifts[shift] = shift.model_copy(update={"name": name})
        return self._shifts[shift]

    def _free(self, name: str) -> str:
        """The name for a definition, numbered from 2 where it is taken.

        The words of operators count as taken, so that the printed program reads
        `norm(layer)` as it was meant.
        """
        candidate, number = name, 1
        while candidate in self._taken or candidate == self.name or candidate in _WORDS:
            number += 1
            candidate = f"{name}_{number}"
        self._taken.add(candidate)
        return candidate


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
    end = bodies[0].span.start
    while span.source.text[end - 1].isspace():
        end -= 1
    return Span(span.source, span.start, end)


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
