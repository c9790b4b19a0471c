"""Shifts as others write them: right ones, and each mistake of the field."""

import torch
from torch import nn


def cloned(x):
    """Right: slices of a copy, written from the original. BHWC, keep."""
    y, c = x.clone(), x.shape[-1] // 4
    y[:, :, 1:, :c] = x[:, :, :-1, :c]
    y[:, :, :-1, c : 2 * c] = x[:, :, 1:, c : 2 * c]
    y[:, 1:, :, 2 * c : 3 * c] = x[:, :-1, :, 2 * c : 3 * c]
    y[:, :-1, :, 3 * c :] = x[:, 1:, :, 3 * c :]
    return y


class InPlace(nn.Module):
    """Wrong: overlapping slices of one tensor; the +1 groups cascade."""

    def forward(self, x):
        c = x.shape[-1] // 4
        x[:, :, 1:, :c] = x[:, :, :-1, :c]
        x[:, :, :-1, c : 2 * c] = x[:, :, 1:, c : 2 * c]
        x[:, 1:, :, 2 * c : 3 * c] = x[:, :-1, :, 2 * c : 3 * c]
        x[:, :-1, :, 3 * c :] = x[:, 1:, :, 3 * c :]
        return x


class ChannelsFirst(nn.Module):
    """Right for BHWC, and used with BCHW: it then shifts along the channels."""

    def forward(self, x):
        return cloned(x)


class WrongCrop(nn.Module):
    """Pads and then crops from the middle whatever the direction: nothing moves."""

    def forward(self, x):
        padded = nn.functional.pad(x, (1, 1, 1, 1), mode="replicate")
        return padded[:, :, 1:-1, 1:-1]


def rolled(x):
    """Circular: BCHW, wrap."""
    right, left, rest = x.split([4, 4, x.shape[1] - 8], dim=1)
    return torch.cat([right.roll(1, 3), left.roll(-1, 3), rest.roll(2, 2)], dim=1)


def zero_filled(x):
    """ShiftViT's: BCHW, zero, most channels stay."""
    y, g = torch.zeros_like(x), x.shape[1] // 8
    y[:, :g, :, 1:] = x[:, :g, :, :-1]
    y[:, g : 2 * g, :, :-1] = x[:, g : 2 * g, :, 1:]
    y[:, 2 * g : 3 * g, 1:] = x[:, 2 * g : 3 * g, :-1]
    y[:, 3 * g : 4 * g, :-1] = x[:, 3 * g : 4 * g, 1:]
    y[:, 4 * g :] = x[:, 4 * g :]
    return y


def time_shift(x):
    """TSM's: [batch, time, channels, height, width], zero."""
    y, fold = torch.zeros_like(x), x.shape[2] // 8
    y[:, :-1, :fold] = x[:, 1:, :fold]
    y[:, 1:, fold : 2 * fold] = x[:, :-1, fold : 2 * fold]
    y[:, :, 2 * fold :] = x[:, :, 2 * fold :]
    return y


def woven():
    """A maker: channels take turns over three columns, wrap."""

    def shift(x):
        parts = [x[..., n::4].roll(n - 1, 2) for n in range(4)]
        return torch.stack(parts, dim=-1).flatten(-2)

    return shift


class BlindGradient(nn.Module):
    """The right values; the gradient of something else."""

    def forward(self, x):
        return x + (cloned(x) - x).detach()


def blurred(x):
    """A mean of neighbours: it computes."""
    return (x + cloned(x)) / 2


def rectified(x):
    """Moves positive values only."""
    return cloned(x).relu()


class NeedsArguments(nn.Module):
    def __init__(self, width):
        super().__init__()


def rolled_where_wide(x):
    """On maps that are taller than wide it does something else."""
    if x.shape[1] > x.shape[2]:
        return x
    return torch.cat([x[..., :8].roll(1, 2), x[..., 8:]], -1)


def rolled_where_tall(x):
    if x.shape[1] < x.shape[2]:
        return x
    return torch.cat([x[..., :8].roll(1, 2), x[..., 8:]], -1)
