"""What a recipe changes about the compiled model's blocks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.errors import UsageError
from s2mlp_dsl.train import train
from s2mlp_dsl.train.model import (
    AUTOTUNE,
    checkpoint_blocks,
    compile_blocks,
    set_drop_path,
    set_dropout,
)
from tests.recipes import Cosine

from .making import assert_same_run, job, metrics, recipe, weights

SPEC = Path(__file__).parents[2] / "specs/digits.arch"
SMALL = elaborate(SPEC, None, {"width": "16", "depth": "3"})


def built(drop_path: bool = False) -> nn.Module:
    torch.manual_seed(0)
    return SMALL.build(drop_path)


def images(count: int = 6) -> torch.Tensor:
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def test_drop_path_is_in_the_emitted_source_of_training_alone() -> None:
    plain, dropping = SMALL.source().text, SMALL.source(drop_path=True).text
    assert "class DropPath" not in plain and "drop_path" not in plain
    assert "class DropPath" in dropping
    for number in (1, 2):  # a block has two residual branches
        assert f"self.drop_path{number} = DropPath()" in dropping
        assert f"x = x + self.drop_path{number}(y)" in dropping
    model = built(drop_path=True)
    assert model.state_dict().keys() == built().state_dict().keys()
    branches = [m for m in model.modules() if type(m).__name__ == "DropPath"]
    assert len(branches) == 6
    set_drop_path(model, 0.5)
    rates = [branch.p for branch in branches]
    assert rates == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])


def test_drop_path_changes_training_and_not_a_test() -> None:
    model, plain = built(drop_path=True), built()
    x = images()
    assert torch.equal(model(x), plain(x))  # a rate of 0 does nothing
    set_drop_path(model, 0.5)
    assert not torch.equal(model.train()(x), plain(x))
    assert torch.equal(model.eval()(x), plain.eval()(x))


def test_drop_path_leaves_a_branch_out_sample_by_sample_and_keeps_the_mean() -> None:
    model = built(drop_path=True).train()
    drop = next(m for m in model.modules() if type(m).__name__ == "DropPath")
    drop.p = 0.25
    torch.manual_seed(0)
    kept = drop(torch.ones(4000, 4, 4, 16))
    samples = kept.flatten(1)
    assert torch.equal(samples.amin(1), samples.amax(1))  # all of it, or nothing
    dropped, kept_at = samples[:, 0].unique().tolist()
    assert dropped == 0 and kept_at == pytest.approx(1 / 0.75)
    assert kept.mean().item() == pytest.approx(1, abs=0.03)


def test_dropout_acts_on_what_a_residual_adds_entry_by_entry() -> None:
    text = SMALL.source(drop_path=True, dropout=True).text
    assert "x = x + self.drop_path2(self.dropout2(y))" in text
    assert "nn.Dropout" not in SMALL.source(drop_path=True).text
    torch.manual_seed(0)
    model, plain = SMALL.build(dropout=True), built()
    assert model.state_dict().keys() == plain.state_dict().keys()
    set_dropout(model, 0.25)
    x = images()
    assert torch.equal(model.eval()(x), plain.eval()(x))
    assert not torch.equal(model.train()(x), plain(x))
    drops = [m for m in model.modules() if isinstance(m, nn.Dropout)]
    assert len(drops) == 6
    torch.manual_seed(0)
    kept = drops[0](torch.ones(400, 4, 4, 16))
    dropped, kept_at = kept.unique().tolist()
    assert dropped == 0 and kept_at == pytest.approx(1 / 0.75)
    assert (kept == 0).double().mean().item() == pytest.approx(0.25, abs=0.01)
    with pytest.raises(UsageError, match="no residual branch"):
        set_dropout(plain, 0.1)


def test_checkpointed_activations_cost_memory_no_accuracy() -> None:
    kept: list[int] = []
    gradients: list[dict[str, torch.Tensor]] = []
    for checkpointed in (False, True):
        model, held = built().train(), {}
        if checkpointed:
            checkpoint_blocks(model)

        def keep(tensor: torch.Tensor, held: dict[int, int] = held) -> torch.Tensor:
            held[tensor.data_ptr()] = tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            loss = F.cross_entropy(model(images(64)), torch.arange(64) % 10)
        kept.append(sum(held.values()))
        loss.backward()
        gradients.append({n: p.grad for n, p in model.named_parameters()})
    assert all(torch.equal(gradients[1][n], g) for n, g in gradients[0].items())
    assert kept[1] < kept[0] / 2


def test_a_run_does_what_its_recipe_says_of_blocks(tmp_path: Path) -> None:
    passes, losses = {}, {}
    for name, changes in {
        "plain": {},
        "checkpointed": {"gradient_checkpointing": True},
        "dropping": {"drop_path": 0.5},
        "dropout": {"dropout": 0.5},
    }.items():
        torch.manual_seed(0)
        model = SMALL.build("drop_path" in changes, dropout="dropout" in changes)
        calls: list[int] = []
        model.stack[1].linear1.register_forward_hook(
            lambda *_, calls=calls: calls.append(1)
        )
        chosen = recipe(epochs=None, steps=4, schedule=Cosine(), **changes)
        train(model, job(chosen), tmp_path / name, quiet=True)
        passes[name], losses[name] = len(calls), metrics(tmp_path / name)[-1]["loss"]
    # 4 steps and a test of 3 batches; checkpointing computes each step's part again.
    once = 4 + 3
    assert passes.pop("checkpointed") == 2 * 4 + 3
    assert passes == dict.fromkeys(("plain", "dropping", "dropout"), once)
    assert losses.pop("checkpointed") == losses["plain"]
    assert len(set(losses.values())) == 3


@pytest.mark.parametrize("how", [True, "autotune"])
def test_a_compiled_model_trains_as_the_plain_one_does(
    how: bool | str, tmp_path: Path
) -> None:
    tiny = elaborate(SPEC, None, {"width": "8", "depth": "1"})
    for name, compiled in (("plain", False), ("compiled", how)):
        torch.manual_seed(0)
        chosen = recipe(epochs=None, steps=4, compile=compiled, schedule=Cosine())
        train(tiny.build(), job(chosen), tmp_path / name, quiet=True)
    one, other = (metrics(tmp_path / name) for name in ("plain", "compiled"))
    assert other[-1]["loss"] == pytest.approx(one[-1]["loss"], rel=1e-4)
    ours, theirs = weights(tmp_path / "compiled"), weights(tmp_path / "plain")
    assert ours.keys() == theirs.keys()  # no name tells of the compiler
    torch.testing.assert_close(ours, theirs, rtol=1e-2, atol=1e-4)


def test_autotune_asks_the_compiler_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler itself refuses options that it does not know."""
    asked: list[object] = []
    plain_compile = torch.compile

    def compile_noting(forward: Callable[..., object], **kwargs: Any) -> object:
        asked.append(kwargs["options"])
        return plain_compile(forward, **kwargs)

    monkeypatch.setattr(torch, "compile", compile_noting)
    compile_blocks(built(), autotune=True)
    compile_blocks(built())
    assert asked == [AUTOTUNE] * 3 + [None] * 3


@pytest.mark.parametrize("precision", ["fp32", "bf16_weights"])
def test_a_compiled_run_is_what_was_compiled(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Graphs handed to the compiler, of three equal blocks: of training, of tests."""
    graphs: list[torch.fx.GraphModule] = []

    def count(
        graph: torch.fx.GraphModule, inputs: list[torch.Tensor]
    ) -> torch.fx.GraphModule:
        graphs.append(graph)
        return graph

    plain_compile = torch.compile

    def compile_counting(forward: Callable[..., object], options: None) -> object:
        return plain_compile(forward, backend=count, options=options)

    torch._dynamo.reset()
    monkeypatch.setattr(torch, "compile", compile_counting)
    on, off = (recipe(precision=precision, compile=on) for on in (True, False))
    train(built(), job(on), tmp_path / "on", quiet=True)
    assert len(graphs) == 2
    train(built(), job(off), tmp_path / "off", quiet=True)
    assert len(graphs) == 2
    # That backend runs PyTorch's own kernels, so not a bit differs.
    assert_same_run(tmp_path / "off", tmp_path / "on")
    torch._dynamo.reset()
    both = on.model_copy(update={"gradient_checkpointing": True})
    train(built(), job(both), tmp_path / "both", quiet=True)
    assert len(graphs) > 2  # what is computed again is compiled code too
    ours, theirs = weights(tmp_path / "both"), weights(tmp_path / "off")
    torch.testing.assert_close(ours, theirs)
