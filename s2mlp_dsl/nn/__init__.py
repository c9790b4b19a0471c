"""The modules that operators are compiled to. They need only PyTorch.

Tensors carry their axes: B batch, T time, H height, W width, P positions, S tokens,
C channels, K side of a kernel, X any number of axes. Classes and functions are copied
into emitted sources, so they stay self-contained and formatted.
"""
