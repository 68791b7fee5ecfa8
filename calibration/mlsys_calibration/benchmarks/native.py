"""C compiled for a benchmark, in the benchmark's own folder."""

from __future__ import annotations

import ctypes
import subprocess
import sysconfig
from pathlib import Path

from mlsys_calibration.needs import compiler


def library(source: str, *flags: str) -> Path:
    """The shared library that a C source compiles to. Raises RuntimeError with the compiler's words."""
    text, built = Path("source.c"), Path("source" + (sysconfig.get_config_var("SHLIB_SUFFIX") or ".so")).absolute()
    text.write_text(source)
    done = subprocess.run(
        [str(compiler()), "-O3", "-fPIC", "-shared", *flags, str(text), "-o", str(built), "-lm"],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"the compiler said: {(done.stderr.strip().splitlines() or ['nothing'])[0]}")
    return built


def functions(source: str, *flags: str) -> ctypes.CDLL:
    """The functions of a C source, called without the interpreter lock."""
    return ctypes.CDLL(str(library(source, *flags)))


def extension(source: str) -> ctypes.PyDLL:
    """The functions of a C source that uses the Python API, called with the interpreter lock."""
    return ctypes.PyDLL(str(library(source, f"-I{sysconfig.get_path('include')}")))
