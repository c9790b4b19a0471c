"""The IR, executed statement by statement in NumPy.

Each operator computes its own formula; this file only passes values along. It shares no
code with the lowering.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from s2mlp_dsl.analysis.dataflow import INPUT, dataflow, execution_order
from s2mlp_dsl.ir.program import Model, Op
from s2mlp_dsl.ir.shape import shape_of
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.operators import Buffer, applied

Array = NDArray[np.float64]


def has_buffers(model: Model) -> bool:
    """Whether training differs from evaluation: no operator without buffers does."""
    return any(applied(op).buffers() for op in ops_in(model))


def run_reference(
    model: Model,
    image_BCHW: Array,
    weights: Mapping[str, Array],
    changed: dict[str, Array] | None = None,
) -> Iterator[tuple[str, Array]]:
    """The result of every statement and sum, in order of execution.

    Pairs of a node of the dataflow graph and [batch, …, channels]. In evaluation; with
    `changed` in training, and the new values of buffers are put there.
    """
    graph = dataflow(model)
    readers = {node: graph.out_degree(node) for node in graph}
    values: dict[str, Array] = {INPUT: image_BCHW}
    for node in execution_order(graph):
        if node != INPUT:
            facts = graph.nodes[node]
            fed, op = [values[one] for one in facts["fed"]], facts["op"]
            if facts["part"] is not None:
                values[node] = fed[0][..., slice(*facts["part"])]
            elif op is None:
                values[node] = fed[0] + fed[1]
            else:
                operator = applied(op)
                stored = [*operator.tensors(), *operator.buffers()]
                tensors = {name: weights[f"{node}.{name}"] for name in stored}
                together = fed[0] if len(fed) == 1 else np.concatenate(fed, axis=-1)
                values[node], made = reference_of(
                    op, together, tensors, training=changed is not None
                )
                if changed is not None:
                    changed |= {f"{node}.{name}": one for name, one in made.items()}
            yield node, values[node]
        for one in graph.predecessors(node):
            readers[one] -= 1
            if not readers[one]:
                del values[one]


def reference_of(
    op: Op, x: Array, tensors: Mapping[str, Array], *, training: bool
) -> tuple[Array, dict[str, Array]]:
    """One statement's result, and the buffers that it changes in training."""
    operator = applied(op)
    if op.source is not None:  # in a program for any size, the input may be larger
        operator = operator.on(shape_of(x.shape[1:]))
    if training and operator.buffers():
        return operator.reference_in_training(x, tensors)
    return operator.reference(x, tensors), {}


def unit_gain_weights(model: Model, seed: int) -> dict[str, Array]:
    """A random value for every trainable tensor and buffer, none of them small.

    Matrices and kernels keep the variance of their input; vectors are of size one,
    norms included. With small weights and a mean at the end, a model without any shift
    would pass.
    """
    random = np.random.default_rng(seed)
    weights = {}
    for path, op in dataflow(model).nodes(data="op"):
        if op is None:
            continue
        operator = applied(op)
        for name, shape in operator.tensors().items():
            value = random.standard_normal(shape)
            if len(shape) > 1:
                value /= np.sqrt(operator.fan_in(name))
            weights[f"{path}.{name}"] = value
        for name, buffer in operator.buffers().items():
            weights[f"{path}.{name}"] = _random_buffer(buffer, random)
    return weights


def _random_buffer(buffer: Buffer, random: np.random.Generator) -> Array:
    if buffer.values == "count":
        return np.zeros(buffer.shape)
    if buffer.values == "positive":
        return 0.5 + random.random(buffer.shape)
    return random.standard_normal(buffer.shape)
