"""Names in the statements of bodies and in expressions, held against what they mean."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.bind import NO_SHIFT, match_arguments
from s2mlp_dsl.elaborate.branches import PARAMETERS, TAKES
from s2mlp_dsl.elaborate.files import Unit
from s2mlp_dsl.elaborate.patterns import axis_names
from s2mlp_dsl.elaborate.unknown import (
    APPLY,
    FUNCTIONS,
    is_statement,
    operator_of,
    unknown_function,
    unknown_statement,
    unknown_value,
)
from s2mlp_dsl.frontend import keywords, tree
from s2mlp_dsl.operators import BUILT_IN, REGIONS, Parameter

_RESERVED = {*BUILT_IN, *REGIONS, *FUNCTIONS, APPLY, "dim", "none"}
_VALUES = tree.Let | tree.Shift  # declarations that are values
# What an argument may be besides a value, by parameter: words of the language.
Words = Mapping[str, Collection[str]]
ANY: Collection[str] = frozenset(["any word"])
PIECE: Collection[str] = frozenset(["a statement of its own"])


@dataclass(eq=False, repr=False)
class Statements:
    """What is written inside the bodies of a file's declarations."""

    unit: Unit
    report: Report

    def body(self, body: tree.Body, known: set[str]) -> None:
        if not body.statements:
            self.report.add(
                codes.EMPTY, body.span, help="write a statement inside, or remove it"
            )
        for statement in body.statements:
            if statement.label is not None:
                hold_free(self.report, statement.label)
            match statement:
                case tree.Operation(_, call):
                    self._operation(call, known)
                case tree.Residual(_, inner):
                    self.body(inner, known | {"dim"})
                case tree.Stack(_, index, parts):
                    inside = known | {"dim"}
                    if index is not None:
                        hold_free(self.report, index)
                        inside.add(index.id)
                    for part in parts:
                        self.values(part.count, known)
                        self.body(part.body, inside)
                case tree.Region(_, call, inner):
                    self._region(call, known)
                    self.body(inner, known | {"dim"})
                case tree.Parallel(_, call, branches):
                    self._parallel(call, known)
                    for branch in branches:
                        if branch.statements:
                            self.body(branch, known | {"dim"})

    def _operation(self, call: tree.Call, known: set[str]) -> None:
        name = call.name.id
        try:
            known_one = is_statement(self.unit, call.name, self.report)
        except AlreadyReported:
            return  # a package's operator that cannot be used
        if not known_one:
            unknown_statement(self.report, self.unit, call.name)
        elif name == APPLY:
            self._applied(call, known)
        elif (operator := operator_of(self.unit, call.name, self.report)) is None:
            block = self.unit.names[name].declaration
            assert isinstance(block, tree.Block)
            self.arguments(call, words_of(block.params), known)
        elif operator.role == "merge":
            self.report.add(
                codes.UNKNOWN_STATEMENT,
                call.name.span,
                "this makes one of several branches",
                help=f"write `parallel(copy, merge = {name}) {{ … }}`",
            )
        else:
            self.arguments(call, _words_for_sheet(operator.parameters, call), known)

    def _applied(self, call: tree.Call, known: set[str]) -> None:
        if len(call.arguments) != 1 or call.arguments[0].name is not None:
            self.report.add(
                codes.MISSING if not call.arguments else codes.TOO_MANY,
                call.span,
                "`apply` takes one block",
                help="write `apply(mixer)`, for a parameter `mixer: block`",
            )
            return
        self.piece(call.arguments[0].value, known)

    def piece(self, node: tree.Expr, known: Collection[str]) -> None:
        """A parameter that holds a piece, `none`, or the call of a statement."""
        if isinstance(node, tree.Name):
            if node.id not in known and node.id != NO_SHIFT:
                self._operation(tree.Call(node.span, node, ()), set(known))
        elif isinstance(node, tree.Call):
            self._operation(node, set(known) - {"dim"})
        else:
            self.values(node, known)

    def _region(self, call: tree.Call, known: set[str]) -> None:
        name = call.name.id
        try:
            is_one = is_statement(self.unit, call.name, self.report)
        except AlreadyReported:
            return  # a package has an operator of this name
        if name in REGIONS:
            words = _words_for_sheet(REGIONS[name].parameters, call)
            self.arguments(call, words, known)
        elif is_one:
            self.report.add(
                codes.UNKNOWN_STATEMENT,
                call.name.span,
                "this takes no braces",
                help="end the line before them",
            )
        else:
            unknown_statement(self.report, self.unit, call.name)

    def _parallel(self, call: tree.Call, known: set[str]) -> None:
        with suppress(AlreadyReported):
            given = match_arguments(call, PARAMETERS, self.report)
            if "takes" in given:
                self.values(given["takes"].value, known, TAKES)
            merge = given["merge"].value if "merge" in given else None
            if not isinstance(merge, tree.Call):
                return
            operator = operator_of(self.unit, merge.name, self.report)
            if operator is not None and operator.role == "merge":
                words = _words_for_sheet(operator.parameters, merge)
                self.arguments(merge, words, known)

    def arguments(self, call: tree.Call, words: Words, known: set[str]) -> None:
        """Every argument, and the words that its parameter allows."""
        try:
            matched = match_arguments(call, tuple(words), self.report)
        except AlreadyReported:
            return  # what the values were meant for is not known
        for key, argument in matched.items():
            if words[key] is PIECE:
                self.piece(argument.value, known)
                continue
            if words[key] is ANY and isinstance(argument.value, tree.Name):
                continue
            self.values(argument.value, known, words[key])

    def values(
        self, node: tree.Expr, known: Collection[str], words: Collection[str] = ()
    ) -> None:
        """Every name and function of an expression."""
        allowed = {*words, *_compared(node)}
        passed: set[int] = set()  # words, and what is inside of something unknown
        for part in tree.within(node):
            if not isinstance(part, tree.Call):
                continue
            if self._is_callable(part):
                passed.update(map(id, self._words_given(part)))
            else:
                unknown_function(self.report, self.unit, part.name, ())
                passed.update(map(id, tree.within(part)))
        seen: set[str] = set()
        for part in tree.within(node):
            if not isinstance(part, tree.Name) or id(part) in passed:
                continue
            name, declared = part.id, self.unit.names.get(part.id)
            if name in known or name in seen or (declared is None and name in allowed):
                continue
            seen.add(name)  # one message for one name
            if declared is None or not isinstance(declared.declaration, _VALUES):
                unknown_value(self.report, self.unit, part, known, words)

    def _words_given(self, call: tree.Call) -> list[tree.Expr]:
        """The bare names that a shift takes as words: `cross(rule = replicate)`."""
        declared = self.unit.names.get(call.name.id)
        if declared is None or not isinstance(declared.declaration, tree.Shift):
            return []
        words = words_of(declared.declaration.params)
        try:
            matched = match_arguments(call, tuple(words), Report())
        except AlreadyReported:
            return []  # said where the shift is called
        values = [one.value for key, one in matched.items() if words[key] is ANY]
        return [value for value in values if isinstance(value, tree.Name)]

    def _is_callable(self, call: tree.Call) -> bool:
        declared = self.unit.names.get(call.name.id)
        if declared is None:
            return call.name.id in FUNCTIONS
        return isinstance(declared.declaration, tree.Shift)


def hold_free(report: Report, name: tree.Name, *, top: bool = False) -> None:
    """A name being declared must not be one that the language uses."""
    if name.id in keywords():
        report.add(
            codes.KEYWORD,
            name.span,
            f"`{name.id}` is a word of the grammar",
            help=f"choose another name, such as `{name.id}_`",
        )
    elif name.id in ("dim", "none") or (top and name.id in _RESERVED):
        report.add(
            codes.TAKEN,
            name.span,
            f"`{name.id}` has a meaning of its own",
            help=f"choose another name, such as `my_{name.id}`",
        )


def _words_for_sheet(parameters: Sequence[Parameter], call: tree.Call) -> Words:
    """The words that an operator's or a scope's arguments may be."""
    written = [one for one in parameters if not one.implied]
    words: dict[str, Collection[str]] = {
        one.name: {NO_SHIFT} if one.kind in ("shift", "kernels") else one.choices
        for one in written
    }
    return words | dict.fromkeys(axis_names(written, call), ())


def words_of(params: tuple[tree.Param, ...]) -> Words:
    return {param.name.id: _words_for(param) for param in params}


def _words_for(param: tree.Param) -> Collection[str]:
    kind = param.kind.id if param.kind is not None else None
    if kind == "enum":
        return ANY
    if kind == "block":
        return PIECE
    named = kind is None and isinstance(param.default, tree.Name)
    return {NO_SHIFT} if kind == "shift" or named else ()


def _compared(node: tree.Expr) -> Iterator[str]:
    """Bare names beside `==`: `kind == layer` compares a parameter with a word."""
    for part in tree.within(node):
        if isinstance(part, tree.Binary) and part.operator in ("==", "!="):
            for side in (part.left, part.right):
                if isinstance(side, tree.Name):
                    yield side.id
