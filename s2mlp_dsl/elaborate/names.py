"""Names, held against what they stand for, before anything is evaluated.

Every declaration is looked at, whether a model uses it or not, so that a file
hears of all its mistakes at once.
"""

from dataclasses import dataclass

from s2mlp_dsl.diagnostics import Label, Report
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.bind import KINDS, NO_SHIFT
from s2mlp_dsl.elaborate.evaluate import FUNCTIONS
from s2mlp_dsl.elaborate.files import Declared, Unit
from s2mlp_dsl.elaborate.suggest import did_you_mean
from s2mlp_dsl.elaborate.values import words_in
from s2mlp_dsl.ops import OPERATORS, Operator
from s2mlp_dsl.source import Span
from s2mlp_dsl.syntax import keywords, tree

RESERVED_NAMES = {*OPERATORS, *FUNCTIONS, "dim", "none"}


def check_names(unit: Unit, report: Report) -> None:
    """Report every name in a file that stands for nothing, or for the wrong thing."""
    checker = _Checker(unit, report)
    for declared in unit.names.values():
        if declared.unit is unit and not declared.damaged:
            checker.declaration(declared)
    _check_recursion(unit, report)


@dataclass
class _Checker:
    unit: Unit
    report: Report

    def declaration(self, declared: Declared) -> None:
        node = declared.declaration
        self._free(node.name, top=True)
        match node:
            case tree.Let():
                self._values(node.value, set())
            case tree.Shift():
                known = self._params(node.params) | {"dim"}
                for item in node.items:
                    for expression in _expressions_of(item):
                        self._values(expression, known)
            case tree.Block() | tree.Model():
                known = self._params(node.params)
                at_top = isinstance(node, tree.Model)
                self._body(node.body, known if at_top else known | {"dim"})
                _check_labels(node.body, self.report)
            case tree.Variant() | tree.Recipe():
                pass  # checked when they are resolved

    def _free(self, name: tree.Name, *, top: bool = False) -> None:
        """A name being declared must not be one that the language uses."""
        if name.id in keywords():
            self.report.add(codes.KEYWORD, name.span, help="choose another name")
        elif name.id == "dim" or (top and name.id in RESERVED_NAMES):
            self.report.add(codes.TAKEN, name.span, help="choose another name")

    def _params(self, params: tuple[tree.Param, ...]) -> set[str]:
        known: set[str] = set()
        for param in params:
            self._free(param.name)
            if param.name.id in known:
                self.report.add(
                    codes.DECLARED_TWICE, param.name.span, help="rename one of them"
                )
            if param.kind is not None and param.kind.id not in KINDS:
                self.report.add(
                    codes.UNKNOWN_KIND,
                    param.kind.span,
                    help=did_you_mean(param.kind.id, KINDS),
                )
            if param.default is not None and not isinstance(param.default, tree.Name):
                self._values(param.default, known)
            known.add(param.name.id)
        return known

    def _body(self, body: tree.Body, known: set[str]) -> None:
        if not body.statements:
            span = Span(body.span.source, body.span.start, body.span.start + 1)
            self.report.add(codes.EMPTY, span, help="write a statement, or remove it")
        for statement in body.statements:
            if statement.label is not None:
                self._free(statement.label)
            match statement:
                case tree.Operation(_, call):
                    self._operation(call, known)
                case tree.Residual(_, inner):
                    self._body(inner, known | {"dim"})
                case tree.Stack(_, index, parts):
                    inside = known | {"dim"}
                    if index is not None:
                        self._free(index)
                        inside.add(index.id)
                    for part in parts:
                        self._values(part.count, known)
                        self._body(part.body, inside)

    def _operation(self, call: tree.Call, known: set[str]) -> None:
        name = call.name.id
        declared = self.unit.names.get(name)
        if declared is not None:
            self._block_call(call, declared, known)
        elif name in OPERATORS:
            self._operator_call(call, OPERATORS[name], known)
        elif name not in self.unit.lost:
            blocks = {
                n
                for n, one in self.unit.names.items()
                if isinstance(one.declaration, tree.Block)
            }
            structures = {"residual", "stack"}
            self.report.add(
                codes.UNKNOWN_STATEMENT,
                call.name.span,
                help=did_you_mean(name, {*OPERATORS, *blocks, *structures}),
            )

    def _block_call(self, call: tree.Call, declared: Declared, known: set[str]) -> None:
        node = declared.declaration
        if not isinstance(node, tree.Block):
            kind = type(node).__name__.lower()
            hint = f"shift({call.name.id})" if kind == "shift" else None
            self.report.add(
                codes.WRONG_DECLARATION,
                call.name.span,
                f"`{call.name.id}` is a {kind}, not a block",
                help=f"write `{hint}`" if hint else None,
            )
            return
        params = {param.name.id: param for param in node.params}
        order = list(params)
        for position, argument in enumerate(call.arguments):
            key = argument.name.id if argument.name else None
            if key is None and position < len(order):
                key = order[position]
            param = params.get(key or "")
            takes_word = param is not None and (
                (param.kind is not None and param.kind.id in ("word", "shift"))
                or isinstance(param.default, tree.Name)
            )
            if not (takes_word and isinstance(argument.value, tree.Name)):
                self._values(argument.value, known)

    def _operator_call(
        self, call: tree.Call, operator: Operator, known: set[str]
    ) -> None:
        params = {param.name: param for param in operator.parameters}
        order = list(params)
        for position, argument in enumerate(call.arguments):
            key = argument.name.id if argument.name else None
            if key is None and position < len(order):
                key = order[position]
            param = params.get(key or "")
            words: set[str] = set()
            if param is not None:
                words = {NO_SHIFT} if param.kind == "shift" else set(param.choices)
            self._values(argument.value, known, words)

    def _values(
        self, node: tree.Expr, known: set[str], words: set[str] | None = None
    ) -> None:
        words = words or set()
        for name, span in words_in(node).items():
            if name in known or name in words or name in self.unit.lost:
                continue
            declared = self.unit.names.get(name)
            if declared is None and name == "dim":
                self.report.add(
                    codes.NO_DIM,
                    span,
                    help="`dim` is the number of channels that enter the nearest "
                    "block, residual, stack or shift",
                )
            elif declared is None and not _compared(node, name):
                values = {
                    n
                    for n, one in self.unit.names.items()
                    if isinstance(one.declaration, tree.Let | tree.Shift)
                }
                code = codes.UNKNOWN_WORD if words else codes.UNKNOWN_NAME
                help = did_you_mean(name, words or {*known, *values})
                self.report.add(code, span, help=help)


def _compared(node: tree.Expr, name: str) -> bool:
    """`kind == layer` compares a word parameter with a bare word."""
    return name in words_in(node) and any(
        isinstance(side, tree.Name) and side.id == name
        for binary in _comparisons(node)
        for side in (binary.left, binary.right)
    )


def _comparisons(node: tree.Expr) -> list[tree.Binary]:
    found = []
    todo = [node]
    while todo:
        match todo.pop():
            case tree.Binary() as binary:
                if binary.operator in ("==", "!="):
                    found.append(binary)
                todo += [binary.left, binary.right]
            case tree.Call(_, _, arguments):
                todo.extend(argument.value for argument in arguments)
            case tree.Group(_, inner) | tree.Negative(_, inner):
                todo.append(inner)
            case tree.ListExpr(_, items):
                todo.extend(items)
            case tree.Index(_, base, index):
                todo += [base, index]
            case _:
                pass
    return found


def _expressions_of(item: tree.ShiftItem) -> list[tree.Expr]:
    match item:
        case tree.ChannelGroup(_, share, moves):
            amounts = [move.amount for move in moves]
            return [one for one in (share, *amounts) if one is not None]
        case tree.Each(_, ranges):
            return [end for one in ranges for end in (one.first, one.last)]
        case tree.EdgeRule() | tree.Interleave():
            return []


def _check_labels(body: tree.Body, report: Report) -> None:
    """A label is unique in its body; a stack's iterations are bodies of their own."""
    seen: dict[str, Span] = {}

    def look(inner: tree.Body) -> None:
        for statement in inner.statements:
            label = statement.label
            if label is not None and label.id in seen:
                report.add(
                    codes.LABEL_TWICE,
                    label.span,
                    secondary=[Label(seen[label.id], "first here")],
                    help="rename one of them",
                )
            elif label is not None:
                seen[label.id] = label.span
            if isinstance(statement, tree.Residual):
                look(statement.body)
            else:
                for part in tree.bodies(statement):
                    _check_labels(part, report)

    look(body)


def _check_recursion(unit: Unit, report: Report) -> None:
    """No block may reach itself through calls. Reported once per cycle."""
    calls: dict[str, dict[str, Span]] = {
        name: {
            call.name.id: call.name.span
            for call in _calls_in(declared.declaration.body)
            if isinstance(unit.names.get(call.name.id), Declared)
        }
        for name, declared in unit.own(tree.Block).items()
        if isinstance(declared.declaration, tree.Block)
    }
    done: set[str] = set()
    for start in calls:
        path: list[str] = []
        todo = [(start, 0)]
        while todo:
            name, depth = todo.pop()
            del path[depth:]
            if name in path:
                chain = path[path.index(name) :]
                span = calls[chain[-1]][name]
                report.add(codes.RECURSION, span, " → ".join([*chain, name]))
            elif name in calls and name not in done:
                path.append(name)
                todo += [(inner, len(path)) for inner in calls[name]]
        done.add(start)


def _calls_in(body: tree.Body) -> list[tree.Call]:
    found: list[tree.Call] = []
    todo = [body]
    while todo:
        for statement in todo.pop().statements:
            if isinstance(statement, tree.Operation):
                found.append(statement.call)
            todo += tree.bodies(statement)
    return found
