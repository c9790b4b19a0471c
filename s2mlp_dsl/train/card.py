"""A model card: what a model is, how it came about, and how well it does."""

from s2mlp_dsl.train.run import Run
from s2mlp_dsl.train.state import State


def model_card(run: Run, state: State) -> str:
    """Markdown, from what the run folder holds and nothing else."""
    job, recipe = run.job, run.job.recipe
    channels, height, width = job.image
    shape = f"[batch, {channels}, {height}, {width}]"
    length = f"{recipe.epochs} epochs" if recipe.epochs else f"{recipe.steps} steps"
    macs = "not known" if job.macs is None else f"{job.macs:,}"
    start = "random" if job.start is None else f"`{job.start.source}`"
    finished = "" if run.summary() is not None else " The run is not finished."
    tested = "not tested yet"
    if state.last_accuracy is not None:
        tested = (
            f"{state.last_accuracy:.2%} of {run.test_images:,} test images after "
            f"epoch {state.epoch}, loss {state.last_loss:.4f}"
        )
    versions = ", ".join(f"{name} {one}" for name, one in run.versions.items())
    return f"""# {job.model_name}

An image classifier made with s2mlp-dsl from `{job.spec}`. The model is
`model.arch`; `model.py` is the same model for PyTorch.

| | |
|---|---|
| input | {channels}×{height}×{width} |
| classes | {job.classes:,} |
| parameters | {run.parameters:,} |
| MACs per image | {macs} |
| data | {recipe.data.kind}, {run.train_images:,} training images |
| recipe | `{job.recipe_name}`, {length}, batch {recipe.batch:,}, seed {recipe.seed} |
| first weights | {start} |
| test | {tested} |
| averaged weights | {"no" if recipe.ema is None else f"yes, decay {recipe.ema}"} |

The test set was looked at after every epoch; the weights are the last ones, not
the best.{finished}

## Use

`python load.py` checks the folder. With PyTorch alone:

```python
from load import classes, load, normalise

model = load()
logits = model(normalise(images))  # {shape}, in [0, 1]
```

Files become inputs by `fit` in `settings.json`: `crop` resizes the shorter side to
256/224 of the input's and cuts out the middle, `stretch` resizes both sides.

## Files

`recipe.json` is the whole recipe, `metrics.jsonl` every figure of the training.
Function {job.function_hash}; weights {job.weight_hash}.
Trained with {versions}.
"""
