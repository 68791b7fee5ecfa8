"""Reads and parses each Python file below a folder in a plain loop, and does nothing with it."""

import ast
import gc
import sys
import warnings
from pathlib import Path


def main(folder: str) -> None:
    gc.disable()
    warnings.simplefilter("ignore", SyntaxWarning)
    for file in sorted(Path(folder).rglob("*.py")):
        ast.parse(file.read_bytes())


if __name__ == "__main__":
    main(sys.argv[1])
