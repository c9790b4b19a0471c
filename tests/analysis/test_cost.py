"""Costs of whole models, held against what PyTorch counts."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from s2mlp_dsl.analysis.cost import cost_table, tensors_in
from s2mlp_dsl.api import Program, analyze, elaborate
from tests.lower.specs import SMALL, program

BATCH = 3


@pytest.mark.parametrize("name", SMALL)
def test_totals(name: str) -> None:
    one = program(name)
    net, figures = one.build().eval(), one.analysis
    assert figures.image is not None and figures.macs is not None
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.randn(BATCH, *figures.image))
    assert counter.get_total_flops() == 2 * BATCH * figures.macs
    assert figures.flops == 2 * figures.macs
    assert figures.params == sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("name", SMALL)
def test_rows_add_up(name: str) -> None:
    one = program(name)
    rows = cost_table(one.model)
    assert sum(row.params * row.count for row in rows) == one.analysis.params
    assert sum(row.macs * row.count for row in rows) == one.analysis.macs
    tensors = list(tensors_in(one.model))
    assert len(dict(tensors)) == len(tensors)
    assert sum(torch.Size(size).numel() for _, size in tensors) == one.analysis.params


def test_rows_of_a_stack() -> None:
    rows = {row.path: row for row in cost_table(program("digits").model)}
    row = rows["stack.0-5.linear3"]
    assert (row.params, row.macs, row.count) == (64 * 128 + 128, 16 * 64 * 128, 6)
    assert (row.total_params, row.total_macs) == (6 * row.params, 6 * row.macs)
    assert rows["head"].labels == {"head"}


def _claimed(facts: str) -> list[str]:
    spec = f"""edition 1
model m {{
    image(3, 8, 8)
    stem: patch(4, 10)
    trunk: stack 5 {{
        residual {{
            inner: linear(dim)
            norm(layer)
        }}
    }}
    pool(mean)
    head: linear(7, bias = off)
}}
claim m {{
    {facts}
}}
"""
    return [claim.verdict for claim in analyze(spec).claims]


@pytest.mark.parametrize(
    "fact",
    [
        "params() == 490 + 5 * (110 + 20) + 70",
        "params(of = stem) == 490",
        "params(of = trunk) == 5 * 130",
        "params(of = inner) == 5 * 110",
        "params(of = [inner, head]) == 5 * 110 + 70",
        "params(of = trunk, without = op(norm)) == 5 * 110",
        "params(without = [head, op(norm)]) == 490 + 5 * 110",
        "macs() == 4 * 480 + 5 * 4 * 100 + 70",
        "macs(of = head) == 70",
        "flops(of = head) == 140",
        "macs(of = op(norm)) == 0",
    ],
)
def test_selected(fact: str) -> None:
    assert _claimed(fact) == ["holds"]


def _model(statement: str) -> Program:
    return elaborate(
        f"edition 1\nmodel m {{\n    image(6, 5, 4)\n    {statement}\n}}\n"
    )


@pytest.mark.parametrize(
    "statement, macs",
    [
        ("shift(none)", 0),
        ("norm(layer)", 0),
        ("norm(affine)", 0),
        ("gelu", 0),
        ("pool(mean)", 0),
        ("linear(3)", 20 * 6 * 3),
        ("linear(3, bias = off)", 20 * 6 * 3),
        # Whole windows, padding included, whatever the edge.
        ("depthwise(3)", 20 * 6 * 9),
        ("depthwise(7, edge = circular)", 20 * 6 * 49),
    ],
)
def test_what_counts(statement: str, macs: int) -> None:
    assert _model(statement).analysis.macs == macs
