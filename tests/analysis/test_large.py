"""What would take gigabytes or minutes is not built: small specs with large numbers."""

import time
import tracemalloc

import pytest

from s2mlp_dsl.analysis.analyze import check_spec
from s2mlp_dsl.analysis.compare import compare_model
from s2mlp_dsl.analysis.work import TooLarge
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.elaborate.spec import load

SHIFT = "shift s {\nedge keep\n1/2 right\n1/2 left\n}\n"
WIDE_SHIFT = "shift wide {\nedge circular\neach right -10 .. 10 down -10 .. 10\n}\n"
THIRDS = ", ".join([f"[{', '.join(['1/3'] * 31)}]"] * 31)
SIGNS = ", ".join([f"[{', '.join(['1', '-1/7'] * 15 + ['0'])}]"] * 31)
BODIES = {
    "padding": "image(3, 16, 16)\nconv(1, 1, pad = 4000)",
    "padding, kernel": "image(1, 4, 4)\nconv(2, 5, pad = 9000, edge = zeros)",
    "fixed kernel": f"image(3, 112, 112)\ndepthwise(31, fixed = [{THIRDS}])",
    "fixed kernel, signs": f"image(3, 112, 112)\ndepthwise(31, fixed = [{SIGNS}])",
    "fixed filters": f"image(1, 112, 112)\nconv(4, 31, fixed = [{SIGNS}])",
    "extended": "image(1, 1, 1)\nextend(y, 16_000_000, zeros)",
    "extended by columns": "image(3, 16, 16)\nextend(x, 62_041_106, zeros)\nlinear(4)",
    "replicated": "image(1, 2, 2)\nextend(x, 30_000_000, replicate)\nshift(none)",
    "multiple": "image(3, 9, 9)\npad(x, multiple = 0.1G, edge = zeros) {\nlinear(3)\n}",
    "video": "video(4, 1e6, 5, 2)\nshift(none)\nconv(8, 3, edge = circular)\n"
    'rearrange("(t a=1) y (x b=1) (c d=4) -> (b a d t) c y x")',
    "columns": 'image(2, 8, 4_000_000)\nfold("y x c -> c y x") {\nlinear(dim)\n}',
    "shifted": "image(2, 3000, 3000)\nshift(s)\ndepthwise(31)\nlinear(3)",
    "window": "image(1, 4000, 4000)\npool(max, size = 3, stride = 1)",
    "attention": "image(4, 2000, 2000)\nattention(2)",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_small_specs_with_large_numbers(body: str) -> None:
    text = f"edition 1\n{SHIFT}model m {{\n{body}\n}}\n"
    tracemalloc.start()
    try:
        spec = load(text, "spec.arch")
        check_spec(spec)
        for declared in spec.models.values():
            compare_model(spec.expand(declared, {}))
    except SpecError as error:
        assert error.diagnostics
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 500 * 2**20


SLOW = {
    "kernels that cancel": f"image(1, 70, 70)\ndepthwise(31, fixed = [{SIGNS}])",
    "filters that cancel": f"image(1, 50, 50)\nconv(3, 31, fixed = [{SIGNS}])",
    "shifted groups": "image(441, 180, 180)\nshift(wide)",
    "shifts in a row": "image(441, 32, 32)\n" + "shift(wide)\n" * 100,
    "attention in frames": "video(3, 8, 60, 60)\nattention(1)",
    "norms in frames": "video(3, 4, 60, 60)\nnorm(group, groups = 1)",
    "transposed": 'image(384, 112, 112)\nfold("y x c -> c (y x)") {\nlinear(dim)\n}',
    "many rows": "image(3, 8, 8)\n" + "extend(y, 11, circular)\n" * 400,
    "heads": "image(4_000_000_007, 1, 1)\nattention(2)",
    "blocks of one name": "image(1, 1, 1)\nstack 2300 as i {\nlinear(i + 1)\n}",
}


@pytest.mark.parametrize("body", SLOW.values(), ids=SLOW)
def test_in_two_seconds(body: str) -> None:
    spec = load(f"edition 1\n{WIDE_SHIFT}model m {{\n{body}\n}}\n", "spec.arch")
    start = time.process_time()
    check_spec(spec)
    assert time.process_time() - start < 2


def test_one_count_of_work_for_a_spec() -> None:
    body = 'image(64, 56, 56)\nfold("y x c -> c (y x)") {\nlinear(dim)\n}'
    models = "".join(f"model m{n} {{\n{body}\n}}\n" for n in range(40))
    spec = load(f"edition 1\n{models}", "spec.arch")
    start = time.process_time()
    fields = [one.receptive_field for one in check_spec(spec).analyses]
    assert time.process_time() - start < 2
    assert fields[0] is not None and fields[-1] is None
    (alone,) = check_spec(spec, model="m39").analyses
    assert alone.receptive_field == fields[0]


def test_channels_too_many_to_compare() -> None:
    text = f"edition 1\n{SHIFT}model m {{\nimage(40_000_000, 4, 4)\nshift(s)\n}}\n"
    spec = load(text, "spec.arch")
    with pytest.raises(TooLarge):
        compare_model(spec.expand(spec.choose_model(None), {}))


def test_dense_kernels_are_still_related() -> None:
    text = f"edition 1\nmodel m {{\n{BODIES['fixed kernel']}\n}}\n"
    spec = load(text, "spec.arch")
    (declared,) = spec.models.values()
    (row,) = compare_model(spec.expand(declared, {})).operators
    assert row.reads == 31**2


def test_chained_variants() -> None:
    """Beyond the limit of levels they are refused."""
    lines = [
        "edition 1",
        "model m0(width = 4) {",
        "image(1, 3, 3)",
        "linear(width)",
        "}",
    ]
    lines += [f"model m{n} = m{n - 1}" for n in range(1, 2001)]
    found = load("\n".join(lines) + "\n", "spec.arch").report
    assert {one.code.number for one in found.diagnostics} == {"A0110"}
    spec = load("\n".join(lines[:60]) + "\n", "spec.arch")
    assert len(check_spec(spec).analyses) == 56


@pytest.mark.parametrize("line", ["foo{}(bar{})", "linear(bar{})", "shift(foo{})"])
def test_unknown_names(line: str) -> None:
    lines = "\n".join(line.format(n, n) for n in range(15_000))
    found = load(f"edition 1\nmodel m {{\nimage(1, 3, 3)\n{lines}\n}}\n", "spec.arch")
    assert 100 <= len(found.report.diagnostics) < 200
