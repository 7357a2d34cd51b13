# SPDX-License-Identifier: MIT
"""What a benchmark hands back: a table, what its numbers have to reach, and the machine they come from."""

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .timing import Timing

VERSIONS = ("intaglio", "numpy", "torch", "paddlepaddle", "jax", "deodr", "moderngl")


@dataclass(frozen=True)
class Claim:
    """One measured number beside its goals: `must` is promised, `aim` is hoped for."""

    what: str
    value: float
    must: float
    aim: float | None = None
    unit: str = "x"
    smaller_is_better: bool = False

    def reaches(self, goal: float | None) -> bool:
        if goal is None:
            return False
        return self.value <= goal if self.smaller_is_better else self.value >= goal

    @property
    def verdict(self) -> str:
        return "aim reached" if self.reaches(self.aim) else "reached" if self.reaches(self.must) else "**missed**"

    @property
    def cells(self) -> tuple[str, ...]:
        bound = "at most " if self.smaller_is_better else "at least "
        aim = "" if self.aim is None else f"{self.aim:g}{self.unit}"
        return self.what, f"{self.value:.3g}{self.unit}", f"{bound}{self.must:g}{self.unit}", aim, self.verdict


@dataclass(frozen=True)
class Section:
    """The answer to one question."""

    title: str
    method: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    claims: Sequence[Claim] = ()

    @property
    def markdown(self) -> str:
        parts = [f"## {self.title}", self.method, table(self.header, self.rows)]
        if self.claims:
            parts.append(claims_table(self.claims))
        return "\n\n".join(parts) + "\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def claims_table(claims: Sequence[Claim]) -> str:
    return table(("goal", "measured", "must", "aim", "verdict"), [claim.cells for claim in claims])


def milliseconds(timing: Timing) -> str:
    """`median (lower quartile - upper quartile)`"""
    low, high = timing.quartiles_ms
    return f"{timing.median_ms:.3g} ({low:.3g}-{high:.3g})"


def ratio(value: float) -> str:
    return f"{value:.2g}x" if value < 10 else f"{value:.0f}x"


def machine() -> list[tuple[str, str]]:
    """Name and value of everything that a number in RESULTS.md depends on."""
    return [
        ("processor", f"{_processor()}, {len(os.sched_getaffinity(0))} cores"),
        ("load average", " ".join(f"{load:.2f}" for load in os.getloadavg())),
        ("system", platform.platform()),
        ("commit", _commit()),
        ("Python", platform.python_version()),
        *((name, _version(name)) for name in VERSIONS),
        ("compiler", _first_line("g++", "--version")),
    ]


def _processor() -> str:
    described = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in described if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    changed = _first_line("git", "status", "--porcelain", "--untracked-files=no")
    return _first_line("git", "rev-parse", "--short", "HEAD") + (" with uncommitted changes" if changed else "")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    return done.stdout.partition("\n")[0].strip()
