"""`s2mlp-dsl bench SPEC`."""

from pathlib import Path
from typing import get_args

import click

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.bench.figures import Bench, Machine, Row, Setting, Times
from s2mlp_dsl.cli.options import (
    device_option,
    format_option,
    model_options,
    spec_argument,
)
from s2mlp_dsl.cli.output import print_json
from s2mlp_dsl.escape import plain_lines
from s2mlp_dsl.recipe import Precision

_MEBI = 2**20


@click.command()
@spec_argument
@model_options
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    default=16,
    show_default=True,
    help="Batch size for images/s and memory.",
)
@click.option(
    "--train", is_flag=True, help="Measure training steps instead of inference."
)
@device_option
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="CPU threads.  [default: PyTorch's]",
)
@click.option(
    "--precision",
    type=click.Choice(get_args(Precision)),
    default="fp32",
    show_default=True,
    help="Compute precision.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="Seconds per measurement; at least five passes are timed.",
)
@click.option("--no-compile", is_flag=True, help="Skip torch.compile.")
@format_option("json")
def command(
    spec: Path,
    model: str | None,
    settings: dict[str, str],
    batch: int,
    train: bool,
    device: str | None,
    threads: int | None,
    precision: Precision,
    seconds: float,
    no_compile: bool,
    form: str,
) -> int:
    """Measure latency, images/s and peak memory of a model of SPEC on this machine.

    The model runs eager and compiled, each in its own process. Times are medians after
    a warm-up, with quartiles.
    """
    from s2mlp_dsl.bench.bench import bench

    setting = Setting(
        batch=batch,
        train=train,
        device=device,
        threads=threads,
        precision=precision,
        seconds=seconds,
    )
    found = bench(elaborate(spec, model, settings), setting, compiled=not no_compile)
    if form == "json":
        print_json(found.model_dump(mode="json"))
    else:
        print(plain_lines("\n".join(lines(found))))
    return 0


def lines(found: Bench) -> list[str]:
    batch = f"batch {found.setting.batch}"
    if found.setting.train:
        titles = (f"step, {batch}", f"images/s, {batch}", f"peak memory, {batch}")
    else:
        titles = ("latency, batch 1", f"images/s, {batch}", f"peak memory, {batch}")
    table = [("", *titles), *(_cells(row) for row in found.rows)]
    wide = [max(len(row[0]) for row in table)]
    # A reason may be as long as it likes: nothing stands behind it.
    wide += [max(len(row[n]) for row in table if len(row) > 2) for n in (1, 2, 3)]
    what = "training" if found.setting.train else "inference"
    return [
        f"{found.model}, {what}: {found.params:,} params, "
        f"{found.macs / 1e9:.3f} G MACs per image",
        _machine(found.machine),
        "",
        *(_line(row, wide) for row in table),
    ]


def _line(cells: tuple[str, ...], wide: list[int]) -> str:
    pairs = zip(cells, wide, strict=False)
    return ("  " + "   ".join(cell.ljust(width) for cell, width in pairs)).rstrip()


def _machine(found: Machine) -> str:
    versions = ", ".join(f"{name} {one}" for name, one in found.versions.items())
    load = "" if found.load is None else f", load {found.load:.1f}"
    return (
        f"{found.processor} ({found.device}, {found.threads} threads, "
        f"{found.precision}), {found.system}, {versions}{load}"
    )


def _cells(row: Row) -> tuple[str, ...]:
    if row.failed is not None:
        return row.mode, row.failed
    shown = row.latency or row.time
    assert shown is not None and row.images_per_second is not None
    peak = row.peak_memory_bytes
    memory = "unknown" if peak is None else f"{peak / _MEBI:,.0f} MiB"
    if row.compiling is not None:
        memory += f"   ({row.compiling:.0f} s to compile)"
    return row.mode, _time(shown), f"{row.images_per_second:,.1f}", memory


def _time(found: Times) -> str:
    low, median, high = (1e3 * one for one in (found.low, found.median, found.high))
    return f"{median:.3g} ms ({low:.3g}–{high:.3g})"
