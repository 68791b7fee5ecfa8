"""The options that all benchmarks share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import msgspec


class Options(msgspec.Struct, frozen=True):
    corpus: Path | None = None
    repeats: int = 3
    seed: int = 0
    update: bool = False
    quick: bool = False
    edits: int | None = None
    project: Path | None = None


def parse(description: str | None, arguments: Sequence[str] | None = None) -> Options:
    """Reads the command line of a benchmark. Exits with 2 on an option that is not known."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="folder of the unpacked packages; default: downloaded once")
    parser.add_argument("--repeats", type=int, default=3, help="how often each measurement is taken; the least counts")
    parser.add_argument("--seed", type=int, default=0, help="chooses files and edits")
    parser.add_argument("--update", action="store_true", help="rewrite the committed table or snapshot")
    parser.add_argument(
        "--quick", action="store_true", help="on timm or the example alone: to try a change, not to publish"
    )
    parser.add_argument("--edits", type=int, help="how many edits freshness makes")
    parser.add_argument("--project", type=Path, help="what freshness edits a copy of; default: packages and examples")
    given = parser.parse_args(arguments)
    return msgspec.convert(vars(given), Options)
