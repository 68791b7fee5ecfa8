"""The benchmarks, by module of the course; nothing outside this package imports numpy or torch.

A benchmark imports what it needs inside ``prepare``, so that all can be listed where nothing is installed.
"""
