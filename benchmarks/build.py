"""The cost of compiling, from spec to module.

    python benchmarks/build.py [--quick]

`compile` of the deep model on `meta`, where weights have no storage, compared with
constructing the hand-written network there; then both with weights on the CPU.
`compile` includes parsing, elaboration, analysis, writing the source and executing it;
the first call, which imports modules and builds the parser, is left out.
"""

import argparse
from collections.abc import Iterator

import torch
from handwritten import like
from rows import ROOT, Row, interleaved, main, ratio

import s2mlp_dsl as s2

SPEC = ROOT / "specs/s2mlp_deep.arch"


def rows(given: argparse.Namespace) -> Iterator[Row]:
    torch.set_num_threads(1)
    rounds = 9 if given.quick else 41
    for device, target in (("meta", 1.5), ("cpu", None)):

        def ours(device: str = device) -> None:
            s2.compile(SPEC, device=device)

        def theirs(device: str = device) -> None:
            with torch.device(device):
                like("s2mlp_deep")

        taken = interleaved({"ours": ours, "theirs": theirs}, rounds)
        mine, other = (min(taken[name]) * 1e3 for name in ("ours", "theirs"))
        detail = f"{mine:.0f} ms against {other:.0f} ms, the fastest of {rounds}"
        found = ratio(taken["ours"], taken["theirs"])
        name = f"s2mlp_deep on {device}, compiled / hand-written"
        yield Row(name, found, "×", target, detail=detail)


if __name__ == "__main__":
    main(rows, __doc__)
