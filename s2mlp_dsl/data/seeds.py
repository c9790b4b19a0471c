"""Random numbers as pure functions of what they are for.

No stream is carried from one step to the next: each use derives its own from the
recipe's seed and its coordinates. So a resumed run draws what the uninterrupted one
would have, with any number of workers.
"""

import hashlib
from contextlib import AbstractContextManager

import numpy as np
import torch
from numpy.typing import NDArray


def derive(purpose: str, *coordinates: int) -> int:
    """A seed below 2**63 for one purpose at one place."""
    text = ":".join([purpose, *map(str, coordinates)])
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def permutation(seed: int, count: int) -> torch.Tensor:
    """The numbers 0 … count-1 in random order, int64 [count]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(count, generator=generator)


def uniforms(seed: int, samples: NDArray[np.int64], draws: int) -> torch.Tensor:
    """Numbers in [0, 1), float64 [samples, draws]; row i depends on samples[i].

    SplitMix64 (Steele, Lea and Flood 2014) as a hash of a counter: all samples
    of a batch at once, each with numbers of its own.
    """
    counter_ND = samples[:, None] * draws + np.arange(1, draws + 1)
    x = np.uint64(seed) + counter_ND.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = (x ^ (x >> np.uint64(31))) >> np.uint64(11)
    return torch.from_numpy(x.astype(np.float64) * 2.0**-53)


def fork_generators(device: torch.device) -> AbstractContextManager[None]:
    """Restore torch's global generators when the block ends."""
    return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])


def reseed(seed: int) -> None:
    """Set torch's global generators: the CPU's and those of the GPUs in use.

    Not `torch.manual_seed`: before CUDA has started, that keeps a traceback of each
    call for later, which costs 2 ms and memory at every step.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
    elif torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)
