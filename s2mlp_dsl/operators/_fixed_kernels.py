"""Fixed kernels: the channels that each of them serves, and what it reads.

A convolution has a list of filters, one for each of equal runs of the output channels.
A filter has a kernel for each input channel of its group: a single one in a depthwise
convolution. They are constants of the program, neither parameters nor stored weights.
"""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from math import lcm
from typing import TYPE_CHECKING

from s2mlp_dsl.bounds import fits_float32
from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.program import Kernels
from s2mlp_dsl.operators._definition import Refusal
from s2mlp_dsl.operators._division import divided
from s2mlp_dsl.operators._receptive_field import Part, Table
from s2mlp_dsl.operators._window import Windows

if TYPE_CHECKING:
    from s2mlp_dsl.operators._operator import Array

Kernel = tuple[tuple[Fraction, ...], ...]
Filter = tuple[Kernel, ...]


def check_fixed(fixed: Kernels, side: int, group_channels: int, outputs: int) -> None:
    """Raise `Refusal` unless the filters fit a convolution.

    Each has `group_channels` kernels of side × side, and the number of filters divides
    the number of output channels.
    """
    several = len(fixed.filters) > 1
    for number, kernels in enumerate(fixed.filters, 1):
        name = f"filter {number}" if several else "it"
        if len(kernels) != group_channels:
            raise Refusal(
                shapes.FILTER_LENGTH,
                argument="fixed",
                filter=name,
                kernels=_counted(len(kernels), "kernel"),
                channels=_counted(group_channels, "channel"),
            )
        for place, kernel in enumerate(kernels, 1):
            of_filter = f"kernel {place} of {name}"
            alone = name.replace("filter", "kernel")
            _check_kernel(kernel, of_filter if group_channels > 1 else alone, side)
    if outputs % len(fixed.filters):
        raise Refusal(
            shapes.KERNELS_DIVIDE,
            argument="fixed",
            what="kernels" if group_channels == 1 else "filters",
            **divided(outputs, len(fixed.filters)),
        )


def _counted(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def _check_kernel(kernel: Kernel, name: str, side: int) -> None:
    widths = sorted({len(row) for row in kernel})
    if len(kernel) != side or widths != [side]:
        size = f"{len(kernel)} × {' or '.join(map(str, widths))}"
        raise Refusal(
            shapes.KERNEL_SIZE, argument="fixed", kernel=name, size=size, side=side
        )
    for value in chain.from_iterable(kernel):
        if not fits_float32(value):
            raise Refusal(shapes.KERNEL_VALUE, argument="fixed", value=float(value))


def with_channels(fixed: Kernels, outputs: int) -> Iterator[tuple[Filter, range]]:
    """Each filter with the run of output channels it serves."""
    run = outputs // len(fixed.filters)
    for number, kernels in enumerate(fixed.filters):
        yield kernels, range(number * run, (number + 1) * run)


def coefficients(kernel: Kernel, windows: Windows) -> Iterator[dict[int, Fraction]]:
    """For each window, the positions it depends on with their coefficients.

    Taps that an edge rule sends to the same position add up, and may cancel.
    """
    common = _common(kernel)
    for found in _numerators(kernel, windows):
        yield {source: Fraction(value, common) for source, value in found.items()}


def _common(kernel: Kernel) -> int:
    """A common denominator."""
    return lcm(*(value.denominator for row in kernel for value in row))


def _numerators(kernel: Kernel, windows: Windows) -> Iterator[dict[int, int]]:
    """The coefficients times the common denominator, which is much faster to add."""
    common = _common(kernel)
    flat = [int(value * common) for row in kernel for value in row]
    for reads in windows.reads():
        found: dict[int, int] = {}
        for offset, source in reads:
            found[source] = found.get(source, 0) + flat[offset]
        yield {source: value for source, value in found.items() if value}


def depthwise_parts(fixed: Kernels, windows: Windows) -> tuple[Part, ...]:
    """What each channel reads of itself; equal kernels are one part."""
    masks: dict[Kernel, int] = defaultdict(int)
    for (kernel,), run in with_channels(fixed, windows.x.channels):
        masks[kernel] |= sum(1 << channel for channel in run)
    return tuple(
        Part(mask, windows.grid() if reads_all(kernel) else _table(kernel, windows))
        for kernel, mask in masks.items()
    )


def reads_all(kernel: Kernel) -> bool:
    """Whether all of a window is read, wherever it lies: no taps cancel."""
    flat = [value for row in kernel for value in row]
    return min(flat) > 0 or max(flat) < 0


def mixing_parts(
    fixed: Kernels, windows: Windows, outputs: int, groups: int
) -> tuple[Part, ...]:
    """What each output channel reads of each input channel of its group."""
    tables: dict[Kernel, Table] = {}
    parts: dict[tuple[int, Table], int] = defaultdict(int)
    group_outputs, group_channels = outputs // groups, windows.x.channels // groups
    for kernels, run in with_channels(fixed, outputs):
        for kernel in kernels:
            if kernel not in tables:
                tables[kernel] = _table(kernel, windows)
        for out in run:
            read: dict[Table, int] = defaultdict(int)
            for c, kernel in enumerate(kernels, out // group_outputs * group_channels):
                read[tables[kernel]] |= 1 << c
            for table, channels in read.items():
                if any(table):
                    parts[channels, table] |= 1 << out
    return tuple(Part(channels, table, out) for (channels, table), out in parts.items())


def _table(kernel: Kernel, windows: Windows) -> Table:
    return tuple(tuple(sorted(row)) for row in _numerators(kernel, windows))


def reads_neighbours(fixed: Kernels, pad: int) -> bool:
    """Whether any of them reads anything but its own position."""
    return any(
        value
        for kernels in fixed.filters
        for kernel in kernels
        for y, row in enumerate(kernel)
        for x, value in enumerate(row)
        if (y, x) != (pad, pad)
    )


def is_channel_agnostic(fixed: Kernels, groups: int, outputs: int) -> bool:
    """Whether the function stays the same if channels are renamed.

    Then all output channels are the same, or each differs from the others only in the
    kernel of the input channel with its own number.
    """
    filters = fixed.filters
    if len(set(filters)) == len(set(filters[0])) == 1:
        return len(filters[0]) == 1 or groups == 1
    if groups > 1 or not len(filters) == len(filters[0]) == outputs:
        return False
    own = {kernels[out] for out, kernels in enumerate(filters)}
    others = {
        kernel
        for out, kernels in enumerate(filters)
        for c, kernel in enumerate(kernels)
        if c != out
    }
    return len(own) == len(others) == 1


def weight(fixed: Kernels, outputs: int) -> "Array":
    """[output channels, input channels of a group, side, side], in single precision."""
    import numpy as np

    given = np.array(literal(fixed), np.float32)
    return np.repeat(given, outputs // len(given), axis=0)


def literal(fixed: Kernels) -> tuple[tuple[tuple[tuple[float, ...], ...], ...], ...]:
    """The filters as Python numbers."""
    return tuple(
        tuple(tuple(tuple(map(float, row)) for row in kernel) for kernel in kernels)
        for kernels in fixed.filters
    )
