"""The IR prints as a parameterless spec that elaborates to an equal IR."""

import pytest
from hypothesis import HealthCheck, assume, given, settings

import s2mlp_dsl as s2
from s2mlp_dsl.analysis.analyze import analyze_model
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.ir.hash import function_hash
from s2mlp_dsl.ir.print import print_model
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.operators import SIGNATURES
from s2mlp_dsl.shipped import shipped
from tests.checking import model_of
from tests.ir.specs import specs


def hold(model: Model) -> None:
    text = print_model(model, SIGNATURES)
    again = model_of(text)
    assert again == model, text
    assert hash(again) == hash(model)
    assert print_model(again, SIGNATURES) == text
    assert function_hash(again) == function_hash(model)


@pytest.mark.parametrize("name", ["s2mlp_deep", "s2mlp_wide", "digits"])
def test_the_shipped_specs(name: str) -> None:
    spec = load(shipped(f"specs/{name}.arch"))
    model = spec.expand(spec.choose_model(None), {})
    hold(model)
    again = model_of(print_model(model, SIGNATURES))
    assert analyze_model(again) == analyze_model(model)


@given(specs())
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
def test_specs_made_up(text: str) -> None:
    try:
        model = model_of(text)
    except SpecError as error:
        # Widths may run out of hand, or a residual leave its shape.
        codes = {one.code.number for one in error.diagnostics}
        assert codes <= {"A0203", "A0204", "A0308"}, str(error)
        assume(False)
    hold(model)
    weights = analyze_model(model).weight_hash
    assert analyze_model(model_of(print_model(model, SIGNATURES))).weight_hash == (
        weights
    )


def test_names_of_several_files_meet(tmp_path: object) -> None:
    """Two blocks of one name, and a shift that is called like a word."""
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "a.arch").write_text(
        "edition 1\nshift layer {\n edge keep\n rest right\n}\n"
        "block b {\n shift(layer)\n linear(dim)\n}\n"
    )
    (folder / "b.arch").write_text(
        "edition 1\nblock b {\n norm(layer)\n}\nblock m {\n gelu\n}\n"
    )
    (folder / "main.arch").write_text(
        'edition 1\nimport b as one from "a.arch"\nimport b as two, m as three '
        'from "b.arch"\nmodel m {\n image(3, 4, 4)\n one\n two\n three\n two\n}\n'
    )
    spec = load(folder / "main.arch")
    hold(spec.expand(spec.choose_model(None), {}))


def test_a_description_that_ends_in_a_quote() -> None:
    """Four quotes in a row would end the printed text one character too early."""
    text = 'edition 1\n"""It says "here" """\nmodel m {\n    image(1, 2, 2)\n}\n'
    program = s2.elaborate(text)
    assert program.model.doc == 'It says "here"'
    assert s2.elaborate(program.text).model == program.model
