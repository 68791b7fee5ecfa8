"""Manifests as people write them, and as nobody should: each format to one interface, each package with its place."""

from __future__ import annotations

import ast
import sys
import time
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_advise.languages.requirements import (
    Format,
    Include,
    Requirement,
    RequirementsDocument,
    RequirementsInterface,
    distribution,
    format_of,
    formats,
    interface,
    locate,
    parse,
)
from mlsys_advise.project.version_sets import any_of


def read(path: str, text: str) -> RequirementsDocument:
    return parse(dedent(text), path)


def asked(document: RequirementsDocument, package: str = "torch") -> list[tuple[tuple[str, ...], str, str]]:
    """(versions, marker, group) of each requirement on ``package``."""
    return [(one.versions, one.marker, one.group) for one in interface(document).requirements if one.package == package]


def text_at(text: str, document: RequirementsDocument, package: str) -> str:
    span = locate(document, package)
    assert span is not None
    assert span.line == span.end_line
    return dedent(text).split("\n")[span.line - 1][span.column - 1 : span.end_column - 1]


# Names and formats --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "same"),
    [("PyTorch", "torch"), ("Scikit_Learn", "scikit-learn"), ("ruamel.yaml", "ruamel-yaml"), ("pytorch-cpu", "torch")],
)
def test_a_package_has_one_name(name: str, same: str) -> None:
    assert distribution(name) == same


def test_cuda_of_conda_is_not_torch() -> None:
    assert distribution("pytorch-cuda") == "pytorch-cuda"
    assert distribution("pytorch-lightning") == "pytorch-lightning"


@pytest.mark.parametrize(
    ("path", "format"),
    [
        ("requirements.txt", "requirements"),
        ("a/requirements-gpu.txt", "requirements"),
        ("dev-requirements.txt", "requirements"),
        ("requirements.cuda.in", "requirements"),
        ("requirement.txt", "requirements"),
        ("requirements/base.txt", "requirements"),
        ("constraints.txt", "constraints"),
        ("pyproject.toml", "pyproject"),
        ("sub/setup.cfg", "setup.cfg"),
        ("setup.py", "setup.py"),
        ("Pipfile", "pipfile"),
        ("environment.yml", "conda"),
        ("environment-gpu.yaml", "conda"),
        ("conda_env.yml", "conda"),
        ("envs/train.yml", "conda"),
        ("uv.lock", "lock"),
        ("poetry.lock", "lock"),
        ("pylock.gpu.toml", "lock"),
        ("README.txt", None),
        ("train.py", None),
        ("k8s/train.yaml", None),
        ("my_requirements_notes.md", None),
        ("robots.txt", None),
    ],
)
def test_the_name_promises_a_format(path: str, format: Format | None) -> None:
    assert format_of(path) == format


# Requirements files -------------------------------------------------------------------------------------------------

PIP = """\
    # training
    --extra-index-url https://download.pytorch.org/whl/cu118
    -i https://pypi.org/simple
    -r base.txt
    --constraint=../constraints.txt
    Torch[opt]==2.0.1+cu118 ; python_version < "3.12"  # keep
    numpy >= 1.26 , < 3
      pillow
    xformers==0.0.22 \\
        --hash=sha256:aaaa \\
        --hash=sha256:bbbb
    """


def test_a_requirements_file() -> None:
    document = read("requirements.txt", PIP)
    found = interface(document)
    assert found.complete
    assert found.indexes == ("https://download.pytorch.org/whl/cu118", "https://pypi.org/simple")
    assert found.includes == (Include("../constraints.txt", "constraints"), Include("base.txt"))
    assert found.requirements == (
        Requirement("numpy", ("<3,>=1.26",)),
        Requirement("pillow"),
        Requirement("torch", ("==2.0.1+cu118",), 'python_version < "3.12"', extras=("opt",)),
        Requirement("xformers", ("==0.0.22",), hashed=True),
    )


@pytest.mark.parametrize(
    ("package", "text"),
    [
        ("pytorch", 'Torch[opt]==2.0.1+cu118 ; python_version < "3.12"'),
        ("numpy", "numpy >= 1.26 , < 3"),
        ("pillow", "pillow"),
    ],
)
def test_where_a_package_stands_in_a_requirements_file(package: str, text: str) -> None:
    assert text_at(PIP, read("requirements.txt", PIP), package) == text


def test_a_continued_requirement_stands_on_its_first_line() -> None:
    span = locate(read("requirements.txt", PIP), "xformers")
    assert span is not None
    assert (span.line, span.column) == (9, 1)
    assert locate(read("requirements.txt", PIP), "jax") is None


@pytest.mark.parametrize(
    ("line", "versions"),
    [
        ("torch", ("",)),
        ("torch==1.13.1+cu117", ("==1.13.1+cu117",)),
        ("torch>=1.7.0,!=2.0", ("!=2.0,>=1.7.0",)),
        ("torch==2.*", ("==2.*",)),
        ("torch~=2.4.0", ("~=2.4.0",)),
        ("torch (>=1.7,<2)", ("<2,>=1.7",)),
        ("torch>=1.0.*", (">=1.0",)),
        ("torch=1.13", ()),
        ("torch==latest", ()),
        ("torch==${TORCH}", ()),
        ("torch @ git+https://github.com/pytorch/pytorch@v2.1.0", ()),
        ("git+https://github.com/pytorch/pytorch.git@main", ()),
        ("git+ssh://git@example.org/x#egg=torch", ()),
        ("-e git+https://example.org/fork.git#egg=torch", ()),
        ("torch @ https://download.pytorch.org/whl/cu118/torch-2.0.1%2Bcu118-cp310-cp310-linux_x86_64.whl",
         ("==2.0.1+cu118",)),
        ("https://download.pytorch.org/whl/torch-1.8.1-cp38-cp38-linux_x86_64.whl", ("==1.8.1",)),
        ("./wheels/torch-2.1.0-cp310-cp310-linux_x86_64.whl", ("==2.1.0",)),
        ("torch @ file:///tmp/build/torch", ()),
        ("pytorch=1.7.1=py3.8_cuda11.0.221_cudnn8.0.5_0", ("==1.7.1.*",)),
    ],
)  # fmt: skip
def test_the_versions_of_one_line(line: str, versions: tuple[str, ...]) -> None:
    document = parse(line + "\n", "requirements.txt")
    assert [one[0] for one in asked(document)] == [versions]
    assert interface(document).complete


def test_a_url_may_carry_a_marker() -> None:
    line = "https://example.org/torch-2.1.0-cp310-cp310-win_amd64.whl; sys_platform == 'win32'"
    assert asked(parse(line, "requirements.txt")) == [(("==2.1.0",), 'sys_platform == "win32"', "")]


def test_local_projects_are_includes() -> None:
    found = interface(read("requirements.txt", "-e .[train, eval]\n./libs/ops\n"))
    assert found.includes == (Include(".", "project", extras=("eval", "train")), Include("./libs/ops", "project"))


def test_comments_end_lines_but_not_urls() -> None:
    found = interface(read("requirements.txt", "# torch==1.0 \\\ntorch==2.0 #torch==1.1\n"))
    assert found.requirements == (Requirement("torch", ("==2.0",)),)


def test_what_is_no_requirement_leaves_the_file_open() -> None:
    document = read("requirements.txt", "'torch',\nnumpy\n")
    assert not interface(document).complete
    assert "'torch'" in document.problem
    assert asked(document, "numpy")


def test_a_file_of_comments_declares_nothing() -> None:
    assert not interface(read("requirements.txt", "# install torch yourself\n")).declares


def test_constraints_are_told_apart_by_name() -> None:
    assert interface(read("constraints.txt", "torch<2.6\n")).format == "constraints"


# pyproject.toml -----------------------------------------------------------------------------------------------------

PEP621 = """\
    [project]
    name = "torch-user"
    requires-python = ">=3.10,<3.13"
    keywords = ["torch"]
    dependencies = [
        "numpy",  # first
        "torch>=2.1,<2.6 ; sys_platform == 'linux'",
    ]

    [project.optional-dependencies]
    serve = ["fastapi", "torch==2.4.1"]

    [dependency-groups]
    test = ["pytest"]
    dev = ["ruff", {include-group = "test"}]
    """


def test_the_standard_tables() -> None:
    document = read("pyproject.toml", PEP621)
    assert asked(document) == [(("<2.6,>=2.1",), 'sys_platform == "linux"', ""), (("==2.4.1",), "", "serve")]
    assert asked(document, "python") == [(("<3.13,>=3.10",), "", "")]
    assert asked(document, "pytest") == [(("",), "", "dev"), (("",), "", "test")]
    assert text_at(PEP621, document, "torch") == "torch>=2.1,<2.6 ; sys_platform == 'linux'"
    assert text_at(PEP621, document, "python") == 'requires-python = ">=3.10,<3.13"'
    assert text_at(PEP621, document, "pytest") == "pytest"


def test_groups_that_include_each_other_end() -> None:
    text = '[dependency-groups]\na = [{include-group = "b"}, "torch"]\nb = [{include-group = "a"}]\n'
    assert [group for _, _, group in asked(parse(text, "pyproject.toml"))] == ["a", "b"]


def test_a_pyproject_that_only_configures_tools_declares_nothing() -> None:
    found = interface(read("pyproject.toml", '[build-system]\nrequires = ["torch"]\n[tool.ruff]\nline-length = 100\n'))
    assert not found.declares
    assert found.requirements == ()


def test_dynamic_dependencies_come_from_files() -> None:
    text = """\
        [project]
        dynamic = ["dependencies", "optional-dependencies"]
        [tool.setuptools.dynamic]
        dependencies = {file = ["requirements.txt"]}
        optional-dependencies.gpu = {file = ["requirements-gpu.txt"]}
        """
    found = interface(read("pyproject.toml", text))
    assert found.includes == (Include("requirements-gpu.txt", group="gpu"), Include("requirements.txt"))
    assert found.complete


def test_dynamic_dependencies_of_an_unknown_backend_are_open() -> None:
    assert not interface(read("pyproject.toml", '[project]\ndynamic = ["dependencies"]\n')).complete


POETRY = """\
    [tool.poetry.dependencies]
    python = "^3.9"
    torch = [
        {version = "~2.0.1", platform = "linux"},
        {version = "2.2.*", markers = "sys_platform == 'darwin'", python = ">=3.10"},
    ]
    numpy = "*"
    jax = {version = "^0.4.8 || ^0.5", optional = true, extras = ["cuda"]}
    flax = {git = "https://github.com/google/flax.git", branch = "main"}
    torchvision = {url = "https://example.org/torchvision-0.15.2-cp310-cp310-linux_x86_64.whl"}
    torchaudio = {source = "pytorch"}
    [tool.poetry.group.dev.dependencies]
    pytest = "7.4"
    [tool.poetry.dev-dependencies.black]
    version = ">=23"
    """


def test_poetry() -> None:
    document = read("pyproject.toml", POETRY)
    assert asked(document) == [
        (("<2.1,>=2.0.1",), 'sys_platform == "linux"', ""),
        (("==2.2.*",), 'sys_platform == "darwin" and python_version >= "3.10"', ""),
    ]
    assert asked(document, "python") == [(("<4,>=3.9",), "", "")]
    assert asked(document, "numpy") == [(("",), "", "")]
    assert asked(document, "jax") == [(("<0.5,>=0.4.8", "<0.6,>=0.5"), "", "optional")]
    assert asked(document, "flax") == [((), "", "")]
    assert asked(document, "torchvision") == [(("==0.15.2",), "", "")]
    assert asked(document, "torchaudio") == [(("",), "", "")]
    assert asked(document, "pytest") == [(("==7.4",), "", "dev")]
    assert asked(document, "black") == [((">=23",), "", "dev")]
    assert text_at(POETRY, document, "numpy") == 'numpy = "*"'
    assert text_at(POETRY, document, "black") == "tool.poetry.dev-dependencies.black"


@pytest.mark.parametrize(
    ("constraint", "versions"),
    [
        ("^2.4", ("<3,>=2.4",)),
        ("^2.4.1", ("<3,>=2.4.1",)),
        ("^0.3.2", ("<0.4,>=0.3.2",)),
        ("^0.0.3", ("<0.0.4,>=0.0.3",)),
        ("^0.0", ("<0.1,>=0.0",)),
        ("^0", ("<1,>=0",)),
        ("~2.4.1", ("<2.5,>=2.4.1",)),
        ("~2", ("<3,>=2",)),
        ("~=2.4.0", ("~=2.4.0",)),
        (">=2.0 <2.6", ("<2.6,>=2.0",)),
        (">=2.0,<2.6", ("<2.6,>=2.0",)),
        ("<2 | >=2.2", ("<2", ">=2.2")),
        ("2.4.1", ("==2.4.1",)),
        ("=2.4.1", ("==2.4.1",)),
        ("newest", ()),
    ],
)
def test_constraints_of_poetry(constraint: str, versions: tuple[str, ...]) -> None:
    text = f'[tool.poetry.dependencies]\ntorch = "{constraint}"\n'
    assert [one[0] for one in asked(parse(text, "pyproject.toml"))] == [versions]


def test_uv_sources_and_overrides() -> None:
    text = """\
        [project]
        dependencies = ["torch>=2.1", "timm", "numpy>=2", "ops"]
        [tool.uv]
        dev-dependencies = ["pytest"]
        constraint-dependencies = ["torch<2.6"]
        override-dependencies = ["numpy==1.26.4"]
        [[tool.uv.index]]
        name = "pytorch-cu124"
        url = "https://download.pytorch.org/whl/cu124"
        [tool.uv.sources]
        torch = {index = "pytorch-cu124"}
        timm = {git = "https://github.com/huggingface/pytorch-image-models"}
        ops = {workspace = true}
        """
    document = read("pyproject.toml", text)
    assert asked(document) == [(("<2.6",), "", ""), ((">=2.1",), "", "")]
    assert asked(document, "timm") == [((), "", "")]
    assert asked(document, "ops") == [((), "", "")]
    assert asked(document, "numpy") == [(("==1.26.4",), "", "")]
    assert asked(document, "pytest") == [(("",), "", "dev")]
    assert interface(document).indexes == ("https://download.pytorch.org/whl/cu124",)


def test_a_broken_pyproject_is_open() -> None:
    document = read("pyproject.toml", '[project]\ndependencies = ["torch\n')
    assert not interface(document).complete
    assert "TOML" in document.problem


# setup.cfg and Pipfile ----------------------------------------------------------------------------------------------

SETUP_CFG = """\
    [options]
    python_requires = >=3.8
    install_requires =
        numpy
        torch>=1.10; python_version >= "3.8"
    [options.extras_require]
    gpu =
        # the newest
        apex
        torch==1.13.1
    """


def test_setup_cfg() -> None:
    document = read("setup.cfg", SETUP_CFG)
    assert asked(document) == [(("==1.13.1",), "", "gpu"), ((">=1.10",), 'python_version >= "3.8"', "")]
    assert asked(document, "python") == [((">=3.8",), "", "")]
    assert text_at(SETUP_CFG, document, "torch") == 'torch>=1.10; python_version >= "3.8"'
    assert text_at(SETUP_CFG, document, "python") == "python_requires = >=3.8"


def test_setup_cfg_may_name_a_file() -> None:
    found = interface(read("setup.cfg", "[options]\ninstall_requires = file: requirements.txt\n"))
    assert found.includes == (Include("requirements.txt"),)


def test_setup_cfg_of_a_linter_declares_nothing() -> None:
    assert not interface(read("setup.cfg", "[flake8]\nmax-line-length = 100\n")).declares


def test_pipfile() -> None:
    text = """\
        [[source]]
        url = "https://pypi.org/simple"
        [packages]
        torch = "==1.13.1"
        numpy = {version = "*", markers = "os_name == 'posix'"}
        [dev-packages]
        pytest = "*"
        [requires]
        python_version = "3.10"
        """
    document = read("Pipfile", text)
    assert asked(document) == [(("==1.13.1",), "", "")]
    assert asked(document, "numpy") == [(("",), 'os_name == "posix"', "")]
    assert asked(document, "pytest") == [(("",), "", "dev")]
    assert asked(document, "python") == [(("==3.10.*",), "", "")]
    assert text_at(text, document, "torch") == 'torch = "==1.13.1"'


# setup.py -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        'setup(install_requires=["torch==1.6.0"])',
        'setuptools.setup(install_requires=("torch==1.6.0",))',
        'REQUIRED = ["torch==1.6.0"]\nsetup(install_requires=REQUIRED)',
        'REQUIRED = ["numpy"]\nREQUIRED += ["torch==1.6.0"]\nsetup(install_requires=REQUIRED)',
        'reqs = []\nreqs.append("torch==1.6.0")\nsetup(install_requires=list(reqs))',
        'A = ["torch==1.6.0"]\nsetup(install_requires=A + ["numpy"])',
        'setup(install_requires=[*CORE])\n\nCORE = ["torch==1.6.0"]',
        'settings = dict()\nsettings = {"install_requires": ["torch==1.6.0"]}\nsetup(**settings)',
        'setup(install_requires="""\n  torch==1.6.0\n  numpy\n""".splitlines())',
        'TORCH = "1.6.0"\nsetup(install_requires=[f"torch=={TORCH}"])',
        'TORCH = "1.6.0"\nsetup(install_requires=["torch==" + TORCH])',
        'def get():\n    return ["torch==1.6.0"]\n\nsetup(install_requires=get())',
        'def main():\n    wanted = ["torch==1.6.0"]\n    setup(install_requires=wanted)\n\nmain()',
        'if __name__ == "__main__":\n    setup(install_requires=["torch==1.6.0"])',
        'setup(install_requires=[line.strip() for line in ["torch==1.6.0"]])',
    ],
)
def test_literal_lists_of_setup_py(script: str) -> None:
    document = parse(script, "setup.py")
    assert asked(document) == [(("==1.6.0",), "", "")]
    assert interface(document).complete
    assert locate(document, "torch") is not None


@pytest.mark.parametrize(
    "script",
    [
        'setup(install_requires=open("requirements.txt").read().splitlines())',
        'with open("requirements.txt") as f:\n    needed = f.read().splitlines()\nsetup(install_requires=needed)',
        'with open("README.md") as f:\n    text = f.read()\nwith open("requirements.txt") as f:\n    n = f.read()\n'
        'with open("LICENSE") as f:\n    licence = f.read()\nsetup(install_requires=n, license=licence)',
        'setup(install_requires=Path(__file__).with_name("requirements.txt").read_text().split())',
        'setup(install_requires=(HERE / "requirements.txt").read_text().split("\\n"))',
        'setup(install_requires=parse_requirements(os.path.join(here, "requirements.txt")))',
        'PATH = os.path.join(here, "requirements.txt")\nsetup(install_requires=load(PATH))',
        'setup(install_requires=load(f"{here}/requirements.txt"))',
        'def load(path="requirements.txt"):\n    return open(path).readlines()\n\nsetup(install_requires=load())',
        'needed, links = load("requirements.txt")\nsetup(install_requires=needed)',
        'needed = []\nwith open("requirements.txt") as f:\n    for line in f:\n        needed.append(line.strip())\n'
        "setup(install_requires=needed)",
    ],
)  # fmt: skip
def test_setup_py_that_reads_a_requirements_file_includes_it(script: str) -> None:
    found = interface(parse(script, "setup.py"))
    assert found.includes == (Include("requirements.txt"),)
    assert found.requirements == ()
    assert found.complete


def test_a_folder_in_a_path_is_kept() -> None:
    script = 'setup(install_requires=load(os.path.join(ROOT, "requirements", "base.txt")))'
    assert interface(parse(script, "setup.py")).includes == (Include("requirements/base.txt"),)


def test_extras_of_setup_py() -> None:
    script = """\
        extras = {"gpu": ["torch==2.0"]}
        extras["dev"] = ["pytest"]
        setup(
            extras_require=extras,
            tests_require=["hypothesis"],
            python_requires=">=3.8",
        )
        """
    document = read("setup.py", script)
    assert asked(document) == [(("==2.0",), "", "gpu")]
    assert asked(document, "pytest") == [(("",), "", "dev")]
    assert asked(document, "hypothesis") == [(("",), "", "test")]
    assert asked(document, "python") == [((">=3.8",), "", "")]


def test_an_extra_may_carry_a_marker() -> None:
    script = 'setup(extras_require={":python_version < \'3.8\'": ["torch==1.13"]})'
    assert asked(parse(script, "setup.py")) == [(("==1.13",), 'python_version < "3.8"', "")]


def test_what_is_added_under_a_condition_is_optional() -> None:
    script = 'needed = ["torch"]\nif CUDA:\n    needed.append("torch==1.13")\nsetup(install_requires=needed)\n'
    assert asked(parse(script, "setup.py")) == [(("",), "", ""), (("==1.13",), "", "conditional")]


@pytest.mark.parametrize(
    "script",
    [
        "setup(install_requires=compute())",
        "setup(install_requires=needed)",
        'setup(install_requires=[deps["torch"]])',
        "setup(install_requires=[name() for name in names])",
        "setup(extras_require=make_extras())",
        "setup(",
    ],
)
def test_a_computed_list_leaves_setup_py_open(script: str) -> None:
    document = parse(script, "setup.py")
    assert not interface(document).complete
    assert interface(document).declares
    assert document.problem


def test_a_computed_version_is_unknown() -> None:
    assert asked(parse('setup(install_requires=[f"torch=={latest()}"])', "setup.py")) == [((), "", "")]
    assert asked(parse('setup(install_requires=["torch==%s" % V])', "setup.py")) == [((), "", "")]


def test_setup_py_of_an_extension_declares_nothing() -> None:
    script = "from setuptools import setup\nsetup(name='ops', ext_modules=[CUDAExtension('ops', ['ops.cu'])])\n"
    assert not interface(parse(script, "setup.py")).declares


def test_setup_py_is_never_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    trap = tmp_path_factory.mktemp("trap") / "sprung"
    script = (
        f'open({str(trap)!r}, "w").write("!")\nimport trap_that_does_not_exist\nsetup(install_requires=["torch"])\n'
    )
    assert asked(parse(script, "setup.py"))
    assert not trap.exists()
    assert "trap_that_does_not_exist" not in sys.modules


def test_columns_of_setup_py_count_code_points() -> None:
    document = parse('setup(author="Zoë", install_requires=["torch==1.6"])', "setup.py")
    span = locate(document, "torch")
    assert span is not None
    assert (span.column, span.end_column) == (39, 51)


# conda --------------------------------------------------------------------------------------------------------------

CONDA = """\
    name: train
    channels: [pytorch, conda-forge]
    dependencies:
      - python=3.10
      - pytorch::pytorch=2.1
      - "numpy>=1.24,<2"
      - pip
      - pip:
        - --extra-index-url https://example.org/simple
        - -r requirements.txt
        - timm==0.9.12  # the last that works
    """


def test_conda() -> None:
    document = read("environment.yml", CONDA)
    assert asked(document) == [(("==2.1.*",), "", "")]
    assert asked(document, "python") == [(("==3.10.*",), "", "")]
    assert asked(document, "numpy") == [(("<2,>=1.24",), "", "")]
    assert asked(document, "timm") == [(("==0.9.12",), "", "")]
    assert interface(document).includes == (Include("requirements.txt"),)
    assert text_at(CONDA, document, "torch") == "pytorch::pytorch=2.1"
    assert text_at(CONDA, document, "timm") == "timm==0.9.12"


@pytest.mark.parametrize(
    ("spec", "versions"),
    [
        ("pytorch", ("",)),
        ("pytorch=2.1", ("==2.1.*",)),
        ("pytorch==2.1.0", ("==2.1.0",)),
        ("pytorch=2.1.0=py3.10_cuda11.8_cudnn8.7.0_0", ("==2.1.0.*",)),
        ("pytorch==1.7.1=py3.8_0", ("==1.7.1",)),
        ("pytorch=2.1.*", ("==2.1.*",)),
        ("pytorch 2.1*", ("==2.1.*",)),
        ("pytorch >= 1.13", (">=1.13",)),
        ("pytorch>=2.0,<2.2", ("<2.2,>=2.0",)),
        ("pytorch<1.0|>=2.0", ("<1.0", ">=2.0")),
        ("pytorch[version='>=2.0,<2.1']", ("<2.1,>=2.0",)),
        ("pytorch=*=*cuda*", ("",)),
        ("pytorch=nightly build", ()),
    ],
)
def test_match_specifications(spec: str, versions: tuple[str, ...]) -> None:
    document = parse(f'dependencies:\n  - "{spec}"\n', "environment.yml")
    assert [one[0] for one in asked(document)] == [versions]


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: Pod\n",
        "dependencies:\n  - name: redis\n    version: 1.0\n",
        "a: 1\n---\nb: 2\n",
        "",
    ],
)
def test_other_yaml_declares_nothing(text: str) -> None:
    assert not interface(parse(text, "env.yaml")).declares


def test_broken_conda_is_open() -> None:
    assert not interface(parse("dependencies:\n  - pytorch\n - [\n", "environment.yml")).complete


# Lock files ---------------------------------------------------------------------------------------------------------

UV_LOCK = """\
    version = 1
    requires-python = ">=3.10"

    [[package]]
    name = "app"
    source = { editable = "packages/app" }
    dependencies = [
        { name = "torch" },
    ]

    [[package]]
    name = "torch"
    version = "2.4.1"
    source = { registry = "https://pypi.org/simple" }
    wheels = [
        { url = "https://example.org/torch-2.4.1.whl", hash = "sha256:00" },
    ]

    [[package]]
    name = "torch"
    version = "2.4.1+cu121"
    source = { registry = "https://download.pytorch.org/whl/cu121" }
    """


def test_uv_lock() -> None:
    document = read("uv.lock", UV_LOCK)
    assert asked(document) == [(("==2.4.1", "==2.4.1+cu121"), "", "")]
    assert asked(document, "python") == [((">=3.10",), "", "")]
    assert interface(document).members == ("packages/app",)
    assert text_at(UV_LOCK, document, "torch") == "torch"
    span = locate(document, "torch")
    assert span is not None
    assert span.line == 12


def test_poetry_lock() -> None:
    text = """\
        [[package]]
        name = "torch"
        version = "1.12.1"
        optional = false
        files = [
            {file = "torch-1.12.1-cp310-cp310-manylinux1_x86_64.whl", hash = "sha256:00"},
        ]

        [package.dependencies]
        typing-extensions = "*"

        [metadata]
        python-versions = "^3.8"
        """
    assert asked(read("poetry.lock", text)) == [(("==1.12.1",), "", "")]


def test_pylock() -> None:
    assert asked(parse('[[packages]]\nname = "torch"\nversion = "2.5.0"\n', "pylock.toml")) == [(("==2.5.0",), "", "")]


# What holds for all of them -----------------------------------------------------------------------------------------

SAMPLES: dict[str, str] = {
    "requirements.txt": PIP,
    "pyproject.toml": PEP621 + POETRY,
    "setup.cfg": SETUP_CFG,
    "Pipfile": '[packages]\ntorch = "==1.13.1"\n',
    "environment.yml": CONDA,
    "uv.lock": UV_LOCK,
    "setup.py": 'with open("requirements.txt") as f:\n    r = f.read()\nsetup(install_requires=[*r, "torch==1.0"])\n',
}
paths = st.sampled_from(sorted(SAMPLES))


def check(text: str, path: str) -> None:
    document = parse(text, path)
    stored = msgspec.msgpack.encode(interface(document))
    assert msgspec.msgpack.decode(stored, type=RequirementsInterface) == interface(document)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for span in document.spans.values():
        assert 1 <= span.line <= span.end_line <= len(lines)
        assert 1 <= span.column <= len(lines[span.line - 1]) + 1
        assert span.end_column <= len(lines[span.end_line - 1]) + 1


@given(st.text(alphabet="0123456789.*!+-_=<>~, vabrcdeposlt", max_size=24))
@settings(max_examples=500, deadline=None)
def test_what_a_requirement_states_is_always_a_set_of_versions(stated: str) -> None:
    for one in interface(parse(f"torch{stated}", "requirements.txt")).requirements:
        any_of(one.versions)


@given(paths, st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_text_makes_a_parser_raise(path: str, text: str) -> None:
    check(text, path)


@given(paths, st.data())
@settings(max_examples=300, deadline=None)
def test_no_mutation_of_a_manifest_makes_a_parser_raise(path: str, data: st.DataObject) -> None:
    text = dedent(SAMPLES[path])
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    inserted = data.draw(st.text(alphabet=" \t\n\r\\\"'[]{}()=<>!~^*,;:#@-+.$/|&0a\ud800\u2028é", max_size=8))
    check(text[:start] + inserted + text[end:], path)


@pytest.mark.parametrize("path", sorted(SAMPLES))
@pytest.mark.parametrize("piece", ["(", "[", "{", "((a,", "torch;(", "- ", "a.", '"x" + ', "[[", "9" * 50])
def test_deep_and_long_texts_end(path: str, piece: str) -> None:
    check(piece * 3000, path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", "torch ; " + "(" * 3000 + "os_name == 'nt'" + ")" * 3000),
        ("requirements.txt", "torch==" + "9" * 6000),
        ("pyproject.toml", "[project]\ndependencies = " + "[" * 3000 + "]" * 3000),
        ("environment.yml", "dependencies: " + "[" * 3000 + "]" * 3000),
        ("setup.py", "setup(install_requires=" + "(" * 3000 + ")" * 3000 + ")"),
        ("setup.py", "setup(install_requires=" + "['a']+" * 3000 + "['torch'])"),
        ("setup.py", 'a = "\\ud800"\nsetup(install_requires=["x;os_name==\'" + a + "\'"], extras_require={a: ["x"]})'),
        ("environment.yml", 'dependencies:\n  - "torch \\ud800"\n'),
        ("environment.yml", 'dependencies:\n  - pip:\n    - "-i \\ud800"\n    - "a===\\ud800"\n    - "-r \\ud800"\n'),
        ("pyproject.toml", "a" + ".a" * 50_000 + " = 1"),
    ],
)  # fmt: skip
def test_manifests_made_to_hurt(path: str, text: str) -> None:
    check(text, path)


def test_layout_and_order_do_not_show_in_the_interface() -> None:
    one = interface(parse("torch==2.0\n\n# why\nnumpy<2, >=1\n", "requirements.txt"))
    other = interface(parse("\ufeffnumpy >=1,<2\r\nTorch == 2.0\r\n", "requirements.txt"))
    assert one == other


def test_the_parsers_run_nothing() -> None:
    """``ast`` is all that looks at a ``setup.py``: the package neither executes nor opens anything."""
    forbidden = {"exec", "eval", "compile", "__import__", "open"}
    sources = list(Path(formats.__file__).parent.glob("*.py"))
    assert len(sources) > 10
    for source in sources:
        tree = ast.parse(source.read_text(encoding="utf-8"))
        called = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & forbidden, source.name


@pytest.mark.parametrize("path", sorted(SAMPLES))
@pytest.mark.parametrize("line", ["a{}@", "a{}#", "[{}x", "a ={}x ", "- a{}b", 'x = "a{}', "a\\n{}=", "torch >={}2"])
def test_long_lines_take_linear_time(path: str, line: str) -> None:
    """A hundred kilobytes of blanks, digits or quotes in one line: seconds would mean a pattern that backtracks."""
    started = time.process_time()
    for filler in (" ", "9", '\\"', "=", "."):
        text = line.format(filler * 50_000)
        parse(f"dependencies:\n{text}\n" if path.endswith(".yml") else text, path)
    assert time.process_time() - started < 5
