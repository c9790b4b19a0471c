"""The exact receptive field as data for the page: every position, every iteration.

Sets of positions are bit strings, one after the other, deflated: neighbours
and iterations repeat so much that megabytes become kilobytes.
"""

import base64
import json
import zlib
from html import escape
from math import prod

from s2mlp_dsl.analysis.receptive_field import seen_after
from s2mlp_dsl.pictures.receptive_field_view import MOST_PLACES, grid_of
from s2mlp_dsl.report.subject import Subject

MOST_BYTES = 1 << 23
_NONE = "<p>No receptive field: no stack, a clip, or a first map that is too large.</p>"


def receptive_field_widget(subject: Subject, name: str) -> str:
    """A slider for the depth and a grid to choose a position in."""
    receptive_field = subject.analysis.receptive_field
    if (
        receptive_field is None
        or len(receptive_field.grid) != 2
        or prod(receptive_field.grid) > MOST_PLACES
    ):
        return _NONE
    history = seen_after(subject.model)
    if not history:
        return _NONE
    height, width = receptive_field.grid
    size = (height * width + 7) // 8
    depths = list(range(1, len(history) + 1))
    while (
        len(depths) > 1 and sum(len(history[d - 1]) for d in depths) * size > MOST_BYTES
    ):
        depths = depths[::2] if depths[-1] == depths[::2][-1] else depths[1::2]
    raw = b"".join(
        row.to_bytes(size, "little") for depth in depths for row in history[depth - 1]
    )
    data = {
        "grid": [height, width],
        "iterations": receptive_field.iterations,
        "depths": depths,
        "maps": [
            grid_of(len(history[depth - 1]), receptive_field.grid) for depth in depths
        ],
        "bits": base64.b64encode(zlib.compress(raw, 9)).decode(),
    }
    return (
        f'<div class="receptive-field" id="{name}">'
        f'<label for="{name}-depth">Depth <input type="range" id="{name}-depth" '
        f'min="0" max="{len(depths)}" value="{min(4, len(depths))}" step="1"></label>'
        f'<p id="{name}-said" aria-live="polite"></p>'
        f'<svg class="grid" tabindex="0" role="img" viewBox="0 0 {width} {height}" '
        f'aria-label="The first map" aria-describedby="{name}-said"></svg>'
        '<p class="hint">Click a position, or focus the grid and use the arrow keys.'
        "</p>"
        f"{data_block(data)}</div>"
    )


def data_block(data: object) -> str:
    """JSON that cannot end its element, whatever it says."""
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json">{text}</script>'


def doc(text: str | None) -> str:
    """A docstring as a paragraph."""
    return f'<p class="doc">{escape(" ".join(text.split()))}</p>' if text else ""
