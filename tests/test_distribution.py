"""What users install: the source archive and the wheel are complete, and the wheel works where nothing else is."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = {"advisor": "mlsys_advise", "rules": "mlsys_rules", "calibration": "mlsys_calibration"}


class Built(NamedTuple):
    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """As a release is built: the wheel from the source archive, so that what the archive lacks is missed."""
    folder = tmp_path_factory.mktemp("dist")
    here = ["--no-isolation"] if importlib.util.find_spec("hatchling") else []
    command = [sys.executable, "-m", "build", *here, "--outdir", str(folder), str(REPOSITORY)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Built(sdist, wheel)


def ours(root: str, package: str) -> Iterator[str]:
    """The files of a package that belong to the product, as they lie in the wheel."""
    for path in sorted((REPOSITORY / root / package).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(REPOSITORY / root).as_posix()


def test_the_wheel_holds_the_packages_and_nothing_else(built: Built) -> None:
    names = set(zipfile.ZipFile(built.wheel).namelist())
    expected = {name for root, package in PACKAGES.items() for name in ours(root, package)}
    assert sorted(expected - names) == []
    rest = {name for name in names - expected if ".dist-info/" not in name}
    assert sorted(rest) == []
    assert any(name.endswith("/gc_collect_in_hot_path.md") for name in names), "pages are part of the product"
    assert "mlsys_advise/suppression/unused_suppression.md" in names
    assert "mlsys_advise/settings/schema.json" in names, "editors read it"
    assert {f"{package}/py.typed" for package in PACKAGES.values() if package != "mlsys_calibration"} <= names


def test_the_source_archive_holds_what_a_packager_needs(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile", "tests/test_distribution.py"} <= names
    assert not [name for name in names if name.startswith((".venv", ".git/", "dist"))]


def test_the_metadata_is_what_an_index_shows(built: Built) -> None:
    archive = zipfile.ZipFile(built.wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = archive.read(name).decode()
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")]
    assert "\nRequires-Python: >=3.11\n" in metadata
    assert "\nLicense-Expression: MIT\n" in metadata
    assert [line for line in required if "torch" in line or "numpy" in line]
    assert all("extra == 'calibrate" in line for line in required if "torch" in line or "numpy" in line)


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of executables of a clean environment that holds the wheel and what it requires."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=False, symlinks=sys.platform != "win32")
    binaries = folder / ("Scripts" if sys.platform == "win32" else "bin")
    python = binaries / ("python.exe" if sys.platform == "win32" else "python")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "--disable-pip-version-check",
        "install",
        "--quiet",
    ]
    done = subprocess.run([*command, str(built.wheel)], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return binaries


def run(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )


def test_the_installed_program_lints_a_project(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "examples" / "vision", tmp_path / "vision")
    done = run([installed / "mlsys-advise", "--no-cache", "vision"], tmp_path)
    assert done.returncode == 1, done.stderr
    assert "[MLS401]" in done.stdout
    assert "Found " in done.stdout
    assert done.stderr == ""


def test_the_installed_program_shows_pages_of_rules(installed: Path, tmp_path: Path) -> None:
    done = run([installed / "mlsys-advise", "rule", "MLS413"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# MLS413 pageable-batch-transfer\n")
    assert "## Measure it yourself" in done.stdout


def test_every_installed_rule_has_its_page(installed: Path, tmp_path: Path) -> None:
    code = "from mlsys_advise.registry import load_rules\nfor rule in load_rules().rules: print(rule.page().split()[1])"
    done = run([installed / "python", "-P", "-c", code], tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 14


def test_the_base_install_has_neither_numpy_nor_torch(installed: Path, tmp_path: Path) -> None:
    code = "import importlib.util as u; print(*(name for name in ('numpy', 'torch', 'dask') if u.find_spec(name)))"
    assert run([installed / "python", "-P", "-c", code], tmp_path).stdout == "\n"
