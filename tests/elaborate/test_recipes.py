"""Values of recipes, and the help where one does not fit."""

import pytest

from tests.checking import diagnose


@pytest.mark.parametrize(
    ("setting", "help"),
    [
        (
            "precision = fp8",
            "`auto` or `bf16` or `bf16_weights` or `fp16` or `fp32` or",
        ),
        ("compile = yes", "write `autotune` or `off` or `on`"),
        ("corrupt = skp", "did you mean `skip`?"),
        ("deterministic = maybe", "write `off` or `on`"),
        ("init = normal(of = [pach])", "did you mean `patch`?"),
        ("schedule = cosin", "did you mean `cosine`?"),
    ],
)
def test_help_lists_what_fits_the_setting(setting: str, help: str) -> None:
    given = f"data = digits\n epochs = 1\n batch = 2\n {setting}\n"
    text = f"edition 1\nrecipe r {{\n {given}}}\n"
    (found,) = diagnose(text)
    assert help in str(found.help) and "attention" not in str(found.help)
