"""Depthwise convolutions whose kernels are given."""

import pytest
import torch

import s2mlp_dsl as s2
from s2mlp_dsl.api import elaborate
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.operators import applied
from s2mlp_dsl.targets.ir_json import IrDocument
from tests.operators.cases import map_, op_of, spec_text

SMALL = {"width": 8, "depth": 3, "size": 48, "classes": 3}
KERNELS = (
    "fixed = [[[0, 0, 0], [1, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 1/3, 0], [0, 0, 0]]]"
)
THIRDS = f"groups = 2, fixed = [[{KERNELS[9:-1]}], [{KERNELS[9:-1]}]]"
FILTERS = (
    "fixed = [[[[0, 0, 0], [1, 0, 0], [0, 0, 0]], [[0, 1/4, 0], [0, 0, 0], [0, 0, 0]]],"
    " [[[0, 0, 0], [0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, -2, 0], [0, 0, 0]]]]"
)


def test_one_hot_kernels_are_the_shift() -> None:
    # The two models share their weights file, and compute the same.
    shifted = s2.compile("specs/s2mlp_depthwise.arch", model="shifted", **SMALL)
    one_hot = s2.compile("specs/s2mlp_depthwise.arch", model="one_hot_3", **SMALL)
    one_hot.load_state_dict(shifted.state_dict())
    x = torch.randn(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(shifted.eval()(x), one_hot.eval()(x))


def test_filters_are_the_weights_of_the_convolution_that_learns() -> None:
    x = torch.randn(2, 4, 5, 7, generator=torch.Generator().manual_seed(0)).double()
    given = f"conv(6, 3, stride = 2, edge = replicate, groups = 2, {FILTERS})"
    fixed = elaborate(spec_text(given, map_(5, 7, 4))).build().double()
    learned = given.replace(FILTERS, "bias = off")
    twin = elaborate(spec_text(learned, map_(5, 7, 4))).build().double()
    weight = torch.zeros(6, 2, 3, 3).double()
    weight[:3, 0, 1, 0], weight[:3, 1, 0, 1], weight[3:, 1, 1, 1] = 1, 1 / 4, -2
    twin.get_submodule("conv").weight.data.copy_(weight)
    with torch.no_grad():
        assert torch.equal(fixed.eval()(x), twin.eval()(x))
    programs = [elaborate(spec_text(one, map_(5, 7, 4))) for one in (given, learned)]
    params, macs = zip(
        *((one.analysis.params, one.analysis.macs) for one in programs), strict=True
    )
    assert params == (0, 6 * 2 * 9) and macs[0] == macs[1] == 3 * 4 * 6 * 2 * 9


def test_kernels_follow_the_module() -> None:
    program = elaborate(spec_text(f"depthwise(3, {KERNELS})", map_(2, 3, 4)))
    module = program.build().half().get_submodule("depthwise")
    assert not module.state_dict() and not list(module.parameters())
    assert module.kernel_OIKK.dtype == torch.float16
    assert module.kernel_OIKK[:, 0, 1].count_nonzero(-1).tolist() == [1, 1, 1, 1]


def test_a_kernel_that_rounds_is_proved() -> None:
    ninths = "fixed = [[1/9, 1/9, 1/9], [1/9, -1/9, 1/9], [1/9, 1/9, 1/9]]"
    text = spec_text(f"depthwise(3, edge = circular, {ninths})", map_(4, 5, 2))
    certificate = s2.verify(text, backends=())
    assert certificate.passed
    one_hot = spec_text(f"depthwise(3, {KERNELS.replace('1/3', '1')})", map_(2, 3, 4))
    moved = s2.verify(one_hot, backends=())
    assert moved.passed
    cases = [{c.name: c.cases for c in one.checks} for one in (certificate, moved)]
    assert [one["shift movement"] for one in cases] == [0, 1]


def test_filters_are_proved() -> None:
    rounded = spec_text(f"conv(4, 3, edge = circular, {THIRDS})", map_(4, 5, 4))
    added = spec_text(f"conv(4, 3, {THIRDS.replace('1/3', '1')})", map_(4, 5, 4))
    for text, moved in ((rounded, 0), (added, 1)):
        certificate = s2.verify(text, backends=("emitted", "fx", "onnx"))
        assert certificate.passed
        cases = {one.name: one.cases for one in certificate.checks}
        assert cases["shift movement"] == moved


@pytest.mark.parametrize("of", [f"depthwise(3, {KERNELS})", f"conv(4, 3, {THIRDS})"])
def test_hash_is_that_of_the_numbers(of: str) -> None:
    same, other = of.replace("1/3", "2/6"), of.replace("1/3", "1/4")
    first, second, third = (
        elaborate(spec_text(one, map_(2, 3, 4))).analysis.function_hash
        for one in (of, same, other)
    )
    assert first == second != third


@pytest.mark.parametrize("of", [f"depthwise(3, {KERNELS})", f"conv(4, 3, {THIRDS})"])
def test_json_takes_kernels_back(of: str) -> None:
    program = elaborate(spec_text(of, map_(2, 3, 4)))
    text = program.emit("ir-json")
    assert IrDocument.model_validate_json(text).model == program.model


@pytest.mark.parametrize(
    ("fixed", "row"),
    [
        (KERNELS, (False, "neighbours", False, True)),
        (
            "fixed = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]",
            (False, "neighbours", False, False),
        ),
        (
            "fixed = [[0, 0, 0], [0, 4, 0], [0, 0, 0]]",
            (False, "position", False, False),
        ),
        ("fixed = none", (True, "neighbours", False, True)),
    ],
)
def test_table1(fixed: str, row: tuple[bool, str, bool, bool]) -> None:
    op = op_of(elaborate(spec_text(f"depthwise(3, {fixed})", map_(2, 3, 4))))
    found = applied(op).properties()
    specific = (found.spatial_specific, found.channel_specific)
    assert (applied(op).learned, found.reads, *specific) == row


@pytest.mark.parametrize(
    ("arguments", "code", "label"),
    [
        ("3, fixed = [[1, 2], [3, 4]]", "A0219", "it is 2 × 2; the kernel is 3 × 3"),
        ("1, fixed = [[[1]], [[1, 2]]]", "A0219", "kernel 2 is 1 × 2"),
        ("1, fixed = [[[1]], [[2]], [[3]]]", "A0219", "4 channels = 3 kernels · 1 + 1"),
        (
            "1, fixed = [[1e-50]]",
            "A0219",
            "1e-50 is outside the range of single precision",
        ),
        ("1, bias = on, fixed = [[1]]", "A0219", "a bias would be learned"),
        ("1, fixed = 1", "A0405", "`1` is a number"),
        ("1, fixed = []", "A0405", "a list is empty"),
        ("1, fixed = [[]]", "A0405", "a list is empty"),
        ("1, fixed = [1]", "A0405", "`1` is a number"),
        ("1, fixed = [[[[1], [2]]]]", "A0219", "it is 2 × 1; the kernel is 1 × 1"),
        (
            "1, fixed = [[[[1]], [[2]]]]",
            "A0219",
            "it has 2 kernels; its group has 1 channel",
        ),
        ("1, fixed = [[[[[1]]]]]", "A0405", "`[1]` is a list"),
        ("1, fixed = [[1], [[1]]]", "A0405", "`[1]` is a list"),
    ],
)
def test_kernels_that_do_not_fit(arguments: str, code: str, label: str) -> None:
    with pytest.raises(SpecError) as refused:
        elaborate(spec_text(f"depthwise({arguments})", map_(2, 3, 4)))
    (found,) = refused.value.diagnostics
    assert found.code.number == code
    assert found.primary.text.startswith(label)


@pytest.mark.parametrize(
    ("arguments", "label"),
    [
        (
            "4, 1, fixed = [[[1]], [[2]]]",
            "filter 1 has 1 kernel; its group has 4 channels",
        ),
        ("4, 1, fixed = [[1]]", "it has 1 kernel; its group has 4 channels"),
        (
            "4, 1, groups = 2, fixed = [[[[1]], [[2]]], [[[1]], [[2]], [[3]]]]",
            "filter 2 has 3 kernels; its group has 2 channels",
        ),
        ("2, 1, groups = 2, fixed = [[[[1]], [[1, 2]]]]", "kernel 2 of it is 1 × 2"),
        (
            "2, 1, groups = 2, fixed = [[[[1]], [[1]]], [[[1]], [[1], [2]]]]",
            "kernel 2 of filter 2 is 2 × 1; the kernel is 1 × 1",
        ),
        (
            "3, 1, fixed = [[[[1]], [[1]], [[1]], [[1]]], "
            "[[[1]], [[1]], [[1]], [[1]]]]",
            "3 channels = 2 filters · 1 + 1",
        ),
        ("4, 1, groups = 4, fixed = [[[1]], [[1]], [[1]]]", "4 channels = 3 kernels"),
        ("4, 1, groups = 4, bias = on, fixed = [[1]]", "a bias would be learned"),
    ],
)
def test_filters_that_do_not_fit(arguments: str, label: str) -> None:
    with pytest.raises(SpecError) as refused:
        elaborate(spec_text(f"conv({arguments})", map_(2, 3, 4)))
    (found,) = refused.value.diagnostics
    assert found.code.number == "A0219"
    assert found.primary.text.startswith(label)


def test_kernels_that_would_explode_are_refused() -> None:
    row, rows, kernels = (f"[{', '.join([one] * 400)}]" for one in "1ab")
    lets = f"let a = {row}\nlet b = {rows}\nlet c = {kernels}\n"
    text = spec_text("depthwise(401, fixed = c)", map_(2, 3, 400))
    with pytest.raises(SpecError) as refused:
        elaborate(text.replace("model tried", lets + "model tried"))
    assert [one.code.number for one in refused.value.diagnostics] == ["A0806"]
