# SPDX-License-Identifier: MIT
"""`intaglio doctor`: what is here, what works, and the line that mends what does not.

A framework is asked in a process of its own (`probe.py`), all of them side by side: the slow import, the noise and even
the crash of one that is damaged stay there.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from .. import __version__, ops
from .progress import Stop

__all__ = ["doctor"]

PATIENCE = 120  # seconds for a framework to be imported and to draw
FRAMEWORKS = {  # title: module, distributions that bring it
    "PyTorch": ("torch", ("torch",)),
    "PaddlePaddle": ("paddle", ("paddlepaddle", "paddlepaddle-gpu")),
    "JAX": ("jax", ("jax",)),
}
OPTIONS = {"tqdm": "shows progress bars", "imageio-ffmpeg": "writes .mp4"}
SIMD = {"x86-64-v4": "x86-64-v4 (AVX-512)", "x86-64-v3": "x86-64-v3 (AVX2)"}


class Row(NamedTuple):
    title: str
    found: str
    remark: str = ""
    mend: str = ""
    is_broken: bool = False


def doctor(options: argparse.Namespace, stop: Stop) -> str:
    """Print what there is; returns the line that it closes with.

    Raises:
        ValueError: a framework is installed and does not work.
    """
    probes = {title: _started(module) for title, (module, _) in FRAMEWORKS.items()}
    print(f"intaglio {__version__} in {Path(__file__).parent.parent}\n", flush=True)
    _print([_python(), *(Row(name, _version(name)) for name in ("NumPy", "Pillow"))])
    rows = [_framework(title, probe) for title, probe in probes.items()]
    _print(rows)
    _print([_simd(), Row("threads", str(ops.get_num_threads())), _cuda()])
    _print([_optional(name, use) for name, use in OPTIONS.items()])
    broken = [row.title for row in rows if row.is_broken]
    if broken:
        raise ValueError(
            f"doctor: {' and '.join(broken)} must work; got the errors above (or uninstall what is not used)"
        )
    line = "what is here works"
    print(line)
    return line


def _print(rows: list[Row]) -> None:
    for row in rows:
        mend = f"\n{'':<36}{row.mend}" if row.is_broken else row.mend
        print(f"  {row.title:<16}{row.found:<18}{row.remark}{mend}".rstrip(), flush=True)
    print()


def _python() -> Row:
    return Row("Python", platform.python_version(), f"{platform.system()} {platform.machine()}")


def _simd() -> Row:
    level = ops.simd_level()
    return Row("SIMD", SIMD.get(level, f"baseline of {platform.machine()}"))


def _cuda() -> Row:
    count = ops.num_gpus()
    if not count:
        found = "no" if count is None else "built in"
        return Row("CUDA", found, f"all is drawn on the CPU: intaglio {ops.why_no_gpus()}")
    return Row("CUDA", "yes", "1 GPU" if count == 1 else f"{count} GPUs")


def _optional(name: str, use: str) -> Row:
    found = _version(name)
    return Row(name, found, use) if found else Row(name, "not here", f"{use}: ", _pip(name))


def _started(module: str) -> subprocess.Popen[str] | None:
    """The probe of a framework, at work; None where there is no such module."""
    if importlib.util.find_spec(module) is None:
        return None
    command = [sys.executable, "-m", "intaglio.cli.probe", module]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")


def _framework(title: str, probe: subprocess.Popen[str] | None) -> Row:
    distributions = FRAMEWORKS[title][1]
    version = next(filter(None, map(_version, distributions)), "") or "of unknown version"
    pip = _pip(distributions[0])
    if probe is None:
        return Row(title, "not here", "", pip)
    try:
        out, err = probe.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        probe.kill()
        probe.communicate()
        out, err = "", f"no answer within {PATIENCE} s"
    complaint = _complaint(out, err, probe.returncode)
    if complaint:
        mend = pip.replace("install", "install --force-reinstall")
        return Row(title, version, f"broken: {complaint}", mend, is_broken=True)
    return Row(title, version, "works")


def _complaint(out: str, err: str, code: int) -> str:
    """What the probe found wrong; nothing where it drew what it should."""
    try:
        return json.loads(out.splitlines()[-1])["complaint"]
    except (IndexError, ValueError, KeyError, TypeError):  # it died before it could say
        last = (err.strip() or out.strip()).splitlines()[-1:]
        return ": ".join([f"ended with code {code}", *last])


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _pip(distribution: str) -> str:
    """The line that installs a package in a version that suits, as intaglio's own requirements have it."""
    for requirement in metadata.requires("intaglio") or []:
        wanted = requirement.partition(";")[0].strip()
        if re.fullmatch(rf"{re.escape(distribution)}(?![\w.-]).*", wanted):
            break
    else:
        wanted = distribution
    return f"pip install '{wanted}'"
