"""The processes that train one model together: who one is, and agreeing.

Started by torchrun, each process has a rank; alone, rank 0 of 1, and nothing
here talks to anybody. Rank 0 writes the run folder; all read it, so on several
machines it lies on a shared disk.
"""

import atexit
import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from s2mlp_dsl.train.errors import UsageError

CPU = torch.device("cpu")


@dataclass(frozen=True)
class World:
    """One process's place among all; `local_rank` is its place on its machine."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    device: torch.device = CPU

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def add_up(self, tensor: Tensor) -> Tensor:
        """The sum over all ranks, in place."""
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor

    def most(self, *numbers: int) -> list[int]:
        """The largest of each number over all ranks, so that all act alike."""
        if self.size == 1:
            return list(numbers)
        tensor = torch.tensor(numbers, device=self.device)
        dist.all_reduce(tensor, dist.ReduceOp.MAX)
        return [int(number) for number in tensor.tolist()]

    def wait(self) -> None:
        """Until all ranks are here."""
        if self.size > 1:
            self.most(0)


def rank_of_environment() -> tuple[int, int, int]:
    """(rank, size, local rank) as torchrun says; (0, 1, 0) without it.

    Raises UsageError if what it says makes no sense.
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


def join(device: torch.device) -> World:
    """This process's world: over NCCL on GPUs and gloo elsewhere.

    Joins the others unless that is done already, and leaves them when the
    process ends: leaving and joining again at once can leave a rank behind.
    """
    rank, size, local = rank_of_environment()
    if size == 1:
        return World(device=device)
    if not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(device)
            dist.init_process_group("nccl", device_id=device)
        else:
            dist.init_process_group("gloo")
        atexit.register(dist.destroy_process_group)
    return World(rank, size, local, device)
