"""`bench`: figures of a real process, and what is said of them."""

import json
from pathlib import Path

import pytest

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.bench.bench import bench
from s2mlp_dsl.bench.figures import Bench, Machine, Row, Setting, Times
from s2mlp_dsl.cli.commands.bench import lines
from tests.cli.running import s2mlp

# The map behind the first layer takes 4 MiB an image, the weights next to nothing.
WIDE = """edition 1
model wide {
    image(3, 128, 128)
    linear(64)
    gelu
    pool(mean)
    linear(2)
}
"""
MEBI = 2**20


def test_what_the_command_measures(tmp_path: Path) -> None:
    spec = tmp_path / "wide.arch"
    spec.write_text(WIDE)
    words = ["--batch", "16", "--threads", "1", "--seconds", "0", "--no-compile"]
    done = s2mlp("bench", spec, *words, "--device", "cpu", "--format", "json")
    assert done.returncode == 0, done.stderr
    found = Bench.model_validate_json(done.stdout)
    assert found.params == elaborate(WIDE).analysis.params
    assert (found.machine.threads, found.machine.device) == (1, "cpu")
    assert found.machine.versions.keys() == {"torch", "python"}
    (row,) = found.rows
    assert row.latency is not None and row.time is not None
    assert row.latency.runs == row.time.runs == 5
    assert 0 < row.latency.low <= row.latency.median <= row.latency.high
    assert row.images_per_second == pytest.approx(16 / row.time.median)
    # The result of `linear` and that of `gelu` are held at once: 2 · 16 · 4 MiB.
    assert row.peak_memory_bytes is not None
    assert 128 <= row.peak_memory_bytes / MEBI < 128 + 48
    assert "reason" not in json.loads(done.stdout)


def test_training_holds_more() -> None:
    """`linear`'s result waits for the gradient, and so does `gelu`'s."""
    setting = Setting(batch=8, train=True, device="cpu", threads=1, seconds=0)
    (row,) = bench(elaborate(WIDE), setting, compiled=False).rows
    assert row.latency is None and row.time is not None
    assert row.peak_memory_bytes is not None
    assert row.peak_memory_bytes / MEBI >= 64


@pytest.mark.slow
def test_compiled() -> None:
    setting = Setting(batch=2, device="cpu", threads=1, seconds=0)
    eager, compiled = bench(elaborate(WIDE), setting).rows
    assert (eager.mode, compiled.mode) == ("eager", "compiled")
    assert compiled.failed is None and compiled.images_per_second
    assert eager.compiling is None and compiled.compiling


def test_what_is_printed() -> None:
    times = Times(median=0.0123, low=0.012, high=0.02, runs=9)
    machine = Machine(
        device="cpu",
        processor="A CPU",
        system="Linux x86_64",
        threads=2,
        load=0.4,
        precision="fp32",
        versions={"torch": "2.11"},
    )
    rows = (
        Row(
            mode="eager",
            latency=times,
            time=times,
            images_per_second=1234.56,
            peak_memory_bytes=200 * MEBI,
        ),
        Row(mode="compiled", failed="torch.compile does not work here: no compiler"),
    )
    found = Bench(
        model="m",
        params=1000,
        macs=2_000_000,
        setting=Setting(batch=4),
        machine=machine,
        rows=rows,
    )
    assert lines(found) == [
        "m, inference: 1,000 params, 0.002 G MACs per image",
        "A CPU (cpu, 2 threads, fp32), Linux x86_64, torch 2.11, load 0.4",
        "",
        "             latency, batch 1   images/s, batch 4   peak memory, batch 4",
        "  eager      12.3 ms (12–20)    1,234.6             200 MiB",
        "  compiled   torch.compile does not work here: no compiler",
    ]
