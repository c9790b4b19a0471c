"""A run as a folder that stands alone: PyTorch is all that it needs."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save as dump_tensors
from torch import nn

from s2mlp_dsl.train import disk
from s2mlp_dsl.train.card import model_card
from s2mlp_dsl.train.curves import NAME as CURVES
from s2mlp_dsl.train.errors import UsageError
from s2mlp_dsl.train.evaluate import load_weights
from s2mlp_dsl.train.run import MODEL_TEXT, SUMMARY, Run

# Reads safetensors with PyTorch alone: a length, a JSON header, the bytes.
LOADER = '''"""Loads the model of this folder; needs PyTorch alone.

    from load import classes, load, normalise

    model = load()
    logits = model(normalise(images))  # floats in [0, 1], {shape}
"""

import json
import struct
from pathlib import Path

import torch
from model import {model_class}

HERE = Path(__file__).parent
SETTINGS = json.loads((HERE / "settings.json").read_text(encoding="utf-8"))
classes = SETTINGS["classes"]


def load() -> {model_class}:
    """The trained model, in evaluation mode."""
    model = {model_class}()
    model.load_state_dict(weights(HERE / "model.safetensors"))
    return model.eval()


def weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file of float32 and int64."""
    data = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    dtypes = {{"F32": torch.float32, "I64": torch.int64}}
    tensors = {{}}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        flat = torch.frombuffer(data[start:end], dtype=dtypes[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


def normalise(images: torch.Tensor) -> torch.Tensor:
    """What the model was trained on, from floats in [0, 1]."""
    mean = images.new_tensor(SETTINGS["mean"])[:, None, None]
    std = images.new_tensor(SETTINGS["std"])[:, None, None]
    return (images - mean) / std


if __name__ == "__main__":
    torch.manual_seed(0)
    with torch.no_grad():
        logits = load()(normalise(torch.rand(2, *SETTINGS["image"])))
    assert logits.shape == (2, len(classes)) and logits.isfinite().all()
    print(f"{{type(load()).__name__}}: {{len(classes)}} classes, loaded")
'''


def export(model: nn.Module, run_dir: Path, out: Path, source: str, name: str) -> Run:
    """Write the folder `out`: model, weights, spec, recipe, metrics and card.

    `model` is built like the run's; `source` is its text as a Python file that
    needs PyTorch alone, `name` its class there. The weights are the newest valid
    checkpoint's. Raises UsageError if `out` is used, EnvironmentFailure if something
    cannot be read or written.
    """
    run = Run.open(run_dir)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty; choose another folder")
    found, _ = load_weights(model, run, None, run.job.weight_hash)
    files = {
        "model.py": source,
        "load.py": LOADER.format(model_class=name, shape=_shape(run)),
        "settings.json": json.dumps(_settings(run), indent=2) + "\n",
        MODEL_TEXT: run.job.model_text,
        "recipe.json": json.dumps(run.job.recipe.settings(), indent=2) + "\n",
        "README.md": model_card(run, found.state),
    }
    disk.make_folder(out)
    tensors = {
        key: value.detach().cpu().contiguous().clone()
        for key, value in model.state_dict().items()
    }
    assert all(t.dtype in (torch.float32, torch.int64) for t in tensors.values())
    disk.write(out / "model.safetensors", dump_tensors(tensors))
    for file, text in files.items():
        disk.write(out / file, text.encode())
    for file in ("metrics.jsonl", SUMMARY, CURVES):
        if (run.path / file).is_file():
            with disk.reported(out / file, "write"):
                shutil.copyfile(run.path / file, out / file)
    return run


def _shape(run: Run) -> str:
    return f"[batch, {', '.join(map(str, run.job.image))}]"


def _settings(run: Run) -> dict[str, object]:
    return {
        "classes": list(run.class_names),
        "image": list(run.preprocess.image),
        "fit": run.preprocess.fit,
        "mean": list(run.preprocess.mean),
        "std": list(run.preprocess.std),
    }
