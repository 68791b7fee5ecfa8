"""The six packages on which everything is measured: downloaded at pinned versions and unpacked, never imported.

``python -m benchmarks.corpus`` prints the folder. Nothing below it is ever committed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.options import Options, parse

PINNED = {
    "accelerate": "1.15.0",
    "diffusers": "0.42.1",
    "pytorch-lightning": "2.6.6",
    "timm": "1.0.31",
    "transformers": "5.23.0",
    "ultralytics": "8.4.190",
}


def cache_folder() -> Path:
    """``$MLSYS_BENCHMARKS``, or a folder in the user's own cache."""
    if named := os.environ.get("MLSYS_BENCHMARKS"):
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home()))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "mlsys-advise-benchmarks"


def packages(options: Options) -> Path:
    """The folder of the unpacked packages, downloaded if need be; to be quick, timm alone.

    Raises subprocess.CalledProcessError if pip cannot download one of them.
    """
    if options.quick:
        return alone(_all(options), "timm")
    return _all(options)


def alone(folder: Path, package: str) -> Path:
    """A copy of one package as a project of its own: in ``folder``, naming it would still read all six."""
    project = cache_folder() / "alone" / f"{package}-{PINNED[package]}"
    if not (project / "mlsys-advise.toml").exists():
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(folder / package, project / package)
        (project / "mlsys-advise.toml").touch()
    return project


def _all(options: Options) -> Path:
    if options.corpus is not None:
        return options.corpus
    folder = cache_folder() / "packages"
    if not complete(folder):
        shutil.rmtree(folder, ignore_errors=True)
        download(folder)
    return folder


def complete(folder: Path) -> bool:
    return all((folder / f"{name.replace('-', '_')}-{version}.dist-info").is_dir() for name, version in PINNED.items())


def download(folder: Path) -> None:
    """Wheels only, and only these: a source distribution would have to run code to be unpacked."""
    wheels = folder.with_name("wheels")
    requirements = [f"{name}=={version}" for name, version in PINNED.items()]
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--dest",
        str(wheels),
    ]
    subprocess.run([*pip, *requirements], check=True)
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    # One project: the packages refer to each other, and a project of 4,800 files is what latency is about.
    (folder / "mlsys-advise.toml").touch()


def python_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def lines(files: Sequence[Path]) -> int:
    return sum(file.read_bytes().count(b"\n") for file in files)


def main(arguments: Sequence[str] | None = None) -> int:
    folder = packages(parse(__doc__, arguments))
    files = python_files(folder)
    print(folder)
    print(f"{len(files):,} Python files, {lines(files):,} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
