"""A walk finds what is ours, once, whatever the links, ignore files and the order of the arguments."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mlsys_advise.project import discovery, layout
from mlsys_advise.project.discovery import Discovery, Language, discover, language_of, respelled
from mlsys_advise.settings.layer import Patterns, Settings

links = pytest.mark.skipif(sys.platform == "win32", reason="making links needs a privilege on Windows")


@pytest.fixture(autouse=True)
def fresh() -> None:
    layout.forget()


def make(root: Path, *files: str, **contents: str) -> Path:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    for name, content in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    return root


def write(root: Path, name: str, content: str) -> None:
    make(root, **{name: content})


def names(root: Path, *paths: str, settings: Settings | None = None) -> list[str]:
    found = discover([root / path for path in paths] or [root], settings or Settings())
    assert found.missing == ()
    return [path.relative_to(root).as_posix() for path in found.files]


class TestLanguages:
    @pytest.mark.parametrize(
        ("path", "language"),
        [
            ("a/train.py", Language.PYTHON),
            ("setup.py", Language.PYTHON),
            ("gui.pyw", Language.PYTHON),
            ("TRAIN.PY", Language.PYTHON),
            ("a.ipynb", Language.NOTEBOOK),
            ("k8s/job.yaml", Language.YAML),
            ("job.yml", Language.YAML),
            ("Dockerfile", Language.DOCKERFILE),
            ("a/Dockerfile.gpu", Language.DOCKERFILE),
            ("train.Dockerfile", Language.DOCKERFILE),
            ("Containerfile", Language.DOCKERFILE),
            ("run.sh", Language.SHELL),
            ("run.sbatch", Language.SHELL),
            ("run.slurm", Language.SHELL),
            ("requirements.txt", Language.REQUIREMENTS),
            ("requirements-dev.txt", Language.REQUIREMENTS),
            ("dev-requirements.in", Language.REQUIREMENTS),
            ("constraints.txt", Language.REQUIREMENTS),
            ("requirements/gpu.txt", Language.REQUIREMENTS),
            ("pyproject.toml", Language.REQUIREMENTS),
            ("setup.cfg", Language.REQUIREMENTS),
            ("environment.yml", Language.REQUIREMENTS),
            ("conda.yaml", Language.REQUIREMENTS),
            ("uv.lock", Language.REQUIREMENTS),
            ("poetry.lock", Language.REQUIREMENTS),
            ("notes.txt", None),
            ("a.lock", None),
            ("MANIFEST.in", None),
            ("other.toml", None),
            ("Dockerfile.dockerignore", None),
            ("Dockerfile.md", None),
            ("py", None),
            ("a.pyc", None),
            ("a.pyi", None),
            ("README", None),
            ("", None),
        ],
    )
    def test_are_told_by_the_name(self, path: str, language: Language | None) -> None:
        assert language_of(path) == language


class TestWalk:
    def test_files_are_absolute_and_sorted(self, tmp_path: Path) -> None:
        make(tmp_path, "b.py", "a/z.py", "a.py", "c.txt", "a/Dockerfile")
        assert discover([tmp_path], Settings()).files == tuple(
            tmp_path / name for name in ("a.py", "a/Dockerfile", "a/z.py", "b.py")
        )

    def test_a_file_is_found_once_whatever_the_arguments(self, tmp_path: Path) -> None:
        make(tmp_path, "a/x.py", "b.py")
        assert names(tmp_path, "a", "a/x.py", ".", "b.py", "a/../b.py") == names(tmp_path)

    def test_what_does_not_exist_is_an_error_of_usage(self, tmp_path: Path) -> None:
        make(tmp_path, "a.py")
        found = discover([tmp_path / "no.py", tmp_path / "a.py", tmp_path / "no"], Settings())
        assert found == Discovery((tmp_path / "a.py",), (), (tmp_path / "no.py", tmp_path / "no"))

    def test_relative_arguments_are_those_of_the_current_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path, "a/x.py")
        monkeypatch.chdir(tmp_path / "a")
        assert discover([Path()], Settings()).files == (tmp_path / "a" / "x.py",)
        assert discover([Path("x.py")], Settings()).files == (tmp_path / "a" / "x.py",)

    @pytest.mark.parametrize(
        "folder", [".git", ".venv", "venv", "node_modules", "__pycache__", "build", "site-packages"]
    )
    def test_folders_that_hold_no_code_of_the_authors_are_left_out(self, tmp_path: Path, folder: str) -> None:
        make(tmp_path, f"a/{folder}/x.py", "a/y.py")
        assert names(tmp_path) == ["a/y.py"]
        assert names(tmp_path, f"a/{folder}") == [f"a/{folder}/x.py"]

    def test_environments_are_left_out_whatever_their_name(self, tmp_path: Path) -> None:
        make(tmp_path, "env/pyvenv.cfg", "env/x.py", "conda/conda-meta/x.json", "conda/y.py", "z.py")
        assert names(tmp_path) == ["z.py"]

    def test_a_folder_that_cannot_be_listed_gets_a_notice(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path, "a/x.py", "b.py")
        listing = os.scandir

        def refused(path: str) -> object:
            if path.endswith("/a"):
                raise PermissionError(13, "Permission denied")
            return listing(path)

        monkeypatch.setattr(discovery.os, "scandir", refused)
        found = discover([tmp_path], Settings())
        assert found.files == (tmp_path / "b.py",)
        (notice,) = found.notices
        assert notice.path == (tmp_path / "a").as_posix()
        assert "Permission denied" in notice.message

    @pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
    def test_a_name_that_is_no_text_gets_a_notice(self, tmp_path: Path) -> None:
        with open(os.fsencode(tmp_path) + b"/\xff.py", "wb"):
            make(tmp_path, "é.py")
        found = discover([tmp_path], Settings())
        assert found.files == (tmp_path / "é.py",)
        assert found.notices[0].path.endswith("/\\udcff.py")

    def test_folders_may_be_nested_deeply(self, tmp_path: Path) -> None:
        depth = 200
        make(tmp_path, "d/" * depth + "x.py")
        assert names(tmp_path) == ["d/" * depth + "x.py"]


class TestLinks:
    pytestmark = links

    def test_loops_are_entered_once(self, tmp_path: Path) -> None:
        make(tmp_path, "a/x.py")
        (tmp_path / "a" / "again").symlink_to(tmp_path)
        (tmp_path / "a" / "self").symlink_to(tmp_path / "a")
        (tmp_path / "knot").symlink_to("knot")
        assert names(tmp_path) == ["a/x.py"]

    def test_a_file_counts_once_under_its_own_name_before_that_of_links(self, tmp_path: Path) -> None:
        make(tmp_path, "z/real.py")
        (tmp_path / "a.py").symlink_to("z/real.py")
        assert names(tmp_path) == ["z/real.py"]

    def test_of_several_links_to_one_file_elsewhere_the_first_counts(self, tmp_path: Path) -> None:
        make(tmp_path, "outside/x.py", "top/y.py")
        (tmp_path / "top" / "b.py").symlink_to("../outside/x.py")
        (tmp_path / "top" / "a.py").symlink_to("../outside/x.py")
        assert names(tmp_path, "top") == ["top/a.py", "top/y.py"]

    def test_a_folder_elsewhere_in_the_repository_is_followed_once(self, tmp_path: Path) -> None:
        make(tmp_path, ".git/HEAD", "common/x.py", "common/sub/y.py", "app/main.py")
        (tmp_path / "app" / "common").symlink_to("../common")
        (tmp_path / "app" / "second").symlink_to("../common")
        (tmp_path / "common" / "back").symlink_to("../app")
        assert names(tmp_path, "app") == ["app/common/sub/y.py", "app/common/x.py", "app/main.py"]
        assert names(tmp_path) == ["app/main.py", "common/sub/y.py", "common/x.py"]

    def test_a_link_out_of_the_repository_is_not_followed(self, tmp_path: Path) -> None:
        make(tmp_path, "data/x.py", "repository/.git/HEAD", "repository/y.py")
        (tmp_path / "repository" / "data").symlink_to(tmp_path / "data")
        assert names(tmp_path, "repository") == ["repository/y.py"]

    def test_the_folder_named_may_be_a_link(self, tmp_path: Path) -> None:
        make(tmp_path, "repository/.git/HEAD", "repository/src/x.py", "repository/src/y.py")
        write(tmp_path, "repository/.gitignore", "/src/y.py")
        (tmp_path / "link").symlink_to("repository/src")
        assert names(tmp_path, "link") == ["link/x.py"]

    def test_locks_of_editors_are_no_files(self, tmp_path: Path) -> None:
        make(tmp_path, "x.py")
        (tmp_path / ".#x.py").symlink_to("user@host.1234:5678")
        assert names(tmp_path) == ["x.py"]

    def test_special_files_of_our_names_are_left_to_the_reader(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo.py")
        (tmp_path / "zero.py").symlink_to("/dev/zero")
        assert names(tmp_path) == ["fifo.py", "zero.py"]

    def test_ignore_files_that_are_no_plain_files_are_not_waited_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path, "a/x.py", "b/y.py", "c/z.py")
        os.mkfifo(tmp_path / "a" / ".gitignore")
        (tmp_path / "b" / ".gitignore").symlink_to("/dev/zero")
        monkeypatch.chdir(tmp_path / "c")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(".gitignore")
            assert names(tmp_path) == ["a/x.py", "b/y.py", "c/z.py"]


class TestIgnoreFiles:
    def test_nested_ones_count_from_the_inside_out(self, tmp_path: Path) -> None:
        make(tmp_path, "a/x.py", "a/y.py", "b/x.py", "c/d/x.py")
        write(tmp_path, ".gitignore", "x.py\n")
        write(tmp_path, "a/.gitignore", "!x.py\ny.py\n")
        assert names(tmp_path) == ["a/x.py"]

    def test_nothing_is_taken_back_below_an_ignored_folder(self, tmp_path: Path) -> None:
        make(tmp_path, "out/x.py", "y.py")
        write(tmp_path, ".gitignore", "out/\n!out/x.py\n")
        assert names(tmp_path) == ["y.py"]

    def test_those_above_the_folder_named_count_up_to_the_root_of_the_repository(self, tmp_path: Path) -> None:
        make(tmp_path, "r/.git/HEAD", "r/a/b/x.py", "r/a/b/y.py", "r/a/b/z.py", "r/a/b/w.py")
        write(tmp_path, ".gitignore", "w.py")
        write(tmp_path, "r/.gitignore", "/a/b/x.py")
        write(tmp_path, "r/a/.gitignore", "b/y.py")
        assert names(tmp_path, "r/a/b") == ["r/a/b/w.py", "r/a/b/z.py"]

    def test_without_a_repository_they_count_up_to_the_root_of_the_project(self, tmp_path: Path) -> None:
        make(tmp_path, "r/pyproject.toml", "r/a/x.py", "r/a/y.py")
        write(tmp_path, ".gitignore", "y.py")
        write(tmp_path, "r/.gitignore", "x.py")
        assert names(tmp_path, "r/a") == ["r/a/y.py"]

    def test_the_repository_s_own_excludes_count_least(self, tmp_path: Path) -> None:
        make(tmp_path, "x.py", "y.py", "z.py")
        write(tmp_path, ".git/info/exclude", "x.py\ny.py")
        write(tmp_path, ".gitignore", "!x.py")
        assert names(tmp_path) == ["x.py", "z.py"]

    def test_a_work_tree_shares_the_excludes_of_its_repository(self, tmp_path: Path) -> None:
        make(tmp_path, "tree/x.py", "tree/y.py", "main/.git/HEAD")
        write(tmp_path, "tree/.git", f"gitdir: {tmp_path}/main/.git/worktrees/tree\n")
        write(tmp_path, "main/.git/worktrees/tree/commondir", "../..\n")
        write(tmp_path, "main/.git/info/exclude", "x.py")
        assert names(tmp_path, "tree") == ["tree/y.py"]

    def test_a_repository_within_another_starts_afresh(self, tmp_path: Path) -> None:
        make(tmp_path, ".git/HEAD", "x.py", "sub/.git/HEAD", "sub/x.py", "sub/y.py")
        write(tmp_path, ".gitignore", "x.py")
        write(tmp_path, "sub/.git/info/exclude", "y.py")
        assert names(tmp_path) == ["sub/x.py"]

    def test_a_file_or_folder_that_is_named_is_taken(self, tmp_path: Path) -> None:
        make(tmp_path, "out/x.py", "out/y.py", "z.py")
        write(tmp_path, ".gitignore", "out/\nz.py")
        assert names(tmp_path, "z.py", "out") == ["out/x.py", "out/y.py", "z.py"]

    def test_they_may_be_disregarded(self, tmp_path: Path) -> None:
        make(tmp_path, "x.py")
        write(tmp_path, ".gitignore", "x.py")
        assert names(tmp_path, settings=Settings(respect_gitignore=False)) == ["x.py"]

    def test_git_agrees_on_a_real_tree(self, tmp_path: Path) -> None:
        make(tmp_path, "a/x.py", "a/b/y.py", "a/b/keep.py", "logs/z.py", "w.py", "a/gen_1.py", "data/raw/r.py")
        write(tmp_path, ".gitignore", "/logs\ngen_*.py\ndata/**\n!keep.py\n")
        write(tmp_path, "a/.gitignore", "b/*\n!b/keep.py\n")
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
        listed = subprocess.run(
            ["git", "-C", tmp_path, "ls-files", "--others", "--exclude-standard", "*.py"],
            capture_output=True,
            check=True,
            text=True,
        )
        assert names(tmp_path) == listed.stdout.split()


class TestExclude:
    def test_patterns_count_from_the_project_root_whatever_is_named(self, tmp_path: Path) -> None:
        make(tmp_path, "pyproject.toml", "src/gen/x.py", "src/y.py", "src/z_pb2.py")
        settings = Settings(extend_exclude=(Patterns(tmp_path, ("/src/gen", "*_pb2.py")),))
        assert names(tmp_path, settings=settings) == ["pyproject.toml", "src/y.py"]
        assert names(tmp_path, "src", settings=settings) == ["src/y.py"]

    def test_a_pattern_may_take_back_what_is_left_out_otherwise(self, tmp_path: Path) -> None:
        make(tmp_path, "build/x.py", "dist/y.py", "z.py")
        write(tmp_path, ".gitignore", "z.py")
        assert names(tmp_path, settings=Settings(extend_exclude=(Patterns(tmp_path, ("!build/", "!z.py")),))) == [
            "build/x.py",
            "z.py",
        ]

    def test_a_file_that_is_named_is_taken(self, tmp_path: Path) -> None:
        make(tmp_path, "x.py")
        assert names(tmp_path, "x.py", settings=Settings(exclude=Patterns(tmp_path, ("x.py",)))) == ["x.py"]


class TestSpelling:
    def test_names_are_spelled_as_their_folders_list_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path, "Src/Train.py", "Src/test.py")
        assert respelled(str(tmp_path / "src" / "TRAIN.PY")) == str(tmp_path / "Src" / "Train.py")
        assert respelled(str(tmp_path / "Src" / "test.py")) == str(tmp_path / "Src" / "test.py")
        assert respelled(str(tmp_path / "none" / "x.py")) == str(tmp_path / "none" / "x.py")
        monkeypatch.setattr(discovery.sys, "platform", "darwin")
        assert discover([tmp_path / "Src" / "test.py"], Settings()).files == (tmp_path / "Src" / "test.py",)
