"""Every operator at work: statements and the maps they are tried on.

A statement is elaborated as the last one of a small model, so that a case goes
through the same door as a user's spec.
"""

from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.ir.program import Op, Parallel
from s2mlp_dsl.ir.shape import Map, Shape, Tokens, Vector
from s2mlp_dsl.operators import Operator, applied

EDGES = ("keep", "replicate", "zeros", "circular", "reflect")

_GROUPS = {
    "cross": ["1/4 right", "1/4 left", "1/4 down", "1/4 up"],
    "diagonal": ["1/dim right 2 up", "2/dim down 1 left 3", "rest stay"],
    "far": ["2/dim right 7", "1/dim up 9 left 1", "rest down 5"],
    "together": ["rest right 1 down 1"],
    "woven": ["interleave", "each right -1 .. 1"],
    "fringe": ["interleave", "each down -1 .. 1", "rest right 2"],
    "timely": ["1/4 later 2", "1/4 earlier 1 right 1", "rest up 1"],
}
SHIFTS = {
    f"{name}_{edge}": "\n    ".join([f"edge {edge}", *groups])
    for name, groups in _GROUPS.items()
    for edge in EDGES
}
SHIFTS["cross"] = SHIFTS["cross_keep"]  # as the example of `shift` calls it


@dataclass(frozen=True)
class Case:
    """A statement and what enters it, None where the image does.

    `probed` cases are typical enough for the operator's properties to show.
    """

    statement: str
    entering: Shape | None
    probed: bool = True

    def __str__(self) -> str:
        where = self.entering.dims if self.entering else "image"
        return f"{self.statement} on {where}"

    @cached_property
    def program(self) -> Program:
        return elaborate(spec_text(self.statement, self.entering))

    @cached_property
    def op(self) -> Op:
        return op_of(self.program)

    @cached_property
    def operator(self) -> Operator:
        return applied(self.op)

    @cached_property
    def built(self) -> nn.Module:
        return self.program.build().get_submodule(self.op.name).double().eval()

    @property
    def shape(self) -> Shape:
        """The input; for the image the output, which has the same order of axes."""
        return self.op.source or self.op.result

    def module(self, seed: int = 0) -> nn.Module:
        """The built module with random weights, in float64."""
        net = deepcopy(self.built)
        random = torch.Generator().manual_seed(seed)
        for parameter in net.parameters():
            nn.init.normal_(parameter, generator=random)
        state = net.state_dict()
        for name, buffer in self.operator.buffers().items():
            if buffer.values == "any":
                nn.init.normal_(state[name], generator=random)
            elif buffer.values == "positive":
                nn.init.uniform_(state[name], 0.5, 2, generator=random)
        if self.operator.role == "merge":  # takes its branches one by one
            apart, branches = net.forward, self.operator.args["branches"]
            assert isinstance(branches, int)
            net.forward = lambda x: apart(*x.chunk(branches, dim=-1))
        return net

    def feed(self, x: Tensor) -> Tensor:
        """[batch, …, channels] as the module takes it."""
        return x if self.op.source else x.movedim(-1, 1)

    def input(self, batch: int = 2, seed: int = 1) -> Tensor:
        random = torch.Generator().manual_seed(seed)
        size = (batch, *self.shape.dims)
        return torch.randn(size, generator=random, dtype=torch.float64)


def op_of(program: Program) -> Op:
    """The operator that a model of one statement ends with."""
    last = program.model.body[-1]
    op = last.merge if isinstance(last, Parallel) else last
    assert isinstance(op, Op)
    return op


def spec_text(statement: str, entering: Shape | None) -> str:
    """A model that ends with the statement, and the shift it uses."""
    match entering:
        case None:
            before = ""
        case Map(time=None, height=height, width=width, channels=channels):
            before = f"    image({channels}, {height}, {width})\n"
        case Map(time=time, height=height, width=width, channels=channels):
            before = f"    video({channels}, {time}, {height}, {width})\n"
        case Tokens(count=count, channels=channels):
            before = f"    image({channels}, 1, {count})\n"
            before += '    rearrange("y x c -> (y x) c")\n'
        case Vector(channels=channels):
            before = f"    image({channels}, 2, 3)\n    pool(mean)\n"
    shifts = "".join(
        f"shift {name} {{\n    {groups}\n}}\n\n"
        for name, groups in SHIFTS.items()
        if f"({name})" in statement
    )
    return f"edition 1\n\n{shifts}model tried {{\n{before}    {statement}\n}}\n"


_TO_THE_RIGHT = "[[0, 0, 0], [1, 0, 0], [0, 0, 0]]"
_FROM_BELOW = "[[0, 0, 0], [0, 1/4, 0], [0, 1/8, 0]]"
_NOTHING = "[[0, 0, 0], [0, 0, 0], [0, 0, 0]]"
_PAIR = f"[{_TO_THE_RIGHT}, {_FROM_BELOW}]"


def map_(height: int, width: int, channels: int) -> Map:
    return Map(height=height, width=width, channels=channels)


def film(time: int, height: int, width: int, channels: int) -> Map:
    return Map(time=time, height=height, width=width, channels=channels)


def parallel(merge: str, branches: int = 2) -> str:
    """Branches that change nothing, so that what is tried is the fuse."""
    return f"parallel(copy, merge = {merge}) {{{' branch { }' * branches} }}".replace(
        "} branch", "}\n branch"
    )


_ANY = (
    map_(3, 5, 4),
    film(2, 3, 1, 4),
    Tokens(count=6, channels=3),
    map_(4, 2, 3),
    map_(1, 1, 5),
    map_(1, 6, 2),
    Vector(channels=7),
)
_GRIDS = (
    map_(3, 5, 4),
    map_(5, 2, 7),
    map_(1, 1, 5),
    map_(1, 6, 4),
    film(2, 3, 2, 3),
)
_FEW = (
    map_(3, 2, 2),
    map_(1, 1, 3),
    film(2, 1, 3, 2),
    Tokens(count=4, channels=3),
    Vector(channels=3),
)

CASES: dict[str, list[Case]] = {
    "image": [
        Case(statement, None)
        for statement in ("image(3, 4, 6)", "image(1, 1, 1)", "image(5, 7, 1)")
    ],
    "video": [
        Case(statement, None, probed=False)
        for statement in ("video(3, 2, 4, 6)", "video(1, 3, 1, 1)", "video(5, 1, 7, 1)")
    ],
    "patch": [
        Case("patch(2, 12)", map_(6, 8, 3)),
        Case("patch(3, 5)", map_(3, 9, 1)),
        Case("patch(1, 4)", map_(1, 1, 3)),
        Case("patch(1, 7)", map_(2, 3, 5)),
        Case("patch(4, 1)", map_(4, 4, 2), probed=False),
        Case("patch(2, 3)", film(2, 4, 2, 2), probed=False),
    ],
    "linear": [
        Case(statement, shape)
        for statement in ("linear(6)", "linear(3, bias = off)", "linear(1)")
        for shape in _ANY
    ],
    "norm": [
        Case(statement, shape)
        for statement in (
            "norm(layer)",
            "norm(affine)",
            "norm(layer, eps = 1/10)",
            "norm(batch)",
            "norm(batch, eps = 1e-3)",
            "norm(group)",
            "norm(group, eps = 1e-3)",
            "norm(rms)",
            "norm(rms, eps = 1e-6)",
        )
        for shape in (*_ANY, map_(2, 3, 1))
    ]
    + [
        Case(f"norm(group, groups = {groups})", shape)
        for groups, shape in (
            (2, map_(3, 2, 4)),
            (4, map_(3, 2, 4)),
            (5, map_(1, 2, 5)),
            (2, film(2, 1, 3, 6)),
            (1, film(2, 1, 1, 3)),
            (2, Vector(channels=6)),
        )
    ],
    **{
        name: [Case(name, shape) for shape in _ANY]
        for name in ("gelu", "relu", "silu", "hardswish", "sigmoid", "tanh")
    },
    "scale": [
        Case(statement, shape)
        for statement in ("scale(1e-5)", "scale(1)")
        for shape in _ANY
    ],
    "shift": [
        *(
            Case(f"shift({name}_{edge})", map_(*size), probed=name != "far")
            for edge in EDGES
            for name, channels in (
                ("cross", 8),
                ("diagonal", 5),
                ("far", 4),
                ("together", 3),
                ("woven", 7),
                ("fringe", 7),
            )
            for size in ((3, 5, channels), (1, 1, channels), (1, 4, channels))
        ),
        Case("shift(none)", map_(2, 3, 5)),
        *(
            Case(f"shift({name}_{edge})", film(3, 2, 3, 4), probed=False)
            for edge in EDGES
            for name in ("timely", "cross")
        ),
    ],
    "depthwise": [
        Case(f"depthwise({kernel}, edge = {edge}, bias = {bias})", shape)
        for kernel, bias, shapes in (
            (3, "on", _GRIDS),
            (5, "off", _GRIDS),
            (1, "on", _GRIDS[:1]),
            (9, "off", (map_(2, 3, 2),)),
        )
        for edge in ("zeros", "replicate", "circular", "reflect")
        for shape in shapes
    ]
    + [
        Case(f"depthwise(3, edge = {edge}, fixed = {kernels})", shape)
        for edge in ("zeros", "replicate", "circular", "reflect")
        for kernels, shape in (
            ("[[1, 2, 1], [2, 4, 2], [1, 2, 1]]", map_(3, 5, 1)),
            (f"[{_TO_THE_RIGHT}, {_FROM_BELOW}]", map_(4, 3, 6)),
            (f"[{_TO_THE_RIGHT}, {_FROM_BELOW}, {_FROM_BELOW}]", map_(1, 1, 3)),
            (f"[{_FROM_BELOW}, [[0, 0, 0], [1, -1, 0], [0, 0, 0]]]", map_(1, 3, 4)),
            (f"[{_TO_THE_RIGHT}, {_FROM_BELOW}]", film(2, 2, 3, 2)),
        )
    ]
    + [
        Case("depthwise(1, fixed = [[-1/3]])", map_(2, 3, 3)),
        Case(f"depthwise(3, stride = 2, fixed = {_TO_THE_RIGHT})", map_(5, 4, 3)),
        Case("depthwise(3, stride = 2)", map_(6, 5, 3)),
        Case("depthwise(3, edge = reflect, stride = 2)", film(2, 4, 3, 2)),
        Case("depthwise(5, stride = 3)", map_(6, 6, 2)),
    ],
    "conv": [
        Case(f"conv({arguments})", shape, probed)
        for arguments, shape, probed in (
            ("6, 3", map_(3, 5, 4), True),
            ("3, 3, stride = 2", map_(6, 5, 2), True),
            ("3, 1, edge = zeros", map_(1, 1, 5), True),
            ("2, 3, edge = replicate", map_(2, 3, 1), True),
            ("4, 3, edge = circular, groups = 2, bias = off", map_(3, 2, 6), True),
            ("3, 3, edge = reflect, groups = 3", map_(1, 4, 3), True),
            ("2, 2, stride = 2, pad = 0", map_(4, 5, 3), True),
            ("2, 4, edge = replicate", map_(4, 3, 2), True),
            ("3, 1, stride = 2", map_(3, 4, 2), False),
            ("2, 7, pad = 3, stride = 4", map_(5, 9, 1), False),
            ("2, 3, pad = 4", map_(2, 1, 2), False),
            ("2, 3, stride = 2, edge = reflect", film(2, 4, 3, 2), True),
        )
    ]
    + [
        Case(f"conv({arguments}, edge = {edge}, fixed = {fixed})", shape)
        for edge in ("zeros", "replicate", "circular", "reflect")
        for arguments, fixed, shape in (
            ("1, 3", f"[[{_TO_THE_RIGHT}, {_FROM_BELOW}, {_NOTHING}]]", map_(3, 5, 3)),
            ("4, 3", f"[[{_FROM_BELOW}], [{_TO_THE_RIGHT}]]", map_(4, 3, 1)),
            ("2, 3", f"[[{_NOTHING}, {_FROM_BELOW}], {_PAIR}]", map_(1, 1, 2)),
            (
                "4, 3, groups = 2",
                f"[{_PAIR}, [{_FROM_BELOW}, {_FROM_BELOW}]]",
                map_(1, 4, 4),
            ),
            (
                "3, 3, groups = 3",
                f"[{_TO_THE_RIGHT}, {_FROM_BELOW}, {_NOTHING}]",
                map_(3, 2, 3),
            ),
            ("6, 3, groups = 3", _FROM_BELOW, film(2, 2, 3, 3)),
        )
    ]
    + [
        Case("conv(2, 1, fixed = [[[1/2]], [[-3]]])", map_(2, 3, 1)),
        Case(f"conv(1, 3, stride = 2, fixed = [{_PAIR}])", map_(5, 4, 2)),
        Case(f"conv(2, 3, pad = 0, fixed = [{_PAIR}])", map_(3, 4, 2)),
        Case(
            "conv(1, 2, pad = 2, fixed = [[[[1, 0], [0, 2]], [[0, 0], [0, 3]]]])",
            map_(3, 4, 2),
            probed=False,
        ),
    ],
    "pool": [
        Case(f"pool({kind})", shape)
        for kind in ("mean", "max")
        for shape in (*_GRIDS, Tokens(count=4, channels=3))
    ]
    + [
        Case(f"pool({kind}, {windows})", shape, probed)
        for kind in ("mean", "max")
        for windows, shape, probed in (
            ("size = 2", map_(4, 6, 3), True),
            ("size = 3, stride = 2, pad = 1", map_(6, 5, 2), True),
            ("size = 3, stride = 1, pad = 1", map_(1, 1, 3), True),
            ("size = 1, stride = 2", map_(3, 4, 2), False),
            ("size = 2, stride = 2", film(2, 2, 5, 2), True),
        )
    ],
    "attention": [
        Case(f"attention({arguments})", shape)
        for arguments, shape in (
            ("2", map_(3, 2, 4)),
            ("1, bias = off", map_(2, 3, 3)),
            ("5", map_(1, 1, 5)),
            ("3", Tokens(count=5, channels=6)),
            ("2", film(2, 1, 3, 4)),
        )
    ],
    "position": [Case("position", shape) for shape in _ANY if shape.kind != "vector"],
    "class_token": [
        Case("class_token", Tokens(count=count, channels=channels), probed=False)
        for count, channels in ((6, 4), (1, 3), (2, 1))
    ],
    "take": [
        Case(f"take({which})", Tokens(count=count, channels=channels), probed=False)
        for which in ("first", "last")
        for count, channels in ((6, 4), (1, 3), (2, 1))
    ],
    "rearrange": [
        Case(f'rearrange("{pattern}")', shape, probed=False)
        for pattern, shape in (
            ("y x c -> c (y x)", map_(3, 5, 4)),
            ("y x c -> c y x", map_(1, 1, 3)),
            ("(y a=2) (x b=3) c -> y x (b a c)", map_(4, 6, 2)),
            ("t y x c -> (x t) (c y)", film(2, 3, 2, 2)),
            ("s (g c=2) -> g s c", Tokens(count=4, channels=6)),
            ("(a b=2) -> b a", Vector(channels=6)),
            ("s c -> s c", Tokens(count=2, channels=3)),
        )
    ],
    "extend": [
        Case(f"extend({axis}, {count}, {edge})", shape, probed=False)
        for axis in ("y", "x")
        for edge in ("zeros", "replicate", "circular", "reflect")
        for count, shape in (
            (2, map_(3, 5, 2)),
            (7, map_(2, 3, 1)),
            (3, map_(1, 1, 3)),
            (0, map_(2, 2, 2)),
            (1, film(2, 2, 3, 2)),
        )
    ],
    "crop": [
        Case(f"crop({axis}, {length})", shape, probed=False)
        for axis, length, shape in (
            ("y", 2, map_(3, 5, 2)),
            ("x", 2, map_(3, 5, 2)),
            ("x", 1, map_(1, 1, 3)),
            ("y", 1, film(2, 2, 3, 2)),
        )
    ],
    **{
        merge: [
            Case(parallel(merge, branches), shape)
            for branches in (2, 3)
            for shape in _FEW
        ]
        for merge in ("sum", "mean", "multiply", "concat")
    },
    "split_attention": [
        Case(parallel(f"split_attention({hidden}, {over}, bias = {bias})", 3), shape)
        for hidden, over, bias in ((2, "sum", "off"), (3, "mean", "on"))
        for shape in _FEW
    ],
}

# Scopes around a body that mixes what it takes as channels.
REGION_CASES: dict[str, list[tuple[str, Shape]]] = {
    "fold": [
        (f"fold({arguments}) {{ linear(dim) }}", shape)
        for arguments, shape in (
            ('"y x c -> c (y x)"', map_(3, 5, 4)),  # all positions
            ('"y x c -> c (y x)"', map_(1, 1, 3)),
            ('"y x c -> y c x"', map_(2, 4, 3)),  # along one axis
            ('"(y a) (x b) c -> y x (a b c)", a = 2, b = 3', map_(4, 6, 1)),  # regions
            ('"y x (s c) -> c s (y x)", s = 2', map_(3, 1, 6)),  # segments
            ('"t y x c -> y x c t"', film(3, 2, 1, 2)),  # time
            ('"s c -> c s"', Tokens(count=5, channels=3)),
        )
    ],
    "pad": [
        (f"pad({arguments}) {{ depthwise(3) }}", shape)
        for edge in ("zeros", "replicate", "circular", "reflect")
        for arguments, shape in (
            (f"y, multiple = 4, edge = {edge}", map_(3, 5, 2)),
            (f"x, multiple = 3, edge = {edge}", map_(1, 1, 3)),
            (f"x, multiple = 2, edge = {edge}", film(2, 2, 3, 1)),
            (f"y, multiple = 3, edge = {edge}", map_(6, 2, 1)),  # nothing is missing
        )
    ],
}

ALL = [case for cases in CASES.values() for case in cases]
