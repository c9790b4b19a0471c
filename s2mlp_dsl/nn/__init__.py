"""The modules that operators lower to. They need PyTorch alone.

Axes: B batch, H height, W width, C channels. These files are also written into
emitted sources, so they stay self-contained and formatted.
"""
