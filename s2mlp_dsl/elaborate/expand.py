"""Bodies to IR: calls opened, arguments evaluated, every shape proved."""

from dataclasses import dataclass, field

from s2mlp_dsl.bounds import how_to_raise, limits
from s2mlp_dsl.diagnostics import AlreadyReported, Label
from s2mlp_dsl.diagnostics.catalogue.syntax import TOO_DEEP
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.branches import expand_parallel
from s2mlp_dsl.elaborate.definitions import Definitions
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.operate import Operators
from s2mlp_dsl.elaborate.regions import expand_region
from s2mlp_dsl.elaborate.stacks import expand_stack
from s2mlp_dsl.elaborate.unknown import APPLY, operator_of
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
from s2mlp_dsl.operators.codes import NO_IMAGE
from s2mlp_dsl.source import Span

_STATEMENT_STEPS = 100  # what a statement is worth in steps of evaluation


@dataclass(eq=False, repr=False)
class Expander:
    """Elaborates the body of one model."""

    evaluator: Evaluator
    definitions: Definitions = field(default_factory=Definitions)
    # The name of what a call with such arguments stands for; None where that
    # failed. Those that are being made are open.
    _made: dict[object, str | None] = field(default_factory=dict)
    _open: set[object] = field(default_factory=set)
    _depth: int = 0

    def __post_init__(self) -> None:
        self.operators = Operators(self.evaluator, self.definitions)

    def scope(
        self, body: tree.Body, env: Env, entering: Shape | None
    ) -> tuple[tuple[ir.Statement, ...], Shape]:
        """The statements of a body that names things for itself."""
        statements, shape = self.body(body, env, entering)
        return name_statements(statements), shape

    def body(
        self,
        body: tree.Body,
        env: Env,
        entering: Shape | None,
        *,
        may_be_empty: bool = False,
    ) -> tuple[tuple[ir.Statement, ...], Shape]:
        """The statements of a body, and the shape that leaves it."""
        if not body.statements and not may_be_empty:
            raise AlreadyReported  # reported with the names
        if self._depth >= limits().nesting:
            raise self.evaluator.fail(
                TOO_DEEP,
                body.span,
                f"more than {limits().nesting} levels, one inside the other",
                notes=[how_to_raise("nesting")],
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
                    statements += made
                except AlreadyReported:
                    # A residual leaves what entered it, whatever went wrong inside.
                    if not isinstance(statement, tree.Residual) or shape is None:
                        raise
                    faults = True
        finally:
            self._depth -= 1
        if faults:
            raise AlreadyReported
        assert shape is not None  # the first statement brings the image in
        if not statements and not may_be_empty:
            raise self.evaluator.fail(
                codes.EMPTY,
                body.span,
                "every block in it is `none`",
                help="give one of them another value",
            )
        return tuple(statements), shape

    def _statement(
        self, statement: tree.Statement, env: Env, shape: Shape | None
    ) -> tuple[list[ir.Statement], Shape | None]:
        """What a statement comes to: one, or none where it applies `none`."""
        self.evaluator.step(tree.head(statement), _STATEMENT_STEPS)
        label = statement.label.id if statement.label else None
        if isinstance(statement, tree.Operation):
            return self._operation(statement.call, env, shape, label)
        if shape is None:
            raise self._no_image(tree.head(statement))
        made: ir.Statement
        match statement:
            case tree.Residual():
                made = self._residual(statement, env, shape, label)
                return [made], shape
            case tree.Stack():
                made, shape = expand_stack(self, statement, env, shape, label)
                return [made], shape
            case tree.Region():
                scope = expand_region(self, statement, env, shape, label)
                return [scope], scope.leave.result
            case tree.Parallel():
                parallel = expand_parallel(self, statement, env, shape, label)
                return [parallel], parallel.merge.result

    def _residual(
        self, statement: tree.Residual, env: Env, shape: Shape, label: str | None
    ) -> ir.Residual:
        body, result = self.body(statement.body, env.inner(shape.channels), shape)
        if result != shape:
            raise self._residual_mismatch(statement, shape, result)
        return ir.Residual(body=body, label=label, span=statement.span)

    def _no_image(self, span: Span) -> AlreadyReported:
        return self.evaluator.fail(
            NO_IMAGE,
            span,
            "there is nothing yet that it could work on",
            help="write `image(channels, height, width)` before it",
        )

    def _residual_mismatch(
        self, statement: tree.Residual, entering: Shape, leaving: Shape
    ) -> AlreadyReported:
        last = statement.body.statements[-1]
        only_channels = with_channels(leaving, entering.channels) == entering
        return self.evaluator.fail(
            codes.RESIDUAL,
            tree.head(last),
            f"{leaving} leaves here",
            secondary=[Label(tree.head(statement), f"{entering} enters here")],
            help=f"end with `linear(dim)`, which gives {entering.channels} channels"
            if only_channels
            else "keep the positions as they are inside a residual",
        )

    # stacks and blocks

    def block(
        self, call: tree.Call, declared: Declared, env: Env, shape: Shape
    ) -> tuple[str, Shape]:
        """The definition that a call stands for, elaborated once per meaning."""
        declaration = declared.declaration
        assert isinstance(declaration, tree.Block)
        if declared.damaged or declaration.name.id in declared.unit.circular:
            raise AlreadyReported
        bound = self.evaluator.bind(call, declared, env)
        key = (id(declaration), tuple(map(_hashable, bound.values.values())), shape)
        if key in self._open:
            raise self.evaluator.fail(
                codes.RECURSION,
                call.name.span,
                f"`{call.name.id}` is being worked out already",
                help="give the block that it applies another value",
            )
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
        name = self._made[key]
        if name is None:
            raise AlreadyReported  # it failed before
        return name, self.definitions.blocks[name].result

    def _operation(
        self, call: tree.Call, env: Env, shape: Shape | None, label: str | None
    ) -> tuple[list[ir.Statement], Shape | None]:
        """A block, an operator, or the piece that a parameter holds."""
        name = call.name.id
        if name == APPLY:
            return self._apply(call, env, shape, label)
        operator = operator_of(env.unit, call.name, self.evaluator.report)
        if operator is not None:
            if operator.role == "merge":
                raise AlreadyReported  # reported with the names
            if shape is None and operator.role != "input":
                raise self._no_image(call.span)
            op = self.operators.apply(operator, call, env, shape, label)
            return [op], op.result
        declared = env.unit.names.get(name)
        if declared is None or not isinstance(declared.declaration, tree.Block):
            raise AlreadyReported  # reported with the names
        if shape is None:
            raise self._no_image(call.span)
        block, result = self.block(call, declared, env, shape)
        span = traced(call.span, call, env)
        made = ir.Call(block=block, name=block, label=label, span=span)
        return [made], result

    def _apply(
        self, call: tree.Call, env: Env, shape: Shape | None, label: str | None
    ) -> tuple[list[ir.Statement], Shape | None]:
        """What a piece holds, as if it stood here; nothing for `none`."""
        if len(call.arguments) != 1 or call.arguments[0].name is not None:
            raise AlreadyReported  # reported with the names
        node = call.arguments[0].value
        piece = self.evaluator.block_argument(node, env)
        if not isinstance(piece, BlockArgument):
            raise self.evaluator.wrong_kind(node.span, "block", piece)
        if piece.call is None:
            return [], shape
        self.evaluator.calls.append(call.span)
        try:
            return self._operation(piece.call, piece.env, shape, label)
        finally:
            self.evaluator.calls.pop()


def _hashable(value: Value) -> object:
    if isinstance(value, ShiftRef):
        arguments = tuple(_hashable(v) for _, v in value.arguments)
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
