"""The most memory that was held at once.

On a GPU PyTorch counts it. On a CPU it does not, so the kernel is asked: the peak
of the resident set of this process, above what it was before the model was built.
Kernels' own workspaces are in it, the interpreter and PyTorch are not.
"""

import ctypes
import gc
import resource
import sys
from pathlib import Path

import torch

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class PeakMemory:
    """Made before the model is built; `restart` before what is to be measured."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.before = 0 if device.type == "cuda" else _resident()

    def restart(self) -> None:
        """Forget peaks so far, and give back what is free."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)
        elif sys.platform == "linux":
            # glibc keeps what was freed, which would count as held.
            trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
            if trim is not None:
                trim(0)
            _RESET.write_text("5")  # see proc(5): the peak becomes the present

    def bytes(self) -> int:
        """The peak since then; where a peak cannot be reset, since the start."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        return max(0, _peak() - self.before)


def _resident() -> int:
    return _of_status("VmRSS") if sys.platform == "linux" else _peak()


def _peak() -> int:
    if sys.platform == "linux":
        return _of_status("VmHWM")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _of_status(name: str) -> int:
    for line in _STATUS.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise LookupError(name)
