"""Studies: their plans, their runs, and what came out.

`records.py` is what is written: a plan, and a result per run; `store.py` reads and
writes them. Everything that shows a study needs those two and nothing else.
"""
