"""What the manifests of a project admit at a place in it, on small projects given as texts."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from mlsys_advise.languages.requirements import RequirementsInterface, interface, parse
from mlsys_advise.project.pins import (
    ManifestTable,
    PinAnswer,
    governed_directory,
    governing,
    mentions,
    pin,
    python_range,
)

RELEASES = ["1.13.1", "2.0.1", "2.4.0", "2.4.1", "2.5.1", "2.6.0", "2.7.1", "2.10.0"]


def project(files: dict[str, str]) -> ManifestTable:
    return ManifestTable({path: interface(parse(dedent(text), path)) for path, text in files.items()})


def only(files: dict[str, str], directory: str = "", within: str = "<2.6", package: str = "torch") -> PinAnswer:
    return pin(package, directory, within, project(files))


def may(files: dict[str, str], directory: str = "", within: str = "<2.6", package: str = "torch") -> PinAnswer:
    return pin(package, directory, within, project(files), demand="may")


def pyproject(*dependencies: str, extras: str = "") -> str:
    listed = ", ".join(f"'{one}'" for one in dependencies)
    return f"[project]\ndependencies = [{listed}]\n[project.optional-dependencies]\n{extras}\n"


# Which manifest governs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "directory"),
    [
        ("requirements.txt", ""),
        ("a/b/pyproject.toml", "a/b"),
        ("requirements/gpu.txt", ""),
        ("a/requirements/base.in", "a"),
        ("a/conda/train.yml", "a"),
        ("requirements/pyproject.toml", "requirements"),
        ("conda/requirements.txt", "conda"),
    ],
)
def test_the_directory_that_a_manifest_speaks_for(path: str, directory: str) -> None:
    assert governed_directory(path) == directory


def test_the_nearest_folder_with_a_manifest_governs() -> None:
    table = project(
        {
            "requirements.txt": "torch==2.4.1\n",
            "services/api/requirements.txt": "torch>=2.6\n",
            "services/api/requirements/dev.txt": "pytest\n",
            "other/pyproject.toml": "[tool.ruff]\nline-length = 100\n",
            "other/constraints.txt": "torch<2\n",
        }
    )
    assert governing("services/api/handlers", table) == (
        "services/api/requirements.txt",
        "services/api/requirements/dev.txt",
    )
    assert governing("services", table) == ("requirements.txt",)
    assert governing("other", table) == ("requirements.txt",)
    assert governing("services/apis", table) == ("requirements.txt",)


def test_without_manifests_nothing_governs() -> None:
    assert governing("a/b", project({})) == ()


class Recorder:
    """A lookup that notes what it is asked, as the engine's does."""

    def __init__(self, files: dict[str, str]) -> None:
        self.table = project(files)
        self.asked: list[str] = []

    def manifests(self, directory: str) -> Sequence[str]:
        self.asked.append(f"{directory or '.'}/")
        return self.table.manifests(directory)

    def manifest(self, path: str) -> RequirementsInterface | None:
        self.asked.append(path)
        return self.table.manifest(path)


def test_every_read_goes_through_the_lookup_also_where_there_is_nothing() -> None:
    recorder = Recorder({"a/requirements.txt": "-r missing.txt\ntorch<2.6\n", "requirements.txt": "torch\n"})
    assert pin("torch", "a/b/c", "<2.6", recorder).verdict == "yes"
    assert {"a/b/c/", "a/b/", "a/", "a/requirements.txt", "a/missing.txt"} == set(recorder.asked)


# One manifest -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requirement", "admits_only", "may_admit"),
    [
        ("torch==2.4.1", "yes", "yes"),
        ("torch==1.13.1+cu117", "yes", "yes"),
        ("torch<2.6", "yes", "yes"),
        ("torch~=2.4.0", "yes", "yes"),
        ("torch>=1.7,<=2.5.1", "yes", "yes"),
        ("torch>=1.7.0,!=2.0", "no", "yes"),
        ("torch==2.*", "no", "yes"),
        ("torch>=2.6", "no", "no"),
        ("torch==2.7.1", "no", "no"),
        ("torch @ git+https://github.com/pytorch/pytorch", "unknown", "unknown"),
        ("torch==2.4,>=2.5", "unknown", "unknown"),
    ],
)
def test_a_requirement_against_a_range(requirement: str, admits_only: str, may_admit: str) -> None:
    files = {"requirements.txt": requirement + "\n"}
    assert only(files).verdict == admits_only
    assert may(files).verdict == may_admit
    assert not only(files).unpinned


def test_a_caret_of_poetry_admits_later_minor_versions() -> None:
    files = {"pyproject.toml": '[tool.poetry.dependencies]\ntorch = "^2.4"\n'}
    assert only(files).verdict == "no"
    assert may(files).verdict == "yes"
    assert only(files, within="<3").verdict == "yes"


def test_torch_is_pytorch_to_conda() -> None:
    files = {"environment.yml": "dependencies:\n  - pytorch=2.1\n"}
    assert only(files).verdict == "yes"
    assert only(files, package="PyTorch").verdict == "yes"
    assert only(files).version == "2.1.*"


@pytest.mark.parametrize(
    "files",
    [{}, {"requirements.txt": "numpy\n"}, {"requirements.txt": "torch\n"}],
    ids=["no manifest", "not mentioned", "any version"],
)
def test_what_nothing_bounds_is_the_newest(files: dict[str, str]) -> None:
    assert only(files, within=">=2.6").verdict == "yes"
    assert only(files, within=">=2.6").unpinned
    assert only(files, within="<2.6").verdict == "no"
    assert may(files, within="<2.6").verdict == "no"
    assert may(files, within=">=1.9").verdict == "yes"


def test_the_answer_says_what_it_rests_on() -> None:
    answer = only({"requirements.txt": "torch==2.4.1\n"})
    assert (answer.stated, answer.version, answer.manifests) == (("==2.4.1",), "2.4.1", ("requirements.txt",))
    assert answer.reason == "requirements.txt asks for torch ==2.4.1."
    absent = only({"requirements.txt": "numpy\n"})
    assert (absent.stated, absent.manifests) == ((), ("requirements.txt",))
    assert absent.reason == "requirements.txt does not mention torch."
    assert only({}).reason == "No manifest governs this directory."
    assert only({"requirements.txt": "torch>=2.1,<2.6\n"}).version == "<2.6,>=2.1"


def test_the_answer_states_what_decides_and_nothing_else() -> None:
    extras = "cpu = ['torch==2.5']"
    files = {"pyproject.toml": pyproject("torch==2.4.1", 'torch<2.3 ; sys_platform == "darwin"', extras=extras)}
    assert only(files).stated == ("==2.4.1",)
    assert may(files).stated == ("<2.3", "==2.4.1", "==2.5")
    builds = {"pyproject.toml": pyproject("torch"), "uv.lock": lock("2.4.1", "2.4.1+cpu", "2.5.0+cu121")}
    assert only(builds).version == "2.4.1 or 2.5.0+cu121"
    elsewhere = only({"requirements.txt": "torch==2.2.2 ; sys_platform == 'win32'\n"})
    assert elsewhere.reason == "requirements.txt asks for torch only on other systems."


def test_a_part_that_cannot_be_read_may_mention_the_package() -> None:
    files = {"setup.py": "setup(install_requires=compute())\n"}
    assert only(files, within=">=2.6").verdict == "unknown"
    assert "setup.py" in only(files).reason
    with_file = files | {"requirements.txt": "torch==1.6.0\n"}
    assert only(with_file).verdict == "yes"


def test_a_range_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="clause"):
        only({}, within="2.6")


# Markers ------------------------------------------------------------------------------------------------------------


def test_a_requirement_for_another_system_does_not_count_alone() -> None:
    files = {"requirements.txt": 'torch==2.2.2 ; sys_platform == "darwin"\n'}
    assert only(files).verdict == "no"
    assert only(files, within=">=2.6").verdict == "yes"
    assert may(files).verdict == "yes"


def test_the_usual_system_decides_for_only_every_system_for_may() -> None:
    text = 'torch==2.4.1 ; sys_platform == "linux"\ntorch>=2.6 ; sys_platform != "linux"\n'
    files = {"requirements.txt": text}
    assert only(files).verdict == "yes"
    assert may(files, within=">=2.6").verdict == "yes"
    assert may(files, within="<2.4").verdict == "no"


def test_versions_that_depend_on_python_are_united() -> None:
    text = 'torch==1.13.1 ; python_version < "3.8"\ntorch>=2.6 ; python_version >= "3.8"\n'
    assert only({"requirements.txt": text}).verdict == "no"
    assert may({"requirements.txt": text}).verdict == "yes"


def test_requires_python_leaves_out_versions_of_python() -> None:
    dependencies = pyproject('torch==1.13.1 ; python_version < "3.8"', 'torch>=2.6 ; python_version >= "3.8"')
    text = dependencies.replace("[project]\n", '[project]\nrequires-python = ">=3.10"\n')
    assert may({"pyproject.toml": text}).verdict == "no"
    assert only({"pyproject.toml": text}, within=">=2.6").verdict == "yes"


def test_a_python_without_a_requirement_gets_the_newest() -> None:
    assert only({"requirements.txt": 'torch==2.4.1 ; python_version < "3.11"\n'}).verdict == "no"


def test_a_requirement_that_never_applies_tells_nothing() -> None:
    files = {"requirements.txt": 'torch ; sys_platform == "never"\n'}
    assert only(files, within=">=2.6").verdict == "unknown"


def test_a_marker_that_cannot_be_evaluated_is_unknown() -> None:
    assert only({"requirements.txt": 'torch==2.4.1 ; python_version ~= "three"\n'}).verdict == "unknown"


# Includes and constraints -------------------------------------------------------------------------------------------


def test_an_include_adds_its_bounds() -> None:
    files = {"requirements.txt": "-r deps/base.txt\ntorch>=2.1\n", "deps/base.txt": "-r ../more.txt\n"}
    assert only(files | {"more.txt": "torch<2.6\n"}).verdict == "yes"
    assert only(files | {"more.txt": "numpy\n"}).verdict == "no"


def test_a_constraint_binds_where_it_is_taken_in() -> None:
    files = {"requirements.txt": "-c constraints.txt\ntorch\n", "constraints.txt": "torch==2.4.1\n"}
    assert only(files).verdict == "yes"
    assert only(files | {"requirements.txt": "torch\n"}).verdict == "no"


def test_includes_in_a_circle_end() -> None:
    files = {"requirements.txt": "-r b.txt\n", "b.txt": "-r requirements.txt\n-r b.txt\ntorch<2\n"}
    assert only(files).verdict == "yes"


def test_a_long_chain_of_includes_is_cut() -> None:
    files = {f"r{number}.txt": f"-r r{number + 1}.txt\n" for number in range(300)} | {"r300.txt": "torch<2\n"}
    assert only(files | {"requirements.txt": "-r r0.txt\n"}).verdict == "unknown"


@pytest.mark.parametrize(
    "line", ["-r missing.txt", "-r ../../outside.txt", "-r https://example.org/r.txt", "-r /r.txt"]
)
def test_an_include_that_is_not_there_leaves_the_rest_open(line: str) -> None:
    assert only({"requirements.txt": f"{line}\nnumpy\n"}, within=">=2").verdict == "unknown"


def test_an_editable_project_brings_its_own_requirements() -> None:
    files = {
        "examples/requirements.txt": "-e ..[train]\n",
        "pyproject.toml": pyproject("numpy", extras="train = ['torch==2.4.1']\nserve = ['torch>=2.6']"),
    }
    assert only(files, "examples").verdict == "yes"
    assert only(files | {"examples/requirements.txt": "-e ..\n"}, "examples").verdict == "no"


def test_a_requirements_file_in_a_folder_installs_from_the_folder_above() -> None:
    files = {"requirements/requirements.txt": "-e .\ntimm\n", "setup.py": "setup(install_requires=['torch==1.6'])\n"}
    assert [mention.path for mention in mentions("torch", "src", project(files))] == ["setup.py"]
    assert only(files, "src").verdict == "yes"


def test_extras_of_a_project_add_to_what_is_included_without_them() -> None:
    files = {
        "env/requirements.txt": "-e ..\n-e ..[train]\n",
        "pyproject.toml": pyproject("numpy", extras="train = ['torch==2.4.1']"),
    }
    assert only(files, "env").verdict == "yes"


def test_setup_py_that_reads_a_file_says_what_the_file_says() -> None:
    files = {
        "setup.py": 'setup(install_requires=open("requirements.txt").read().split("\\n"))\n',
        "requirements.txt": "torch==1.13.1\n",
    }
    assert only(files).verdict == "yes"
    assert only(files).manifests == ("requirements.txt",)


# Several manifests in one folder ------------------------------------------------------------------------------------


def test_base_manifests_that_disagree_are_united() -> None:
    files = {"requirements.txt": "torch==1.13.1\n", "pyproject.toml": pyproject("torch>=2.6")}
    assert only(files).verdict == "no"
    assert only(files, within=">=2.6").verdict == "no"
    assert may(files).verdict == "yes"
    assert may(files, within=">=2.6").verdict == "yes"


def test_base_manifests_that_agree_answer_together() -> None:
    files = {"requirements.txt": "torch==2.0.0\n", "conda.yaml": "dependencies: [pytorch=2.0.0]\n"}
    assert only(files).verdict == "yes"
    assert only(files).manifests == ("conda.yaml", "requirements.txt")


def test_a_bare_mention_contradicts_nobody() -> None:
    files = {"environment.yaml": "dependencies: [pytorch=1.7.0]\n", "setup.py": "setup(install_requires=['torch'])\n"}
    assert only(files).verdict == "yes"
    assert may(files, within=">=2.6").verdict == "yes"


@pytest.mark.parametrize("variant", ["requirements-legacy.txt", "requirements/rocm.txt", "requirements-dev.txt"])
def test_the_base_manifest_decides_over_a_variant(variant: str) -> None:
    files = {"requirements.txt": "torch>=2.6\n", variant: "torch==1.13.1\n"}
    assert only(files).verdict == "no"
    assert only(files, within=">=2.6").verdict == "yes"
    assert may(files).verdict == "yes"


def test_variants_decide_where_the_base_does_not_mention_the_package() -> None:
    files = {
        "requirements.txt": "numpy\n",
        "requirements-cpu.txt": "torch==2.1\n",
        "requirements-gpu.txt": "torch==2.2\n",
    }
    assert only(files).verdict == "yes"
    assert only(files | {"requirements-gpu.txt": "torch==2.7\n"}).verdict == "no"


def test_a_file_for_development_proves_nothing_alone() -> None:
    files = {"requirements.txt": "numpy\n", "requirements-test.txt": "torch==2.1\n"}
    assert only(files).verdict == "no"
    assert may(files).verdict == "yes"


def test_extras_decide_where_the_base_does_not_mention_the_package() -> None:
    files = {"pyproject.toml": pyproject("numpy", extras="cpu = ['torch==2.4.0']\ncu = ['torch==2.4.1']")}
    assert only(files).verdict == "yes"
    assert only({"pyproject.toml": pyproject("torch>=2", extras="cpu = ['torch==2.4.0']")}).verdict == "no"
    assert only({"pyproject.toml": pyproject("numpy", extras="dev = ['torch==2.4.0']")}).verdict == "no"


def test_an_extra_is_installed_on_top_of_the_base() -> None:
    files = {"pyproject.toml": pyproject("torch>=2.6", extras="old = ['torch<2.8']")}
    assert may(files).verdict == "no"
    assert may(files, within="<2.8").verdict == "yes"


def test_a_compiled_file_stands_for_its_source() -> None:
    files = {"requirements.in": "torch>=2\n", "requirements.txt": "torch==2.4.1\n"}
    assert only(files).verdict == "yes"


# Lock files ---------------------------------------------------------------------------------------------------------


def lock(*versions: str, member: str = "") -> str:
    packages = [f'[[package]]\nname = "torch"\nversion = "{version}"\n' for version in versions]
    if member:
        packages.append(f'[[package]]\nname = "app"\nsource = {{ virtual = "{member}" }}\n')
    return "\n".join(packages)


def test_a_lock_file_refines_the_declared_range() -> None:
    files = {"pyproject.toml": pyproject("torch>=1.13"), "uv.lock": lock("2.4.1", "2.4.1+cu121")}
    assert only(files).verdict == "yes"
    assert only(files).manifests == ("uv.lock",)
    assert may(files, within="<2").verdict == "no"
    assert only(files | {"uv.lock": lock("2.4.1", "2.7.0")}).verdict == "no"


def test_a_lock_file_knows_dependencies_of_dependencies() -> None:
    files = {"pyproject.toml": pyproject("lightning"), "poetry.lock": lock("2.4.1")}
    assert only(files).verdict == "yes"


def test_a_lock_file_that_the_declared_range_left_behind_does_not_count() -> None:
    files = {"pyproject.toml": pyproject("torch>=2.6"), "uv.lock": lock("2.4.1")}
    assert only(files).verdict == "no"
    assert only(files, within=">=2.6").verdict == "yes"


def test_a_lock_file_does_not_speak_for_requirements_files() -> None:
    files = {"requirements.txt": "torch>=2.6\n", "pyproject.toml": pyproject("torch"), "uv.lock": lock("2.4.1")}
    assert only(files).verdict == "no"
    assert may(files).verdict == "yes"


def test_the_lock_file_of_a_workspace_covers_its_members() -> None:
    files = {
        "pyproject.toml": pyproject("numpy"),
        "uv.lock": lock("2.4.1", member="packages/app"),
        "packages/app/pyproject.toml": pyproject("torch>=2"),
        "packages/other/pyproject.toml": pyproject("torch>=2"),
    }
    assert only(files, "packages/app/src").verdict == "yes"
    assert only(files, "packages/other/src").verdict == "no"


# Manifests further out ----------------------------------------------------------------------------------------------


def test_an_outer_manifest_counts_only_where_it_agrees_with_silence() -> None:
    outer = {"examples/requirements.txt": "tqdm\n", "requirements.txt": "torch==2.4.1\n"}
    assert only(outer, "examples").verdict == "unknown"
    assert only(outer, "examples", within=">=2.6").verdict == "unknown"
    assert only(outer, "examples", within="<2").verdict == "no"
    assert may(outer, "examples").verdict == "unknown"
    agreeing = outer | {"requirements.txt": "torch>=2.6\n"}
    assert only(agreeing, "examples", within=">=2.6").verdict == "yes"
    assert may(agreeing, "examples").verdict == "no"


def test_an_outer_manifest_is_not_asked_where_a_nearer_one_answers() -> None:
    files = {"a/requirements.txt": "torch==2.4.1\n", "requirements.txt": "torch>=2.6\n"}
    assert only(files, "a/b").verdict == "yes"


# Python -------------------------------------------------------------------------------------------------------------


def test_the_range_of_python() -> None:
    files = {
        "pyproject.toml": '[project]\nrequires-python = ">=3.10"\n',
        "a/environment.yml": "dependencies: [python=3.9]",
    }
    assert python_range("src", project(files)) == (">=3.10",)
    assert python_range("a", project(files)) == ("==3.9.*",)
    assert python_range("", project({})) == ()
    assert only(files, package="python", within=">=3.9").verdict == "yes"
    assert only(files, package="python", within=">=3.14").verdict == "no"


def test_a_python_that_nothing_bounds_is_unknown_not_the_newest() -> None:
    assert only({}, package="python", within=">=3.9").verdict == "unknown"
    assert only({"requirements.txt": "torch\n"}, package="python", within=">=3.9").verdict == "unknown"


# Against brute force ------------------------------------------------------------------------------------------------

clause = st.builds("{}{}".format, st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~="]), st.sampled_from(RELEASES))
specifier_sets = st.lists(clause, max_size=3).map(",".join)


@given(st.lists(specifier_sets, min_size=1, max_size=3), clause)
@settings(max_examples=150, deadline=None)
def test_answers_agree_with_the_releases_of_torch(files: list[str], within: str) -> None:
    """Each requirement in a base manifest of its own: a claim must hold for every release that any of them admits."""
    names = ["requirements.txt", "environment/requirements.txt", "reqs.txt"]
    texts = {name: f"torch{stated}\n" for name, stated in zip(names, files, strict=False)}
    texts = {name.replace("environment/", "requirements/"): text for name, text in texts.items()}
    bounded = [stated for stated in files if stated]
    admitted = {release for stated in bounded for release in SpecifierSet(stated).filter(RELEASES)}
    wanted = set(SpecifierSet(within).filter(RELEASES))
    if only(texts, within=within).verdict == "yes" and bounded:
        assert admitted <= wanted
    if may(texts, within=within).verdict == "no":
        assert not admitted & wanted
