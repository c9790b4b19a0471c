"""Studies of a text: their rows, and every mistake at its place."""

import pytest

from s2mlp_dsl.analysis.analyze import check_spec
from s2mlp_dsl.recipe.study import Figure, Study, recipe_hash
from tests.checking import diagnose, marked, model_of, spec_of
from tests.recipes import (
    SGD,
    AdamW,
    Digits,
    FashionMNIST,
    HorizontalFlip,
    Recipe,
    Translate,
)

HEAD = """edition 1

let widths = [8, 16]

shift aside(step = 1) {
    edge keep
    1/2 right step
    1/2 left step
}

model tiny(width = 4, depth = 1, via = aside) {
    image(1, 8, 8)
    linear(width)
    stack depth {
        residual {
            shift(via)
            linear(dim)
        }
    }
    pool(mean)
    linear(10)
}

model wide = tiny(width = 32)

model other(kind: enum = layer, sizes: list = [1, 2]) {
    image(1, 8, 8)
    norm(kind)
    pool(mean)
    linear(10 * sizes[0])
}

recipe quick {
    data = digits
    epochs = 4
    batch = 64
}
"""


def studied(body: str, head: str = "study s of tiny") -> Study:
    """The study with this body, which must be right."""
    checked = check_spec(spec_of(f"{HEAD}\n{head} {{\nrecipe = quick\n{body}\n}}\n"))
    assert not checked.report.diagnostics
    (study,) = checked.studies
    return study


def labels(study: Study) -> list[str]:
    return [row.label for row in study.rows]


def test_what_is_varied_makes_a_product() -> None:
    study = studied("vary depth = [1, 3]\nvary batch = [16, 32]\nseeds = [7, 0]")
    assert labels(study) == [
        "depth = 1, batch = 16",
        "depth = 1, batch = 32",
        "depth = 3, batch = 16",
        "depth = 3, batch = 32",
    ]
    assert [row.key for row in study.rows][:2] == [
        "depth-1-batch-16",
        "depth-1-batch-32",
    ]
    assert study.seeds == (7, 0) and study.runs == 8
    last = study.rows[-1]
    assert last.axes == (("depth", "3"), ("batch", "32")) and last.case is None
    assert last.arguments == (("depth", "3"),)
    assert last.recipe.batch == 32 and last.recipe.epochs == 4
    text = HEAD + "model it = tiny(depth = 3)\n"
    assert last.model.body == model_of(text, "it").body


def test_cases_side_by_side_with_their_printed_figures() -> None:
    study = studied(
        'case "(a) S²-MLP" tiny(16, via = aside(2)) printed [87.1, none, 43M, 8.5G]\n'
        'case "(b)" wide printed [87]\n'
        'case "(c)" other(batch, sizes = [1, 3])\n'
        "epochs = 2",
        "study s",
    )
    first, second, third = study.rows
    assert first.key == "a-s2-mlp" and first.model_name == "tiny"
    assert first.arguments == (("width", "16"), ("via", "aside(2)"))
    assert first.printed.top1 == Figure(text="87.1", value=87.1)
    assert first.printed.top5 is None
    assert first.printed.macs == Figure(text="8.5G", value=8.5e9)
    assert second.arguments == () and second.model_name == "wide"
    assert second.printed.top5 is second.printed.params is None
    assert third.arguments == (("kind", "batch"), ("sizes", "[1, 3]"))
    assert study.seeds == (0,)
    assert {row.recipe.epochs for row in study.rows} == {2}


def test_cases_times_what_is_varied() -> None:
    study = studied(
        'case "no shift" tiny(via = none)\ncase "shift" tiny\n'
        "vary width = widths\nvary optimizer = [sgd(lr = 0.1), adamw(lr = 1e-3)]"
    )
    assert len(study.rows) == 8
    row = study.rows[1]
    assert row.label == "no shift, width = 8, optimizer = adamw(lr = 1e-3)"
    assert (row.case, row.model_name) == ("no shift", "tiny")
    assert row.recipe.optimizer.kind == "adamw"
    assert study.rows[2].axes[0] == ("width", "16")


def test_equal_rows_share_their_runs() -> None:
    study = studied(
        'case "as it is" tiny\ncase "said" tiny(width = 2 + 2, via = aside(1))\n'
        'case "deeper" tiny(depth = 2)',
        "study s",
    )
    assert [row.runs for row in study.rows] == ["as-it-is", "as-it-is", "deeper"]
    assert study.runs == 2 and len(study.rows) == 3


def test_a_length_that_is_given_replaces_the_other() -> None:
    study = studied("vary steps = [10, 20]")
    assert [(r.recipe.steps, r.recipe.epochs) for r in study.rows] == [
        (10, None),
        (20, None),
    ]
    study = studied("epochs = 3\nvary steps = [10]")
    assert study.rows[0].recipe.epochs is None


def test_keys_name_folders_and_never_collide() -> None:
    study = studied(
        'case "A/b" tiny(depth = 2)\ncase "a b" tiny(depth = 3)\n'
        'case "…" tiny(depth = 4)\ncase "../x" tiny(depth = 5)',
        "study s",
    )
    assert [row.key for row in study.rows] == ["a-b", "a-b-2", "row", "x"]
    long = studied(f'case "{"long " * 30}" tiny', "study s")
    assert len(long.rows[0].key) <= 48


def test_no_title_reaches_a_terminal_as_it_is() -> None:
    study = studied('case "\x1b[31mred" tiny', "study s")
    assert study.rows[0].label == study.rows[0].case == "�[31mred"


def test_the_recipes_hash_is_of_what_it_says() -> None:
    usual = Recipe(data=Digits(), epochs=1, batch=2)
    same = [
        Recipe(data=Digits(), epochs=1, batch=2, optimizer=AdamW(lr=1e-3), seed=3),
        Recipe(data=Digits(), epochs=1, batch=2, workers=7, ema=None),
    ]
    others = [
        Recipe(data=Digits(), steps=1, batch=2),
        Recipe(data=FashionMNIST(), epochs=1, batch=2),
        Recipe(data=Digits(), epochs=1, batch=2, optimizer=SGD()),
        Recipe(data=Digits(), epochs=1, batch=2, optimizer=AdamW(lr=2e-3)),
        Recipe(data=Digits(), epochs=1, batch=2, augment=(HorizontalFlip(),)),
        Recipe(data=Digits(), epochs=1, batch=2, augment=(Translate(),)),
        Recipe(
            data=Digits(), epochs=1, batch=2, augment=(HorizontalFlip(), Translate())
        ),
    ]
    assert {recipe_hash(one) for one in same} == {recipe_hash(usual)}
    assert len({recipe_hash(one) for one in [usual, *others]}) == len(others) + 1
    # Older records stay what they are: this never changes.
    assert recipe_hash(usual)[:12] == "291989f96f13"


def test_settings_given_for_all_rows() -> None:
    spec = spec_of(
        f"{HEAD}\nstudy s of tiny {{\nrecipe = quick\nvary depth = [1, 2]\n}}"
    )
    study = spec.study(spec.choose_study(None), {"width": "12", "steps": "5"})
    assert [dict(row.arguments) for row in study.rows] == [
        {"width": "12", "depth": "1"},
        {"width": "12", "depth": "2"},
    ]
    assert {row.recipe.steps for row in study.rows} == {5}


WRONG = {
    "an unknown key": ("vary depht = [1]", [("A0611", "depht")]),
    "an unknown setting": ("epoch = 3", [("A0611", "epoch")]),
    "a seed": ("seed = 3", [("A0611", "seed")]),
    "a varied seed": ("vary seed = [1, 2]", [("A0611", "seed")]),
    "one value": ("vary depth = 2", [("A0612", "2")]),
    "no values": ("vary depth = []", [("A0612", "[]")]),
    "a value twice": ("vary depth = [1, 2, 1]", [("A0612", "1")]),
    "a key twice": ("vary depth = [1]\nvary depth = [2]", [("A0303", "depth")]),
    "a setting twice": ("epochs = 1\nepochs = 2", [("A0303", "epochs")]),
    "no seeds": ("seeds = []", [("A0613", "[]")]),
    "half a seed": ("seeds = [1, 1/2]", [("A0613", "[1, 1/2]")]),
    "a seed twice": ("seeds = [1, 1]", [("A0613", "[1, 1]")]),
    "a word for seeds": ("seeds = many", [("A0301", "many")]),
    "too much printed": (
        'case "a" tiny printed [1, 2, 3, 4, 5]',
        [("A0614", "[1, 2, 3, 4, 5]")],
    ),
    "nothing printed": ('case "a" tiny printed []', [("A0614", "[]")]),
    "percent twice": ('case "a" tiny printed [87.1%]', [("A0614", "87.1%")]),
    "a share": ('case "a" tiny printed [101]', [("A0614", "101")]),
    "too many MACs": ('case "a" tiny printed [1, 1, 1, 1e40]', [("A0614", "1e40")]),
    "negative MACs": ('case "a" tiny printed [1, 1, 1, -2]', [("A0614", "-2")]),
    "a label twice": (
        'case "a" tiny\ncase "a" tiny(depth = 2)',
        [("A0615", '"a"')],
    ),
    "varied and given": (
        'vary depth = [1]\ncase "a" tiny(depth = 2)',
        [("A0617", "depth")],
    ),
    "varied and set": ("vary epochs = [1]\nepochs = 2", [("A0617", "epochs")]),
    "no such model": ('case "a" tny', [("A0301", "tny")]),
    "a recipe for a model": ('case "a" quick', [("A0306", "quick")]),
    "no such parameter": ('case "a" tiny(dept = 2)', [("A0402", "dept")]),
    "too many arguments": ('case "a" tiny(1, 2, aside, 4)', [("A0401", "4")]),
    "a value the recipe refuses": ("vary batch = [8, 0]", [("A0602", "0")]),
    "a kind the model refuses": ("vary depth = [1, aside]", [("A0405", "aside")]),
    "an unknown value": ("vary depth = [1, deep]", [("A0301", "deep")]),
    "both at once": (
        "vary depht = [1]\nseeds = 0",
        [("A0611", "depht"), ("A0613", "0")],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes(name: str) -> None:
    body, expected = WRONG[name]
    text = f"{HEAD}\nstudy s of tiny {{\nrecipe = quick\n{body}\n}}\n"
    assert marked(text) == expected


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        ("study s of tiny {\nvary depth = [1]\n}", [("A0616", "s")]),
        ("study s {\nrecipe = quick\n}", [("A0616", "s")]),
        ("study s of tny {\nrecipe = quick\n}", [("A0301", "tny")]),
        ('study s of tny {\nrecipe = quick\ncase "a" tiny\n}', [("A0301", "tny")]),
        ("study s of tiny {\nrecipe = quik\n}", [("A0301", "quik")]),
        ("study s of tiny {\nrecipe = tiny\n}", [("A0306", "tiny")]),
        ("study s of tiny {\nrecipe = 3\n}", [("A0301", "3")]),
        ("study tiny of tiny {\nrecipe = quick\n}", [("A0303", "tiny")]),
        ("study s of quick {\nrecipe = quick\n}", [("A0306", "quick")]),
    ],
)
def test_mistakes_of_the_whole(study: str, expected: list[tuple[str, str]]) -> None:
    assert marked(f"{HEAD}\n{study}\n") == expected


def test_a_value_the_model_refuses_says_which() -> None:
    text = f"{HEAD}\nstudy s of tiny {{\nrecipe = quick\nvary width = [4, 5]\n}}\n"
    (found,) = diagnose(text)
    assert found.code.number == "A0203"
    assert "5" in [label.span.text for label in found.secondary]


def test_models_that_cannot_be_trained() -> None:
    map = "model m {\nimage(1, 8, 8)\nlinear(4)\n}\n"
    clip = "model m {\nvideo(1, 2, 8, 8)\npool(mean)\nlinear(10)\n}\n"
    for model in (map, clip):
        text = f"{HEAD}{model}\nstudy s of m {{\nrecipe = quick\n}}\n"
        assert marked(text) == [("A0618", "m")]
