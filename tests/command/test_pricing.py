"""``--target``, ``--show-quiet`` and ``--sort cost`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlsys_advise import engine
from mlsys_advise.command import dispatch
from mlsys_advise.engine import Checked, Options, Report
from mlsys_advise.heat import STEP, TRAINING, Heat
from mlsys_advise.settings.layer import Settings
from tests.calibration.test_profile import PLAIN
from tests.command import scripted
from tests.command.conftest import Call, CommandLine


def profile(ratio: float, slow: float = 1e-3) -> str:
    data = json.loads(json.dumps(PLAIN))
    data["name"] = "box"
    measurement = data["measurements"]["scalar-readback"]
    measurement["points"] = [{"size": 64, "slow": slow, "fast": slow / ratio, "ratio": ratio, "spread": 0.0}]
    data["measurements"]["pinned-transfer"] = measurement | {
        "points": [{"size": 64, "slow": 1e-2, "fast": 1e-3, "ratio": 10.0, "spread": 0.0}]
    }
    return json.dumps(data)


@pytest.fixture
def priced(cli: CommandLine, project: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Two findings: ``a.py`` costs what a test says on the machine ``box``, ``b.py`` ten times."""
    monkeypatch.setenv("MLSYS_ADVISE_DATA_DIR", str(project / "data"))
    (project / "data").mkdir()
    heat = Heat.of(TRAINING, STEP)
    findings = [
        scripted.finding("a.py", evidence="scalar-readback", heat=heat),
        scripted.finding("b.py", evidence="pinned-transfer", heat=heat),
    ]

    def check(paths: object, options: Options, **rest: object) -> Report:
        """The engine's part: the targets of the command line are settings of the project."""
        target = options.given[-1].target or ()
        checked = Checked(root=project, settings=Settings(target=target), files=(), is_set_up=True)
        cli.calls.append(Call([], options, {}))
        return scripted.report(cli.report.findings, failing=len(cli.report.findings), projects=(checked,))

    monkeypatch.setattr(engine, "check", check)
    cli.report = scripted.report(findings)
    return cli


def test_a_target_gives_figures_and_silences_what_costs_nothing_there(priced: CommandLine, project: Path) -> None:
    (project / "data" / "box.json").write_text(profile(1.01))
    found = priced("--target", "box", ".")
    assert found.status == 1
    assert "b.py" in found.out
    assert "= cost: box: about 10x, 10 ms instead of 1.0 ms per element" in found.out
    assert "a.py" not in found.out
    assert "Found 1 finding" in found.out
    assert "1 finding cost too little there to be reported, --show-quiet names them" in found.err


def test_what_went_quiet_is_named_when_asked(priced: CommandLine, project: Path) -> None:
    (project / "data" / "box.json").write_text(profile(1.01))
    found = priced("--target", "box", "--show-quiet", "--quiet", ".")
    assert "a.py:1:5: MLS401 is quiet: costs 1.01x on box, and 1.1x is the least reported" in found.err


def test_nothing_left_is_a_clean_run(priced: CommandLine, project: Path) -> None:
    (project / "data" / "box.json").write_text(profile(1.01))
    priced.report = scripted.report([scripted.finding("a.py", evidence="scalar-readback")])
    assert priced("--target", "box", ".").status == 0


def test_a_profile_that_is_merely_stored_silences_nothing(priced: CommandLine, project: Path) -> None:
    (project / "data" / "this-machine.json").write_text(profile(1.01))
    found = priced(".")
    assert "a.py" in found.out
    assert "measured here on 2026-01-31" in found.out


def test_the_dearest_comes_first_when_asked(priced: CommandLine, project: Path) -> None:
    (project / "data" / "box.json").write_text(profile(2.0))
    by_place = priced("--target", "box", "--output-format", "concise", ".").out
    assert by_place.index("a.py") < by_place.index("b.py")
    by_cost = priced("--target", "box", "--output-format", "concise", "--sort", "cost", ".").out
    assert by_cost.index("b.py") < by_cost.index("a.py")


def test_json_carries_the_costs_of_each_target(priced: CommandLine, project: Path) -> None:
    (project / "data" / "box.json").write_text(profile(2.0))
    (project / "other.json").write_text(profile(3.0).replace('"box"', '"other"'))
    found = priced("--target", "box", "--target", "./other.json", "--output-format", "json", ".")
    (first, _) = json.loads(found.out)
    assert [(cost["machine"], cost["ratio"]) for cost in first["costs"]] == [("box", 2.0), ("other", 3.0)]


def test_an_unknown_target_is_wrong_usage_even_without_findings(priced: CommandLine) -> None:
    priced.report = scripted.report()
    found = priced("--target", "nowhere", ".")
    assert found.status == 2
    assert "there is no profile nowhere; stored: none; shipped: " in found.err
    assert priced.calls == []


def test_the_target_of_a_project_s_settings_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the real engine: a path is read from the folder of the settings file, whatever the current directory."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "mlsys-advise.toml").write_text('target = "profiles/box.json"\n')
    (project / "profiles").mkdir()

    def measured(ratio: float) -> None:
        data = profile(ratio).replace('"scalar-readback"', '"gc-full-collection"')
        (project / "profiles" / "box.json").write_text(data)

    measured(1.01)
    (project / "train.py").write_text(
        "import gc\n\nfrom torch.utils.data import DataLoader\n\n\n"
        "def train(dataset, model):\n"
        "    for batch in DataLoader(dataset):\n"
        "        model(batch).backward()\n"
        "        gc.collect()\n"
    )
    monkeypatch.chdir(tmp_path)
    assert dispatch.run(["--no-cache", "--select", "MLS401", "--show-quiet", "project"]) == 0
    shown = capsys.readouterr()
    assert "MLS401 is quiet: costs 1.01x on box" in shown.err
    measured(1.5)
    assert dispatch.run(["--no-cache", "--select", "MLS401", "project"]) == 1
