"""Programs to lower: the shipped models, and small ones made up to be awkward."""

from functools import cache
from pathlib import Path

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.elaborate.spec import load

SPECS = Path(__file__).parents[2] / "specs"

_CROSS = """
shift cross {
    edge keep
    1/4 right
    1/4 left
    1/4 down
    1/4 up
}
"""

MADE_UP = {
    "nested_residuals": """
model m {
    image(3, 4, 6)
    patch(2, 8)
    residual {
        residual {
            shift(cross)
            residual {
                gelu
            }
        }
        linear(8)
        residual {
            norm(affine)
        }
    }
    pool(max)
}
"""
    + _CROSS,
    "deep_residuals": """
model m {
    image(2, 3, 3)
    RESIDUALS
}
""".replace("RESIDUALS", "residual {\n" * 9 + "gelu" + "\n}" * 9),
    "ends_in_a_residual": """
model m {
    image(4, 3, 5)
    residual {
        linear(4, bias = off)
    }
}
""",
    "stacks": """
block widen(width) {
    linear(width)
    gelu
}

block both {
    widen(6)
    residual {
        widen(6)
    }
}

model m {
    image(3, 4, 4)
    stack 2 {
        widen(5)
    } then 3 {
        widen(7)
        norm(layer, eps = 1e-6)
    }
    stack 4 as i {
        linear(4 + i)
    }
    stack 2 {
        stack 3 {
            residual {
                gelu
            }
        } then 1 {
            both
        }
    }
    stack 1 {
        both
    }
    both
    pool(mean)
}
""",
    "reserved_labels": """
model m {
    image(3, 4, 6)
    _parameters: patch(2, 8)
    class: linear(8)
    input: gelu
    forward: linear(8)
    _a: linear(8)
    a: linear(8)
    _1: linear(8)
    training: norm(layer)
    T_destination: gelu
    x: linear(8)
    self: linear(8)
    torch: linear(8)
    lambda: pool(mean)
    linear1: linear(3)
    linear(2)
}
""",
    "names_of_classes": """
block true { linear(8) }
block none2 { linear(8) }
block _1 { linear(8) }
block tensor { linear(8) }
block affine { linear(8) }
block spatial_shift { linear(8) }
block move { linear(8) }
block sequence { linear(8) }
block nn { linear(8) }
block assertion_error { linear(8) }
block a__b { linear(8) }
block a_b { linear(8) }
block a_b2 { gelu }
block __ { linear(8) }

model torch {
    image(3, 4, 6)
    patch(2, 8)
    true
    none2
    _1
    tensor
    affine
    spatial_shift
    move
    sequence
    nn
    assertion_error
    a__b
    a_b
    a_b2
    __
    shift(cross)
    norm(layer)
}
"""
    + _CROSS,
    "many_groups": """
shift far {
    edge circular
    each right -3 .. 3 down -1 .. 1
}

shift woven {
    edge reflect
    interleave
    each right -2 .. 2
    rest down 3
}

shift alone {
    edge zeros
    rest right 1234567 down 1
}

model m {
    image(42, 4, 5)
    shift(far)
    shift(woven)
    shift(alone)
    shift(none)
    depthwise(3, edge = reflect, bias = off)
    depthwise(5)
}
""",
    "words": '''
"""A block of "quotes", \\back\\slashes, ünïcödé → 漢字 \U0001f600 and
    lines   of		their own, ending in a quote '"""
block quoted { gelu }

"""\\"""
block slash { gelu }

"""      """
block blank { gelu }

"""%s {braces} \\n \\N{BULLET} \\x41 '''
    + "word " * 40
    + '''"""
model m {
    image(1, 2, 2)
    quoted
    slash
    blank
}
''',
    "no_weights": """
model m {
    image(1, 2, 2)
}
""",
    **{
        f"names_of_{length}": f"""
block {"b" * length} {{
    {"s" * length}: shift(cross)
    {"l" * length}: linear(8)
    residual {{
        {"g" * length}: gelu
        {"n" * length}: norm(layer, eps = 1e-6)
    }}
}}

model {"m" * length} {{
    image(3, 4, 4)
    {"p" * length}: patch(2, 8)
    stack 12 {{
        {"b" * length}
    }} then 2 {{
        linear(8)
    }}
    {"t" * length}: stack 3 {{
        {"b" * length}
    }}
    {"c" * length}: {"b" * length}
    pool(mean)
    {"h" * length}: linear(10)
}}
"""
        + _CROSS
        for length in (20, 30, 36, 40, 44, 48, 52, 56, 60, 64, 68, 72, 76, 80, 120)
    },
}

# What a model's parameters are set to where the spec leaves them open.
_SMALL = {"width": 16, "depth": 2, "size": 32, "classes": 7}
_OPEN = {
    "s2mlp": _SMALL,
    "gmlp": _SMALL,
    "mixer": _SMALL,
    "s2mlpv2": {"width": 24, "depths": "[1, 1]", "size": 56, "classes": 7},
    "vip": {"widths": "[32, 64]", "depths": "[1, 1]", "classes": 7},
    "as_mlp": {"width": 20, "depths": "[1, 1, 1, 1]", "size": 64, "classes": 7},
    "cycle_mlp": {
        "widths": "[8, 16, 24, 32]",
        "depths": "[1, 1, 1, 1]",
        "classes": 7,
    },
    "resmlp": _SMALL,
    "vit": {"heads": 2, **_SMALL},
    "s2mlp_mixed": {"mixing": "gelu", **_SMALL},
    "shiftvit": {
        "width": 24,
        "depths": "[1, 1, 1, 1]",
        "ratio": 2,
        "size": 64,
        "classes": 7,
    },
}


@cache
def program(name: str) -> Program:
    """The program of a made-up name, or of a shipped model's."""
    if name in MADE_UP:
        return elaborate(f"edition 1\n{MADE_UP[name]}")
    # The name by which it is loaded stands in the emitted header.
    spec = load(SPECS / SHIPPED[name], f"specs/{SHIPPED[name]}")
    return elaborate(spec, name, _OPEN.get(name))


# The rows of the paper's tables differ from s2mlp_wide in numbers alone.
SHIPPED = {
    model: path.name
    for path in sorted(SPECS.glob("*.arch"))
    if path.stem != "s2mlp_tables"
    for model in load(path).models
}
LARGE = [name for name in SHIPPED if (program(name).analysis.params or 0) > 10_000_000]
SMALL = [*MADE_UP, *(name for name in SHIPPED if name not in LARGE)]
EVERY = [*SMALL, *LARGE]
