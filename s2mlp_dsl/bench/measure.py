"""One mode of one model, measured in a process of its own."""

import ctypes
import gc
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
from s2mlp_dsl.lower.build import build
from s2mlp_dsl.lower.source import Source
from s2mlp_dsl.train.device import Accelerator, choose_accelerator, process_peak

WARM_UP = 2  # passes that are not measured; the first one compiles
LEAST, MOST = 5, 1000  # passes that are
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")

Pass = Callable[[], object]


def measure(
    source: Source, size: tuple[int, ...], setting: Setting, mode: Mode
) -> tuple[Machine, Row]:
    """Measure a model given as its source, for images of `size`.

    Raises UsageError and EnvironmentFailure if the device cannot be used.
    """
    logging.disable(logging.WARNING)  # of the compiler, about what it tries
    if setting.threads is not None:
        torch.set_num_threads(setting.threads)
    accelerator = choose_accelerator(setting.device, setting.precision)
    with accelerator.numerics(deterministic=False):
        return machine(accelerator), _row(source, size, setting, mode, accelerator)


def _row(
    source: Source,
    size: tuple[int, ...],
    setting: Setting,
    mode: Mode,
    accelerator: Accelerator,
) -> Row:
    compiled = mode == "compiled"
    if reason := _load_libraries(accelerator, compiled):
        return Row(mode=mode, failed=reason)
    memory = PeakMemory(accelerator.device)
    torch.manual_seed(0)
    net = build(source, "measured").to(accelerator.device).train(setting.train)
    run: nn.Module = net
    if compiled:
        run = torch.compile(net, dynamic=False)  # type: ignore[assignment]
    x = torch.randn(setting.batch, *size, device=accelerator.device)
    latency, compiling = None, 0.0
    # A model that is not trained gets low-precision weights once, as in a test.
    with nullcontext() if setting.train else accelerator.weights(net):
        if setting.train:
            batch = _train_step(net, run, x, accelerator)
        else:
            single = _forward(run, x[:1].clone(), accelerator)
            batch = _forward(run, x, accelerator)
            compiling += _warm_up(single, accelerator)
            latency = _times(single, accelerator, setting.seconds)
        compiling += _warm_up(batch, accelerator)
        memory.restart()
        times = _times(batch, accelerator, setting.seconds)
    return Row(
        mode=mode,
        latency=latency,
        time=times,
        images_per_second=setting.batch / times.median,
        peak_memory_bytes=memory.bytes(),
        compiling=compiling if compiled else None,
    )


def _forward(run: nn.Module, x: Tensor, accelerator: Accelerator) -> Pass:
    def forward() -> Tensor:
        with torch.inference_mode():
            return accelerator.forward(run, x)

    return forward


def _train_step(
    net: nn.Module, run: nn.Module, x: Tensor, accelerator: Accelerator
) -> Pass:
    """A step of training `net`, which computes as `run`."""
    optimizer = torch.optim.AdamW(net.parameters())

    def step() -> None:
        with accelerator.weights(net):
            loss = accelerator.forward(run, x).float().square().mean()
            torch.autograd.backward(loss)
        optimizer.step()
        optimizer.zero_grad()

    return step


def _warm_up(once: Pass, accelerator: Accelerator) -> float:
    """Seconds of the first passes."""
    start = time.perf_counter()
    for _ in range(WARM_UP):
        once()
    accelerator.synchronize()
    return time.perf_counter() - start


def _times(once: Pass, accelerator: Accelerator, seconds: float) -> Times:
    """Pass after pass, waiting for each, until there are enough."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < LEAST or (time.perf_counter() < end and len(times) < MOST):
        accelerator.synchronize()
        start = time.perf_counter()
        once()
        accelerator.synchronize()
        times.append(time.perf_counter() - start)
    low, median, high = statistics.quantiles(times, n=4, method="inclusive")
    return Times(median=median, low=low, high=high, runs=len(times))


def _load_libraries(accelerator: Accelerator, compiled: bool) -> str | None:
    """Load what computes and compiles, whose memory is not the model's.

    Returns why nothing can be compiled here, if so.
    """
    x = torch.ones(64, 64, device=accelerator.device, requires_grad=True)

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


class PeakMemory:
    """How much memory a model takes at once.

    On a GPU PyTorch counts it. On a CPU it does not, so the system is asked: the peak
    of this process's resident set, above what it was before the model was built. The
    kernels' own workspaces are included, the interpreter and PyTorch are not. Create it
    before the model is built; call `restart` before what is measured.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.before = 0 if device.type == "cuda" else _memory("VmRSS")

    def restart(self) -> None:
        """Forget peaks so far, and return free memory."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)
        elif sys.platform == "linux":
            # glibc keeps what was freed, which would count as used.
            trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
            if trim is not None:
                trim(0)
            _RESET.write_text("5")  # see proc(5): the peak becomes the present

    def bytes(self) -> int | None:
        """The peak since then, or since the start where it cannot be reset.

        None where the system does not tell, as on Windows.
        """
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        peak = _memory("VmHWM")
        return (
            None if peak is None or self.before is None else max(0, peak - self.before)
        )


def _memory(name: str) -> int | None:
    """The resident set of this process (VmRSS) or its peak (VmHWM), in bytes.

    Only the peak is known outside Linux, None on Windows.
    """
    if sys.platform == "linux":
        for line in _STATUS.read_text().splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return int(value.split()[0]) * 1024
    return process_peak()


def machine(accelerator: Accelerator) -> Machine:
    """What this process computes on."""
    if accelerator.device.type == "cuda":
        processor = torch.cuda.get_device_name(accelerator.device)
    else:
        processor = _processor()
    return Machine(
        device=str(accelerator.device),
        processor=processor,
        system=f"{platform.system()} {platform.machine()}",
        threads=torch.get_num_threads(),
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        precision=accelerator.precision,
        versions={"torch": torch.__version__, "python": platform.python_version()},
    )


def _processor() -> str:
    """The CPU's name, which Python does not know on Linux."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
