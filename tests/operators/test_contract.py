"""Every operator's fact sheet, held against real PyTorch."""

from contextlib import suppress
from itertools import product

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from s2mlp_dsl.api import elaborate, verify
from s2mlp_dsl.ir.print import print_op
from s2mlp_dsl.ir.shape import Map, Shape, Tokens, Vector
from s2mlp_dsl.operators import (
    OPERATORS,
    REGIONS,
    SIGNATURES,
    Args,
    Operator,
    Refusal,
    Region,
)
from tests.analysis.test_receptive_field import dependence as built_dependence
from tests.analysis.test_receptive_field import expected as said_dependence
from tests.operators.cases import (
    ALL,
    CASES,
    EDGES,
    REGION_CASES,
    Case,
    film,
    map_,
    op_of,
    spec_text,
)
from tests.operators.probe import (
    dependence,
    expected_dependence,
    matrices_of_module,
    matrices_of_terms,
)

every_case = pytest.mark.parametrize("case", ALL, ids=str)
every_operator = pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)


# the cases are enough


def test_every_operator_has_cases() -> None:
    assert CASES.keys() == OPERATORS.keys()


@every_operator
def test_cases_are_many_enough(operator: Operator) -> None:
    """What an operator takes is found out by asking it, so that none is left out."""
    cases = CASES[operator.name]
    assert all(case.op.operator == operator.name for case in cases)
    shapes = {case.shape for case in cases}
    maps = [shape for shape in shapes if isinstance(shape, Map)]
    assert len(shapes) >= 3
    assert any(shape.channels % 2 for shape in shapes)
    assert operator.role == "input" or _takes(operator, *(case.shape for case in cases))
    if operator.role == "input" or _takes(operator, map_(12, 16, 12), map_(12, 16, 1)):
        assert len(maps) >= 3
        assert any(shape.height != shape.width for shape in maps)
        assert any(shape.channels % 2 for shape in maps)
    if operator.role == "input" or _takes(operator, map_(1, 1, 12), map_(1, 1, 1)):
        assert any(shape.height == shape.width == 1 for shape in maps)
    if _takes(operator, film(2, 12, 16, 12), film(2, 12, 16, 1)):
        assert any(shape.time is not None for shape in maps)
    for other in (Tokens(count=12, channels=12), Vector(channels=12)):
        if _takes(operator, other):
            assert any(shape.kind == other.kind for shape in shapes)


def _takes(operator: Operator, *shapes: Shape) -> bool:
    """Whether it takes one of them with the arguments of some case."""
    for shape, case in product(shapes, CASES[operator.name]):
        with suppress(Refusal):
            operator.shape(shape, case.args)
            return True
    return False


@every_operator
def test_cases_include_every_choice(operator: Operator) -> None:
    cases = CASES[operator.name]
    for parameter in operator.parameters:
        # What does not apply is not kept.
        given = [
            case.args.values.get(parameter.name, parameter.default) for case in cases
        ]
        if parameter.kind == "enum":
            assert set(given) == set(parameter.choices)
        if parameter.kind == "shift":
            shifts = [case.args.shift(parameter.name) for case in cases]
            assert {shift.edge for shift in shifts} == set(EDGES)
            assert any(shift.interleaved for shift in shifts)
        # A word in place of a count is worked out, and not kept.
        elif parameter.default is not None and not isinstance(parameter.default, str):
            assert parameter.default in given
            assert set(given) != {parameter.default}


# facts


@every_case
def test_shape(case: Case) -> None:
    y = case.module()(case.feed(case.input()))
    assert tuple(y.shape) == (2, *case.op.result.dims)


@every_case
def test_parameters(case: Case) -> None:
    found = {name: tuple(p.shape) for name, p in case.module().named_parameters()}
    assert found == case.operator.tensors(case.op.source, case.args)


@every_case
def test_buffers(case: Case) -> None:
    module = case.module()
    kept = module.state_dict().keys() - dict(module.named_parameters()).keys()
    found = {name: tuple(module.state_dict()[name].shape) for name in kept}
    assert found == {name: one.shape for name, one in case.buffers.items()}


@every_case
def test_macs(case: Case) -> None:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        case.module()(case.feed(case.input(batch=3)))
    macs = case.operator.macs(case.op.source, case.args)
    assert counter.get_total_flops() == 2 * 3 * macs


@every_case
def test_receptive_field(case: Case) -> None:
    receptive_field = case.operator.receptive_field(case.shape, case.args)
    wrong = dependence(case) != expected_dependence(case, receptive_field)
    assert not wrong.any(), wrong.nonzero()[:5].tolist()


@every_case
def test_reference(case: Case) -> None:
    module, x = case.module(), case.feed(case.input())
    tensors = {name: p.detach().numpy() for name, p in module.state_dict().items()}
    expected = case.operator.reference(x.numpy(), case.args, tensors)
    with torch.no_grad():
        found = module(x).numpy()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-12 * max(1, np.abs(expected).max())


@every_case
def test_reference_in_training(case: Case) -> None:
    module, x = case.module().train(), case.feed(case.input(batch=3))
    state = {name: one.numpy().copy() for name, one in module.state_dict().items()}
    expected, changed = case.operator.reference(x.numpy(), case.args, state), {}
    if case.buffers:
        made = case.operator.reference_in_training(x.numpy(), case.args, state)
        expected, changed = made
    with torch.no_grad():
        found = module(x).numpy()
    assert np.abs(found - expected).max() <= 1e-12 * max(1, np.abs(expected).max())
    assert changed.keys() <= case.buffers.keys()
    for name, one in module.state_dict().items():
        wanted = changed.get(name, state[name])
        assert one.shape == wanted.shape
        np.testing.assert_allclose(one.numpy(), wanted, rtol=1e-13, atol=1e-13)


@every_case
def test_rowwise(case: Case) -> None:
    """Rows in place of a map make no difference, where the sheet says so."""
    if not case.operator.rowwise(case.op.source, case.args):
        return
    module, x = case.module(), case.feed(case.input())
    rows = module(x.reshape(-1, x.shape[-1]))
    assert torch.equal(rows.reshape(*x.shape[:-1], -1), module(x))


def test_operators_are_rowwise_or_not() -> None:
    found = {
        case.operator.rowwise(case.op.source, case.args): str(case) for case in ALL
    }
    assert found.keys() == {True, False}


@every_case
def test_linear_map(case: Case) -> None:
    terms = case.operator.linear_map(case.shape, case.args)
    if terms is not None:
        for found, expected in zip(
            matrices_of_module(case), matrices_of_terms(case, terms), strict=True
        ):
            assert torch.equal(found, expected)


@every_case
def test_gradient_is_that_of_the_value(case: Case) -> None:
    # Not at the border of a maximum, where there is none.
    x = case.feed(case.input(batch=1)).clone().requires_grad_()
    assert torch.autograd.gradcheck(case.module(), (x,), atol=1e-5, fast_mode=True)


@every_case
def test_text_round_trips(case: Case) -> None:
    program = case.program
    assert print_op(case.op, SIGNATURES[case.op.operator]) in program.text
    again = elaborate(program.text)
    assert again.model == program.model
    assert again.text == program.text


@every_case
def test_input_is_left_alone(case: Case) -> None:
    x = case.feed(case.input())
    before = x.clone()
    case.module()(x)
    assert torch.equal(x, before)


# the sheet itself


@every_operator
def test_example(operator: Operator) -> None:
    program = elaborate(spec_text(operator.example, operator.example_input))
    op = op_of(program)
    assert op.operator == operator.name
    image = program.analysis.image
    assert image is not None
    y = program.build()(torch.randn(2, *image))
    assert tuple(y.shape) == (2, *op.result.dims)


@pytest.mark.parametrize("region", REGIONS.values(), ids=REGIONS)
def test_scope_example(region: Region) -> None:
    statement = f"{region.example} {{\n        linear(dim)\n    }}"
    program = elaborate(spec_text(statement, map_(3, 5, 4)))
    assert program.model.result == map_(3, 5, 4)
    assert region.summary and region.paper
    assert elaborate(program.text).model == program.model
    assert verify(program.text, model=None).passed


def test_every_scope_has_cases() -> None:
    assert REGION_CASES.keys() == REGIONS.keys()
    for cases in REGION_CASES.values():
        maps = [shape for _, shape in cases if isinstance(shape, Map)]
        assert len(set(maps)) >= 3
        assert any(shape.height != shape.width for shape in maps)
        assert any(shape.height == shape.width == 1 for shape in maps)
        assert any(shape.channels % 2 for shape in maps)
        assert any(shape.time is not None for shape in maps)


@pytest.mark.parametrize(
    ("statement", "shape"),
    [case for cases in REGION_CASES.values() for case in cases],
    ids=str,
)
def test_scope(statement: str, shape: Shape) -> None:
    program = elaborate(spec_text(statement, shape))
    assert program.model.result == shape
    assert elaborate(program.text).model == program.model
    # Movement of what enters and leaves, numbers, gradients, params and MACs.
    assert verify(program.text, model=None, backends=()).passed
    assert torch.equal(built_dependence(program), said_dependence(program))


@every_operator
def test_sheet_is_filled_in(operator: Operator) -> None:
    assert operator.summary and operator.formula and operator.paper
    learns = any(
        case.operator.tensors(case.op.source, case.args)
        for case in CASES[operator.name]
    )
    assert learns == (operator.initialisation != "no parameters")
    assert all(parameter.doc for parameter in operator.parameters)


@every_operator
def test_what_needs_a_map_refuses_a_vector(operator: Operator) -> None:
    case = CASES[operator.name][0]
    vector = Vector(channels=case.shape.channels)
    try:
        result = operator.shape(vector, case.args)
    except Refusal as refusal:
        assert refusal.label
    else:
        assert isinstance(result, Vector)


def test_norm_refuses_an_eps_without_meaning() -> None:
    norm = OPERATORS["norm"]
    for kind, eps in (("affine", 1), ("layer", 0), ("layer", -1), ("batch", 0)):
        with pytest.raises(Refusal) as refused:
            norm.shape(map_(2, 2, 2), Args({"kind": kind, "eps": eps}))
        assert refused.value.argument == "eps"


def test_norm_refuses_groups_without_meaning() -> None:
    norm = OPERATORS["norm"]
    for kind, groups in (("layer", 2), ("group", 4), ("group", 6)):
        with pytest.raises(Refusal) as refused:
            given = Args({"kind": kind, "eps": 1, "groups": groups})
            norm.shape(map_(1, 1, 6), given)
        assert refused.value.argument == "groups"


def test_only_group_norm_keeps_groups() -> None:
    # So that another kind's function hash is what it was before there were groups.
    layer = op_of(elaborate(spec_text("norm(layer)", map_(2, 2, 2))))
    assert dict(layer.args).keys() == {"kind", "eps"}
