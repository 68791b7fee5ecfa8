"""Measurements of the linter on pinned real code; a command each: ``python -m benchmarks.NAME``.

Each figure is a ratio of two things measured in the same run, or a time or size with the machine named beside it.
"""
