# SPDX-License-Identifier: MIT
"""What may stand on the command line. Everything is checked here or by the program before it begins to work."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from .. import __version__
from ..array import frameworks_with_gradients
from ..io import Limits
from .assets import convert, info, validate
from .demo import demo
from .doctor import doctor
from .draw import draw
from .fitting import fit_camera, fit_shape, fit_texture

__all__ = ["parse"]

VISIBILITIES = ("edge", "antialias", "sweep", "soft")
MAX_SIZE = 4096
MESH_FILE = "an OBJ, PLY, STL, glTF or GLB file"
OUTPUT = "ends in .gif, .webp, .png (numbered pictures) or .mp4 (needs imageio-ffmpeg)"


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of a program; `.program` is its function.

    Raises:
        ValueError: they make no sense.
        SystemExit: help or version was asked for, and printed.
    """
    parser = _Parser(prog="intaglio", description="Draw meshes; fit their shape, colours and cameras to pictures.")
    parser.add_argument("--version", action="version", version=f"intaglio {__version__}")
    programs = parser.add_subparsers(metavar="PROGRAM", required=True, parser_class=_Parser)
    _add_render(programs)
    fits = programs.add_parser("fit", help="fit a mesh or a camera to a picture").add_subparsers(
        metavar="shape|texture|camera", required=True, parser_class=_Parser
    )
    _add_fit(fits, "shape", fit_shape, "deform a mesh until its silhouette is a square", steps=None)
    _add_fit(fits, "texture", fit_texture, "paint a mesh so that a picture is seen from all sides", steps=300)
    _add_fit(fits, "camera", fit_camera, "find the camera that took a silhouette", steps=1000)
    _add_demo(programs)
    _add_on_file(programs, "info", info, "say what is in a file, and what was converted on the way")
    _add_on_file(programs, "convert", convert, "write a file as another kind, by its ending")
    _add_on_file(programs, "validate", validate, "read all of a file, and say what is wrong in it")
    programs.add_parser("doctor", help="say what is here, and how to mend what is not").set_defaults(program=doctor)
    return parser.parse_args(arguments)


class _Parser(argparse.ArgumentParser):
    """Errors are exceptions of one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (see {self.prog} --help)")


def _add_render(programs: Any) -> None:
    parser = programs.add_parser("render", help="draw a mesh from all sides")
    parser.add_argument("mesh", metavar="MESH", help=f"{MESH_FILE}, or the name of a shape, such as teapot")
    _add_output(parser, "turntable.gif")
    parser.add_argument("--frames", type=_whole(1, 10_000), default=90, help="pictures on the way around (90)")
    parser.add_argument("--elevation", type=_number, default=30.0, help="degrees above the horizon (30)")
    parser.add_argument("--distance", type=_number, default=2.732, help="of the eye from the middle (2.732)")
    parser.add_argument("--shading", choices=("flat", "smooth"), default="flat")
    _add_size(parser)
    parser.set_defaults(program=draw)


def _add_fit(fits: Any, name: str, program: Callable[..., Any], text: str, steps: int | None) -> None:
    parser = fits.add_parser(name, help=text)
    parser.add_argument(
        "mesh", metavar="MESH", nargs="?", default="teapot", help=f"{MESH_FILE}, or the name of a shape (teapot)"
    )
    _add_output(parser, f"{name}.gif")
    parser.add_argument(
        "--reference", type=Path, metavar="PICTURE", help="a PNG or JPEG to fit to; its size counts, not --size"
    )
    default = "120; with sweep 300" if steps is None else f"{steps}"
    parser.add_argument("--steps", type=_whole(1, 1_000_000), default=steps, help=f"at most so many ({default})")
    if name != "texture":  # which moves no silhouettes
        parser.add_argument(
            "--visibility", choices=VISIBILITIES, default="edge", help="whence silhouettes get gradients (edge)"
        )
    _add_seed(parser)
    _add_size(parser)
    parser.set_defaults(program=program)


def _add_demo(programs: Any) -> None:
    parser = programs.add_parser("demo", help="run all four programs on the teapot, into a folder")
    parser.add_argument("-o", "--output", type=Path, default=Path("demo"), help="the folder, made if missing (demo)")
    parser.add_argument("--steps", type=_whole(1, 1_000_000), default=None, help="of each fit, at most")
    parser.add_argument("--frames", type=_whole(1, 10_000), default=90, help="pictures on the way around (90)")
    _add_seed(parser)
    _add_size(parser)
    parser.set_defaults(program=demo)


def _add_on_file(programs: Any, name: str, program: Callable[..., Any], text: str) -> None:
    parser = programs.add_parser(name, help=text)
    parser.add_argument("file", type=Path, metavar="FILE", help=MESH_FILE)
    if program is convert:
        parser.add_argument("output", type=Path, metavar="OUTPUT", help="what to write, of one of these kinds")
    plain = Limits()
    for limit, of in (
        ("bytes", "each file"),
        ("vertices", "all of a file"),
        ("pixels", "each picture"),
        ("ratio", "unpacked bytes to a file's own"),
    ):
        default = getattr(plain, f"max_{limit}")
        parser.add_argument(f"--max-{limit}", type=_whole(1, 1 << 48), default=default, help=f"of {of} ({default})")
    parser.set_defaults(program=program)


def _add_output(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("-o", "--output", type=Path, default=Path(default), help=f"{OUTPUT} ({default})")


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=_whole(0, 2**32 - 1), default=0, help="of what is random; makes runs equal (0)")


def _add_size(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", type=_whole(1, MAX_SIZE), default=256, help="of pictures, in pixels (256)")
    parser.add_argument("--supersample", type=_whole(1, 4), default=2, help="samples across a pixel (2)")
    default = "the first of them that is installed"
    parser.add_argument("--framework", choices=frameworks_with_gradients(), help=f"whose arrays are used ({default})")
    parser.add_argument("--device", type=_device, default="cpu", help="cpu, or cuda or cuda:1 where they are (cpu)")


def _whole(lowest: int, highest: int) -> Callable[[str], int]:
    def parsed(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
            raise argparse.ArgumentTypeError(f"must be a whole number from {lowest} to {highest}; got {text!r}")
        return int(text)

    return parsed


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"must be a finite number; got {text!r}")
    return value


def _device(text: str) -> str:
    if not re.fullmatch(r"cpu|cuda(:[0-9]{1,3})?", text):
        raise argparse.ArgumentTypeError(f"must be cpu, cuda or cuda and a number, as cuda:1; got {text!r}")
    return text
