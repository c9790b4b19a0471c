"""Reach, held against the gradients of built models."""

import pytest
import torch
from torch import Tensor, nn

from s2mlp_dsl.analysis.receptive_field import (
    analyze_receptive_field,
    first_map,
    output_relation,
    seen_by,
)
from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.ir.shape import positions
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.verify.reference import unit_gain_weights

SHIFTS = """
shift cross(step = 1) {
    edge EDGE
    1/4 right step
    1/4 left step
    1/4 down step
    1/4 up step
}

shift knight {
    edge EDGE
    1/8 right 2 down 1
    3/8 left 1 up 2
    rest stay
}

shift woven {
    edge EDGE
    interleave
    each right -1 .. 1
    rest down 2
}

shift away {
    edge EDGE
    1/2 right 9
    rest up 1
}

block s2mlp(via: shift, ratio = 2) {
    residual {
        linear(dim)
        gelu
        shift(via)
        linear(dim)
        norm(layer)
    }
    residual {
        linear(ratio * dim)
        gelu
        linear(dim)
        norm(affine)
    }
}
"""
EDGES = ("keep", "replicate", "zeros", "circular", "reflect")
LEFT, ABOVE, NOTHING = (
    f"[[0, {above}, 0], [{left}, 0, 0], [0, 0, 0]]"
    for left, above in ((1, 0), (0, 1), (0, 0))
)
BODIES = {
    "one shift": "shift(cross)",
    "two in a row": "shift(cross)\nshift(cross)",
    "two in a row, mixed": "shift(cross)\nlinear(8)\nshift(cross)",
    "two, other groups": "shift(cross(2))\nshift(knight)",
    "woven": "shift(woven)\nresidual {\nshift(knight)\n}",
    "away": "shift(away)\nresidual {\nshift(away)\nlinear(8)\n}",
    "residual": "residual {\nshift(knight)\n}\nshift(cross)",
    "nested": "residual {\nresidual {\nshift(cross)\n}\nshift(woven)\n}",
    "normed": "residual {\nshift(cross)\nnorm(affine)\n}\nshift(cross)\nnorm(layer)",
    "depthwise": "depthwise(3, edge = circular)\nshift(cross)",
    "wide kernel": "residual {\ndepthwise(5, edge = reflect)\n}\ndepthwise(3)",
    "fixed filters": f"conv(8, 3, groups = 2, fixed = [[{LEFT}, {ABOVE}, {NOTHING}, "
    f"{LEFT}], [{NOTHING}, {NOTHING}, {ABOVE}, {NOTHING}]])\nshift(cross)\n"
    f"conv(3, 3, fixed = [[{', '.join([NOTHING, ABOVE, NOTHING, LEFT] * 2)}]])",
    "filters of zeros": f"conv(2, 3, groups = 2, fixed = [[{NOTHING}, {NOTHING}, "
    f"{NOTHING}, {NOTHING}]])",
    "blocks": "stack 2 {\ns2mlp(cross)\n}",
    "long steps": "stack 2 {\ns2mlp(cross(3))\n}",
    "none": "stack 3 {\ns2mlp(none)\n}",
    "pyramid": "s2mlp(cross)\npatch(2, 12)\ns2mlp(cross)",
    "pooled": "s2mlp(knight)\npool(mean)\nlinear(3)",
    "gate": "parallel(split, merge = multiply) {\nbranch {\nshift(cross(2))\n}\n"
    "branch {\nshift(cross)\n}\n}\nlinear(3)",
    "gate and residual": "residual {\nparallel(copy, merge = multiply) {\nbranch {\n"
    "depthwise(3)\nshift(cross)\n}\nbranch {\nshift(cross)\ngelu\nlinear(8, "
    "bias = off)\n}\nbranch {\nshift(away)\nlinear(8)\n}\n}\n}\nshift(cross)",
    "gate of nothing": "parallel(copy, merge = multiply) {\nbranch { shift(away) }\n"
    "branch {\nshift(away)\nscale(1/2)\n}\n}\nlinear(8)\nshift(cross)",
    "gates in a row": "stack 2 {\nparallel(copy, merge = multiply) {\nbranch { "
    "shift(cross) }\nbranch {\nshift(woven)\nsigmoid\n}\n}\n}\nlinear(8)",
    "gate and norm": "parallel(copy, merge = multiply) {\nbranch { shift(away) }\n"
    "branch {\nshift(cross)\nnorm(rms)\n}\n}\nparallel(copy, merge = multiply) {\n"
    "branch { norm(affine) }\nbranch { conv(8, 3, bias = off) }\n}\nshift(knight)",
    "split attention": "parallel(copy, merge = split_attention(hidden = 2)) {\n"
    "branch { shift(away) }\nbranch { shift(away)\nscale(1/2) }\n}\nshift(cross)",
    "calls": "stack 2 {\nresidual {\nstack 2 as i {\nshift(cross(i + 1))\n}\n}\n}",
}


def program(body: str, edge: str = "keep", size: str = "8, 12") -> Program:
    shifts = SHIFTS.replace("EDGE", edge)
    return elaborate(
        f"edition 1\n{shifts}\nmodel m {{\nimage(1, {size})\npatch(2, 8)\n{body}\n}}\n"
    )


def dependence(one: Program) -> Tensor:
    """[out position, out channel, first position], by gradients in float64."""
    net = built(one)
    start = first_map(one.model)
    assert start is not None

    def rest(z: Tensor) -> Tensor:
        """The model from its first map on."""
        hook = net.get_submodule(start.name).register_forward_hook(lambda *_: z[None])
        y = net(image(one))
        hook.remove()
        return y[0]

    torch.manual_seed(4)
    z = torch.randn(start.result.dims, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(rest, z, vectorize=True)
    channels = one.model.result.channels
    return (jacobian != 0).any(-1).reshape(-1, channels, *start.result.dims[:-1])


def built(one: Program) -> nn.Module:
    net = one.build().double().eval()
    weights = unit_gain_weights(one.model, seed=3)
    net.load_state_dict({key: torch.from_numpy(v) for key, v in weights.items()})
    return net


def image(one: Program, count: int = 1) -> Tensor:
    """The same random images each time."""
    assert one.analysis.image is not None
    random = torch.Generator().manual_seed(7)
    size = (count, *one.analysis.image)
    return torch.randn(size, dtype=torch.float64, generator=random)


def expected(one: Program) -> Tensor:
    start = first_map(one.model)
    assert start is not None
    grid = start.result.dims[:-1]
    relation = output_relation(one.model)
    assert relation is not None
    parts = relation.parts
    places = len(parts[0][1])
    found = torch.zeros(places, one.model.result.channels, *grid).bool()
    for mask, rows in parts:
        channels = [c for c in range(found.shape[1]) if mask >> c & 1]
        for place, row in enumerate(rows):
            seen = [bool(row >> p & 1) for p in range(positions(start.result))]
            found[place, channels] |= torch.tensor(seen).reshape(grid)
    return found


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("edge", EDGES)
def test_every_position_and_channel(body: str, edge: str) -> None:
    one = program(body, edge)
    assert torch.equal(dependence(one), expected(one))


@pytest.mark.parametrize("size", ["2, 2", "2, 10", "10, 2"])
@pytest.mark.parametrize("edge", EDGES)
def test_small_maps(size: str, edge: str) -> None:
    one = program(BODIES["two in a row, mixed"], edge, size)
    assert torch.equal(dependence(one), expected(one))


def test_without_a_patch_the_image_is_the_first_map() -> None:
    spec = "edition 1\nmodel m {\nimage(2, 3, 4)\ndepthwise(3)\nlinear(3)\n}\n"
    one = elaborate(spec)
    start = first_map(one.model)
    assert start is not None and start.operator == "image"
    assert torch.equal(dependence(one), expected(one))


@pytest.mark.parametrize("step, edge", [(1, "keep"), (2, "keep"), (1, "circular")])
def test_iteration_by_iteration(step: int, edge: str) -> None:
    """What `steps` and `full` say is what a model of that depth shows."""
    deepest = program(
        f"stack 9 {{\ns2mlp(cross({step}))\n}}", edge
    ).analysis.receptive_field
    assert deepest is not None
    full = None
    for reached in deepest.steps:
        depth = reached.iteration
        one = program(f"stack {depth} {{\ns2mlp(cross({step}))\n}}", edge)
        sees = dependence(one).any(1).flatten(1).sum(1)
        assert (reached.least, reached.most) == (sees.min(), sees.max())
        if full is None and sees.min() == 4 * 6:
            full = depth
    assert deepest.full == full
    assert deepest.iterations == 9


# the paper's model


def ball(height: int, width: int, place: tuple[int, int], radius: int) -> int:
    """Positions of a map within an L1 distance."""
    return sum(
        abs(y - place[0]) + abs(x - place[1]) <= radius
        for y in range(height)
        for x in range(width)
    )


def test_the_cross_reaches_an_l1_ball() -> None:
    """One step per block on 14 × 14: the far corner is 26 blocks away."""
    spec = """edition 1
import s2mlp from "std:s2mlp"
model deep = s2mlp(width = 4, depth = 30, classes = 2)
"""
    receptive_field = elaborate(spec).analysis.receptive_field
    assert receptive_field is not None
    assert (receptive_field.grid, receptive_field.full, receptive_field.iterations) == (
        (14, 14),
        26,
        30,
    )
    for reached in receptive_field.steps:
        radius = reached.iteration
        sizes = [ball(14, 14, (y, x), radius) for y in range(14) for x in range(14)]
        assert (reached.least, reached.most) == (min(sizes), max(sizes))


@pytest.mark.parametrize("depth", [1, 2, 13, 25, 26])
def test_the_built_model_sees_the_same_ball(depth: int) -> None:
    """The gradient of one corner to the whole first map.

    Over many images: the far tip hangs on few channels, and where their GELU
    is deep in its flat part, one image's gradient is exactly 0 in float64.
    """
    one = program(f"stack {depth} {{\ns2mlp(cross)\n}}", size="28, 28")
    net, seen = built(one), {}
    net.get_submodule("patch").register_forward_hook(
        lambda part, args, y: seen.setdefault("z", y)
    )
    corner = net(image(one, 32))[:, 0, 0].sum()
    (gradient,) = torch.autograd.grad(corner, seen["z"])
    distance = torch.arange(14)[:, None] + torch.arange(14)
    assert torch.equal((gradient != 0).any(-1).any(0), distance <= depth)


LARGE_BODIES = {
    "cross": "stack 3 {\ns2mlp(cross(2))\n}",
    "knight": "shift(knight)\nlinear(8)\nshift(woven)",
    "merged": "s2mlp(cross)\npatch(2, 12)\ns2mlp(cross)\nconv(8, 3, stride = 3)",
    "windows": "residual {\nconv(8, 5, edge = circular)\n}\n"
    "pool(max, size = 3, stride = 2)\ndepthwise(7, edge = reflect)",
    "axes": 'fold("y x c -> c y x") {\nlinear(dim)\n}\nshift(cross)',
    "regions": 'fold("(y a) x c -> y x (a c)", a = 4) {\nlinear(dim)\n}',
}


@pytest.mark.parametrize("body", LARGE_BODIES.values(), ids=LARGE_BODIES)
@pytest.mark.parametrize("edge", ["keep", "zeros"])
def test_maps_as_large_as_in_papers(body: str, edge: str) -> None:
    """56 × 56 positions, of which some are probed."""
    one = program(body, edge, size="112, 112")
    start = first_map(one.model)
    assert start is not None
    net, seen, x = built(one), {}, image(one, 16)
    net.get_submodule(start.name).register_forward_hook(
        lambda part, args, y: seen.setdefault("z", y)
    )
    y = net(x).sum((0, -1)).flatten()
    relation = output_relation(one.model)
    assert relation is not None
    rows = relation.rows
    assert len(rows) == len(y)
    for place in (0, 1, len(rows) // 2 + 9, len(rows) // 3, len(rows) - 1):
        (gradient,) = torch.autograd.grad(y[place], seen["z"], retain_graph=True)
        found = (gradient != 0).any(-1).any(0).flatten()
        assert sum(1 << p for p in found.nonzero().flatten().tolist()) == rows[place]


def test_an_image_is_related_where_windows_soon_reduce_it() -> None:
    spec = """edition 1
model m {
    image(1, 224, 224)
    norm(affine)
    conv(2, 7, stride = 4, pad = 2)
    stack 3 {
        depthwise(3)
        linear(2)
    }
}
"""
    receptive_field = elaborate(spec).analysis.receptive_field
    assert receptive_field is not None and receptive_field.grid == (224, 224)
    # 7 + 4 · 2n rows; at the corner two of them, and half of the others, are outside.
    assert [(one.least, one.most) for one in receptive_field.steps] == [
        ((5 + 4 * n) ** 2, (7 + 8 * n) ** 2) for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    "body",
    [
        "image(1, 257, 256)",
        "image(1, 224, 224)\ndepthwise(3)",
        "image(512, 224, 224)\nshift(many)",
        "image(16, 224, 224)\nconv(64, 7, stride = 2)\nshift(many)",
        'image(64, 224, 224)\nfold("y x c -> c y x") {\nlinear(dim)\n}',
        "image(9, 224, 224)\nattention(1)\nstack 9 {\nattention(3)\ndepthwise(3)\n}",
    ],
)
def test_what_is_too_large_is_not_computed(body: str) -> None:
    shift = "shift many {\nedge zeros\ninterleave\neach right -31 .. 32\n}\n"
    one = elaborate(f"edition 1\n{shift}model m {{\n{body}\n}}\n").model
    assert analyze_receptive_field(one) is None


def test_modules_are_those_that_are_built() -> None:
    one = program(BODIES["calls"])
    names = {name for name, _ in one.build().named_modules()}
    assert {visit.path for visit in occurrences(one.model, each=True)} <= names


LARGE = {"width": 8, "depth": 1, "patch": 1}


def test_what_is_seen_after_each_statement() -> None:
    one = elaborate(shipped("specs/digits.arch"), settings={"depth": 1}).model
    seen = seen_by(one)
    # The shift's groups read four neighbours; the position itself joins by the sum.
    assert seen == {
        "patch": 1,
        "norm": 1,
        "stack.0.linear1": 1,
        "stack.0.gelu1": 1,
        **{f"stack.0.{name}": 4 for name in ("shift", "linear2", "norm1")},
        **{f"stack.0.{name}": 5 for name in ("linear3", "gelu2", "linear4", "norm2")},
        "pool": 16,
        "head": 16,
    }
    wide = elaborate(shipped("specs/s2mlp_wide.arch")).model
    seen, receptive_field = seen_by(wide), analyze_receptive_field(wide)
    assert [*seen] == [one.path for one in occurrences(wide)][1:]
    assert receptive_field is not None
    assert seen["stack.0-11.norm2"] == receptive_field.steps[-1].most == 191
    large = elaborate(shipped("specs/s2mlp.arch"), settings=LARGE).model
    assert seen_by(large) == {}
