"""Random valid models, compared with the modules that are built from them.

`python -m tests.fuzz.models --seed 0 --count 5000`; `--seed N --count 1` repeats the
one that a failure names. With `--export` each is also exported, for any batch.
"""

import argparse
import random
import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.ir.shape import Map, Shape, Tokens, Vector
from s2mlp_dsl.lower.export import export_program

EDGES = ("zeros", "replicate", "circular", "reflect")
SHIFTS = """shift cross(step = 1, rule: enum = keep) {
    edge rule
    1/4 right step
    1/4 left step
    1/4 down step
    1/4 up step
}

shift woven {
    edge reflect
    interleave
    each right -1 .. 1
    rest down 2
}

shift corner {
    edge zeros
    1/2 right 1 down 2
    rest stay
}
"""
_MOST_ENTRIES = 40_000
_TRIES = 12  # statements tried for each that is kept


class Writer:
    """Writes a model statement by statement; what the compiler refuses is left out."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.blocks = chance, list[str]()
        image = ", ".join(map(str, [self.some(4), self.some(13), self.some(13)]))
        video = f"video({self.some(3)}, {self.some(4)}, {self.some(8)}, {self.some(8)})"
        self.lines = [video if chance.random() < 0.15 else f"image({image})"]

    def some(self, most: int) -> int:
        return self.chance.randint(1, most)

    def one(self, *choices: str) -> str:
        return self.chance.choice(choices)

    def text(self, *more: str) -> str:
        body = "\n".join([*self.lines, *more])
        return f"edition 1\n{SHIFTS}{''.join(self.blocks)}model m {{\n{body}\n}}\n"

    def write(self) -> str:
        shape = elaborate(self.text()).model.result
        for _ in range(self.some(9)):
            for _ in range(_TRIES):
                blocks = len(self.blocks)
                statement = self.statement(shape)
                try:
                    model = elaborate(self.text(statement)).model
                except SpecError:
                    del self.blocks[blocks:]
                    continue
                result = model.result
                if torch.Size(result.dims).numel() > _MOST_ENTRIES:
                    continue
                self.lines.append(statement)
                shape = result
                break
        return self.text()

    def statement(self, shape: Shape, depth: int = 0) -> str:
        """One that may fit the shape."""
        kinds: list[Callable[[Shape], str]] = [self.operator] * 6
        if depth < 3:
            inner: list[Callable[[Shape, int], str]] = [
                self.residual,
                self.parallel,
                self.stack,
                self.block,
                self.region,
            ]
            kind = self.chance.randrange(len(kinds) + len(inner))
            if kind >= len(kinds):
                return inner[kind - len(kinds)](shape, depth)
        return self.operator(shape)

    def body(self, shape: Shape, depth: int) -> str:
        return "\n".join(self.statement(shape, depth + 1) for _ in range(self.some(3)))

    def residual(self, shape: Shape, depth: int) -> str:
        end = self.one("linear(dim)", "gelu", "norm(affine)")
        return f"residual {{\n{self.body(shape, depth)}\n{end}\n}}"

    def parallel(self, shape: Shape, depth: int) -> str:
        merge = self.one(
            "sum", "mean", "multiply", "concat",
            f"split_attention({self.some(4)}, {self.one('sum', 'mean')}, "
            f"bias = {self.one('on', 'off')})",
        )  # fmt: skip
        branches = "\n".join(
            f"branch {{\n{self.body(shape, depth) if self.some(3) > 1 else ''}\n}}"
            for _ in range(1 + self.some(2))
        )
        feed = self.one("copy", "split")
        return f"parallel({feed}, merge = {merge}) {{\n{branches}\n}}"

    def stack(self, shape: Shape, depth: int) -> str:
        then = self.one("", f" then {self.some(2)} {{\n{self.body(shape, depth)}\n}}")
        return f"stack {self.some(3)} {{\n{self.body(shape, depth)}\n}}{then}"

    def block(self, shape: Shape, depth: int) -> str:
        body = self.body(shape, depth)
        name = f"block{len(self.blocks)}"
        self.blocks.append(
            f"block {name}(width = {self.some(9)}) {{\n{body}\nlinear(width)\n}}\n"
        )
        return self.one(name, f"{name}(width = {self.some(7)})")

    def region(self, shape: Shape, depth: int) -> str:
        pattern = self.one(
            '"y x c -> c (y x)"', '"y x c -> y c x"', '"t y x c -> y x c t"',
            '"s c -> c s"', '"(y a) x c -> y x (a c)", a = 2',
            '"y x (s c) -> c s (y x)", s = 2',
        )  # fmt: skip
        pad = f"{self.one('y', 'x')}, multiple = {self.some(5)}, {self.one(*EDGES)}"
        head = self.one(f"fold({pattern})", f"pad({pad})")
        end = self.one("linear(dim)", "norm(layer)", "gelu")
        return f"{head} {{\n{end}\n}}"

    def operator(self, shape: Shape) -> str:
        choices = [*self.on_anything(shape)]
        if isinstance(shape, Map):
            choices += self.on_maps(shape) * 2
        if isinstance(shape, Tokens):
            choices += ["class_token", "take(first)", "take(last)"]
        if not isinstance(shape, Vector):
            choices += ["position", f"pool({self.one('mean', 'max')})"]
            choices.append(f"attention({self.some(3)}, bias = {self.one('on', 'off')})")
        return self.chance.choice(choices)

    def on_anything(self, shape: Shape) -> list[str]:
        norm = self.one("layer", "affine", "batch", "rms", "group")
        groups = f", groups = {self.some(4)}" if norm == "group" else ""
        return [
            f"linear({self.some(16)}, bias = {self.one('on', 'off')})",
            f"linear({4 * self.some(4)})",
            f"norm({norm}{groups})",
            self.one("gelu", "relu", "silu", "hardswish", "sigmoid", "tanh"),
            f"scale({self.one('1e-5', '1', '1/3', '-2')})",
        ]

    def on_maps(self, shape: Map) -> list[str]:
        kernel, edge = self.some(6), self.one(*EDGES)
        width, odd = shape.channels * self.some(2), 2 * self.some(3) - 1
        rows = ", ".join(
            f"[{', '.join(self.one('0', '1', '-1/3', '2') for _ in range(odd))}]"
            for _ in range(odd)
        )
        side, stride = self.some(3), self.some(3)
        return [
            f"patch({self.some(3)}, {self.some(12)})",
            f"shift(cross({self.some(3)}, {self.one('keep', *EDGES)}))",
            f"shift({self.one('woven', 'corner', 'none')})",
            f"depthwise({odd}, stride = {stride}, edge = {edge}, bias = off)",
            f"depthwise({odd}, edge = {edge}, fixed = [{rows}])",
            f"conv({width}, {kernel}, stride = {stride}, edge = {edge}, "
            f"groups = {self.one('1', '2', str(shape.channels))})",
            f"conv({self.some(9)}, {kernel}, pad = {self.some(5) - 1})",
            f"conv({shape.channels}, {odd}, groups = {shape.channels}, "
            f"fixed = [{rows}])",
            f"pool({self.one('mean', 'max')}, size = {side}, stride = {stride}, "
            f"pad = {side // 2})",
            f"extend({self.one('y', 'x')}, {self.some(4) - 1}, {edge})",
            f"crop({self.one('y', 'x')}, {self.some(6)})",
            self.one(
                'rearrange("y x c -> (y x) c")',
                'rearrange("y x c -> x y c")',
                'rearrange("(y a=2) x c -> y x (a c)")',
                'rearrange("t y x c -> (t y x) c")',
            ),
        ]


def model_of(seed: int) -> str:
    return Writer(random.Random(seed)).write()


def compare(program: Program) -> None:
    """Shapes, parameters and MACs of the spec against those of the module."""
    torch.manual_seed(0)
    module = program.build().eval()
    figures = program.figures
    assert figures.image is not None
    x = torch.randn(2, *figures.image)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        y = module(x)
    assert tuple(y.shape) == (2, *program.model.result.dims), y.shape
    assert sum(p.numel() for p in module.parameters()) == figures.params
    assert counter.get_total_flops() == 2 * 2 * (figures.macs or 0)
    again = elaborate(program.text)
    assert again.text == program.text
    assert again.function_hash == program.function_hash
    assert again.weight_hash == program.weight_hash


def compare_export(program: Program) -> None:
    """The exported program against the module, for batches of one and of three."""
    torch.manual_seed(0)
    module = program.build().eval()
    exported = export_program(program.model, module).module()
    for batch in (1, 3):
        x = torch.randn(batch, *program.model.input_size)
        with torch.no_grad():
            torch.testing.assert_close(exported(x), module(x), rtol=1e-4, atol=1e-5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--export", action="store_true")
    given = parser.parse_args()
    end, failures, done = time.monotonic() + 60 * given.minutes, 0, 0
    for seed in range(given.seed, given.seed + given.count):
        if time.monotonic() > end:
            break
        text = ""
        try:
            text = model_of(seed)
            program = elaborate(text)
            compare(program)
            if given.export:
                compare_export(program)
        except Exception as error:
            failures += 1
            print(f"seed {seed}: {type(error).__name__}: {error}\n{text}", flush=True)
        done += 1
    print(f"{done} models from seed {given.seed}, {failures} failures")
    raise SystemExit(bool(failures))


if __name__ == "__main__":
    main()
