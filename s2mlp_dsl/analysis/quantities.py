"""What a claim may speak of: figures of the model, by name.

`params`, `macs` and `flops` of the statements that `of` and `without` select,
`shape(label)`, `receptive_field(after = n)` and `full_receptive_field`.
"""

from dataclasses import dataclass

from s2mlp_dsl.analysis import codes
from s2mlp_dsl.analysis.cost import CostRow, total_macs, total_params
from s2mlp_dsl.analysis.instance import Undecided
from s2mlp_dsl.analysis.receptive_field import ReceptiveField, analyze_receptive_field
from s2mlp_dsl.analysis.select import label_of, select_rows
from s2mlp_dsl.diagnostics import Label, Report
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.values import EnumValue, Env, Value
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir.program import Model, Statement
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.ir.walk import statements

NONE = EnumValue("none")


@dataclass(eq=False, repr=False)
class Quantities:
    """The figures of one model, for the evaluator to call.

    `model` is None where parameters are `open`: then there are no figures.
    """

    report: Report
    model: Model | None
    rows: list[CostRow]
    reached: ReceptiveField | None
    open: tuple[str, ...] = ()

    def evaluator(self) -> Evaluator:
        self._evaluator = Evaluator(
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
        return self._evaluator

    def selected(self, call: tree.Call) -> list[CostRow]:
        """The rows that `of` names, less those that `without` names."""
        if self.model is None:
            match_arguments(call, ("of", "without"), self.report)
            raise self._is_open()
        return select_rows(call, self.rows, self.report)

    def full_receptive_field(self) -> Value:
        full = self._known_receptive_field().full
        return NONE if full is None else full

    def _shape(self, call: tree.Call) -> Value:
        """The axes of what leaves a labelled statement, or the model."""
        given = match_arguments(call, ("of",), self.report)
        if self.model is None:
            raise self._is_open()
        if "of" not in given:
            return self.model.result.dims
        node = given["of"].value
        definitions = self.model.definitions
        labelled = [one for one in statements(self.model) if one.label is not None]
        known = {one.label for one in labelled if one.label is not None}
        label = label_of(node, known, self.report)
        first, *others = (one for one in labelled if one.label == label)
        shape = first.output(definitions)
        for other in others:
            if (another := other.output(definitions)) != shape:
                raise self.report.add(
                    codes.SHAPES_DIFFER,
                    node.span,
                    f"{shape} and {another}",
                    secondary=_where((first, shape), (other, another)),
                    help="give the statement that is meant a label of its own",
                )
        return shape.dims

    def _receptive_field(self, call: tree.Call, env: Env) -> Value:
        """[least, most]: what the worst and the best position sees."""
        given = match_arguments(call, ("after", "through"), self.report)
        receptive_field = self._known_receptive_field()
        if "through" in given:
            receptive_field = self._content(given["through"].value)
        after = receptive_field.iterations
        if "after" in given:
            node = given["after"].value
            after = self._evaluator.count(node, env)
            if after > receptive_field.iterations:
                raise self.report.add(
                    codes.NO_ITERATION,
                    node.span,
                    f"this is {after:,}; the model's stacks have "
                    f"{receptive_field.iterations:,}",
                    help=f"write a number from 1 to {receptive_field.iterations}"
                    if receptive_field.iterations
                    else "put the blocks into a `stack`",
                )
        # Iterations without a step of their own change nothing.
        passed = [one for one in receptive_field.steps if one.iteration <= after]
        if not passed:
            raise Undecided(
                "the model has no stack whose iterations could be counted",
                help="put the blocks into a `stack`",
            )
        return (passed[-1].least, passed[-1].most)

    def _content(self, node: tree.Expr) -> ReceptiveField:
        """The receptive field with computed weights and statistics held constant."""
        if not isinstance(node, tree.Name) or node.id != "content":
            raise self.report.add(
                codes.CLAIM_FORM,
                node.span,
                "a receptive field goes through everything, or through `content`",
                help="write `through = content`, or leave it out",
            )
        assert self.model is not None  # else its receptive field is not known
        found = analyze_receptive_field(self.model, content=True)
        if found is None:
            raise Undecided("the maps are too large to compute the receptive field")
        return found

    def _known_receptive_field(self) -> ReceptiveField:
        if self.open:
            raise self._is_open()
        if self.reached is None:
            raise Undecided("the maps are too large to compute the receptive field")
        return self.reached

    def _is_open(self) -> Undecided:
        names = " and ".join(f"`{name}`" for name in self.open)
        return Undecided(
            f"the model leaves {names} open",
            help="claim it of a variant that gives them values",
        )


def _where(*found: tuple[Statement, Shape]) -> list[Label]:
    """Where two shapes leave: one place, if it is the same statement."""
    labels = {
        statement.span: f"{shape} leaves here"
        for statement, shape in found
        if statement.span is not None
    }
    if len(labels) == 1:
        return [Label(span, "one and the other leaves here") for span in labels]
    return [Label(span, text) for span, text in labels.items()]
