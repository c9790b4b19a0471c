"""Every name of a file is checked when it is loaded, before anything is expanded.

Every declaration is checked, whether a model uses it or not, so that all mistakes are
reported at once.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.catalogue import arguments as argument_messages
from s2mlp_dsl.diagnostics.catalogue import names as messages
from s2mlp_dsl.diagnostics.catalogue.shapes import NOTHING_INSIDE
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate.bind import KINDS, NO_SHIFT, match_arguments
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.files import Declared, Unit, is_value
from s2mlp_dsl.elaborate.models import base_of
from s2mlp_dsl.elaborate.operate import axis_names
from s2mlp_dsl.elaborate.parallel import FEEDS, PARAMETERS
from s2mlp_dsl.elaborate.resolve import (
    APPLY,
    FUNCTIONS,
    operator_of,
    region_of,
    statement_of,
    unknown_function,
    unknown_value,
)
from s2mlp_dsl.elaborate.shifts import check_form
from s2mlp_dsl.frontend import keywords, tree
from s2mlp_dsl.operators import OPERATORS, Parameter
from s2mlp_dsl.source import Span

_BUILT_IN = {*OPERATORS.built_in, *FUNCTIONS, APPLY}
_EVERYWHERE = {"dim", "none"}  # built in, and no name of parameters and labels either
_MOST_MISTAKES = 100  # after which the rest of a file is not checked


@dataclass(frozen=True, slots=True)
class _Slot:
    """What the argument of a parameter may be besides an expression."""

    words: Collection[str] = ()
    any_word: bool = False
    block: bool = False


Slots = Mapping[str, _Slot]


def check_names(unit: Unit, report: Report) -> None:
    """Report every name in a file that stands for nothing or for the wrong thing."""
    checker = _Checker(unit, report)
    for declaration in unit.file.declarations:
        if isinstance(declaration, tree.Import):
            for imported in declaration.names:
                if imported.alias is not None:
                    checker.check_free(imported.alias, top=True)
    for declared in unit.names.values():
        if len(report.diagnostics) >= _MOST_MISTAKES:
            report.give_up()
            break
        if declared.unit is unit:
            checker.declaration(declared)
    _check_recursion(unit, report)


@dataclass(eq=False, repr=False)
class _Checker:
    """Checks the declarations of one file.

    `known` are the names that a declaration adds to those of the file: parameters,
    indices and `dim`.
    """

    unit: Unit
    report: Report

    def __post_init__(self) -> None:
        self.evaluator = Evaluator(self.report)

    def declaration(self, declared: Declared) -> None:
        node = declared.declaration
        self.check_free(node.name, top=True)
        if declared.damaged:
            return
        match node:
            case tree.Let():
                self.values(node.value, set())
                with suppress(AlreadyReported):
                    self.evaluator.constant(declared)
            case tree.Shift():
                known = self.params(node.params) | {"dim"}
                for item in node.items:
                    for expression in _expressions_of(item):
                        self.values(expression, known)
                check_form(node, self.report)
            case tree.Block():
                self.body(node.body, self.params(node.params) | {"dim"})
                self.labels(node.body, {})
            case tree.Model():
                self.body(node.body, self.params(node.params))
                self.labels(node.body, {})
            case tree.Variant():
                with suppress(AlreadyReported):
                    params = base_of(declared, self.report).params
                    self.arguments(node.base, _slots_of(params), set())
            case tree.Recipe() | tree.Study():
                pass  # checked when it is resolved

    def params(self, params: tuple[tree.Param, ...]) -> set[str]:
        known: dict[str, Span] = {}
        for param in params:
            name, default = param.name, param.default
            self.check_free(name)
            if name.id in known:
                first = known[name.id]
                self.report.add(messages.DECLARED_AGAIN, name.span, related=first)
            kind = param.kind.id if param.kind is not None else None
            if param.kind is not None and kind not in KINDS:
                self.report.add(
                    argument_messages.NO_KIND,
                    param.kind.span,
                    help=did_you_mean(param.kind.id, KINDS, few=0),
                    kinds=", ".join(KINDS),
                )
            bare = isinstance(default, tree.Name)
            if default is not None and kind == "block":
                self.block_argument(default, set(known))
            elif default is not None and not (kind == "enum" and bare):
                self.values(default, set(known), {NO_SHIFT} if bare else ())
            known.setdefault(name.id, name.span)
        return set(known)

    def labels(self, body: tree.Body, seen: dict[str, Span]) -> None:
        """A label is unique in its body, and an iteration of a stack is a body."""
        for statement in body.statements:
            label = statement.label
            if label is not None and label.id in seen:
                first = seen[label.id]
                self.report.add(messages.LABEL_AGAIN, label.span, related=first)
            elif label is not None:
                seen[label.id] = label.span
            for inner in tree.bodies(statement):
                self.labels(inner, {} if isinstance(statement, tree.Stack) else seen)

    def body(self, body: tree.Body, known: set[str]) -> None:
        if not body.statements:
            self.report.add(NOTHING_INSIDE, body.span)
        for statement in body.statements:
            if len(self.report.diagnostics) >= _MOST_MISTAKES:
                return
            if statement.label is not None:
                self.check_free(statement.label)
            inside = known | {"dim"}
            match statement:
                case tree.Operation(_, call):
                    self.operation(call, known)
                case tree.Region(_, call):
                    with suppress(AlreadyReported):
                        region = region_of(self.unit, call.name, self.report)
                        self.arguments(call, _slots_for(region.parameters, call), known)
                case tree.Parallel(_, call):
                    self.parallel(call, known)
                case _:
                    for expression in tree.expressions(statement):
                        self.values(expression, known)
            if isinstance(statement, tree.Stack) and statement.index is not None:
                self.check_free(statement.index)
                inside.add(statement.index.id)
            for inner in tree.bodies(statement):
                # An empty branch is the identity.
                if inner.statements or not isinstance(statement, tree.Parallel):
                    self.body(inner, inside)

    def operation(self, call: tree.Call, known: set[str]) -> None:
        with suppress(AlreadyReported):
            found = statement_of(self.unit, call.name, self.report)
            if found is None:
                self.applied(call, known)
            elif isinstance(found, Declared):
                assert isinstance(found.declaration, tree.Block)
                self.arguments(call, _slots_of(found.declaration.params), known)
            elif found.role == "merge":
                name = call.name
                self.report.add(messages.MERGE_ALONE, name.span, name=name.id)
            else:
                self.arguments(call, _slots_for(found.parameters, call), known)

    def applied(self, call: tree.Call, known: set[str]) -> None:
        """`apply(block)`."""
        if len(call.arguments) != 1 or call.arguments[0].name is not None:
            self.report.add(
                argument_messages.APPLIES_TOO_MANY
                if call.arguments
                else argument_messages.APPLIES_NOTHING,
                call.span,
            )
            return
        self.block_argument(call.arguments[0].value, known)

    def block_argument(self, node: tree.Expr, known: Collection[str]) -> None:
        """A parameter that is a block, `none`, or the call of a statement."""
        if isinstance(node, tree.Name):
            if node.id not in known and node.id != NO_SHIFT:
                self.operation(tree.Call(node.span, node, ()), set(known))
        elif isinstance(node, tree.Call):
            self.operation(node, set(known) - {"dim"})
        else:
            self.values(node, known)

    def parallel(self, call: tree.Call, known: set[str]) -> None:
        with suppress(AlreadyReported):
            given = match_arguments(call, PARAMETERS, self.report)
            if "takes" in given:
                self.values(given["takes"].value, known, FEEDS)
            merge = given["merge"].value if "merge" in given else None
            if isinstance(merge, tree.Call):
                operator = operator_of(self.unit, merge.name, self.report)
                if operator is not None and operator.role == "merge":
                    slots = _slots_for(operator.parameters, merge)
                    self.arguments(merge, slots, known)

    def arguments(self, call: tree.Call, slots: Slots, known: set[str]) -> None:
        """Every argument, and the words that its parameter allows."""
        try:
            matched = match_arguments(call, tuple(slots), self.report)
        except AlreadyReported:
            return  # what the values were meant for is not known
        for name, argument in matched.items():
            slot = slots[name]
            if slot.block:
                self.block_argument(argument.value, known)
            elif not (slot.any_word and isinstance(argument.value, tree.Name)):
                self.values(argument.value, known, slot.words)

    def values(
        self, node: tree.Expr, known: Collection[str], words: Collection[str] = ()
    ) -> None:
        """Every name and function of an expression."""
        allowed = {*words, *_compared(node)}
        passed: set[int] = set()  # words, and what is inside of something unknown
        for part in tree.within(node):
            if not isinstance(part, tree.Call):
                continue
            if self._is_callable(part.name.id):
                passed.update(map(id, self._words_given(part)))
            else:
                unknown_function(self.report, self.unit, part.name, ())
                passed.update(map(id, tree.within(part)))
        seen: set[str] = set()
        for part in tree.within(node):
            if not isinstance(part, tree.Name) or id(part) in passed:
                continue
            name, declared = part.id, self.unit.names.get(part.id)
            if name in known or name in seen or is_value(declared):
                continue
            if name not in allowed:
                seen.add(name)  # one message for one name
                unknown_value(self.report, self.unit, part, known, words)

    def _words_given(self, call: tree.Call) -> list[tree.Expr]:
        """The bare names that a shift takes as words: `cross(rule = replicate)`."""
        declared = self.unit.names.get(call.name.id)
        if declared is None or not isinstance(declared.declaration, tree.Shift):
            return []
        slots = _slots_of(declared.declaration.params)
        try:
            matched = match_arguments(call, tuple(slots), Report())
        except AlreadyReported:
            return []  # reported where the shift is called
        values = [one.value for name, one in matched.items() if slots[name].any_word]
        return [value for value in values if isinstance(value, tree.Name)]

    def _is_callable(self, name: str) -> bool:
        declared = self.unit.names.get(name)
        if declared is None:
            return name in FUNCTIONS
        return isinstance(declared.declaration, tree.Shift)

    def check_free(self, name: tree.Name, *, top: bool = False) -> None:
        """A declared name must not be one that the language uses."""
        if name.id in keywords():
            self.report.add(messages.NAMED_LIKE_KEYWORD, name.span, name=name.id)
        elif name.id in _EVERYWHERE or (top and name.id in _BUILT_IN):
            self.report.add(messages.NAMED_LIKE_BUILT_IN, name.span, name=name.id)


def _slots_for(parameters: Sequence[Parameter[Any]], call: tree.Call) -> Slots:
    """The slots of an operator or a region, with the axes that the call may size."""
    written = [one for one in parameters if not one.implied]
    slots = {
        one.name: _Slot({NO_SHIFT} if one.kind in ("shift", "kernels") else one.choices)
        for one in written
    }
    return slots | dict.fromkeys(axis_names(written, call), _Slot())


def _slots_of(params: tuple[tree.Param, ...]) -> Slots:
    return {param.name.id: _slot_of(param) for param in params}


def _slot_of(param: tree.Param) -> _Slot:
    kind = param.kind.id if param.kind is not None else None
    named = kind is None and isinstance(param.default, tree.Name)
    words = {NO_SHIFT} if kind == "shift" or named else set()
    return _Slot(words, any_word=kind == "enum", block=kind == "block")


def _compared(node: tree.Expr) -> Iterator[str]:
    """Bare names beside `==`: `kind == layer` compares a parameter with a word."""
    for part in tree.within(node):
        if isinstance(part, tree.Binary) and part.operator in ("==", "!="):
            for side in (part.left, part.right):
                if isinstance(side, tree.Name):
                    yield side.id


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
        # Depth first: `path` has the open blocks, `todo` what is left of each.
        path, todo = [start], [iter(calls[start].items())]
        while path:
            name, span = next(todo[-1], (None, None))
            if name is None or span is None:
                done.add(path.pop())
                todo.pop()
            elif name in path:
                cycle = [*path[path.index(name) :], name]
                unit.circular.update(cycle)
                report.add(messages.BLOCK_CYCLE, span, cycle=" → ".join(cycle))
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
