"""The shift's share of a training step: by profiler and wall clock."""

from functools import partial

import torch
from handwritten import SIZES
from rows import Row
from torch import nn

from on_gpu.nets import ours, training
from on_gpu.setup import Rows, Setup, attempted

STEPS = 3  # profiled


def share(setup: Setup) -> Rows:
    for name in SIZES:
        yield from attempted(name, partial(one_model, name, setup))


def one_model(name: str, setup: Setup) -> Rows:
    clock, kernels = {}, {}
    for who in ("with", "without"):
        torch.compiler.reset()
        net = ours(name, setup.depth(name), setup)
        if who == "without":
            for block in net.stack:
                block.shift = nn.Identity()
        step = training(net, setup, "bf16_weights")
        clock[who] = setup.seconds(step)
        kernels[who] = profiled(step, setup)
    taken = {who: sum(times.values()) for who, times in kernels.items()}
    found = 100 * (1 - taken["without"] / taken["with"])
    detail = f"{taken['with']:.1f} ms of kernels, {taken['without']:.1f} without"
    label = f"{name}, the shift, of a training step"
    yield Row(f"{label}, profiler", found, "%", setup.target(1.0), detail=detail)
    found = 100 * (1 - clock["without"] / clock["with"])
    detail = f"{clock['with'] * 1e3:.1f} ms, {clock['without'] * 1e3:.1f} without"
    yield Row(f"{label}, clock", found, "%", detail=detail)
    # GELU and its gradient are in these kernels too: an upper bound.
    with_shift = sum(ms for key, ms in kernels["with"].items() if "index" in key)
    label = f"{name}, kernels with the shift, including GELU"
    yield Row(label, 100 * with_shift / taken["with"], "%")


def profiled(step: object, setup: Setup) -> dict[str, float]:
    """Milliseconds of a step in each kernel."""
    from torch.profiler import ProfilerActivity, profile

    on_gpu = setup.device.type == "cuda"
    with profile(
        activities=[ProfilerActivity.CUDA if on_gpu else ProfilerActivity.CPU]
    ) as seen:
        for _ in range(STEPS):
            step()
        setup.wait()
    return {
        event.key: (
            event.self_device_time_total if on_gpu else event.self_cpu_time_total
        )
        / STEPS
        / 1e3
        for event in seen.key_averages()
    }
