"""A call leaves nothing behind in a loaded spec, so calls may be mixed and parallel."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import s2mlp_dsl as s2
from s2mlp_dsl.analysis.analyze import Analysis, check_spec
from s2mlp_dsl.diagnostics import SpecError

SPEC = """edition 1
shift cross {
    edge keep
    1/4 right
    1/4 left
    1/4 down
    1/4 up
}
block mix(ratio = 2) {
    residual {
        linear(ratio * dim)
        shift(cross)
        linear(dim)
    }
}
model tiny(width) {
    image(3, 8, 8)
    patch(2, width)
    stack 2 {
        mix
    }
}
claim tiny {
    params() == 1
}
"""
REFUSED = 27  # 54 channels cannot be cut into four equal groups


def analysis_or_message(spec: object, width: int) -> Analysis | str:
    try:
        return s2.analyze(spec, width=width)  # type: ignore[arg-type]
    except SpecError as error:
        return str(error)


def test_a_refusal_does_not_stay() -> None:
    spec = s2.load(SPEC)
    with pytest.raises(SpecError, match="A0203") as first:
        s2.analyze(spec, width=REFUSED)
    assert s2.analyze(spec, width=48).params
    assert s2.compile(spec, width=48, device="meta") is not None
    with pytest.raises(SpecError) as again:
        s2.analyze(spec, width=REFUSED)
    assert again.value.diagnostics == first.value.diagnostics
    assert not spec.report.diagnostics


def test_checking_twice_finds_the_same() -> None:
    spec = s2.load(SPEC)
    settings = {"width": "48"}
    first, second = (
        check_spec(spec, "tiny", settings),
        check_spec(spec, "tiny", settings),
    )
    assert first.analyses == second.analyses
    assert first.report.diagnostics == second.report.diagnostics
    assert [one.code.number for one in first.report] == ["A0501"]


def test_mistakes_of_the_file_are_in_every_report() -> None:
    spec = s2.load(SPEC.replace("shift(cross)", "shift(cros)"))
    for _ in range(2):
        with pytest.raises(SpecError) as caught:
            s2.analyze(spec, width=48)
        assert [one.code.number for one in caught.value.diagnostics] == ["A0301"]


def test_from_many_threads() -> None:
    widths = [*range(24, 44)] * 4
    alone = [analysis_or_message(SPEC, width) for width in widths]
    spec = s2.load(SPEC)
    with ThreadPoolExecutor(8) as pool:
        together = pool.map(lambda width: analysis_or_message(spec, width), widths)
        assert list(together) == alone
    assert not spec.report.diagnostics
