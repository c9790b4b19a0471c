"""Studies: their plans, their runs, and what came out.

`records.py` is what is written: a plan, and a result per run. Everything that
shows a study reads those two and nothing else.
"""
