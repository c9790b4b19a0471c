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
from s2mlp_dsl.cli.options import format_option, limit_option, set_option
from s2mlp_dsl.cli.output import columns, print_json, receptive_field_text
from s2mlp_dsl.elaborate.spec import ChoiceError, load
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
    found = [
        (spec, compare_model(model))
        for spec in specs
        for model in _models(spec, settings)
    ]
    if form == "json":
        data = [{"spec": spec, **one.model_dump(mode="json")} for spec, one in found]
        print_json(data)
    else:
        print(_as_text([one for _, one in found]))
    return 0


def _models(spec: str, settings: dict[str, str]) -> Iterator[Model]:
    """The named model, or all models of the file without unbound parameters."""
    path, colon, name = spec.rpartition(":")
    if not colon or Path(spec).exists():
        path, name = spec, ""
    loaded = load(Path(path))
    models = [loaded.choose_model(name)] if name else list(loaded.models.values())
    loaded.report.raise_errors()
    closed = [
        one for one in models if name or not loaded.base(one).open_params(settings)
    ]
    if not models:
        raise ChoiceError(f"{path} has no model to compare")
    # Expanding a model with unbound parameters raises an error that names them.
    for one in closed or models[:1]:
        yield loaded.expand(one, settings)


def _as_text(found: list[Compared]) -> str:
    cells: list[tuple[str, ...]] = [_HEAD]
    for one in found:
        cells.append(_model(one))
        cells += [_operator(operator) for operator in one.operators]
    fields = [(one.name, receptive_field_text(one.receptive_field)) for one in found]
    sizes = [
        (one.name, f"no: {one.bound_by}" if one.bound_by else "yes") for one in found
    ]
    return "\n".join(
        [
            *columns(cells, "<<<<<<>>"),
            *("", "receptive field"),
            *(f"  {line}" for line in columns(fields, "<<")),
            *("", "images of other sizes with the same weights"),
            *(f"  {line}" for line in columns(sizes, "<<")),
        ]
    )


def _model(one: Compared) -> tuple[str, ...]:
    figures = (f"{one.params:,}", f"{one.macs:,}")
    if one.row is None:
        return (one.name, "–", "–", "–", "–", "its own", *figures)
    return (one.name, *_row(one.row), "", *figures)


def _operator(one: SpatialOperator) -> tuple[str, ...]:
    text = one.statement
    if len(text) > _LEFT:
        text = text[: _LEFT - 1] + "…"
    times = f" ×{one.count}" if one.count > 1 else ""
    reads = f"{one.reads} of {one.positions}" if one.reads is not None else "–"
    params = f"{one.params:,}" if one.params else "–"
    macs = f"{one.macs:,}" if one.macs else "–"
    learned, extent, *others = _row(one.row)
    if one.statistics:
        extent = f"{extent}, statistics"
    row = (learned, extent, *others)
    return (f"  {text}{times}", *row, reads, params, macs)


def _row(row: Table1Row) -> tuple[str, ...]:
    return (
        "yes" if row.learned else "no",
        "global" if row.is_global else "local",
        "specific" if row.spatial_specific else "agnostic",
        row.channel,
    )
