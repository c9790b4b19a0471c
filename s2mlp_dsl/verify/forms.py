"""The forms a model can take, each as something that maps a batch of images.

A form also takes one statement's module, which is how a fault is narrowed down.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from s2mlp_dsl.emit.export import decomposed, export_program
from s2mlp_dsl.emit.onnx import missing, onnx_bytes, run_onnx
from s2mlp_dsl.lower.trace import trace
from s2mlp_dsl.program import Program

Run = Callable[[Tensor], Tensor]

# Those that a quick proof tries; `compile` takes a C++ compiler and half a minute.
DEFAULT = ("eager", "emitted", "fx", "export", "decomposed", "onnx")
FORMS = (*DEFAULT, "compile")
WITHOUT_GRADIENT = ("onnx",)
# Exporters write down evaluation mode; these train as well.
IN_BOTH_MODES = ("eager", "fx", "compile")
# These take images of other sizes where the model does.
OF_ANY_SIZE = ("eager", "fx")

# Runs the emitted file where nothing of this project can be imported.
ALONE = """
import sys, torch
sys.modules["s2mlp_dsl"] = None
import emitted
given = torch.load("given.pt", weights_only=True)
net = getattr(emitted, given["name"])()
net.load_state_dict(given["state"])
net.train(given["training"])
x = given["x"].requires_grad_()
y = net(x)
if given["back"] is not None:
    y.backward(given["back"])
grads = {key: p.grad for key, p in net.named_parameters()}
torch.save({"y": y.detach(), "x": x.grad, "grads": grads}, "made.pt")
"""


def available(full: bool) -> tuple[str, ...]:
    """The forms that can be made here: `onnx` where its extra is installed."""
    wanted = FORMS if full else DEFAULT
    return tuple(one for one in wanted if one != "onnx" or not missing())


class FormFailed(Exception):
    """The form cannot be made of this program, or does not run."""


def form(name: str, program: Program, net: nn.Module) -> Run:
    """The program in one of the forms, with the weights of `net`.

    `net` is built like the program; gradients flow into its parameters, except
    for `onnx`. Raises `FormFailed`.
    """
    try:
        match name:
            case "eager":
                return net
            case "fx":
                return trace(net, program.model)
            case "compile":
                torch.compiler.reset()
                compiled: Run = torch.compile(net, dynamic=False)
                return compiled
            case "onnx":
                data = onnx_bytes(program.model, net, program.identity)
                return lambda x: run_onnx(data, x.detach())
            case "export" | "decomposed":
                made = export_program(program.model, net)
                if name == "decomposed":
                    made = decomposed(made)
                module: Run = made.module()
                return module
    except Exception as error:  # of any type: exporters document none
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise FormFailed(line) from error
    raise ValueError(name)


def run_alone(
    program: Program, net: nn.Module, x: Tensor, back: Tensor | None
) -> tuple[Tensor, dict[str, Tensor]]:
    """The emitted file in a process of its own: result, gradients by name.

    The gradient of the image is under the empty name.
    """
    source = program.source()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "emitted.py").write_text(source.text, encoding="utf-8")
        given = {
            "name": source.model_class,
            "state": net.state_dict(),
            "training": net.training,
            "x": x.detach(),
            "back": back,
        }
        torch.save(given, Path(folder) / "given.pt")
        words = [sys.executable, "-c", ALONE]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise FormFailed(last)
        made = torch.load(Path(folder) / "made.pt", weights_only=True)
    return made["y"], {"": made["x"], **made["grads"]}
