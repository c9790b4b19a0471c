"""Bodies to IR: calls opened, arguments evaluated, every shape computed."""

from dataclasses import dataclass, field

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.diagnostics import AlreadyReported
from s2mlp_dsl.diagnostics.catalogue import limits as exceeded
from s2mlp_dsl.diagnostics.catalogue import names, shapes
from s2mlp_dsl.elaborate.definitions import Definitions
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.operate import Operators
from s2mlp_dsl.elaborate.parallel import expand_parallel
from s2mlp_dsl.elaborate.resolve import region_of, statement_of
from s2mlp_dsl.elaborate.values import (
    BlockArgument,
    Env,
    ShiftRef,
    Value,
    names_in,
    traced,
)
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.names import name_statements
from s2mlp_dsl.ir.shape import Shape, with_channels
from s2mlp_dsl.operators import applied_step

_STATEMENT_STEPS = 100  # what a statement counts in steps of evaluation


@dataclass(eq=False, repr=False)
class Expander:
    """Elaborates the body of one model."""

    evaluator: Evaluator
    definitions: Definitions = field(default_factory=Definitions)
    # The definition of a call with these arguments; None where that failed. Those that
    # are being made are open.
    _made: dict[object, str | None] = field(default_factory=dict)
    _open: set[object] = field(default_factory=set)
    _depth: int = 0

    def __post_init__(self) -> None:
        self.operators = Operators(self.evaluator, self.definitions)

    def scope(
        self, body: tree.Body, env: Env, source: Shape | None
    ) -> tuple[ir.Body, Shape]:
        """The statements of a body that is a module, and its output."""
        statements, shape = self.body(body, env, source)
        return name_statements(statements), shape

    def body(
        self,
        body: tree.Body,
        env: Env,
        source: Shape | None,
        *,
        may_be_empty: bool = False,
    ) -> tuple[ir.Body, Shape]:
        """The statements of a body, and its output."""
        if not body.statements and not may_be_empty:
            raise AlreadyReported  # when names were checked
        limit = limits().nesting
        if self._depth >= limit:
            raise self.evaluator.fail(exceeded.CALLS_TOO_DEEP, body.span, limit=limit)
        self._depth += 1
        statements: list[ir.Statement] = []
        shape = source
        faults = False
        try:
            for statement in body.statements:
                try:
                    made = self._statement(statement, env, shape)
                except AlreadyReported:
                    # The output of a residual has the shape of its input anyway.
                    if not isinstance(statement, tree.Residual) or shape is None:
                        raise
                    faults = True
                    continue
                if made is not None:
                    statements.append(made)
                    shape = made.output(self.definitions.blocks)
        finally:
            self._depth -= 1
        if faults:
            raise AlreadyReported
        assert shape is not None  # the first statement brings the image in
        if not statements and not may_be_empty:
            raise self.evaluator.fail(shapes.ONLY_NONE_INSIDE, body.span)
        return tuple(statements), shape

    def _statement(
        self, statement: tree.Statement, env: Env, shape: Shape | None
    ) -> ir.Statement | None:
        """What a statement becomes; None where it applies `none`."""
        self.evaluator.step(tree.head(statement), _STATEMENT_STEPS)
        made: ir.Statement | None
        if isinstance(statement, tree.Operation):
            made = self._operation(statement.call, env, shape)
        elif shape is None:
            raise self.evaluator.fail(shapes.IMAGE_MISSING, tree.head(statement))
        else:
            match statement:
                case tree.Residual():
                    made = self._residual(statement, env, shape)
                case tree.Stack():
                    made = self._stack(statement, env, shape)
                case tree.Region():
                    made = self._region(statement, env, shape)
                case tree.Parallel():
                    made = expand_parallel(self, statement, env, shape)
        if made is not None and statement.label is not None:
            made = made.model_copy(update={"label": statement.label.id})
        return made

    def _operation(
        self, call: tree.Call, env: Env, shape: Shape | None
    ) -> ir.Statement | None:
        """An operator, a block, or the block argument that is applied."""
        found = statement_of(env.unit, call.name, self.evaluator.report)
        if found is None:
            return self._apply(call, env, shape)
        if isinstance(found, Declared):
            if shape is None:
                raise self.evaluator.fail(shapes.IMAGE_MISSING, call.span)
            block = self.block(call, found, env, shape)
            return ir.Call(block=block, name=block, span=traced(call.span, call, env))
        if found.role == "merge":
            raise AlreadyReported  # when names were checked
        if shape is None and found.role != "input":
            raise self.evaluator.fail(shapes.IMAGE_MISSING, call.span)
        return self.operators.apply(found, call, env, shape)

    def _apply(
        self, call: tree.Call, env: Env, shape: Shape | None
    ) -> ir.Statement | None:
        """A block argument, as if it were written here; nothing for `none`."""
        if len(call.arguments) != 1 or call.arguments[0].name is not None:
            raise AlreadyReported  # when names were checked
        node = call.arguments[0].value
        block = self.evaluator.block_argument(node, env)
        if not isinstance(block, BlockArgument):
            raise self.evaluator.wrong_kind(node.span, "block", block)
        if block.call is None:
            return None
        self.evaluator.calls.append(call.span)
        try:
            return self._operation(block.call, block.env, shape)
        finally:
            self.evaluator.calls.pop()

    def block(self, call: tree.Call, declared: Declared, env: Env, shape: Shape) -> str:
        """The name of the definition of a call, elaborated once per meaning."""
        declaration = declared.declaration
        assert isinstance(declaration, tree.Block)
        if declared.damaged or declaration.name.id in declared.unit.circular:
            raise AlreadyReported
        bound = self.evaluator.bind(call, declared, env)
        key = (id(declaration), tuple(map(_hashable, bound.values.values())), shape)
        if key in self._open:
            name = call.name
            raise self.evaluator.fail(names.APPLIES_ITSELF, name.span, name=name.id)
        if key not in self._made:
            self._made[key] = None
            self._open.add(key)
            self.evaluator.calls.append(call.span)
            try:
                inside = bound.inner(shape.channels)
                statements, result = self.scope(declaration.body, inside, shape)
            finally:
                self.evaluator.calls.pop()
                self._open.remove(key)
            block = ir.Block(
                name=declaration.name.id,
                source=shape,
                result=result,
                body=statements,
                doc=declaration.doc,
                span=declaration.name.span,
            )
            self._made[key] = self.definitions.define(block)
        made = self._made[key]
        if made is None:
            raise AlreadyReported  # it failed before
        return made

    def _residual(self, node: tree.Residual, env: Env, shape: Shape) -> ir.Residual:
        body, result = self.body(node.body, env.inner(shape.channels), shape)
        if result != shape:
            message = shapes.RESIDUAL_POSITIONS
            if with_channels(result, shape.channels) == shape:
                message = shapes.RESIDUAL_CHANNELS
            raise self.evaluator.fail(
                message,
                tree.head(node.body.statements[-1]),
                related=tree.head(node),
                output=result,
                input=shape,
                channels=shape.channels,
            )
        return ir.Residual(body=body, span=node.span)

    def _region(self, node: tree.Region, env: Env, shape: Shape) -> ir.Region:
        """A body between the two operators of its region."""
        call = node.call
        definition = region_of(env.unit, call.name, self.evaluator.report)
        args, given = self.operators.arguments(definition, call, env, shape)
        with self.operators.refusals(call, given):
            region = definition(shape, args)
            region = definition(shape, region.canonical_args())
            enter = self.operators.make(applied_step(region.enter(), shape), call.span)
        inside = enter.result
        body, result = self.body(node.body, env.inner(inside.channels), inside)
        end = tree.Call(tree.head(node.body.statements[-1]), call.name, ())
        with self.operators.refusals(end, {}):
            leave = self.operators.make(
                applied_step(region.leave(result), result), call.span
            )
        return ir.Region(
            operator=region.name,
            args=tuple(region.args.items()),
            enter=enter,
            body=body,
            leave=leave,
            span=traced(call.span, call, env),
        )

    def _stack(self, node: tree.Stack, env: Env, shape: Shape) -> ir.Stack:
        """Iterations, each elaborated by itself unless it must equal the one before.

        That is so where it has the same input and does not read the index.
        """
        index = node.index.id if node.index else None
        runs: list[ir.Run] = []
        first = 0
        for part in node.parts:
            count = self._iterations(part.count, env)
            reads_index = index is not None and index in _names_read(part.body)
            done = 0
            while done < count:
                inside = env.inner(shape.channels, index, first + done)
                block = self._iteration(part.body, inside, shape)
                result = self.definitions.blocks[block].result
                repeat = 1 if reads_index or result != shape else count - done
                done += repeat
                shape = result
                if runs and runs[-1].block == block:
                    repeat += runs.pop().count
                runs.append(ir.Run(count=repeat, block=block))
            first += count
        span = traced(tree.head(node), node.parts[0].count, env)
        return ir.Stack(runs=tuple(runs), name="stack", span=span)

    def _iterations(self, node: tree.Expr, env: Env) -> int:
        count, limit = self.evaluator.count(node, env), limits().statements
        if count > limit:
            raise self.evaluator.fail(
                exceeded.STACK_ITERATIONS, node.span, found=count, limit=limit
            )
        return count

    def _iteration(self, body: tree.Body, env: Env, shape: Shape) -> str:
        """The definition of an iteration: the block that it calls, or its own."""
        only = body.statements[0] if len(body.statements) == 1 else None
        if isinstance(only, tree.Operation) and only.label is None:
            found = statement_of(env.unit, only.call.name, self.evaluator.report)
            if isinstance(found, Declared):
                return self.block(only.call, found, env, shape)
        statements, result = self.scope(body, env, shape)
        block = ir.Block(
            name="iteration",
            source=shape,
            result=result,
            body=statements,
            inline=True,
            span=body.span,
        )
        return self.definitions.define(block)


def _names_read(body: tree.Body) -> set[str]:
    """Every name that the expressions of a body read."""
    found: set[str] = set()
    for statement in body.statements:
        for expression in tree.expressions(statement):
            found |= names_in(expression).keys()
        for inner in tree.bodies(statement):
            found |= _names_read(inner)
    return found


def _hashable(value: Value) -> object:
    if isinstance(value, ShiftRef):
        arguments = tuple(_hashable(argument) for _, argument in value.arguments)
        return (id(value.declared.declaration), arguments)
    if isinstance(value, BlockArgument):
        if value.call is None:
            return "none"
        reads = names_in(value.call).keys() & value.env.values.keys()
        return (
            id(value.call),
            *((name, _hashable(value.env.values[name])) for name in sorted(reads)),
        )
    return (type(value), value)
