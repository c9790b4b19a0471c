"""The figures of a model that a claim may compare, by name.

`params`, `macs` and `flops` of the statements that `of` and `without` select,
`shape(label)`, `receptive_field(after = n)` and `full_receptive_field`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from s2mlp_dsl.analysis.cost import CostRow, total_macs, total_params
from s2mlp_dsl.analysis.instance import Undecided
from s2mlp_dsl.analysis.receptive_field import ReceptiveField, analyze_receptive_field
from s2mlp_dsl.analysis.work import Work
from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.catalogue import claims
from s2mlp_dsl.diagnostics.suggest import did_you_mean, listed
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.values import EnumValue, Env, Value
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir.program import Model, Statement
from s2mlp_dsl.ir.walk import statements
from s2mlp_dsl.operators import find, names

NONE = EnumValue("none")
Selector = Callable[[CostRow], bool]


@dataclass(eq=False, repr=False)
class Quantities:
    """The figures of one model, as functions for an evaluator.

    `model` is None where parameters are `open`: then there are no figures. `work` is
    what further receptive fields may take.
    """

    report: Report
    model: Model | None
    rows: list[CostRow]
    receptive_field: ReceptiveField | None
    open: tuple[str, ...] = ()
    work: Work = field(default_factory=Work)

    def __post_init__(self) -> None:
        self.evaluator = Evaluator(
            self.report,
            {
                "params": lambda call, _: total_params(self.selected(call)),
                "macs": lambda call, _: total_macs(self.selected(call)),
                "flops": lambda call, _: 2 * total_macs(self.selected(call)),
                "shape": lambda call, _: self._shape(call),
                "receptive_field": self._receptive_field,
            },
            frozenset({"full_receptive_field"}),
        )

    def selected(self, call: tree.Call) -> list[CostRow]:
        """The rows that `of` names, less those that `without` names."""
        given = match_arguments(call, ("of", "without"), self.report)
        if self.model is None:
            raise self._unbound()
        selected = self.rows
        if "of" in given:
            chosen = self._selectors(given["of"].value)
            selected = [row for row in selected if any(one(row) for one in chosen)]
        if "without" in given:
            omitted = self._selectors(given["without"].value)
            selected = [row for row in selected if not any(one(row) for one in omitted)]
        return selected

    def full_receptive_field(self) -> Value:
        full = self._known_receptive_field().full
        return NONE if full is None else full

    def _selectors(self, node: tree.Expr) -> list[Selector]:
        items = node.items if isinstance(node, tree.ListExpr) else (node,)
        return [self._selector(item) for item in items]

    def _selector(self, node: tree.Expr) -> Selector:
        """A label, or `op(NAME)` for every statement of an operator."""
        if isinstance(node, tree.Name):
            label = self._label(node, {one for row in self.rows for one in row.labels})
            return lambda row: label in row.labels
        if (
            isinstance(node, tree.Call)
            and node.name.id == "op"
            and len(node.arguments) == 1
            and isinstance(node.arguments[0].value, tree.Name)
        ):
            name = node.arguments[0].value
            if find(name.id) is None:
                help = did_you_mean(name.id, names())
                raise self.report.add(claims.NOT_AN_OPERATOR, name.span, help=help)
            return lambda row: row.operator == name.id
        raise self.report.add(claims.NOT_A_SELECTION, node.span)

    def _label(self, node: tree.Expr, labels: set[str]) -> str:
        """The label that an expression names."""
        if not isinstance(node, tree.Name):
            raise self.report.add(claims.NOT_A_LABEL, node.span)
        name = node.id
        if name in labels:
            return name
        if find(name) is not None:
            message, help, fix = claims.OPERATOR_AS_LABEL, None, f"op({name})"
        elif labels:
            message, help, fix = claims.NO_LABEL, did_you_mean(name, labels), None
        else:
            message, help, fix = claims.NO_LABELS, None, None
        raise self.report.add(message, node.span, help=help, fix=fix, name=name)

    def _shape(self, call: tree.Call) -> Value:
        """The output shape of a labelled statement, or of the model."""
        given = match_arguments(call, ("of",), self.report)
        if self.model is None:
            raise self._unbound()
        if "of" not in given:
            return self.model.result.dims
        node = given["of"].value
        labelled = [one for one in statements(self.model) if one.label is not None]
        label = self._label(node, {one.label for one in labelled if one.label})
        first, *others = (one for one in labelled if one.label == label)
        definitions = self.model.definitions
        for other in others:
            if other.output(definitions) != first.output(definitions):
                raise self._shapes_differ(node, first, other)
        return first.output(definitions).dims

    def _shapes_differ(
        self, node: tree.Expr, first: Statement, other: Statement
    ) -> AlreadyReported:
        assert self.model is not None
        spans = [one.span for one in (first, other) if one.span is not None]
        assert len(spans) == 2
        same = spans[0] == spans[1]
        return self.report.add(
            claims.SHAPES_OF_ONE_STATEMENT if same else claims.SHAPES_OF_STATEMENTS,
            node.span,
            related=spans[:1] if same else spans,
            first=first.output(self.model.definitions),
            other=other.output(self.model.definitions),
        )

    def _receptive_field(self, call: tree.Call, env: Env) -> Value:
        """[least, most] positions that a position depends on."""
        given = match_arguments(call, ("after", "through"), self.report)
        receptive_field = self._known_receptive_field()
        if "through" in given:
            receptive_field = self._content(given["through"].value)
        after = iterations = receptive_field.iterations
        if "after" in given:
            node = given["after"].value
            after = self.evaluator.count(node, env)
            if after > iterations:
                raise self.report.add(
                    claims.TOO_FEW_ITERATIONS if iterations else claims.NO_ITERATIONS,
                    node.span,
                    wanted=after,
                    iterations=iterations,
                )
        # Iterations without a step of their own change nothing.
        passed = [step for step in receptive_field.steps if step.iteration <= after]
        if not passed:
            raise Undecided(claims.NO_STACK)
        return (passed[-1].least, passed[-1].most)

    def _content(self, node: tree.Expr) -> ReceptiveField:
        """The receptive field with computed weights and statistics as constants."""
        if not isinstance(node, tree.Name) or node.id != "content":
            raise self.report.add(claims.NOT_CONTENT, node.span)
        if self._with_content is None:
            raise Undecided(claims.LARGE_MAPS)
        return self._with_content

    @cached_property
    def _with_content(self) -> ReceptiveField | None:
        assert self.model is not None  # else its receptive field is not known
        return analyze_receptive_field(self.model, content=True, work=self.work)

    def _known_receptive_field(self) -> ReceptiveField:
        if self.open:
            raise self._unbound()
        if self.receptive_field is None:
            raise Undecided(claims.LARGE_MAPS)
        return self.receptive_field

    def _unbound(self) -> Undecided:
        return Undecided(claims.UNBOUND, parameters=listed(self.open))
