"""The shift's share of a training step: the same step without it, by two clocks."""

from functools import partial

import torch
from handwritten import SIZES
from rows import Row
from torch import nn

from on_gpu.here import Here, Rows, attempted
from on_gpu.nets import ours, training

STEPS = 3  # that the profiler sees


def share(here: Here) -> Rows:
    for name in SIZES:
        yield from attempted(name, partial(one_model, name, here))


def one_model(name: str, here: Here) -> Rows:
    clock, kernels = {}, {}
    for who in ("with", "without"):
        torch.compiler.reset()
        net = ours(name, here.depth(name), here)
        if who == "without":
            for one in net.stack:
                one.shift = nn.Identity()
        step = training(net, here, "bf16_weights")
        clock[who] = here.seconds(step)
        kernels[who] = profiled(step, here)
    taken = {who: sum(times.values()) for who, times in kernels.items()}
    found = 100 * (1 - taken["without"] / taken["with"])
    detail = f"{taken['with']:.1f} ms of kernels, {taken['without']:.1f} without"
    label = f"{name}, the shift, of a training step"
    yield Row(f"{label}, profiler", found, "%", here.target(1.0), detail=detail)
    found = 100 * (1 - clock["without"] / clock["with"])
    detail = f"{clock['with'] * 1e3:.1f} ms, {clock['without'] * 1e3:.1f} without"
    yield Row(f"{label}, clock", found, "%", detail=detail)
    # GELU and its gradient are in these kernels too: an upper bound.
    holding = sum(ms for key, ms in kernels["with"].items() if "index" in key)
    label = f"{name}, kernels that hold the shift, with GELU"
    yield Row(label, 100 * holding / taken["with"], "%")


def profiled(step: object, here: Here) -> dict[str, float]:
    """Milliseconds of a step in each kernel."""
    from torch.profiler import ProfilerActivity, profile

    on_gpu = here.device.type == "cuda"
    with profile(
        activities=[ProfilerActivity.CUDA if on_gpu else ProfilerActivity.CPU]
    ) as seen:
        for _ in range(STEPS):
            step()
        here.wait()
    return {
        one.key: (one.self_device_time_total if on_gpu else one.self_cpu_time_total)
        / STEPS
        / 1e3
        for one in seen.key_averages()
    }
