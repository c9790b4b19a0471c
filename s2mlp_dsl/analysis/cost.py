"""Parameters, MACs and FLOPs: per statement and in total, exact integers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

from s2mlp_dsl.ir.program import Model, Op
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.ir.walk import modules, occurrences
from s2mlp_dsl.operators import Buffer, applied


@dataclass(frozen=True, slots=True)
class Row:
    """What one statement costs, all its repetitions together.

    `params` and `macs` are for one use; `count` is how many uses there are.
    """

    path: str
    operator: str
    labels: frozenset[str]
    result: Shape
    params: int
    macs: int
    count: int

    @property
    def total_params(self) -> int:
        return self.params * self.count

    @property
    def total_macs(self) -> int:
        return self.macs * self.count


def cost_table(model: Model) -> list[Row]:
    """A row per statement in order of execution, equal iterations as one."""
    rows = []
    for one in occurrences(model):
        operator = applied(one.op)
        rows.append(
            Row(
                path=one.path,
                operator=one.op.operator,
                labels=one.labels,
                result=one.op.result,
                params=sum(map(prod, operator.tensors().values())),
                macs=operator.macs(),
                count=one.count,
            )
        )
    return rows


def tensors_of(op: Op) -> dict[str, tuple[int, ...]]:
    """Trainable tensors of one operator: name within it to shape."""
    return applied(op).tensors()


def buffers_of(op: Op) -> dict[str, Buffer]:
    """What one operator stores beside its parameters: name within it to buffer."""
    return applied(op).buffers()


def tensors_in(model: Model) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of every trainable tensor of a model, iterations opened."""
    known: dict[int, dict[str, tuple[int, ...]]] = {}
    for path, op in modules(model):
        if id(op) not in known:
            known[id(op)] = tensors_of(op)
        for name, shape in known[id(op)].items():
            yield f"{path}.{name}", shape


def total_params(rows: Iterable[Row]) -> int:
    return sum(row.total_params for row in rows)


def total_macs(rows: Iterable[Row]) -> int:
    return sum(row.total_macs for row in rows)
