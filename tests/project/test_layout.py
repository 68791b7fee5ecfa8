"""The project of a file is a property of the file; its modules are called what scripts and packages call them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_advise.project import layout
from mlsys_advise.project.layout import declared_packages, module_table, project_root

OURS = "[tool.mlsys-advise]\n"


@pytest.fixture(autouse=True)
def fresh() -> None:
    layout.forget()


def write(root: Path, name: str, content: str = "") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


class TestProjectRoot:
    def test_without_anything_is_the_folder(self, tmp_path: Path) -> None:
        assert project_root(write(tmp_path, "a/b/x.py")) == tmp_path / "a/b"

    def test_is_the_nearest_pyproject(self, tmp_path: Path) -> None:
        write(tmp_path, "pyproject.toml")
        write(tmp_path, "a/pyproject.toml")
        assert project_root(write(tmp_path, "a/b/x.py")) == tmp_path / "a"

    @pytest.mark.parametrize("pointer", [False, True], ids=["directory", "file"])
    def test_is_rather_the_repository(self, tmp_path: Path, pointer: bool) -> None:
        write(tmp_path, ".git" if pointer else ".git/HEAD", "gitdir: elsewhere")
        write(tmp_path, "a/pyproject.toml")
        assert project_root(write(tmp_path, "a/b/x.py")) == tmp_path

    def test_is_rather_still_what_has_settings_of_ours(self, tmp_path: Path) -> None:
        file = write(tmp_path, "r/a/b/x.py")
        write(tmp_path, "r/.git/HEAD")
        write(tmp_path, "r/a/pyproject.toml", OURS)
        write(tmp_path, "r/a/b/pyproject.toml", "[project]\n")
        assert project_root(file) == tmp_path / "r/a"
        layout.forget()
        write(tmp_path, "r/a/b/mlsys-advise.toml")
        assert project_root(file) == tmp_path / "r/a/b"
        assert project_root(file, isolated=True) == tmp_path / "r"

    @pytest.mark.parametrize(
        ("content", "ours"),
        [
            (OURS, True),
            ("tool.mlsys-advise.target = 'h100'\n", True),
            ("[tool]\nmlsys-advise = {}\n", True),
            ("[tool.'mlsys-advise'.x]\n", True),
            (OURS + "x = [", True),
            ("[project]\ndependencies = ['mlsys-advise']\n", False),
            ("[tool.other]\nx = 'mlsys-advise'\n", False),
            ("x = ['mlsys-advise'", False),
            ("tool = 'mlsys-advise'\n", False),
            ("", False),
        ],
    )
    def test_settings_are_told_by_the_table_not_by_the_word(self, tmp_path: Path, content: str, ours: bool) -> None:
        write(tmp_path, ".git/HEAD")
        write(tmp_path, "a/pyproject.toml", content)
        assert project_root(write(tmp_path, "a/x.py")) == (tmp_path / "a" if ours else tmp_path)

    def test_of_a_folder_starts_at_the_folder(self, tmp_path: Path) -> None:
        write(tmp_path, "a/pyproject.toml")
        assert project_root(tmp_path / "a") == tmp_path / "a"

    def test_of_a_file_that_does_not_exist_is_that_of_its_folder(self, tmp_path: Path) -> None:
        write(tmp_path, ".git/HEAD")
        assert project_root(tmp_path / "new.py") == tmp_path
        assert project_root(tmp_path / "no" / "such" / "new.py") == tmp_path

    def test_depends_on_no_current_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("a", "b"):
            write(tmp_path, f"{name}/pyproject.toml")
            monkeypatch.chdir(tmp_path / name)
            assert project_root(Path("x.py")) == tmp_path / name

    @pytest.mark.skipif(sys.platform == "win32", reason="making links needs a privilege on Windows")
    def test_is_found_by_the_real_folder_and_given_without_links(self, tmp_path: Path) -> None:
        write(tmp_path, "real/pyproject.toml")
        file = write(tmp_path, "real/a/x.py")
        (tmp_path / "link").symlink_to(tmp_path / "real" / "a")
        (tmp_path / "real" / "loop").symlink_to(tmp_path)
        for spelled in (file, tmp_path / "link" / "x.py", tmp_path / "real" / "loop" / "real" / "a" / "x.py"):
            assert project_root(spelled) == tmp_path / "real"

    @pytest.mark.skipif(sys.platform == "win32", reason="FIFOs of Unix")
    def test_waits_for_no_fifo(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pyproject.toml")
        write(tmp_path, ".git/HEAD")
        assert project_root(write(tmp_path, "a/x.py")) == tmp_path

    def test_is_looked_up_once_for_each_folder(self, tmp_path: Path) -> None:
        write(tmp_path, "a/pyproject.toml")
        file = write(tmp_path, "a/x.py")
        assert project_root(file) == tmp_path / "a"
        write(tmp_path, "a/mlsys-advise.toml").unlink()
        (tmp_path / "a" / "pyproject.toml").unlink()
        write(tmp_path, ".git/HEAD")
        assert project_root(file.with_name("y.py")) == tmp_path / "a"
        layout.forget()
        assert project_root(file) == tmp_path


class TestModuleTable:
    @pytest.mark.parametrize(
        ("path", "others", "modules"),
        [
            ("data.py", [], ("data",)),
            ("project/train/data.py", [], ("data", "train.data", "project.train.data")),
            ("a/b/c.py", ["a/__init__.py", "a/b/__init__.py"], ("a.b.c",)),
            ("src/a/c.py", ["src/a/__init__.py"], ("a.c", "src.a.c")),
            ("a/__init__.py", [], ("a",)),
            ("src/a/b/__init__.py", ["src/a/__init__.py"], ("a.b", "src.a.b")),
            ("a/__main__.py", ["a/__init__.py"], ("a.__main__",)),
            # A folder within a package that is none itself: scripts run from there.
            ("a/tools/x.py", ["a/__init__.py"], ("x", "a.tools.x")),
            ("nb/explore.ipynb", [], ("explore", "nb.explore")),
            # The name of the project's own folder is not known: relative imports still lead here.
            ("a.py", ["__init__.py"], ("a",)),
            ("my-scripts/x.py", [], ("x", "my-scripts.x")),
        ],
    )
    def test_names_start_where_scripts_may_run_and_keep_packages_whole(
        self, path: str, others: list[str], modules: tuple[str, ...]
    ) -> None:
        assert module_table([*others, path])[path] == modules

    def test_other_files_and_the_folder_itself_have_no_name(self) -> None:
        assert module_table(["a.yaml", "Dockerfile", "__init__.py"]) == {}

    def test_a_name_that_the_project_declares_is_one_more(self) -> None:
        paths = ["lib/core/x.py", "lib/core/__init__.py", "python/y.py"]
        table = module_table(paths, {"lib/core": "acme.core", "python": ""})
        assert table["lib/core/x.py"] == ("acme.core.x", "core.x", "lib.core.x")
        assert table["lib/core/__init__.py"] == ("acme.core", "core", "lib.core")
        assert table["python/y.py"] == ("y", "python.y")

    @given(st.lists(st.lists(st.sampled_from(["a", "b", "c", "__init__"]), min_size=1, max_size=4).map("/".join)))
    def test_every_name_ends_the_path_and_the_path_is_a_name(self, stems: list[str]) -> None:
        table = module_table([f"{stem}.py" for stem in stems])
        for path, modules in table.items():
            dotted = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            assert modules[-1] == dotted
            assert all(f".{dotted}".endswith(f".{module}") for module in modules)
            assert list(modules) == sorted(modules, key=len)
            assert len(set(modules)) == len(modules)


class TestDeclaredPackages:
    @pytest.mark.parametrize(
        ("content", "declared"),
        [
            ("[tool.setuptools.package-dir]\n'' = 'src'\n", {"src": ""}),
            ("[tool.setuptools]\npackage-dir = {acme = 'lib/acme'}\n", {"lib/acme": "acme"}),
            ("[tool.hatch.build.targets.wheel.sources]\n'src/old' = 'new'\n", {"src/old": "new"}),
            ("[tool.hatch.build.sources]\nsrc = ''\n", {"src": ""}),
            ("[[tool.poetry.packages]]\ninclude = 'a'\nfrom = 'lib'\nto = 'acme'\n", {"lib/a": "acme.a"}),
            ("[[tool.poetry.packages]]\ninclude = 'a'\n", {}),
            ("[tool.setuptools.package-dir]\n'' = '.'\n'no-name' = 'x'\nup = '../up'\n", {"": ""}),
            ("tool = 1\n", {}),
            ("[tool.setuptools]\npackage-dir = 'src'\n", {}),
            ("broken =", {}),
            ("", {}),
        ],
    )
    def test_are_read_from_the_build_s_table(self, content: str, declared: dict[str, str]) -> None:
        assert declared_packages(content.encode()) == declared
