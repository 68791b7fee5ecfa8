"""Profiles of machines and the microbenchmarks that make them; only ``benchmarks`` may import numpy or torch."""
