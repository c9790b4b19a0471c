"""Syntax tree to IR: names, imports, parameters, expansion, bounds."""
