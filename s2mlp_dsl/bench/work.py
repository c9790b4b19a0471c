"""What happens in a process of its own: one mode of one model is measured."""

import logging
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn

from s2mlp_dsl.bench.figures import Machine, Mode, Row, Setting, Times
from s2mlp_dsl.bench.memory import PeakMemory
from s2mlp_dsl.lower.build import build
from s2mlp_dsl.lower.source import Source
from s2mlp_dsl.train.device import Place, choose_place

WARM_UP = 2  # passes that are not measured; the first one compiles
LEAST, MOST = 5, 1000  # passes that are

Pass = Callable[[], object]


def work(
    source: Source, size: tuple[int, ...], setting: Setting, mode: Mode
) -> tuple[Machine, Row]:
    """Measure a model given as its source, for images of `size`.

    Raises UsageError and EnvironmentFailure where the device cannot be used.
    """
    logging.disable(logging.WARNING)  # of the compiler, about what it tries
    if setting.threads is not None:
        torch.set_num_threads(setting.threads)
    place = choose_place(setting.device, setting.precision)
    with place.numerics(deterministic=False):
        return machine(place), _row(source, size, setting, mode, place)


def _row(
    source: Source,
    size: tuple[int, ...],
    setting: Setting,
    mode: Mode,
    place: Place,
) -> Row:
    compiled = mode == "compiled"
    if reason := _wake(place, compiled):
        return Row(mode=mode, failed=reason)
    memory = PeakMemory(place.device)
    torch.manual_seed(0)
    net = build(source, "measured").to(place.device).train(setting.train)
    run: nn.Module = net
    if compiled:
        run = torch.compile(net, dynamic=False)  # type: ignore[assignment]
    x = torch.randn(setting.batch, *size, device=place.device)
    latency, compiling = None, 0.0
    # A model that is not changed gets its copies once, as in a test.
    with nullcontext() if setting.train else place.lent(net):
        if setting.train:
            whole = _step(net, run, x, place)
        else:
            one, whole = _forward(run, x[:1].clone(), place), _forward(run, x, place)
            compiling += _warm(one, place)
            latency = _times(one, place, setting.seconds)
        compiling += _warm(whole, place)
        memory.restart()
        took = _times(whole, place, setting.seconds)
    return Row(
        mode=mode,
        latency=latency,
        time=took,
        images_per_second=setting.batch / took.median,
        peak_memory_bytes=memory.bytes(),
        compiling=compiling if compiled else None,
    )


def _forward(run: nn.Module, x: Tensor, place: Place) -> Pass:
    def forward() -> Tensor:
        with torch.inference_mode():
            return place.forward(run, x)

    return forward


def _step(net: nn.Module, run: nn.Module, x: Tensor, place: Place) -> Pass:
    """A step of training `net`, which computes as `run`."""
    optimizer = torch.optim.AdamW(net.parameters())

    def step() -> None:
        with place.lent(net):
            torch.autograd.backward(place.forward(run, x).float().square().mean())
        optimizer.step()
        optimizer.zero_grad()

    return step


def _warm(one: Pass, place: Place) -> float:
    """Seconds of the first passes."""
    start = time.perf_counter()
    for _ in range(WARM_UP):
        one()
    _wait(place)
    return time.perf_counter() - start


def _times(one: Pass, place: Place, seconds: float) -> Times:
    """Pass after pass, each waited for, until there are enough."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < LEAST or (time.perf_counter() < end and len(times) < MOST):
        _wait(place)
        start = time.perf_counter()
        one()
        _wait(place)
        times.append(time.perf_counter() - start)
    low, median, high = statistics.quantiles(times, n=4, method="inclusive")
    return Times(median=median, low=low, high=high, runs=len(times))


def _wait(place: Place) -> None:
    if place.device.type == "cuda":
        torch.cuda.synchronize(place.device)


def _wake(place: Place, compiled: bool) -> str | None:
    """Load what computes and compiles: its memory is not the model's.

    Returns why nothing can be compiled here, if so.
    """
    x = torch.ones(64, 64, device=place.device, requires_grad=True)

    def square(x: Tensor) -> Tensor:
        return (x @ x).sum()

    torch.autograd.backward(square(x))
    if compiled:
        try:
            torch.autograd.backward(torch.compile(square)(x))
        except Exception as error:  # of many types: no C++ compiler, no Triton, …
            lines = str(error).strip().splitlines() or [type(error).__name__]
            return f"torch.compile does not work here: {lines[0]}"
    return None


def machine(place: Place) -> Machine:
    """What this process computes on."""
    if place.device.type == "cuda":
        processor = torch.cuda.get_device_name(place.device)
    else:
        processor = _processor()
    return Machine(
        device=str(place.device),
        processor=processor,
        system=f"{platform.system()} {platform.machine()}",
        threads=torch.get_num_threads(),
        load=os.getloadavg()[0],
        precision=place.precision,
        versions={"torch": torch.__version__, "python": platform.python_version()},
    )


def _processor() -> str:
    """The CPU's name; only Linux keeps it where Python does not look."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
