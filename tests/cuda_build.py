# SPDX-License-Identifier: MIT
"""A build with kernels, where there is no GPU: `make cuda-compile`. Not a part of `make test`, whose build has none.

What it says is asked beside a driver made up for that, so that a real one would not be in the way.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from intaglio import _native

OLD, NEW = "11000", "99000"  # as the driver numbers the versions of CUDA


@pytest.fixture(scope="module")
def drivers(tmp_path_factory):
    """The folder of a driver that finds no GPU."""
    folder = tmp_path_factory.mktemp("driver")
    source = Path(__file__).parent / "emulate" / "driver.c"
    subprocess.run(
        [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", folder / "libcuda.so.1", source], check=True, timeout=60
    )
    return folder


def said(drivers, version, *program):
    environment = os.environ | {"LD_LIBRARY_PATH": str(drivers), "DRIVER_VERSION": version}
    run = subprocess.run([sys.executable, *program], capture_output=True, text=True, timeout=240, env=environment)
    return run.stdout + run.stderr


def test_kernels_are_built_in():
    assert _native.has_cuda()


def doctor_says(drivers, version):
    """What it remarks about CUDA."""
    lines = said(drivers, version, "-m", "intaglio", "doctor").splitlines()
    (row,) = (line for line in lines if line.startswith("  CUDA"))
    return re.fullmatch(r"  CUDA +built in +all is drawn on the CPU: intaglio (.*)", row)[1]


def test_doctor_says_that_a_driver_is_too_old(drivers):
    remark = re.sub(r"CUDA (?!11)\d+\.\d", "CUDA of the build", doctor_says(drivers, OLD))
    assert remark == (
        "is built with CUDA of the build, and the driver is of CUDA 11.0: "
        "update the driver, or build with an nvcc that is not newer"
    )


def test_doctor_says_that_a_driver_finds_no_gpu(drivers):
    assert doctor_says(drivers, NEW).startswith("finds no GPU: no CUDA-capable device")


def test_a_program_that_asks_for_a_gpu_says_so_too(drivers, tmp_path):
    out = said(drivers, OLD, "-m", "intaglio", "render", "cube", "--device", "cuda", "-o", str(tmp_path / "cube.png"))
    assert "--device must be cpu; got cuda (this intaglio is built with CUDA " in out


def test_the_cpu_still_draws(drivers):
    draw = "i.render(i.shapes.cube(), i.Camera.look_at(i.orbit(3, 30, 30)), (8, 8)).color.shape"
    program = f"import intaglio as i; print({draw})"
    assert said(drivers, OLD, "-c", program) == "(1, 8, 8, 3)\n"
