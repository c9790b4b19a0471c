"""Loading weights into a model: of a file, of another run, of a run's checkpoint."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from torch import Tensor, nn

from s2mlp_dsl import disk
from s2mlp_dsl.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.train import checkpoint as checkpoints
from s2mlp_dsl.train.checkpoint import Checkpoint
from s2mlp_dsl.train.job import Start
from s2mlp_dsl.train.run import RUN, Run


@dataclass(frozen=True)
class LoadReport:
    """Which tensors were loaded, which the model keeps and why, which are unused."""

    source: str
    loaded: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]  # name, reason
    unused: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether names and shapes are the model's, as equal weight hashes say."""
        return not self.kept and not self.unused

    def lines(self) -> list[str]:
        """For a person, a line each."""
        count = len(self.loaded) + len(self.kept)
        lines = [f"from {self.source}: {len(self.loaded)} of {count} tensors"]
        lines += [f"  new: {name} ({reason})" for name, reason in self.kept]
        if self.unused:
            lines.append(f"  not used: {', '.join(self.unused)}")
        return lines


def load_tensors(
    model: nn.Module, tensors: Mapping[str, Tensor], source: str, *, partial: bool
) -> LoadReport:
    """Load weights into a model, unless `partial` only if all of them fit.

    With `partial` what fits by name and shape is loaded, and the rest stays as the
    model was built: a new head keeps its fresh weights, as does a tensor that depends
    on the resolution. Raises UsageError that lists every difference.
    """
    own = model.state_dict()
    kept = tuple(differences(own, tensors))
    different = {name for name, _ in kept}
    fitting = {name: tensors[name] for name in own if name not in different}
    report = LoadReport(
        source=source,
        loaded=tuple(fitting),
        kept=kept,
        unused=tuple(sorted(tensors.keys() - own.keys())),
    )
    if not fitting and own:
        raise UsageError(f"{source}: none of its tensors fits the model")
    if not partial and not report.complete:
        listed = "\n".join(report.lines())
        raise UsageError(
            f"these are weights of another model; --partial would load\n{listed}"
        )
    model.load_state_dict(fitting, strict=False)
    return report


def load_weights(
    model: nn.Module, source: Path, *, partial: bool = False
) -> tuple[LoadReport, Start]:
    """Load the weights of a run folder, a checkpoint of one or a safetensors file.

    Raises EnvironmentFailure if they cannot be read, and as `load_tensors`.
    """
    tensors, digest = _read(source)
    report = load_tensors(model, tensors, str(source), partial=partial)
    return report, Start(source=str(source), sha256=digest)


def differences(
    own: Mapping[str, Tensor], given: Mapping[str, Tensor]
) -> Iterator[tuple[str, str]]:
    """The tensors of a model that the given ones do not fill: (name, why)."""
    for name, tensor in own.items():
        if name not in given:
            yield name, "not there"
        elif given[name].shape != tensor.shape:
            yield name, f"{_shape(given[name])} there, {_shape(tensor)} here"


def _read(source: Path) -> tuple[dict[str, Tensor], str]:
    if not source.exists():
        raise EnvironmentFailure(f"{source} does not exist")
    if source.is_dir():
        return _of_run(source)
    data = disk.read(source)
    try:
        return parse_tensors(data), hashlib.sha256(data).hexdigest()
    except SafetensorError as error:
        raise EnvironmentFailure(
            f"{source} is not a safetensors file: {error}"
        ) from error


def _of_run(source: Path) -> tuple[dict[str, Tensor], str]:
    if (source / checkpoints.MANIFEST).is_file():
        found = _valid(source)
    else:
        if (source / RUN).exists():
            Run.open(source)  # verifies it
        newest, _ = checkpoints.newest(source)
        if newest is None:
            raise EnvironmentFailure(f"{source} is not a run folder with a checkpoint")
        found = newest
    digest = hashlib.sha256()
    for name, tensor in sorted(found.tested.items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return found.tested, digest.hexdigest()


def _valid(path: Path) -> Checkpoint:
    try:
        return checkpoints.load(path)
    except checkpoints.Torn as reason:
        raise EnvironmentFailure(
            f"{path} is not a valid checkpoint: {reason}"
        ) from reason


def load_checkpoint(
    model: nn.Module,
    run: Run,
    path: Path | None,
    weight_hash: str | None,
    *,
    to_train: bool = False,
    say: Callable[[str], None] | None = None,
) -> tuple[Checkpoint, list[str]]:
    """Load a run's checkpoint, or its newest valid one, into the model.

    Loads averaged weights where the run has them, except to go on training. With
    `say`, weights that differ from the model's are loaded as far as they fit, and it
    is told what differs. Returns the checkpoint and why newer ones were skipped.
    Raises like `evaluate`; the message has every difference in names and shapes.
    """
    if path is not None:
        found, skipped = _valid(path), list[str]()
    else:
        newest, skipped = checkpoints.newest(run.path)
        if newest is None:
            raise EnvironmentFailure(f"{run.path} has no checkpoint yet")
        found = newest
    tensors = found.model if to_train else found.tested
    if not to_train:
        _require_numbers(model, tensors, found.path)
    expected = weight_hash or run.job.weight_hash
    if found.state.function_hash != run.job.function_hash:
        raise UsageError(
            f"{found.path} is of function {found.state.function_hash}, the run "
            f"{run.path} of {run.job.function_hash}"
        )
    hashes = {expected, run.job.weight_hash, found.state.weight_hash}
    report = load_tensors(model, tensors, str(found.path), partial=say is not None)
    if len(hashes) > 1 and report.complete:
        raise UsageError(
            f"the model has weights {expected}, the run {run.path} has "
            f"{run.job.weight_hash}, its checkpoint {found.path.name} "
            f"{found.state.weight_hash}; yet names and shapes agree"
        )
    if say is not None and not report.complete:
        for line in report.lines():
            say(line)
    return found, skipped


def _require_numbers(
    model: nn.Module, tensors: Mapping[str, Tensor], source: Path
) -> None:
    """Raise EnvironmentFailure naming the first tensor that is not all numbers.

    Buffers may be infinite, as masks are.
    """
    trained = {name for name, _ in model.named_parameters()}
    for name, tensor in sorted(tensors.items()):
        bad_N = ~tensor.isfinite() if name in trained else tensor.isnan()
        if bad_N.any():
            raise EnvironmentFailure(
                f"{source}: {name} has {int(bad_N.sum()):,} of {tensor.numel():,} "
                "values that are not finite numbers"
            )


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"
