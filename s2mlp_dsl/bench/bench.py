"""A model measured, each mode in a process of its own.

So no mode finds what another left behind: memory that is not returned, compiled code,
a changed number of threads.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from s2mlp_dsl.bench.figures import Bench, Machine, Mode, Row, Setting
from s2mlp_dsl.errors import EnvironmentFailure
from s2mlp_dsl.lower.source import Source
from s2mlp_dsl.program import Program


def bench(program: Program, setting: Setting, *, compiled: bool = True) -> Bench:
    """Latency, images/s and peak memory of a model here, eager and compiled.

    Raises UsageError and EnvironmentFailure if the device cannot be used.
    """
    size, analysis = program.model.input_size, program.analysis
    machine, row = _in_process(program.source(), size, setting, "eager")
    rows = [row]
    if compiled and row.failed is None:
        # The shift implementation is chosen for the device, as in training.
        source = program.source(device=machine.device)
        rows.append(_in_process(source, size, setting, "compiled")[1])
    assert analysis.params is not None and analysis.macs is not None
    return Bench(
        model=program.model.name,
        params=analysis.params,
        macs=analysis.macs,
        setting=setting,
        machine=machine,
        rows=tuple(rows),
    )


def _in_process(
    source: Source, size: tuple[int, ...], setting: Setting, mode: Mode
) -> tuple[Machine, Row]:
    from s2mlp_dsl.bench.measure import measure

    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        try:
            return pool.submit(measure, source, size, setting, mode).result()
        except BrokenProcessPool as error:
            raise EnvironmentFailure(
                f"the process that measured {mode} was killed, as happens where memory "
                "runs out; try a smaller --batch"
            ) from error
