"""The processes that train one model together.

Started by torchrun, each process has a rank; alone, it is rank 0 of 1 and nothing here
communicates. Rank 0 writes the run folder and all read it, so on several machines it
must be on a shared disk.
"""

import atexit
import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from s2mlp_dsl.errors import UsageError

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Distributed:
    """This process among all; `local_rank` is its number on its machine."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    device: torch.device = CPU

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def all_reduce_sum(self, tensor: Tensor) -> Tensor:
        """The sum over all ranks, in place."""
        if self.world_size > 1:
            dist.all_reduce(tensor)
        return tensor

    def all_reduce_max(self, *numbers: int) -> list[int]:
        """The largest of each number over all ranks, so that all act alike."""
        if self.world_size == 1:
            return list(numbers)
        tensor = torch.tensor(numbers, device=self.device)
        dist.all_reduce(tensor, dist.ReduceOp.MAX)
        return [int(number) for number in tensor.tolist()]

    def average(self, tensors: list[Tensor]) -> None:
        """Replace each tensor by its mean over all ranks, in one exchange."""
        if self.world_size == 1 or not tensors:
            return
        # Doubles, so that a mean of equal floats is that float.
        flat = torch.cat([tensor.flatten().double() for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.world_size
        means = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, mean in zip(tensors, means, strict=True):
            tensor.copy_(mean.view_as(tensor))

    def barrier(self) -> None:
        """Wait for all ranks."""
        if self.world_size > 1:
            self.all_reduce_max(0)


def rank_of_environment() -> tuple[int, int, int]:
    """(rank, world size, local rank) from torchrun; (0, 1, 0) without it.

    Raises UsageError if the variables make no sense.
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    if "WORLD_SIZE" not in os.environ:
        return 0, 1, 0
    try:
        rank, size, local = (int(os.environ.get(name, "0")) for name in names)
    except ValueError as error:
        raise UsageError(f"{', '.join(names)} are set, but not to numbers") from error
    if not 0 <= rank < size:
        raise UsageError(f"RANK {rank} is not below WORLD_SIZE {size}")
    return rank, size, local


def init_distributed(device: torch.device) -> Distributed:
    """Join the process group of torchrun: NCCL on GPUs, gloo elsewhere.

    Leaves it only when the process ends: leaving and joining again at once can leave
    a rank behind.
    """
    rank, size, local = rank_of_environment()
    if size == 1:
        return Distributed(device=device)
    if not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(device)
            dist.init_process_group("nccl", device_id=device)
        else:
            dist.init_process_group("gloo")
        atexit.register(dist.destroy_process_group)
    return Distributed(rank, size, local, device)
