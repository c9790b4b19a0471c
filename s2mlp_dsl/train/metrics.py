"""The figures of a run, as metrics.jsonl and summary.json have them."""

import re
from typing import Any

import torch

from s2mlp_dsl.train.checkpoint import Clock, Totals, TrainState, name_of
from s2mlp_dsl.train.device import Accelerator
from s2mlp_dsl.train.distributed import Distributed
from s2mlp_dsl.train.job import Evaluation, Summary
from s2mlp_dsl.train.run import Run
from s2mlp_dsl.train.step import StepResult

# Dense peaks in TFLOP/s (bf16 and fp16, tf32, fp32) from NVIDIA's data sheets, without
# sparsity. By whole words of the device's name, the more specific first.
PEAKS = {
    "B200": (2250.0, 1125.0, 75.0),
    "H200": (989.4, 494.7, 66.9),
    "GH200": (989.4, 494.7, 66.9),
    "H100 PCIe": (756.0, 378.0, 51.2),
    "H100 NVL": (835.5, 417.7, 60.0),
    "H100": (989.4, 494.7, 66.9),
    "A100": (312.0, 156.0, 19.5),
    "L40S": (362.0, 183.0, 91.6),
    "L40": (181.0, 90.5, 90.5),
    "A10G": (70.0, 35.0, 31.2),
    "L4": (121.0, 60.0, 30.3),
    "V100": (125.0, 15.7, 15.7),
    "T4": (65.0, 8.1, 8.1),
    "RTX 4090": (165.2, 82.6, 82.6),
    "RTX 3090": (71.0, 35.6, 35.6),
}


class Meter:
    """Totals that stay on the device between two log lines.

    Reading waits for the device and sums over the ranks, so it happens once per log
    line and at a checkpoint. The loss is summed in float32, which JSON keeps exactly.
    """

    def __init__(self, distributed: Distributed, start: Totals) -> None:
        # A resumed run's totals are counted once, not once per rank.
        own = start if distributed.is_main else Totals()
        self.distributed = distributed
        self.steps, self.skipped = start.steps, own.skipped
        device = distributed.device
        self.loss = torch.tensor(own.loss, dtype=torch.float32, device=device)
        self.correct = torch.tensor(own.correct, device=device)

    def add(self, result: StepResult) -> None:
        self.loss += result.loss
        self.correct += result.correct
        self.skipped += len(result.skipped)
        self.steps += 1

    def read(self) -> Totals:
        """The totals over all ranks, which must call this together."""
        skipped = torch.tensor(self.skipped, device=self.correct.device)
        counts = self.distributed.all_reduce_sum(torch.stack((self.correct, skipped)))
        loss = self.distributed.all_reduce_sum(self.loss.clone())
        correct, replaced = counts.tolist()
        return Totals(
            loss=loss.item(), correct=correct, skipped=replaced, steps=self.steps
        )


def train_event(
    run: Run, state: TrainState, totals: Totals, clock: Clock, accelerator: Accelerator
) -> dict[str, Any]:
    """The training steps since the last log line."""
    return _event("steps", run, state, totals, clock, clock.interval, accelerator)


def epoch_event(
    run: Run,
    state: TrainState,
    totals: Totals,
    clock: Clock,
    accelerator: Accelerator,
    test: Evaluation,
) -> dict[str, Any]:
    """A whole epoch and the test at its end."""
    event = _event("epoch", run, state, totals, clock, clock.epoch, accelerator)
    return event | {"test_loss": test.loss, "test_accuracy": test.accuracy}


def _event(
    kind: str,
    run: Run,
    state: TrainState,
    totals: Totals,
    clock: Clock,
    seconds: float,
    accelerator: Accelerator,
) -> dict[str, Any]:
    """Measured times are under `time`; everything else is reproducible."""
    images = totals.steps * run.job.recipe.batch
    speed = images / seconds
    used = utilisation(speed, run.job.macs, accelerator, run.devices)
    return {
        "event": kind,
        "step": state.step,
        "epoch": state.epoch + 1,
        "loss": totals.loss / totals.steps,
        "train_accuracy": totals.correct / images,
        "lr": run.learning_rate.at(state.step - 1),
        "time": {
            "seconds": clock.total,
            "images_per_second": speed,
            "data_wait_share": clock.waiting / clock.training,
        }
        | ({} if used is None else {"mfu": used}),
    }


def summarise(run: Run, state: TrainState, accelerator: Accelerator) -> Summary:
    """A finished run. Peak memory is of this session, on rank 0."""
    clock, job = state.clock, run.job
    speed = state.step * job.recipe.batch / clock.training
    return Summary.model_validate(
        {
            "model_name": job.model_name,
            "recipe_name": job.recipe_name,
            "accuracy": state.last_accuracy,
            "loss": state.last_loss,
            "best_accuracy": state.best_accuracy,
            "best_epoch": state.best_epoch,
            "epochs": state.epoch,
            "steps": state.step,
            "seconds": clock.total,
            "images_per_second": speed,
            "data_wait_share": clock.waiting / clock.training,
            "mfu": utilisation(speed, job.macs, accelerator, run.devices),
            "peak_memory_bytes": accelerator.peak_memory() or 0,
            "skipped_images": state.skipped,
            "unreadable_test_images": state.unreadable,
            "device": str(accelerator.device),
            "devices": run.devices,
            "precision": accelerator.precision,
            "checkpoint": name_of(state.step),
        }
    )


def peak_flops(name: str, precision: str) -> float | None:
    """A GPU's peak in FLOP/s, None if unknown."""
    if re.search(r"\bLaptop\b|4090 D\b", name):  # fewer units than their namesakes
        return None
    for part, (half, tf32, fp32) in PEAKS.items():
        if re.search(rf"\b{part}\b", name):
            return {"tf32": tf32, "fp32": fp32}.get(precision, half) * 1e12
    return None


def utilisation(
    images_per_second: float, macs: int | None, accelerator: Accelerator, devices: int
) -> float | None:
    """Model FLOPs utilisation of training, None if the devices' peak is not known.

    A training step costs three forward passes (one forward, two backward), and a MAC
    is two FLOPs (Chowdhery et al. 2022, appendix B).
    """
    if macs is None or accelerator.device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(accelerator.device)
    peak = peak_flops(name, accelerator.precision)
    if peak is None:
        return None
    return images_per_second * macs * 2 * 3 / (peak * devices)
