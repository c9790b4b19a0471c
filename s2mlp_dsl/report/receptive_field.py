"""The exact receptive field as data for page.js: every position, every iteration.

Sets of positions are bit strings, one after the other, deflated: neighbours and
iterations repeat so much that megabytes become kilobytes.
"""

import base64
import json
import zlib

from s2mlp_dsl.analysis.receptive_field import seen_after
from s2mlp_dsl.escape import xml
from s2mlp_dsl.pictures.views import CannotDraw
from s2mlp_dsl.pictures.views.receptive_field import drawable, grid_of
from s2mlp_dsl.report import Subject

MOST_BYTES = 1 << 23


def receptive_field(subject: Subject, id: str) -> str:
    """A slider for the iterations, and a grid to choose a position in."""
    try:
        field = drawable(subject.program)
    except CannotDraw as reason:
        return f"<p>Not drawn: {xml(str(reason))}.</p>"
    history = seen_after(subject.model)
    height, width = field.grid
    size = (height * width + 7) // 8
    shown = list(enumerate(history, start=1))
    while len(shown) > 1 and sum(len(rows) for _, rows in shown) * size > MOST_BYTES:
        shown = shown[(len(shown) - 1) % 2 :: 2]  # every second one, and the last
    bits = b"".join(row.to_bytes(size, "little") for _, rows in shown for row in rows)
    data = {
        "grid": field.grid,
        "iterations": field.iterations,
        "depths": [depth for depth, _ in shown],
        "maps": [grid_of(len(rows), field.grid) for _, rows in shown],
        "bits": base64.b64encode(zlib.compress(bits, 9)).decode(),
    }
    # It cannot end the element, whatever it says.
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    name = f"{id}-receptive-field"
    return (
        f'<div class="receptive-field" id="{name}">'
        f'<label for="{name}-depth">Depth <input type="range" id="{name}-depth" '
        f'min="0" max="{len(shown)}" value="{min(4, len(shown))}" step="1"></label>'
        f'<p id="{name}-said" aria-live="polite"></p>'
        f'<svg class="grid" tabindex="0" role="img" viewBox="0 0 {width} {height}" '
        f'aria-label="The first map" aria-describedby="{name}-said"></svg>'
        '<p class="hint">Click a position, or focus the grid and use the arrow keys.'
        f'</p><script type="application/json">{text}</script></div>'
    )
