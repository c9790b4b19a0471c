"""Beginning with the weights of another run or file."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from torch import Tensor, nn

from s2mlp_dsl.train import checkpoint as checkpoints
from s2mlp_dsl.train import disk
from s2mlp_dsl.train.errors import UsageError, WorldError
from s2mlp_dsl.train.job import Start


@dataclass(frozen=True)
class Taken:
    """What a model took over, what it keeps as built and why, what was left."""

    start: Start
    taken: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]  # name, reason
    unused: tuple[str, ...]

    def report(self) -> list[str]:
        """For a person, a line each."""
        whole = len(self.taken) + len(self.kept)
        lines = [f"from {self.start.source}: {len(self.taken)} of {whole} tensors"]
        lines += [f"  new: {name} ({reason})" for name, reason in self.kept]
        if self.unused:
            lines.append(f"  not used: {', '.join(self.unused)}")
        return lines


def start_from(model: nn.Module, source: Path) -> Taken:
    """Load what fits by name and shape; the rest stays as the model was built.

    `source` is a run folder, a checkpoint of one, or a safetensors file. A new
    head keeps its fresh weights; so does whatever is bound to a resolution.
    Raises WorldError if it cannot be read, UsageError if nothing fits.
    """
    tensors, digest = _read(source)
    own = model.state_dict()
    kept: list[tuple[str, str]] = []
    fitting: dict[str, Tensor] = {}
    for name, tensor in own.items():
        if name not in tensors:
            kept.append((name, "not there"))
        elif tensors[name].shape != tensor.shape:
            theirs = _shape(tensors[name])
            kept.append((name, f"{theirs} there, {_shape(tensor)} here"))
        else:
            fitting[name] = tensors[name]
    if not fitting:
        raise UsageError(f"{source}: none of its tensors fits the model")
    model.load_state_dict(fitting, strict=False)
    return Taken(
        start=Start(source=str(source), sha256=digest),
        taken=tuple(fitting),
        kept=tuple(kept),
        unused=tuple(sorted(tensors.keys() - own.keys())),
    )


def _read(source: Path) -> tuple[dict[str, Tensor], str]:
    if not source.exists():
        raise WorldError(f"{source} does not exist")
    if source.is_dir():
        return _of_run(source)
    data = disk.read(source)
    try:
        return parse_tensors(data), hashlib.sha256(data).hexdigest()
    except SafetensorError as error:
        raise WorldError(
            f"{source} is no safetensors file, and nothing else is read: {error}"
        ) from error


def _of_run(source: Path) -> tuple[dict[str, Tensor], str]:
    if (source / checkpoints.MANIFEST).is_file():
        try:
            found = checkpoints.load(source)
        except checkpoints.Torn as reason:
            raise WorldError(f"{source} is no valid checkpoint: {reason}") from reason
    else:
        newest, _ = checkpoints.newest(source)
        if newest is None:
            raise WorldError(f"{source} is no run folder with a checkpoint")
        found = newest
    digest = hashlib.sha256()
    for name, tensor in sorted(found.tested.items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return found.tested, digest.hexdigest()


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"
