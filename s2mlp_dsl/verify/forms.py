"""The forms a model can take, each as something that maps a batch of images.

A form also takes one statement's module, which is how a fault is narrowed down.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from s2mlp_dsl.lower.errors import CannotLower
from s2mlp_dsl.lower.export import decomposed, export_program, reason_of
from s2mlp_dsl.lower.onnx import missing, onnx_bytes, run_onnx
from s2mlp_dsl.lower.trace import trace
from s2mlp_dsl.program import Program

Run = Callable[[Tensor], Tensor]

# Those that a quick proof tries; `compile` takes a C++ compiler and half a minute.
DEFAULT = ("eager", "cuda", "emitted", "fx", "export", "decomposed", "onnx")
FORMS = (*DEFAULT, "compile")
WITHOUT_GRADIENT = ("onnx",)
# Exporters write down evaluation mode; these train as well.
IN_BOTH_MODES = ("eager", "cuda", "emitted", "fx", "compile")
# These take images of other sizes where the model does.
OF_ANY_SIZE = ("eager", "cuda", "fx")
# And why; a test tries the runtime, so that this stays true.
NOT_IN_BFLOAT16 = {"onnx": "not done: ONNX Runtime has no MatMul, Add or Conv for it"}
# How shifts are computed there, where it is not as in the module.
_LOWERING: dict[str, str] = {
    "export": "select", "decomposed": "select", "onnx": "select"
}  # fmt: skip


def available(full: bool) -> tuple[str, ...]:
    """The forms that can be made here: `onnx` where its extra is installed."""
    wanted = FORMS if full else DEFAULT
    return tuple(one for one in wanted if one != "onnx" or not missing())


class FormFailed(Exception):
    """The form cannot be made of this program, or does not run.

    `code` is that of the diagnostic where a target cannot say the model, and
    `statement` the one it is about.
    """

    def __init__(
        self, message: str, code: str | None = None, statement: str | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.statement = code, statement


def built(program: Program, name: str | None) -> nn.Module:
    """The module that a form is made of: what is built for a GPU runs here as well."""
    if name == "cuda":
        return program.build(device="cuda")
    return program.build(lowering=_LOWERING.get(name or ""))


def form(name: str, program: Program, net: nn.Module) -> Run:
    """The program in one of the forms, with the weights of `net`.

    `net` is built like the program; gradients flow into its parameters, except
    for `onnx`. `emitted` is none of these: it runs in a process of its own
    (trials.py). Raises `FormFailed`.
    """
    try:
        match name:
            case "eager" | "cuda":
                return net
            case "fx":
                return trace(net, program.model)
            case "compile":
                torch.compiler.reset()
                compiled: Run = torch.compile(net, dynamic=False)
                return compiled
            case "onnx":
                data = onnx_bytes(program.model, net, program.metadata)
                return lambda x: run_onnx(data, x.detach())
            case "export" | "decomposed":
                made = export_program(program.model, net)
                if name == "decomposed":
                    made = decomposed(made)
                module: Run = made.module()
                return module
    except CannotLower as error:
        (one,) = error.diagnostics
        said = one.primary.text
        raise FormFailed(said, one.code.number, error.statement) from error
    except Exception as error:  # of any type: exporters document none
        raise FormFailed(reason_of(error)) from error
    raise ValueError(name)
