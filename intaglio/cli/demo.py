# SPDX-License-Identifier: MIT
"""`intaglio demo`: all four programs on the teapot. What it runs are command lines, and it shows them."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..io import InputError
from .progress import Stop

__all__ = ["demo"]

PROGRAMS = (
    ("draw.gif", "render teapot"),
    ("shape.gif", "fit shape"),
    ("shape-sweep.gif", "fit shape --visibility sweep"),
    ("texture.gif", "fit texture"),
    ("camera.gif", "fit camera"),
    ("camera-sweep.gif", "fit camera --visibility sweep"),
)


def demo(options: argparse.Namespace, stop: Stop) -> None:
    """Run them one after another, then print their closing lines together."""
    from .arguments import parse  # which knows this program

    folder: Path = options.output
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(folder, f"cannot be made: {reason}", remedy="choose another folder") from error
    lines = []
    for file, program in PROGRAMS:
        words = [*program.split(), *_shared(options, program), "-o", str(folder / file)]
        print(f"$ intaglio {' '.join(words)}", flush=True)
        arguments = parse(words)
        lines.append(arguments.program(arguments, stop))
        if stop.requested:
            break
    print(f"\n{folder}:", *lines, sep="\n  ")


def _shared(options: argparse.Namespace, program: str) -> list[str]:
    """The options of the demo that this program knows and that are not its own defaults."""
    names: dict[str, int | str | None] = {"size": 256, "supersample": 2, "framework": None, "device": "cpu"}
    names |= {"frames": 90} if program.startswith("render") else {"seed": 0, "steps": None}
    changed = {name: getattr(options, name) for name, default in names.items() if getattr(options, name) != default}
    return [word for name, value in changed.items() for word in (f"--{name}", str(value))]
