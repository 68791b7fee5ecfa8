"""The stored verdicts are well-formed, the final round reaches what it must, and the tools around them hold."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from benchmarks import judged
from tests.judged import verdicts
from tests.judged.verdicts import Precision, Round, Verdict

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def verdict(line: int = 1, repository: str = "owner/name", **fields: object) -> Verdict:
    given: dict[str, object] = {
        "repository": repository,
        "commit": COMMIT,
        "path": "train.py",
        "line": line,
        "code": "MLS413",
        "verdict": "true-worth",
        "reason": "the loader feeds the GPU and has workers",
        "judge": "reader-1",
        "round": "first",
        "fresh": True,
        "seed": 7,
    }
    return msgspec.convert(given | fields, Verdict)


FIRST = Round("first", 7, "a round")


class TestStored:
    def test_verdicts_and_rounds_are_well_formed(self) -> None:
        assert list(verdicts.faults(verdicts.rounds(), verdicts.verdicts())) == []

    def test_files_are_named_and_sorted_as_they_are_written(self, tmp_path: Path) -> None:
        written = verdicts.write(tmp_path, verdicts.verdicts())
        assert [path.relative_to(tmp_path) for path in written] == [
            path.relative_to(verdicts.FOLDER) for path in verdicts.files()
        ]
        for path in written:
            assert path.read_bytes() == (verdicts.FOLDER / path.relative_to(tmp_path)).read_bytes()

    def test_the_final_round_reaches_what_it_must(self) -> None:
        final = [entry.name for entry in verdicts.rounds() if entry.final]
        if not final:
            pytest.skip("no round of verdicts is marked final in tests/judged/rounds.toml yet")
        assert list(verdicts.shortfalls([given for given in verdicts.verdicts() if given.round == final[0]])) == []


class TestFaults:
    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({"repository": "name"}, "is not owner/name"),
            ({"commit": "main"}, "is neither a full hash nor a release"),
            ({"path": "/train.py"}, "not a relative path"),
            ({"line": 0}, "not a relative path"),
            ({"reason": ""}, "one line"),
            ({"reason": "x = 1\ny = 2"}, "one line"),
            ({"judge": " "}, "nobody judged it"),
            ({"round": "second"}, "the round is not in rounds.toml"),
            ({"seed": 8}, "seed 8 is not the seed of the round"),
        ],
    )
    def test_of_one_verdict(self, fields: dict[str, object], fault: str) -> None:
        (found,) = verdicts.faults([FIRST], [verdict(**fields)])  # type: ignore[arg-type]
        assert fault in found

    def test_none(self) -> None:
        good = [verdict(), verdict(line=2), verdict(repository="pypi/timm", commit="1.0.31")]
        assert list(verdicts.faults([FIRST], good)) == []

    def test_of_rounds(self) -> None:
        final = msgspec.structs.replace(FIRST, final=True)
        assert list(verdicts.faults([final, final], [])) == ["two rounds have one name", "only one round can be final"]

    def test_judged_twice(self) -> None:
        (found,) = verdicts.faults([FIRST], [verdict(), verdict(judge="reader-2")])
        assert "was judged 2 times in one round" in found

    def test_more_than_is_drawn(self) -> None:
        assert "5 of a rule in a repository" in next(verdicts.faults([FIRST], [verdict(line) for line in range(1, 7)]))
        many = [verdict(line, f"owner/{line}") for line in range(1, 22)]
        assert list(verdicts.faults([FIRST], many)) == ["first: 21 verdicts on MLS413, and 20 are drawn at most"]

    def test_an_unknown_field_or_value_names_its_place(self, tmp_path: Path) -> None:
        path = tmp_path / "owner+name.jsonl"
        stored = msgspec.to_builtins(verdict())
        for wrong in ({"verdict": "maybe"}, {"excerpt": "x = 1"}):
            path.write_text(json.dumps(stored) + "\n" + json.dumps(stored | wrong) + "\n", encoding="utf-8")
            with pytest.raises(msgspec.ValidationError, match=r"owner\+name\.jsonl:2"):
                verdicts.read(path)


class TestPrecision:
    def test_only_what_is_worth_fixing_is_right(self) -> None:
        given = [verdict(1), verdict(2, verdict="true-not-worth"), verdict(3, "a/b", code="MLS401", verdict="false")]
        assert verdicts.precision(given) == {
            "": Precision(right=1, not_worth=1, false=1, repositories=2),
            "MLS401": Precision(false=1, repositories=1),
            "MLS413": Precision(right=1, not_worth=1, repositories=1),
        }
        assert Precision(right=19, false=1).share == 0.95

    def test_a_round_that_reaches_all(self) -> None:
        given = [verdict(line, f"owner/{line % 8}") for line in range(1, 21)]
        assert list(verdicts.shortfalls(given)) == []
        given[0] = verdict(1, "owner/1", verdict="true-not-worth")
        assert list(verdicts.shortfalls(given)) == []

    def test_a_round_that_does_not(self) -> None:
        given = [verdict(line, f"owner/{line % 7}") for line in range(1, 20)]
        given[0] = verdict(1, "owner/1", verdict="false")
        assert list(verdicts.shortfalls(given)) == [
            "7 fresh repositories; 8 are needed",
            "pooled precision 94.7% (18 of 19) is below 95%",
            "MLS413: 1 of 19 are wrong or not worth it; at most 0 may be",
        ]

    def test_only_fresh_repositories_count(self) -> None:
        given = [verdict(line, f"owner/{line % 8}") for line in range(1, 21)]
        assert list(verdicts.shortfalls([*given, verdict(30, "old/one", fresh=False, verdict="false")])) == []
        assert len(list(verdicts.shortfalls([verdict(fresh=False)]))) == 2


class TestSample:
    RUNS = tuple(
        judged.Run(
            repository=f"owner/{name}",
            commit=COMMIT,
            fresh=True,
            findings=tuple(
                judged.Reported(path=f"{code}.py", line=line, code=code, message="m", severity="info")
                for code in ("MLS401", "MLS413")
                for line in range(1, 10)
            ),
        )
        for name in "abcdef"
    )

    def test_caps_and_seed(self) -> None:
        tasks = judged.sample(self.RUNS, "first", seed=7)
        for code in ("MLS401", "MLS413"):
            drawn = [task for task in tasks if task.code == code]
            assert len(drawn) == 20
            repositories = [task.repository for task in drawn]
            assert max(map(repositories.count, repositories)) <= 5
        assert tasks == judged.sample(tuple(reversed(self.RUNS)), "first", seed=7)
        assert tasks != judged.sample(self.RUNS, "first", seed=8)

    def test_few_findings_are_all_read(self) -> None:
        tasks = judged.sample(self.RUNS[:1], "first", seed=7, per_rule=20, per_repository=100)
        assert len(tasks) == 18

    def test_judged_tasks_become_verdicts(self, tmp_path: Path) -> None:
        (task, *_) = judged.sample(self.RUNS, "first", seed=7)
        assert judged.verdict(task) is None
        filled = msgspec.structs.replace(task, verdict="false", reason="no GPU", judge="reader-1")
        stored = judged.verdict(filled)
        assert stored is not None
        assert (stored.seed, stored.round, stored.fresh, stored.verdict) == (7, "first", True, "false")
        (path,) = verdicts.write(tmp_path, [stored])
        assert (path.parent.name, path.name) == ("first", f"{task.repository.replace('/', '+')}.jsonl")
        again = msgspec.structs.replace(stored, verdict="true-worth")
        verdicts.write(tmp_path, [again])
        assert verdicts.read(path) == [again]

    def test_copies_of_one_site_are_read_once(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_text("x = load(f)\n", encoding="utf-8")
        (tmp_path / "b.py").write_text("\n    x = load(f)\ny = load(g)\n", encoding="utf-8")
        places = [("b.py", 2), ("a.py", 1), ("b.py", 3)]
        step = {"filename": str(tmp_path / "main.py"), "location": {"row": 3}, "message": "called here"}
        said = {"code": "MLS717", "message": "m", "severity": "info", "heat_path": [step]}
        found = [{"filename": str(tmp_path / path), "location": {"row": row}} | said for path, row in places]
        reported = judged.reported(json.dumps(found).encode(), tmp_path)
        assert [(site.path, site.line, site.copies) for site in reported] == [("a.py", 1, 1), ("b.py", 3, 0)]
        assert reported[0].heat_path[0]["filename"] == "main.py"


def test_report(capsys: pytest.CaptureFixture[str]) -> None:
    print(judged.table([verdict(1), verdict(2, verdict="false")]))
    assert capsys.readouterr().out.splitlines()[2:] == [
        "| MLS413 | 2 | 1 | 1 | 0 | 1 | 50.0% |",
        "| all | 2 | 1 | 1 | 0 | 1 | 50.0% |",
    ]
