"""Beginning with the weights of another run or file."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from torch import Tensor, nn

from s2mlp_dsl.train import checkpoint as checkpoints
from s2mlp_dsl.train import disk
from s2mlp_dsl.train.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.train.job import Start


@dataclass(frozen=True)
class Fit:
    """What a model can take of other weights, what it keeps and why, what is left."""

    source: str
    taken: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]  # name, reason
    unused: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether names and shapes are the model's, as equal weight hashes say."""
        return not self.kept and not self.unused

    def report(self) -> list[str]:
        """For a person, a line each."""
        whole = len(self.taken) + len(self.kept)
        lines = [f"from {self.source}: {len(self.taken)} of {whole} tensors"]
        lines += [f"  new: {name} ({reason})" for name, reason in self.kept]
        if self.unused:
            lines.append(f"  not used: {', '.join(self.unused)}")
        return lines


def take(
    model: nn.Module, tensors: Mapping[str, Tensor], source: str, *, partial: bool
) -> Fit:
    """Load weights into a model, only if all of them fit unless `partial`.

    With `partial` what fits by name and shape is loaded, and the rest stays as the
    model was built: a new head keeps its fresh weights, as does whatever is bound to
    a resolution. Raises UsageError that lists every difference.
    """
    own = model.state_dict()
    kept = tuple(differences(own, tensors))
    different = {name for name, _ in kept}
    fitting = {name: tensors[name] for name in own if name not in different}
    fit = Fit(
        source=source,
        taken=tuple(fitting),
        kept=kept,
        unused=tuple(sorted(tensors.keys() - own.keys())),
    )
    if not fitting and own:
        raise UsageError(f"{source}: none of its tensors fits the model")
    if not partial and not fit.whole:
        said = "\n".join(fit.report())
        raise UsageError(f"these weights are another model's; --partial takes\n{said}")
    model.load_state_dict(fitting, strict=False)
    return fit


def load_weights(
    model: nn.Module, source: Path, *, partial: bool = False
) -> tuple[Fit, Start]:
    """Load the weights of a run folder, a checkpoint of one or a safetensors file.

    Raises EnvironmentFailure if they cannot be read, and as `take`.
    """
    tensors, digest = _read(source)
    fit = take(model, tensors, str(source), partial=partial)
    return fit, Start(source=str(source), sha256=digest)


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
            f"{source} is no safetensors file, and nothing else is read: {error}"
        ) from error


def _of_run(source: Path) -> tuple[dict[str, Tensor], str]:
    if (source / checkpoints.MANIFEST).is_file():
        try:
            found = checkpoints.load(source)
        except checkpoints.Torn as reason:
            raise EnvironmentFailure(
                f"{source} is no valid checkpoint: {reason}"
            ) from reason
    else:
        newest, _ = checkpoints.newest(source)
        if newest is None:
            raise EnvironmentFailure(f"{source} is no run folder with a checkpoint")
        found = newest
    digest = hashlib.sha256()
    for name, tensor in sorted(found.tested.items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return found.tested, digest.hexdigest()


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"
