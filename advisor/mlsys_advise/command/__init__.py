"""The command line: a thin driver that asks the engine and renders its answer; it decides nothing about code."""
