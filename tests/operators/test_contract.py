"""Every operator, compared with real PyTorch.

N cases of the operators (cases.py) run through M tests; a fact is tried on the cases
that it applies to.
"""

from collections.abc import Callable
from contextlib import suppress
from itertools import product

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from s2mlp_dsl.api import elaborate, verify
from s2mlp_dsl.ir.print import print_op
from s2mlp_dsl.ir.program import Shift
from s2mlp_dsl.ir.shape import Map, Shape, Tokens, Vector
from s2mlp_dsl.operators import (
    SIGNATURES,
    Operator,
    Refusal,
    Region,
    built_in,
    built_in_regions,
    find,
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


def cases_where(applies: Callable[[Operator], object]) -> pytest.MarkDecorator:
    cases = [case for case in ALL if applies(case.operator)]
    return pytest.mark.parametrize("case", cases, ids=str)


def by_name(definition: type[Operator] | type[Region]) -> str:
    return definition.name


every_case = pytest.mark.parametrize("case", ALL, ids=str)
every_operator = pytest.mark.parametrize("operator", built_in(), ids=by_name)
every_region = pytest.mark.parametrize("region", built_in_regions(), ids=by_name)


# the cases are enough


def test_every_operator_has_cases() -> None:
    assert CASES.keys() == {operator.name for operator in built_in()}


@every_operator
def test_cases_are_many_enough(operator: type[Operator]) -> None:
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


def _takes(operator: type[Operator], *shapes: Shape) -> bool:
    """Whether it takes one of them with the arguments of some case."""
    for shape, case in product(shapes, CASES[operator.name]):
        with suppress(Refusal):
            operator(shape, case.operator.args).shape()
            return True
    return False


@every_operator
def test_cases_include_every_choice(operator: type[Operator]) -> None:
    cases = [case.operator.args for case in CASES[operator.name]]
    for parameter in operator.parameters:
        # An argument that does not apply is not kept.
        given = [args.get(parameter.name, parameter.default) for args in cases]
        if parameter.kind == "enum":
            assert set(given) == set(parameter.choices)
        elif parameter.kind == "shift":
            shifts = [one for one in given if isinstance(one, Shift)]
            assert {shift.edge for shift in shifts} == set(EDGES)
            assert any(shift.interleaved for shift in shifts)
        elif parameter.default is not None:
            assert parameter.default in given
            assert set(given) != {parameter.default}


# facts


@every_case
def test_forward(case: Case) -> None:
    """The shape, the FLOPs and the names of stored tensors; the input is unchanged."""
    operator, module, x = case.operator, case.module(), case.feed(case.input(batch=3))
    before = x.clone()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        y = module(x)
    assert tuple(y.shape) == (3, *case.op.result.dims)
    assert counter.get_total_flops() == 2 * 3 * operator.macs()
    assert module.state_dict().keys() == {*operator.tensors(), *operator.buffers()}
    assert torch.equal(x, before)


@every_case
def test_keeps_zeros(case: Case) -> None:
    """All inputs 0: whether anything but 0 comes out, for random weights."""
    y = case.module()(case.feed(torch.zeros_like(case.input())))
    assert case.operator.keeps_zeros == bool((y == 0).all())


@cases_where(lambda operator: operator.learned)
def test_parameters(case: Case) -> None:
    found = {name: tuple(p.shape) for name, p in case.module().named_parameters()}
    assert found == case.operator.tensors()


@cases_where(lambda operator: operator.buffers())
def test_buffers(case: Case) -> None:
    found = {name: tuple(b.shape) for name, b in case.module().named_buffers()}
    assert found == {name: one.shape for name, one in case.operator.buffers().items()}


@every_case
def test_receptive_field(case: Case) -> None:
    operator = case.operator
    wrong = dependence(case) != expected_dependence(case, operator.receptive_field())
    assert not wrong.any(), wrong.nonzero()[:5].tolist()


@every_case
def test_reference(case: Case) -> None:
    module, x = case.module(), case.feed(case.input())
    tensors = {name: p.detach().numpy() for name, p in module.state_dict().items()}
    expected = case.operator.reference(x.numpy(), tensors)
    with torch.no_grad():
        found = module(x).numpy()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-12 * max(1, np.abs(expected).max())


@cases_where(lambda operator: not operator.buffers() and operator.learned)
def test_training_computes_the_same(case: Case) -> None:
    module, x = case.module(), case.feed(case.input())
    with torch.no_grad():
        assert torch.equal(module.train()(x), module.eval()(x))


@cases_where(lambda operator: operator.buffers())
def test_reference_in_training(case: Case) -> None:
    module, x = case.module().train(), case.feed(case.input(batch=3))
    state = {name: one.numpy().copy() for name, one in module.state_dict().items()}
    expected, changed = case.operator.reference_in_training(x.numpy(), state)
    with torch.no_grad():
        found = module(x).numpy()
    assert np.abs(found - expected).max() <= 1e-12 * max(1, np.abs(expected).max())
    assert changed.keys() <= case.operator.buffers().keys()
    for name, one in module.state_dict().items():
        wanted = changed.get(name, state[name])
        assert one.shape == wanted.shape
        np.testing.assert_allclose(one.numpy(), wanted, rtol=1e-13, atol=1e-13)


@cases_where(lambda operator: operator.accepts_rows())
def test_rows(case: Case) -> None:
    """Rows in place of a map make no difference."""
    module, x = case.module(), case.feed(case.input())
    rows = module(x.reshape(-1, x.shape[-1]))
    assert torch.equal(rows.reshape(*x.shape[:-1], -1), module(x))


def test_some_operators_accept_rows() -> None:
    assert {case.operator.accepts_rows() for case in ALL} == {True, False}


@cases_where(lambda operator: operator.linear_map() is not None)
def test_linear_map(case: Case) -> None:
    terms = case.operator.linear_map()
    assert terms is not None
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


# the definition itself


@every_operator
def test_example(operator: type[Operator]) -> None:
    program = elaborate(spec_text(operator.example, operator.example_input))
    op = op_of(program)
    assert op.operator == operator.name
    image = program.analysis.image
    assert image is not None
    y = program.build()(torch.randn(2, *image))
    assert tuple(y.shape) == (2, *op.result.dims)


@every_region
def test_region_example(region: type[Region]) -> None:
    statement = f"{region.example} {{\n        linear(dim)\n    }}"
    program = elaborate(spec_text(statement, map_(3, 5, 4)))
    assert program.model.result == map_(3, 5, 4)
    assert region.summary and region.paper
    assert elaborate(program.text).model == program.model
    assert verify(program.text, model=None).passed


def test_every_region_has_cases() -> None:
    assert REGION_CASES.keys() == {region.name for region in built_in_regions()}
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
def test_region(statement: str, shape: Shape) -> None:
    program = elaborate(spec_text(statement, shape))
    assert program.model.result == shape
    assert elaborate(program.text).model == program.model
    # Movement at both ends, numbers, gradients, params and MACs.
    assert verify(program.text, model=None, backends=()).passed
    assert torch.equal(built_dependence(program), said_dependence(program))


@every_operator
def test_every_text_is_there(operator: type[Operator]) -> None:
    assert operator.summary and operator.formula and operator.paper
    learns = any(case.operator.learned for case in CASES[operator.name])
    assert learns == (operator.initialisation != "no parameters")
    assert all(parameter.doc for parameter in operator.parameters)


@every_operator
def test_what_needs_a_map_refuses_a_vector(operator: type[Operator]) -> None:
    case = CASES[operator.name][0]
    vector = Vector(channels=case.shape.channels)
    try:
        result = operator(vector, case.operator.args).shape()
    except Refusal as refusal:
        assert refusal.label
    else:
        assert isinstance(result, Vector)


@pytest.mark.parametrize(
    ("argument", "value", "kind"),
    [
        *(("eps", 1, "affine"), ("eps", 0, "layer"), ("eps", -1, "layer")),
        *(("eps", 0, "batch"), ("groups", 2, "layer")),
        *(("groups", 4, "group"), ("groups", 6, "group")),
    ],
)
def test_norm_refuses_arguments_without_meaning(
    argument: str, value: int, kind: str
) -> None:
    norm = find("norm")
    assert norm is not None
    args = {"kind": kind, "eps": 1, "groups": 1}
    with pytest.raises(Refusal) as refused:
        norm(map_(1, 1, 6), {**args, argument: value}).shape()
    assert refused.value.argument == argument


def test_only_group_norm_keeps_groups() -> None:
    # So that another kind's function hash is what it was before there were groups.
    layer = op_of(elaborate(spec_text("norm(layer)", map_(2, 2, 2))))
    assert dict(layer.args).keys() == {"kind", "eps"}
