"""Fixed kernels: which channels each of them serves, and what it reads.

One kernel serves all channels; of n kernels, each serves a run of channels / n.
They are constants of the program: no parameters, and in no file of weights.
"""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction

from s2mlp_dsl.ir.program import Kernels
from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.ops import codes
from s2mlp_dsl.ops.base import Refusal
from s2mlp_dsl.ops.reach import Part, Table
from s2mlp_dsl.ops.window import Windows

Kernel = tuple[tuple[Fraction, ...], ...]

# What single precision holds with all its digits.
_SMALLEST, _LARGEST = Fraction(2) ** -126, Fraction(2) ** 127


def fit(fixed: Kernels, side: int, channels: int) -> None:
    """Raise `Refusal` unless all are side × side and their number divides."""
    several = len(fixed.kernels) > 1
    for number, kernel in enumerate(fixed.kernels, 1):
        widths = sorted({len(row) for row in kernel})
        if len(kernel) != side or widths != [side]:
            size = f"{len(kernel)} × {' or '.join(map(str, widths))}"
            raise Refusal(
                codes.KERNELS,
                f"{f'kernel {number}' if several else 'it'} is {size}; "
                f"the kernel is {side} × {side}",
                argument="fixed",
                help=f"give it {side} rows of {side} numbers",
            )
        for value in (one for row in kernel for one in row):
            if value and not _SMALLEST <= abs(value) <= _LARGEST:
                raise Refusal(
                    codes.KERNELS,
                    f"{float(value):g} is beyond single precision",
                    argument="fixed",
                    help="write numbers from 1e-37 to 1e38, or 0",
                )
    count = len(fixed.kernels)
    if channels % count:
        raise Refusal(
            codes.KERNELS,
            f"{channels} channels = {count} kernels · {channels // count} "
            f"+ {channels % count}",
            argument="fixed",
            help="let the number of kernels divide the channels",
        )


def each_with_channels(fixed: Kernels, channels: int) -> Iterator[tuple[Kernel, range]]:
    """Each kernel with the run of channels it serves."""
    run = channels // len(fixed.kernels)
    for number, kernel in enumerate(fixed.kernels):
        yield kernel, range(number * run, (number + 1) * run)


def coefficients(
    kernel: Kernel, windows: Windows, x: Map
) -> Iterator[dict[int, Fraction]]:
    """For each window, the positions it depends on with their coefficients.

    Taps that an edge rule sends to one position add up, and may cancel.
    """
    flat = [one for row in kernel for one in row]
    for reads in windows.reads(x):
        found: dict[int, Fraction] = defaultdict(Fraction)
        for offset, source in reads:
            found[source] += flat[offset]
        yield {source: one for source, one in found.items() if one}


def parts_of(fixed: Kernels, windows: Windows, x: Map) -> tuple[Part, ...]:
    """What each kernel's channels read; equal kernels are one part."""
    masks: dict[Kernel, int] = defaultdict(int)
    for kernel, run in each_with_channels(fixed, x.channels):
        masks[kernel] |= sum(1 << channel for channel in run)
    return tuple(
        Part(mask, _table(kernel, windows, x)) for kernel, mask in masks.items()
    )


def _table(kernel: Kernel, windows: Windows, x: Map) -> Table:
    return tuple(tuple(sorted(row)) for row in coefficients(kernel, windows, x))


def is_off_centre(kernel: Kernel) -> bool:
    """Whether it reads anything but its own position."""
    middle = len(kernel) // 2
    return any(
        value
        for y, row in enumerate(kernel)
        for x, value in enumerate(row)
        if (y, x) != (middle, middle)
    )


def literal(fixed: Kernels) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """The kernels as Python numbers."""
    return tuple(tuple(tuple(map(float, row)) for row in one) for one in fixed.kernels)
