"""The model as the code of its torch.fx graph: one line per statement.

Every call and every iteration is opened. `forward` runs on the module that
`--emit torch` writes, or on any with the same names.
"""

from torch import nn

from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.lower.trace import trace
from s2mlp_dsl.targets.identity import Identity


def fx_text(model: Model, module: nn.Module, identity: Identity) -> str:
    """Python text that defines `forward(self, x)`."""
    code = trace(module, model).graph.python_code("self")
    header = "\n".join(f"{key} {value}" for key, value in _said(identity).items())
    lines = [line.rstrip() for line in code.src.strip().splitlines()]
    body = "\n".join(line for line in lines if line)
    return (
        f'"""{model.name} as a torch.fx graph, one line per statement.\n\n'
        f"Made by s2mlp-dsl {identity.version}. `self` is a module with the names of\n"
        f"`--emit torch`.\n\n{header}\n"
        f'"""\n\n\n{body}\n'
    )


def _said(identity: Identity) -> dict[str, str]:
    return {"function": identity.function_hash, "weights ": identity.weight_hash}
