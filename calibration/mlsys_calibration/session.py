"""A calibration from its first figure to its file: what is measured is on the disk at once, whatever ends the run."""

from __future__ import annotations

import contextlib
import datetime
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mlsys_calibration.benchmark import Benchmark
from mlsys_calibration.machine import differences
from mlsys_calibration.profile import Machine, Measurement, Profile, dump, parse


def stored_profile(path: Path) -> Profile | None:
    """The profile in a file, or None if there is none. Raises ProfileError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return parse(content)


class Session:
    """Collects measurements into the profile at ``path``.

    A run that was interrupted is taken up where it stopped; a complete one is refreshed, benchmark by benchmark.
    Figures of another machine or effort are never mixed with those of this one.
    """

    def __init__(self, path: Path, name: str, tool: str, quick: bool, machine: Machine) -> None:
        self.path = path
        effort: Literal["quick", "thorough"] = "quick" if quick else "thorough"
        self.kept: dict[str, Measurement] = {}
        self.resumes = False
        self._undecided: dict[str, Measurement] = {}
        previous = stored_profile(path)
        self.replaces = previous is not None and bool(differences(previous.machine, machine))
        if previous is not None and not self.replaces and previous.effort == effort:
            self.kept = dict(previous.measurements)
            self.resumes = not previous.complete
        self._profile = Profile(
            name=name,
            tool=tool,
            date=datetime.datetime.now(datetime.UTC).date(),
            effort=effort,
            complete=False,
            machine=machine,
        )

    def remaining(self, chosen: Sequence[Benchmark]) -> list[Benchmark]:
        """Of the benchmarks chosen, those that an interrupted run did not settle; all of them after a complete one."""
        if not self.resumes:
            return list(chosen)
        settled = {name for name, measurement in self.kept.items() if measurement.status != "unstable"}
        return [benchmark for benchmark in chosen if benchmark.id not in settled]

    def take(self, name: str, measurement: Measurement) -> None:
        """Keep a measurement and write the profile. One that may still change does not displace one that is sound."""
        before = self.kept.get(name)
        if measurement.status == "unstable" and before is not None and before.status == "measured":
            self._undecided[name] = measurement
            return
        self._undecided.pop(name, None)
        self.kept[name] = measurement
        self.write(complete=False)

    def finish(self, chosen: Sequence[Benchmark]) -> Profile:
        """Write the profile of a run that came to its end; it is complete if there was time for two looks at each."""
        self.kept |= self._undecided
        return self.write(complete=not self.unfinished(chosen))

    def unfinished(self, chosen: Sequence[Benchmark]) -> list[str]:
        """The benchmarks that the time did not reach, or reached only once."""
        looks = {
            name: all(point.spread is not None for point in measurement.points)
            for name, measurement in self.kept.items()
        }
        return [benchmark.id for benchmark in chosen if not looks.get(benchmark.id)]

    def write(self, *, complete: bool) -> Profile:
        profile = self._profile.model_copy(update={"measurements": self.kept, "complete": complete})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".profile-")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(dump(profile))
            Path(temporary).replace(self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
        return profile
