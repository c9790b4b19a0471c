"""Fixed kernels: which channels each of them serves, and what it reads.

They are filters, one for each of equal runs of the channels that leave. A filter
has a kernel for each channel that enters its group: one kernel in a depthwise
convolution. They are constants of the program: no parameters, and in no file of
weights.
"""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction

from s2mlp_dsl.ir.program import Kernels
from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.operators import codes
from s2mlp_dsl.operators.base import Array, Refusal
from s2mlp_dsl.operators.receptive_field import Part, Table
from s2mlp_dsl.operators.window import Windows

Kernel = tuple[tuple[Fraction, ...], ...]
Filter = tuple[Kernel, ...]

# What single precision holds with all its digits.
_SMALLEST, _LARGEST = Fraction(2) ** -126, Fraction(2) ** 127


def fit(fixed: Kernels, side: int, entering: int, leaving: int) -> None:
    """Raise `Refusal` unless all fit a convolution.

    Each filter has a kernel, side × side, for each of the channels `entering` a
    group, and the number of filters divides the channels `leaving`.
    """
    several = len(fixed.filters) > 1
    for number, one in enumerate(fixed.filters, 1):
        _fit_filter(one, f"filter {number}" if several else "it", side, entering)
    count = len(fixed.filters)
    if leaving % count:
        what = "kernels" if entering == 1 else "filters"
        raise Refusal(
            codes.KERNELS,
            f"{leaving} channels = {count} {what} · {leaving // count} "
            f"+ {leaving % count}",
            argument="fixed",
            help=f"let the number of {what} divide the channels that leave",
        )


def _fit_filter(one: Filter, name: str, side: int, entering: int) -> None:
    if len(one) != entering:
        kernels = "1 kernel" if len(one) == 1 else f"{len(one)} kernels"
        channels = "1 channel enters" if entering == 1 else f"{entering} channels enter"
        raise Refusal(
            codes.KERNELS,
            f"{name} has {kernels}; {channels} its group",
            argument="fixed",
            help="give each filter a kernel for each channel that enters its group",
        )
    if entering == 1:
        name = name.replace("filter", "kernel")
    for number, kernel in enumerate(one, 1):
        where = f"kernel {number} of {name}" if entering > 1 else name
        widths = sorted({len(row) for row in kernel})
        if len(kernel) != side or widths != [side]:
            size = f"{len(kernel)} × {' or '.join(map(str, widths))}"
            raise Refusal(
                codes.KERNELS,
                f"{where} is {size}; the kernel is {side} × {side}",
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


def with_channels(fixed: Kernels, leaving: int) -> Iterator[tuple[Filter, range]]:
    """Each filter with the run of leaving channels it serves."""
    run = leaving // len(fixed.filters)
    for number, one in enumerate(fixed.filters):
        yield one, range(number * run, (number + 1) * run)


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
    """What each channel reads of itself; equal kernels are one part."""
    masks: dict[Kernel, int] = defaultdict(int)
    for (kernel,), run in with_channels(fixed, x.channels):
        masks[kernel] |= _mask(run)
    return tuple(
        Part(mask, _table(kernel, windows, x)) for kernel, mask in masks.items()
    )


def crossing(
    fixed: Kernels, windows: Windows, x: Map, width: int, groups: int
) -> tuple[Part, ...]:
    """What each channel that leaves reads of each that enters its group."""
    tables: dict[Kernel, Table] = {}
    parts: dict[tuple[int, Table], int] = defaultdict(int)
    leaving, within = width // groups, x.channels // groups
    for kernels, run in with_channels(fixed, width):
        for kernel in kernels:
            if kernel not in tables:
                tables[kernel] = _table(kernel, windows, x)
        for out in run:
            read: dict[Table, int] = defaultdict(int)
            for c, kernel in enumerate(kernels, out // leaving * within):
                read[tables[kernel]] |= 1 << c
            for table, channels in read.items():
                if any(table):
                    parts[channels, table] |= 1 << out
    return tuple(Part(channels, table, out) for (channels, table), out in parts.items())


def _mask(channels: range) -> int:
    return sum(1 << channel for channel in channels)


def _table(kernel: Kernel, windows: Windows, x: Map) -> Table:
    return tuple(tuple(sorted(row)) for row in coefficients(kernel, windows, x))


def is_off_centre(fixed: Kernels, pad: int) -> bool:
    """Whether any of them reads anything but its own position."""
    return any(
        value
        for one in fixed.filters
        for kernel in one
        for y, row in enumerate(kernel)
        for x, value in enumerate(row)
        if (y, x) != (pad, pad)
    )


def is_alike(fixed: Kernels, groups: int, width: int) -> bool:
    """Whether the map stays the same where its channels are renamed.

    Channels that leave are all the same then, or each is told from the others by
    the kernel of the channel of the same number alone.
    """
    if len(set(fixed.filters)) == len(set(fixed.filters[0])) == 1:
        return len(fixed.filters[0]) == 1 or groups == 1
    if groups > 1 or not len(fixed.filters) == len(fixed.filters[0]) == width:
        return False
    own = {one[out] for out, one in enumerate(fixed.filters)}
    others = {
        kernel
        for out, one in enumerate(fixed.filters)
        for c, kernel in enumerate(one)
        if c != out
    }
    return len(own) == len(others) == 1


def array(fixed: Kernels, leaving: int) -> Array:
    """[channels that leave, channels that enter a group, side, side].

    In single precision, as a module holds them.
    """
    import numpy as np

    given = np.array(literal(fixed), np.float32)
    return np.repeat(given, leaving // len(given), axis=0)


def literal(fixed: Kernels) -> tuple[tuple[tuple[tuple[float, ...], ...], ...], ...]:
    """The filters as Python numbers."""
    return tuple(
        tuple(tuple(tuple(map(float, row)) for row in kernel) for kernel in one)
        for one in fixed.filters
    )
