"""Every name of a file is checked when it is loaded, before anything is expanded.

Every declaration is checked, whether a model uses it or not, so that all mistakes are
reported at once.
"""

from contextlib import suppress
from dataclasses import dataclass

from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.catalogue.arguments import NO_KIND
from s2mlp_dsl.diagnostics.catalogue.names import (
    BLOCK_CYCLE,
    DECLARED_AGAIN,
    LABEL_AGAIN,
)
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate.bind import KINDS, NO_SHIFT
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.files import Declared, Unit
from s2mlp_dsl.elaborate.models import base_of
from s2mlp_dsl.elaborate.shifts import check_form
from s2mlp_dsl.elaborate.statements import Statements, hold_free, words_of
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.source import Span

_MOST_MISTAKES = 100  # after which the rest of a file is not checked


def check_names(unit: Unit, report: Report) -> None:
    """Report every name in a file that stands for nothing or for the wrong thing."""
    checker = _Checker(unit, report, Evaluator(report))
    for declaration in unit.file.declarations:
        if isinstance(declaration, tree.Import):
            checker.aliases(declaration)
    for declared in unit.names.values():
        if len(report.diagnostics) >= _MOST_MISTAKES:
            report.give_up()
            break
        if declared.unit is unit:
            checker.declaration(declared)
    _check_recursion(unit, report)


@dataclass(eq=False, repr=False)
class _Checker:
    """Checks the declarations of one file."""

    unit: Unit
    report: Report
    evaluator: Evaluator

    def __post_init__(self) -> None:
        self.statements = Statements(self.unit, self.report)

    def aliases(self, node: tree.Import) -> None:
        for imported in node.names:
            if imported.alias is not None:
                hold_free(self.report, imported.alias, top=True)

    def declaration(self, declared: Declared) -> None:
        node = declared.declaration
        hold_free(self.report, node.name, top=True)
        if declared.damaged:
            return
        match node:
            case tree.Let():
                self.statements.values(node.value, set())
                with suppress(AlreadyReported):
                    self.evaluator.constant(declared)
            case tree.Shift():
                known = self._params(node.params) | {"dim"}
                for item in node.items:
                    for expression in _expressions_of(item):
                        self.statements.values(expression, known)
                check_form(node, self.report)
            case tree.Block() | tree.Model():
                known = self._params(node.params)
                at_top = isinstance(node, tree.Model)
                self.statements.body(node.body, known if at_top else known | {"dim"})
                _check_labels(node.body, self.report)
            case tree.Variant():
                self._variant(node, declared)
            case tree.Recipe() | tree.Study():
                pass  # checked when it is resolved

    def _variant(self, node: tree.Variant, declared: Declared) -> None:
        with suppress(AlreadyReported):
            params = base_of(declared, self.report).params
            self.statements.arguments(node.base, words_of(params), set())

    def _params(self, params: tuple[tree.Param, ...]) -> set[str]:
        known: dict[str, Span] = {}
        for param in params:
            hold_free(self.report, param.name)
            if param.name.id in known:
                first = known[param.name.id]
                self.report.add(DECLARED_AGAIN, param.name.span, related=first)
            kind = param.kind.id if param.kind is not None else None
            if param.kind is not None and kind not in KINDS:
                self.report.add(
                    NO_KIND,
                    param.kind.span,
                    help=did_you_mean(param.kind.id, KINDS, few=0),
                    kinds=", ".join(KINDS),
                )
            if param.default is not None and kind == "block":
                self.statements.piece(param.default, set(known))
            elif param.default is not None and not _is_word(kind, param.default):
                bare = isinstance(param.default, tree.Name)
                self.statements.values(
                    param.default, set(known), {NO_SHIFT} if bare else ()
                )
            known.setdefault(param.name.id, param.name.span)
        return set(known)


def _is_word(kind: str | None, node: tree.Expr) -> bool:
    return kind == "enum" and isinstance(node, tree.Name)


def _expressions_of(item: tree.ShiftItem) -> list[tree.Expr]:
    match item:
        case tree.ChannelGroup(_, share, moves):
            amounts = [move.amount for move in moves]
            return [one for one in (share, *amounts) if one is not None]
        case tree.Each(_, ranges):
            ends = [end for one in ranges for end in (one.first, one.last)]
            return [end for end in ends if end is not None]
        case tree.EdgeRule() | tree.Interleave():
            return []


def _check_labels(body: tree.Body, report: Report) -> None:
    """A label is unique in its body; a stack's iterations are bodies of their own."""
    seen: dict[str, Span] = {}

    def look(inner: tree.Body) -> None:
        for statement in inner.statements:
            label = statement.label
            if label is not None and label.id in seen:
                report.add(LABEL_AGAIN, label.span, related=seen[label.id])
            elif label is not None:
                seen[label.id] = label.span
            for part in tree.bodies(statement):
                if isinstance(statement, tree.Stack):
                    _check_labels(part, report)
                else:
                    look(part)

    look(body)


def _check_recursion(unit: Unit, report: Report) -> None:
    """Report each call that closes a cycle among the blocks of a file.

    Imports have no cycles, so no cycle leaves the file.
    """
    calls = {
        name: _calls_in(declared.declaration.body)
        for name, declared in unit.own(tree.Block).items()
        if isinstance(declared.declaration, tree.Block)
    }
    done: set[str] = set()
    for start in calls:
        # Depth first: `path` holds the open blocks, `todo` what is left of each.
        path, todo = [start], [iter(calls[start].items())]
        while path:
            name, span = next(todo[-1], (None, None))
            if name is None or span is None:
                done.add(path.pop())
                todo.pop()
            elif name in path:
                chain = [*path[path.index(name) :], name]
                unit.circular.update(chain)
                report.add(BLOCK_CYCLE, span, cycle=" → ".join(chain))
            elif name in calls and name not in done:
                path.append(name)
                todo.append(iter(calls[name].items()))


def _calls_in(body: tree.Body) -> dict[str, Span]:
    """The names of statements, each with its first place."""
    found: dict[str, Span] = {}
    todo = [body]
    while todo:
        for statement in todo.pop().statements:
            if isinstance(statement, tree.Operation):
                found.setdefault(statement.call.name.id, statement.call.name.span)
            todo += tree.bodies(statement)
    return found
