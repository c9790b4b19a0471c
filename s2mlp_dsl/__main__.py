"""`python -m s2mlp_dsl` is the command line."""

from s2mlp_dsl.cli import main

main()
