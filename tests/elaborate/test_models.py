"""Models by name: variants, open parameters, settings, choice."""

import json
from pathlib import Path

import pytest

from s2mlp_dsl.elaborate.spec import ChoiceError
from s2mlp_dsl.shipped import shipped
from tests.checking import model_of, spec_of
from tests.diagnostics.running import Checker

TEXT = """edition 1
shift aside {
    edge keep
    rest right
}
model base(width, depth = 2, via = none, kind: enum = layer) {
    image(3, 8, 8)
    linear(width)
    stack depth {
        shift(via)
        norm(kind)
    }
}
model small = base(width = 4)
model deep = small(depth = 9)
model sideways = deep(via = aside, width = 6)
"""


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Checker:
    return Checker(capsys)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "models.arch"
    path.write_text(TEXT)
    return path


def data(check: Checker, *arguments: str | Path) -> dict[str, dict[str, object]]:
    run = check(*arguments, "--format", "json")
    assert run.code == 0, run.err + run.out
    return {one["name"]: one for one in json.loads(run.out)["models"]}


def test_variants_fix_arguments_the_nearest_wins() -> None:
    assert model_of(TEXT, "small").result.channels == 4
    assert model_of(TEXT, "sideways").result.channels == 6
    assert "aside" in str(model_of(TEXT, "sideways").blocks[0].body[0])
    assert model_of(TEXT, "deep").name == "deep"


def test_settings_win_over_variants() -> None:
    model = model_of(TEXT, "sideways", width="5 * 2", via="none", kind="affine")
    assert model.result.channels == 10
    assert model == model_of(
        TEXT.replace("deep(via = aside, width = 6)", "deep(width = 10, kind = affine)"),
        "sideways",
    )


def test_all_models_are_checked(check: Checker, path: Path) -> None:
    models = data(check, path)
    assert list(models) == ["base", "small", "deep", "sideways"]
    assert models["base"]["open"] == ["width"]
    assert models["base"]["params"] is None
    assert models["small"]["params"] == 3 * 4 + 4 + 2 * 8


def test_one_is_chosen(check: Checker, path: Path) -> None:
    assert list(data(check, path, "--model", "deep")) == ["deep"]
    models = data(
        check, path, "--model", "base", "--set", "width=8", "--set", "depth=1"
    )
    assert models["base"]["params"] == 3 * 8 + 8 + 16


def test_no_choice_lists_them() -> None:
    spec = spec_of(TEXT)
    with pytest.raises(ChoiceError, match="`base`, `small`, `deep`, `sideways`"):
        spec.choose_model(None)
    with pytest.raises(ChoiceError, match="there is no model `other`"):
        spec.choose_model("other")
    with pytest.raises(ChoiceError, match="no model"):
        spec_of("edition 1\nlet a = 1\n").choose_model(None)


def test_what_is_open_is_asked_for() -> None:
    spec = spec_of(TEXT)
    with pytest.raises(ChoiceError, match="needs `width`: --set width=…"):
        spec.expand(spec.choose_model("base"), {})
    with pytest.raises(ChoiceError, match="no parameter `height`"):
        spec.expand(spec.choose_model("small"), {"height": "3"})


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("width=4.5", "A0406"),
        ("width=four", "A0301"),
        ("width=layer", "A0301"),
        ("width=1 +", "A0101"),
        ("width=(1", "A0101"),
        ("via=3", "A0405"),
        ("kind=3", "A0405"),
        ("kind=bach", "A0407"),
        ("width=1/0", "A0408"),
        ("width=" + "(" * 500 + "1" + ")" * 500, "A0110"),
        ("width=é", "A0104"),
        ("depth=10**9", "A0101"),
        ("depth=1e9", "A0803"),
    ],
)
def test_settings_are_checked_like_arguments(
    setting: str, code: str, check: Checker, path: Path
) -> None:
    run = check(path, "--model", "small", "--set", setting)
    assert run.code == 1
    assert run.err.count("error[") == 1 and f"error[{code}]" in run.err


def test_the_shipped_family_is_open(check: Checker) -> None:
    path = shipped("specs/s2mlp.arch")
    (model,) = data(check, path).values()
    assert model["open"] == ["width", "depth"]
    for figure in ("params", "macs", "flops", "receptive_field", "image", "result"):
        assert model[figure] is None
    assert model["hashes"] == {"function": None, "weights": None}
    assert check(path).out == "s2mlp: unbound parameters: width, depth\n"
    (model,) = data(
        check, path, "--set", "width=384", "--set", "depth=36", "--set", "classes=10"
    ).values()
    assert model["result"] == [10]


def test_shape_of_the_json(check: Checker) -> None:
    run = check(shipped("specs/s2mlp_deep.arch"), "--format", "json")
    found = json.loads(run.out)
    assert set(found) == {"diagnostics", "models", "studies"}
    assert found["diagnostics"] == []
    (model,) = found["models"]
    assert model["name"] == "s2mlp_deep"
    assert all(len(model["hashes"][one]) == 64 for one in ("function", "weights"))
    assert model["flops"] == 2 * model["macs"]
    assert model["image"] == [3, 224, 224] and model["result"] == [1000]
    assert model["receptive_field"]["full"] == 26
    assert model["receptive_field"]["grid"] == [14, 14]
    assert [one["verdict"] for one in model["claims"]] == ["holds"] * 5
    assert sum(one["params"] for one in model["statements"]) == model["params"]
    assert sum(one["macs"] for one in model["statements"]) == model["macs"]


def test_diagnostics_in_the_json(check: Checker, path: Path) -> None:
    path.write_text(TEXT.replace("shift(via)", "shift(vai)"))
    run = check(path, "--format", "json")
    assert run.code == 1 and run.err == ""
    (one,) = json.loads(run.out)["diagnostics"]
    assert {**one, "file": Path(one["file"]).name} == {
        "code": "A0301",
        "severity": "error",
        "title": "undeclared name",
        "message": "undeclared name",
        "file": "models.arch",
        "line": 10,
        "column": 15,
        "end": {"line": 10, "column": 18},
        "secondary": [],
        "notes": [],
        "help": "did you mean `via`?",
        "fix": None,
    }


def test_claims_cannot_write_to_the_terminal(check: Checker, path: Path) -> None:
    path.write_text(TEXT + 'claim small {\n    params(of = "\x1b[31m") == 1\n}\n')
    run = check(path)
    assert run.code == 1
    assert "\x1b" not in run.out + run.err
