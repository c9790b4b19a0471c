"""A run as a self-contained folder, which needs nothing but PyTorch."""

import json
from pathlib import Path

import torch
from safetensors.torch import save as dump_tensors
from torch import nn

from s2mlp_dsl import disk
from s2mlp_dsl.errors import UsageError
from s2mlp_dsl.escape import markdown, markdown_code
from s2mlp_dsl.train.checkpoint import TrainState
from s2mlp_dsl.train.curves import CURVES
from s2mlp_dsl.train.logger import METRICS
from s2mlp_dsl.train.run import MODEL_TEXT, SUMMARY, Run
from s2mlp_dsl.train.weights import load_checkpoint

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
    """The model's inputs, from floats in [0, 1]."""
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

    `model` is built like the run's; `source` is its text as a Python file that needs
    nothing but PyTorch, `name` its class there. The weights are those of the newest
    valid checkpoint. Raises UsageError if `out` is not empty, EnvironmentFailure if a
    file cannot be read or written.
    """
    run = Run.open(run_dir)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty; choose another folder")
    found, _ = load_checkpoint(model, run, None, run.job.weight_hash)
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
    for file in (METRICS, SUMMARY, CURVES):
        if (run.path / file).is_file():
            disk.require_no_links(run.path, run.path / file)
            disk.write(out / file, disk.read(run.path / file))
    return run


def _shape(run: Run) -> str:
    return f"[batch, {', '.join(map(str, run.job.image))}]"


def _settings(run: Run) -> dict[str, object]:
    return {
        "classes": list(run.class_names),
        "image": list(run.preprocess.image),
        "fit": run.preprocess.fit,
        "resize": run.preprocess.resize,
        "mean": list(run.preprocess.mean),
        "std": list(run.preprocess.std),
    }


def model_card(run: Run, state: TrainState) -> str:
    """What a model is, how it was trained and how well it does, in Markdown."""
    job, recipe = run.job, run.job.recipe
    channels, height, width = job.image
    shape = f"[batch, {channels}, {height}, {width}]"
    length = f"{recipe.epochs} epochs" if recipe.epochs else f"{recipe.steps} steps"
    chosen = markdown_code(job.recipe_name)
    macs = "unknown" if job.macs is None else f"{job.macs:,}"
    start = "random" if job.start is None else markdown_code(job.start.source)
    finished = "" if run.summary() is not None else " The run is not finished."
    tested = "not tested yet"
    if state.last_accuracy is not None:
        tested = (
            f"{state.last_accuracy:.2%} of {run.test_images:,} test images after "
            f"epoch {state.epoch}, loss {state.last_loss:.4f}"
        )
    versions = markdown(
        ", ".join(f"{name} {version}" for name, version in run.versions.items())
    )
    return f"""# {markdown(job.model_name)}

An image classifier made with s2mlp-dsl from {markdown_code(job.spec)}. The model is
`model.arch`; `model.py` is the same model for PyTorch.

| | |
|---|---|
| input | {channels}×{height}×{width} |
| classes | {job.classes:,} |
| parameters | {run.parameters:,} |
| MACs per image | {macs} |
| data | {markdown(recipe.data.kind)}, {run.train_images:,} training images |
| recipe | {chosen}, {length}, batch {recipe.batch:,}, seed {recipe.seed} |
| initial weights | {start} |
| test | {tested} |
| averaged weights | {"no" if recipe.ema is None else f"yes, decay {recipe.ema}"} |

The test set was evaluated after every epoch; the weights are the last ones, not the
best.{finished}

## Use

`python load.py` checks the folder. With PyTorch alone:

```python
from load import classes, load, normalise

model = load()
logits = model(normalise(images))  # {shape}, in [0, 1]
```

Image files are turned as their EXIF orientation says, converted to {channels} channels,
and {run.preprocess.summary()} (bicubic, antialiased).
`settings.json` has it as `fit` and `resize` (height, width).

## Files

`recipe.json` is the whole recipe, `metrics.jsonl` every figure of the training.
Function {job.function_hash}; weights {job.weight_hash}.
Trained with {versions}.
"""
