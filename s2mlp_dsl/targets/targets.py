"""The targets of `compile`, by name."""

from dataclasses import dataclass
from typing import Literal, get_args

TargetName = Literal["torch", "export", "onnx", "safetensors", "ir", "ir-json", "fx"]


@dataclass(frozen=True)
class Target:
    """What a target is. A binary one holds weights and needs a file to go to."""

    name: TargetName
    suffix: str
    summary: str
    binary: bool = False


TARGETS: dict[str, Target] = {
    one.name: one
    for one in (
        Target("torch", ".py", "one PyTorch file"),
        Target("export", ".pt2", "a torch.export program", binary=True),
        Target("onnx", ".onnx", "ONNX, checked and run", binary=True),
        Target("safetensors", ".safetensors", "the weights", binary=True),
        Target("ir", ".arch", "the model without parameters, as a spec"),
        Target("ir-json", ".json", "the same, as JSON"),
        Target("fx", ".py", "the code of the torch.fx graph"),
    )
}
assert set(TARGETS) == set(get_args(TargetName))
