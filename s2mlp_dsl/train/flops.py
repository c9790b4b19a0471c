"""Model FLOPs utilisation: how much of a GPU's peak a run uses.

Dense peaks in TFLOP/s from NVIDIA's data sheets, without sparsity. A training
step costs three forward passes (one forward, two backward), and a MAC is two
FLOPs (Chowdhery et al. 2022, appendix B).
"""

import re

import torch

from s2mlp_dsl.train.device import Place

# By whole words of the device's name, the more special first: an L40 is no L4.
# bf16 and fp16, tf32, fp32.
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


def peak_flops(name: str, precision: str) -> float | None:
    """A GPU's peak in FLOP/s, None if it is not known."""
    if re.search(r"\bLaptop\b|4090 D\b", name):  # fewer units than their namesakes
        return None
    for part, (half, tf32, fp32) in PEAKS.items():
        if re.search(rf"\b{part}\b", name):
            return {"tf32": tf32, "fp32": fp32}.get(precision, half) * 1e12
    return None


def utilisation(
    images_per_second: float, macs: int | None, place: Place, devices: int
) -> float | None:
    """The share of the devices' peak that training uses, None if not known."""
    if macs is None or place.device.type != "cuda":
        return None
    peak = peak_flops(torch.cuda.get_device_name(place.device), place.precision)
    if peak is None:
        return None
    return images_per_second * macs * 2 * 3 / (peak * devices)
