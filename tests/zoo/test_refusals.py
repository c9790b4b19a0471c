"""What an operator cannot do is said with its place, before PyTorch is imported."""

import subprocess
import sys
from pathlib import Path

SPEC = """edition 1

model tokens(size = 224) {
    image(3, size, size)
    patch(16, 64)
    residual {
        fold("y x c -> c (y x)") {
            linear(98)
            gelu
            linear(196)
        }
    }
    pool(mean)
    linear(10)
}

model heads(count = 4) {
    image(3, 32, 32)
    patch(16, 64)
    attention(count)
}
"""
RUN = """
import sys
from s2mlp_dsl.cli import main
try:
    main()
finally:
    assert "torch" not in sys.modules
"""


def check(spec: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", RUN, "check", str(spec), *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_refusals_have_spans_and_need_no_torch(tmp_path: Path) -> None:
    spec = tmp_path / "m.arch"
    spec.write_text(SPEC)
    assert check(spec).returncode == 0
    # Weights over 14 × 14 positions, on a map of 16 × 16.
    tokens = check(spec, "--model", "tokens", "--set", "size=256")
    assert tokens.returncode == 1 and "A0212" in tokens.stderr
    assert "m.arch:10:13" in tokens.stderr
    assert "the result is 64 × 196, and the input was 64 × 256" in tokens.stderr
    heads = check(spec, "--model", "heads", "--set", "count=5")
    assert heads.returncode == 1 and "A0214" in heads.stderr
    assert "m.arch:20:" in heads.stderr and "64 channels = 5 · 12 + 4" in heads.stderr
