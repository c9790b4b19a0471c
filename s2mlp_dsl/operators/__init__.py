"""The operators, and the regions made of them: one file each, found by name.

A file here has one class, an `Operator` or a `Region`; files that start with `_` are
shared. Packages add operators by the entry point group `s2mlp_dsl.operators`, with what
this module exports: see docs/writing-a-plugin.md.
"""

from collections.abc import Mapping
from contextlib import suppress

from s2mlp_dsl.diagnostics.catalogue.shapes import REFUSED
from s2mlp_dsl.ir.print import Signature
from s2mlp_dsl.ir.program import Op, Value
from s2mlp_dsl.ir.program import Region as IrRegion
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.operators._definition import (
    NONE,
    Count,
    Definition,
    Enum,
    KernelsArgument,
    Number,
    OptionalCount,
    OptionalSwitch,
    Parameter,
    PatternArgument,
    Refusal,
    ShiftArgument,
    Switch,
)
from s2mlp_dsl.operators._edges import PADDING_MODES, index_inside, source_of
from s2mlp_dsl.operators._operator import (
    Array,
    Buffer,
    Construct,
    Operator,
    Properties,
    PythonLiteral,
    Term,
)
from s2mlp_dsl.operators._pattern import FittedPattern, Pattern, parse_pattern
from s2mlp_dsl.operators._receptive_field import (
    MIXING,
    POINTWISE,
    Grid,
    Moves,
    Part,
    ReceptiveField,
    Table,
    within_frames,
)
from s2mlp_dsl.operators._region import Region, Step
from s2mlp_dsl.operators._window import Windows
from s2mlp_dsl.registry import RegistrationError, Registry

OPERATORS: Registry[Definition] = Registry(__name__, Definition)


def find(name: str) -> type[Operator] | None:
    """The operator of a name, None where there is none. Raises `RegistrationError`."""
    found = OPERATORS.get(name)
    return found if found is not None and issubclass(found, Operator) else None


def find_region(name: str) -> type[Region] | None:
    """The region of a name, None where there is none. Raises `RegistrationError`."""
    found = OPERATORS.get(name)
    return found if found is not None and issubclass(found, Region) else None


def applied(op: Op) -> Operator:
    """An operator of a model, with its input and arguments."""
    return _at(op.operator, op.source, dict(op.args))


def applied_step(step: Step, x: Shape) -> Operator:
    """An operator at either end of a region, with its input and arguments."""
    return _at(step.operator, x, step.args)


def applied_region(region: IrRegion) -> Region:
    """A region of a model, with its input and arguments."""
    definition = find_region(region.operator)
    assert definition is not None
    return definition(region.enter.source, dict(region.args))


def _at(name: str, x: Shape | None, args: Mapping[str, Value]) -> Operator:
    definition = find(name)
    assert definition is not None
    return definition(x, args)


def built_in() -> list[type[Operator]]:
    """Our operators, imported."""
    return [found for found in OPERATORS.ours() if issubclass(found, Operator)]


def built_in_regions() -> list[type[Region]]:
    return [found for found in OPERATORS.ours() if issubclass(found, Region)]


def names() -> list[str]:
    """Every operator's name: ours, then those of packages, which are not imported."""
    regions = {region.name for region in built_in_regions()}
    return [name for name in OPERATORS if name not in regions]


def with_matrices() -> tuple[str, ...]:
    """The operators with matrices or kernels, which a recipe's `init` may choose.

    Those of packages among them, where they can be used.
    """
    found = []
    for name in OPERATORS:
        with suppress(RegistrationError):
            operator = find(name)
            if operator is not None and operator.has_matrices:
                found.append(name)
    return tuple(found)


class _Signatures(dict[str, Signature]):
    def __missing__(self, name: str) -> Signature:
        written = [p for p in OPERATORS[name].parameters if not p.implied]
        return Signature(
            frozenset(p.name for p in written if p.required),
            {p.name: p.default for p in written if not p.required},
        )


# What the IR's printer has to know of each operator and region; see `print_model`.
SIGNATURES = _Signatures()

__all__ = [
    "MIXING",
    "NONE",
    "OPERATORS",
    "PADDING_MODES",
    "POINTWISE",
    "REFUSED",
    "SIGNATURES",
    "Array",
    "Buffer",
    "Construct",
    "Count",
    "Definition",
    "Enum",
    "FittedPattern",
    "Grid",
    "KernelsArgument",
    "Moves",
    "Number",
    "Operator",
    "OptionalCount",
    "OptionalSwitch",
    "Parameter",
    "Part",
    "Pattern",
    "PatternArgument",
    "Properties",
    "PythonLiteral",
    "ReceptiveField",
    "Refusal",
    "Region",
    "ShiftArgument",
    "Step",
    "Switch",
    "Table",
    "Term",
    "Windows",
    "applied",
    "applied_region",
    "applied_step",
    "built_in",
    "built_in_regions",
    "find",
    "find_region",
    "index_inside",
    "names",
    "parse_pattern",
    "source_of",
    "with_matrices",
    "within_frames",
]
