"""What someone else's code does to a map.

`run` starts a process of its own, which imports the code and prints what it found.
"""
