"""`s2mlp-dsl compare SPEC…`."""

from collections.abc import Iterator
from pathlib import Path

import click

from s2mlp_dsl.analysis.compare import (
    Compared,
    SpatialOperator,
    Table1Row,
    compare_model,
)
from s2mlp_dsl.analysis.work import TooLarge, Work
from s2mlp_dsl.cli.options import format_option, limit_option, set_option
from s2mlp_dsl.cli.output import columns, print_json, receptive_field_text
from s2mlp_dsl.elaborate.spec import ChoiceError, load
from s2mlp_dsl.escape import plain_lines, utf8
from s2mlp_dsl.ir.program import Model

_HEAD = (
    *("model, with its spatial operators", "learned", "extent", "spatial", "channel"),
    *("reads", "params", "MACs"),
)
_LEFT = 48  # characters of a statement


@click.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC…")
@set_option(help="Set a parameter of every model. Can be repeated.")
@format_option("json")
@limit_option
def command(specs: tuple[str, ...], settings: dict[str, str], form: str) -> int:
    """Compare models by the properties of the paper's table 1.

    Each SPEC is a file, for all its models, or FILE:MODEL for one. The spatial
    operators of each model are listed below it. PyTorch is not imported.
    """
    models = [(spec, model) for spec in specs for model in _models(spec, settings)]
    work = Work()
    compared = [_compared(model, work) for _, model in models]
    if form == "json":
        dumped = (one.model_dump(mode="json") for one in compared)
        names = [{"spec": utf8(spec)} for spec, _ in models]
        print_json([a | b for a, b in zip(names, dumped, strict=True)])
    else:
        print(plain_lines(_as_text(compared)))
    return 0


def _compared(model: Model, work: Work) -> Compared:
    try:
        return compare_model(model, work)
    except TooLarge as error:
        raise ChoiceError(
            f"`{model.name}` has statements with too many channels, or too many of "
            "them, to compare how they mix"
        ) from error


def _models(spec: str, settings: dict[str, str]) -> Iterator[Model]:
    """The named model, or all models of the file without unbound parameters."""
    path, colon, name = spec.rpartition(":")
    if not colon or Path(spec).exists():
        path, name = spec, ""
    loaded = load(Path(path))
    models = [loaded.choose_model(name)] if name else list(loaded.models.values())
    loaded.report.raise_errors()
    if not models:
        raise ChoiceError(f"{path} has no model to compare")
    bound = models if name else loaded.bound_models(settings)
    # Expanding a model with unbound parameters raises an error that names them.
    for declared in bound or models[:1]:
        yield loaded.expand(declared, settings)


def _as_text(found: list[Compared]) -> str:
    cells: list[tuple[str, ...]] = [_HEAD]
    for model in found:
        cells += [_model(model), *map(_operator, model.operators)]
    fields = [
        (model.name, receptive_field_text(model.receptive_field)) for model in found
    ]
    sizes = [
        (model.name, f"no: {model.bound_by}" if model.bound_by else "yes")
        for model in found
    ]
    return "\n".join(
        [
            *columns(cells, "<<<<<<>>"),
            *("", "receptive field"),
            *columns(fields, "<<", indent="  "),
            *("", "images of other sizes with the same weights"),
            *columns(sizes, "<<", indent="  "),
        ]
    )


def _model(model: Compared) -> tuple[str, ...]:
    figures = (f"{model.params:,}", f"{model.macs:,}")
    if model.row is None:
        return (model.name, "–", "–", "–", "–", "its own", *figures)
    return (model.name, *_row(model.row), "", *figures)


def _operator(operator: SpatialOperator) -> tuple[str, ...]:
    text = operator.statement
    if len(text) > _LEFT:
        text = text[: _LEFT - 1] + "…"
    if operator.count > 1:
        text += f" ×{operator.count}"
    reads = "–"
    if operator.reads is not None:
        reads = f"{operator.reads} of {operator.positions}"
    params = f"{operator.params:,}" if operator.params else "–"
    macs = f"{operator.macs:,}" if operator.macs else "–"
    learned, extent, *others = _row(operator.row)
    if operator.statistics:
        extent += ", statistics"
    return (f"  {text}", learned, extent, *others, reads, params, macs)


def _row(row: Table1Row) -> tuple[str, ...]:
    return (
        "yes" if row.learned else "no",
        "global" if row.is_global else "local",
        "specific" if row.spatial_specific else "agnostic",
        row.channel,
    )
