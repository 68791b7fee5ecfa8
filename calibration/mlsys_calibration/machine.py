"""The fingerprint of this machine: what decides which figures hold on it, and nothing that tells whose it is."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlsys_calibration.needs import usable_cpus
from mlsys_calibration.profile import Cpu, Gpu, Machine, Versions

_CPUINFO = Path("/proc/cpuinfo")
_CPU = Path("/sys/devices/system/cpu/cpu0")
_NODES = Path("/sys/devices/system/node")
_HUGE = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_CGROUP = Path("/sys/fs/cgroup")
#: Instruction sets that numerical libraries choose their kernels by.
_SETS = frozenset(
    "sse4_2 avx avx2 fma f16c avx512f avx512bw avx512vl avx512_vnni avx512_bf16 avx512_fp16 avx_vnni amx_tile "
    "amx_bf16 amx_int8 asimd asimdhp asimddp sve sve2 bf16 i8mm".split()
)


def fingerprint(libraries: Mapping[str, str]) -> Machine:
    """The machine as it is seen from here; ``libraries`` are the findings of ``isolation.environment``."""
    info = _text(_CPUINFO)
    return Machine(
        system=platform.system(),
        kernel=".".join(platform.release().split("-")[0].split(".")[:2]),
        cpu=Cpu(
            model=_field(info, "model name") or platform.processor() or platform.machine(),
            architecture=platform.machine(),
            sockets=len(set(re.findall(r"^physical id\s*: (\d+)", info, re.M))) or None,
            cores=len(set(re.findall(r"^physical id\s*: (\d+)\n(?:.*\n)*?core id\s*: (\d+)", info, re.M))) or None,
            usable=usable_cpus(),
            threads_per_core=_threads_per_core(),
            instruction_sets=sorted(_SETS & set((_field(info, "flags") or _field(info, "Features")).split())),
            cache_bytes=dict(sorted(_caches())),
            numa_nodes=len(list(_NODES.glob("node[0-9]*"))) or None,
        ),
        memory_bytes=_memory(),
        huge_pages=(re.findall(r"\[(\w+)\]", _text(_HUGE)) or [None])[0],
        container_cpus=_container_cpus(),
        container_memory_bytes=_number(_text(_CGROUP / "memory.max")),
        shm_bytes=_shm(),
        temporary_storage=_storage(Path(tempfile.gettempdir())),
        gpus=[Gpu(**gpu) for gpu in json.loads(libraries.get("gpus", "[]"))],
        link_bytes_per_second=float(libraries["link"]) if "link" in libraries else None,
        driver=_driver(),
        versions=Versions(
            python=platform.python_version(),
            c_library=" ".join(platform.libc_ver()).strip() or None,
            numpy=libraries.get("numpy"),
            blas=libraries.get("blas"),
            torch=libraries.get("torch"),
            cuda=libraries.get("cuda"),
        ),
    )


def differences(stored: Machine, here: Machine) -> list[str]:
    """What is not the same, field by field; sizes within a twentieth of each other are, since kernels reserve some."""
    one, other = (_flat(machine.model_dump()) for machine in (stored, here))
    return [
        f"{name}: {one.get(name)} in the profile, {other.get(name)} here"
        for name in sorted(one | other)
        if not _alike(one.get(name), other.get(name))
    ]


def _alike(one: object, other: object) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float) and max(one, other) > 1 << 20:
        return abs(one - other) <= 0.05 * max(one, other)
    return one == other


def _flat(value: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    pending: list[tuple[str, object]] = list(value.items())
    while pending:
        name, part = pending.pop()
        if isinstance(part, Mapping):
            pending.extend((f"{name}.{key}", inner) for key, inner in part.items())
        else:
            found[name] = part
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def _field(info: str, name: str) -> str:
    found = re.search(rf"^{name}\s*: (.+)$", info, re.M)
    return found[1].strip() if found else ""


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None


def _caches() -> Iterator[tuple[str, int]]:
    for index in _CPU.glob("cache/index*"):
        kind, size = _text(index / "type").strip(), _text(index / "size").strip()
        if kind != "Instruction" and size.endswith("K"):
            yield f"L{_text(index / 'level').strip()}", int(size[:-1]) * 1024


def _threads_per_core() -> int | None:
    siblings = _text(_CPU / "topology/thread_siblings_list").strip()
    if not siblings:
        return None
    return sum(
        int(last or first) - int(first) + 1 for first, _, last in (part.partition("-") for part in siblings.split(","))
    )


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _container_cpus() -> float | None:
    quota, _, period = _text(_CGROUP / "cpu.max").strip().partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _shm() -> int | None:
    try:
        return shutil.disk_usage("/dev/shm").total
    except OSError:
        return None


def _storage(folder: Path) -> str | None:
    """The file system of a folder, and whether its disk spins where the kernel says so."""
    best: tuple[int, str, str] = (-1, "", "")
    for line in _text(Path("/proc/self/mountinfo")).splitlines():
        before, _, after = line.partition(" - ")
        point, number = before.split()[4], before.split()[2]
        if (folder.resolve().is_relative_to(point)) and len(point) >= best[0]:
            best = (len(point), after.split()[0], number)
    if best[0] < 0:
        return None
    rotational = _text(Path(f"/sys/dev/block/{best[2]}/queue/rotational")).strip()
    return best[1] + {"0": ", not rotational", "1": ", rotational"}.get(rotational, "")


def _driver() -> str | None:
    found = re.search(r"Module\s+(\d+\.[\d.]+)", _text(Path("/proc/driver/nvidia/version")))
    return found[1] if found else None
