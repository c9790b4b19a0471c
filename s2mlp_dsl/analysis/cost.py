"""Parameters, MACs and FLOPs: per statement and in total, exact integers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

from s2mlp_dsl.ir.program import Model, Op
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.operators import Buffer, applied


@dataclass(frozen=True, slots=True)
class CostRow:
    """The cost of one statement and its repetitions.

    `params` and `macs` are for one of them: it is executed `count` times, by `copies`
    modules with weights of their own.
    """

    path: str
    operator: str
    labels: frozenset[str]
    result: Shape
    params: int
    macs: int
    count: int
    copies: int

    @property
    def total_params(self) -> int:
        return self.params * self.copies

    @property
    def total_macs(self) -> int:
        return self.macs * self.count


def cost_table(model: Model) -> list[CostRow]:
    """A row per statement in order of execution, equal iterations as one."""
    rows = []
    for visit in occurrences(model):
        operator = applied(visit.op)
        rows.append(
            CostRow(
                path=visit.path,
                operator=visit.op.operator,
                labels=visit.labels,
                result=visit.op.result,
                params=params_of(visit.op),
                macs=operator.macs(),
                count=visit.count,
                copies=visit.copies,
            )
        )
    return rows


def params_of(op: Op) -> int:
    """The trainable parameters of one operator."""
    return sum(map(prod, tensors_of(op).values()))


def tensors_of(op: Op) -> dict[str, tuple[int, ...]]:
    """Trainable tensors of one operator: name within it to shape."""
    return applied(op).tensors()


def buffers_of(op: Op) -> dict[str, Buffer]:
    """The buffers of one operator: name within it to buffer."""
    return applied(op).buffers()


def tensors_in(model: Model) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of every trainable tensor of a model, iterations opened."""
    known: dict[int, dict[str, tuple[int, ...]]] = {}
    for visit in occurrences(model, each=True):
        op = visit.op
        if id(op) not in known:
            known[id(op)] = tensors_of(op)
        for name, shape in known[id(op)].items():
            yield f"{visit.path}.{name}", shape


def total_params(rows: Iterable[CostRow]) -> int:
    return sum(row.total_params for row in rows)


def total_macs(rows: Iterable[CostRow]) -> int:
    return sum(row.total_macs for row in rows)
