"""`s2mlp-dsl import-weights SPEC --from FILE --map MAP -o OUT`."""

from pathlib import Path

import click

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.cli.options import model_options, spec_argument
from s2mlp_dsl.cli.output import require_other_file
from s2mlp_dsl.escape import plain
from s2mlp_dsl.files import replace_file
from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.weights.match import Matched, match, stored_in
from s2mlp_dsl.weights.rules import parse_rules

_SHOWN = 20  # names of a list, before it is cut


@click.command()
@spec_argument
@model_options
@click.option(
    "--from",
    "source",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Safetensors file with the third-party weights.",
)
@click.option(
    "--map",
    "name_map",
    required=True,
    metavar="MAP",
    help="Name map, a file of lines `theirs -> ours`, or a shipped one, e.g. "
    "std:mlp_mixer.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Output file. Without it, only the report is printed.",
)
@click.option(
    "--partial", is_flag=True, help="Write the tensors that match even if some do not."
)
def command(
    spec: Path,
    model: str | None,
    settings: dict[str, str],
    source: Path,
    name_map: str,
    output: Path | None,
    partial: bool,
) -> int:
    """Convert third-party weights to the parameter names of SPEC.

    The report lists the tensors that matched, and says why others did not. The exit
    code is 1 if a tensor of the model is not filled.
    """
    # NumPy takes time to load, and the report of a mistake needs none of it.
    from safetensors import SafetensorError, safe_open
    from safetensors.numpy import save

    program = elaborate(spec, model, settings)
    require_other_file(output, *program.spec.files, source, Path(name_map))
    rules = parse_rules(_read_map(name_map), name_map)
    try:
        with safe_open(str(source), framework="np") as tensors:
            theirs = {
                name: tuple(tensors.get_slice(name).get_shape())
                for name in tensors.keys()  # noqa: SIM118
            }
            matched = match(stored_in(program.model), theirs, rules)
            for line in _report(matched):
                print(plain(line))
            if output is None or not (matched.whole or partial):
                return 0 if matched.whole else 1
            weights = {
                one.ours: tensors.get_tensor(one.theirs).reshape(one.dims)
                for one in matched.pairs
            }
    except SafetensorError as error:
        raise click.ClickException(f"{source} cannot be read: {error}") from None
    metadata = {
        "s2mlp_dsl.model": program.model.name,
        "s2mlp_dsl.weight_hash": program.analysis.weight_hash or "",
    }
    replace_file(output, save(weights, metadata=metadata))
    print(plain(f"wrote {output}"))
    return 0 if matched.whole else 1


def _read_map(name: str) -> str:
    path = Path(name)
    if name.startswith("std:"):
        path = shipped(f"specs/maps/{name.removeprefix('std:')}.map")
    if not path.is_file():
        folder = shipped("specs/maps")
        known = ", ".join(f"std:{one.stem}" for one in sorted(folder.glob("*.map")))
        raise click.UsageError(f"there is no map {name}; shipped are {known}")
    return path.read_text(encoding="utf-8")


def _report(matched: Matched) -> list[str]:
    """For a person, a line per tensor that needs a word."""
    whole = len(matched.pairs) + len(matched.missing)
    reshaped = sum(one.reshaped for one in matched.pairs)
    lines = [f"{len(matched.pairs)} of {whole} tensors matched, {reshaped} reshaped"]
    for title, names in (("not filled", matched.missing), ("unused", matched.unused)):
        lines += [f"  {title}: {name}: {why}" for name, why in names[:_SHOWN]]
        if len(names) > _SHOWN:
            lines.append(f"  {title}: and {len(names) - _SHOWN} more")
    return lines
