"""``calibrate``: measure on this machine what antipatterns cost, and keep it as a profile."""

from __future__ import annotations

import json
import re
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import mlsys_advise
from mlsys_advise.command import interruption, streams
from mlsys_advise.command.progress import StatusLine
from mlsys_advise.command.status import ExitStatus
from mlsys_advise.output import calibration
from mlsys_advise.output.terminal import Style, is_terminal
from mlsys_advise.usage import UsageError
from mlsys_calibration import isolation, machine, needs, profiles, runner
from mlsys_calibration.benchmark import Benchmark
from mlsys_calibration.collection import load_benchmarks
from mlsys_calibration.profile import Machine, Measurement, Profile, ProfileError, parse
from mlsys_calibration.session import Session, stored_profile

_DIFFERS, _NONE = 1, 2  # statuses of --check


def run(arguments: Namespace) -> int:
    if arguments.compare:
        streams.emit(calibration.comparison(*(_read(path) for path in arguments.compare)))
        return ExitStatus.CLEAN
    path = _path(arguments)
    if arguments.check:
        return _check(path)
    chosen = _chosen(arguments)
    if arguments.list:
        streams.emit(calibration.listing(chosen, Style.of(sys.stdout)))
        return ExitStatus.CLEAN
    return _measure(chosen, path, arguments)


def _measure(chosen: Sequence[Benchmark], path: Path, arguments: Namespace) -> int:
    started = time.monotonic()
    plan = runner.THOROUGH if arguments.thorough else runner.QUICK
    libraries = isolation.environment()
    here = machine.fingerprint(libraries)
    try:
        session = Session(path, arguments.name or path.stem, mlsys_advise.__version__, plan.quick, here)
    except ProfileError as error:
        raise UsageError(f"{path} is not a profile and is left alone: {error}") from None
    remaining = session.remaining(chosen)
    streams.emit(_introduction(session, here, len(remaining), len(chosen)))
    display = _Display(len(remaining))
    spent = time.monotonic() - started
    try:
        for name, measurement in runner.measure(
            remaining, plan.after(spent), _devices(libraries), isolation.run, display.show
        ):
            session.take(name, measurement)
        profile = session.finish(chosen)
    except KeyboardInterrupt:
        display.close()
        profile = session.write(complete=False)
        streams.emit(["interrupted; the same command goes on from here", *calibration.summary(profile, path)])
        return interruption.STATUS
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    display.close()
    left = session.unfinished(chosen)
    streams.emit([*display.unsettled(), *calibration.summary(profile, path), *_installation(profile), *_left(left)])
    return ExitStatus.CLEAN


class _Display:
    """A line on standard output for each benchmark once it is settled, and on a terminal the one being measured."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._style = Style.of(sys.stdout)
        self._line = StatusLine(sys.stderr) if is_terminal(sys.stderr) else None
        self._open: dict[str, tuple[Benchmark, Measurement]] = {}
        self._settled = 0

    def show(self, benchmark: Benchmark, measurement: Measurement) -> None:
        if measurement.status == "unstable":
            self._open[benchmark.id] = (benchmark, measurement)
            if self._line is not None:
                first = calibration.line(benchmark.id, measurement, Style(width=self._style.width), provisional=True)
                self._line.show(f"{self._settled} of {self._number} settled | {first}")
            return
        self._open.pop(benchmark.id, None)
        self._settled += 1
        self.close()
        streams.emit([calibration.line(benchmark.id, measurement, self._style)])

    def unsettled(self) -> Iterator[str]:
        """Lines for those that never came to rest."""
        for name, (_, measurement) in sorted(self._open.items()):
            yield calibration.line(name, measurement, self._style)

    def close(self) -> None:
        if self._line is not None:
            self._line.show("")


def _introduction(session: Session, here: Machine, remaining: int, chosen: int) -> Iterator[str]:
    yield calibration.card(here)
    if session.replaces:
        yield "The stored profile is of another machine, or of other versions: everything is measured again."
    elif session.resumes:
        yield f"Going on with an interrupted run: {remaining} of {chosen} benchmarks are left."


def _left(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"The time did not suffice for {len(names)} benchmarks: the same command goes on from here."


def _installation(profile: Profile) -> Iterator[str]:
    reasons = [
        reason
        for measurement in profile.measurements.values()
        if measurement.status == "not-applicable"
        for reason in measurement.notes.removeprefix("needs ").split(", ")
        if reason != "--thorough"
    ]
    command = needs.how_to_install(reasons)
    if command:
        yield f"Some benchmarks need what is not installed: {command}"


def _devices(libraries: Mapping[str, str]) -> dict[str, int]:
    return {str(name): int(number) for name, number in json.loads(libraries.get("devices", "{}")).items()}


def _chosen(arguments: Namespace) -> list[Benchmark]:
    """The benchmarks that the options select. Raises UsageError for a name that selects nothing."""
    known = load_benchmarks()
    names, modules = {one.id for one in known}, {one.module for one in known}
    for name in arguments.only:
        if name not in names:
            raise UsageError(f"there is no benchmark {name}; mlsys-advise calibrate --list shows all")
    if arguments.module and arguments.module not in modules:
        raise UsageError(f"there is no module {arguments.module}; there are {', '.join(sorted(modules))}")
    return [
        one
        for one in known
        if (not arguments.only or one.id in arguments.only)
        and (not arguments.module or one.module == arguments.module)
        and arguments.device in ("auto", one.device)
    ]


def _path(arguments: Namespace) -> Path:
    if arguments.name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", arguments.name):
        raise UsageError(
            f"{arguments.name!r} cannot name a profile: letters, digits, dots, hyphens and underscores can"
        )
    if arguments.output is not None:
        return Path(arguments.output)
    folder = profiles.data_folder()
    if folder is None:
        raise UsageError("the user has no home folder to keep the profile in; --output names a file")
    return folder / f"{arguments.name or profiles.OWN}.json"


def _read(path: Path) -> Profile:
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except ProfileError as error:
        raise UsageError(f"{path} is not a profile: {error}") from None


def _check(path: Path) -> int:
    try:
        stored = stored_profile(path)
    except ProfileError as error:
        raise UsageError(f"{path} is not a profile: {error}") from None
    if stored is None:
        streams.emit([f"There is no profile {path.stem}; mlsys-advise calibrate makes one."])
        return _NONE
    different = machine.differences(stored.machine, machine.fingerprint(isolation.environment()))
    streams.emit(different or [f"The profile {stored.name} is of this machine."])
    return _DIFFERS if different else ExitStatus.CLEAN
