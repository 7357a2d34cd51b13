# SPDX-License-Identifier: MIT
"""Torch's tensors on a device that is not the CPU: `make test-emulate` runs this, with emulated kernels.

No GPU is needed: the device is made up (tests/emulate/torch_device.cpp). As on a GPU, what mixes its tensors with the
CPU's fails, and so does what takes their memory for the host's. Compiled with torch's own tools, for the torch that is
here.
"""

import re
from pathlib import Path
from types import SimpleNamespace

import frameworks
import numpy as np
import pytest
import torch
from reference import steps
from test_frameworks import INPUTS, OP_FLOATS, OP_INPUTS, OPS, SCENE
from torch.utils.cpp_extension import load

from intaglio import _native
from intaglio.array import framework
from intaglio.cli import main
from intaglio.ops import torch as front

NAME = "elsewhere"
VISIBILITIES = ("edge", "antialias", "sweep", "soft")
ROWS = {f"op {name}": (function, OP_FLOATS, OP_INPUTS) for name, function in OPS.items()} | {
    name: (function, wanted, INPUTS) for name, (function, wanted) in SCENE.items()
}


@pytest.fixture(scope="module", autouse=True)
def made_up(tmp_path_factory):
    if not _native.is_emulating():
        pytest.exit("no emulation: nothing was tested (make test-emulate runs these tests)", 1)
    source = Path(__file__).parent / "emulate" / "torch_device.cpp"
    module = load("torch_device", [str(source)], extra_cflags=["-O1"], build_directory=tmp_path_factory.mktemp("build"))
    torch.utils.rename_privateuse1_backend(NAME)
    torch._register_device_module(NAME, SimpleNamespace(device_count=lambda: 1, current_device=lambda: 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(front, "device_of", lambda x: "cpu" if x.is_cpu else "cuda:0")
        patch.setattr(_native, "has_cuda", lambda: True)
        patch.setattr(_native, "num_gpus", lambda: 1)
        patch.setattr(framework("torch"), "gpu", lambda index: torch.device(NAME, 0))
        yield module


def evaluate(function, wanted, values, device):
    """As frameworks.evaluate, on a device."""
    x = {name: array.to(device) for name, array in frameworks.arrays("torch", values).items()}
    outputs, gradients = frameworks.of_torch(function, x, wanted)
    assert {output.device.type for output in outputs} == {device}
    assert {gradient.device.type for gradient in gradients.values() if gradient is not None} <= {device}
    return [x.detach().cpu().numpy() for x in [*outputs, *(g for g in gradients.values() if g is not None)]]


@pytest.mark.parametrize("name", ROWS)
def test_values_and_gradients_are_those_of_the_cpu_and_stay_where_the_arrays_are(name):
    expected, found = (evaluate(*ROWS[name], device) for device in ("cpu", NAME))
    assert len(found) == len(expected)
    for got, same in zip(found, expected, strict=True):
        assert got.dtype == same.dtype
        scale = max(float(np.abs(same).max(initial=0)), 1e-3)
        np.testing.assert_allclose(got, same, rtol=0, atol=2e-5 * scale)


def test_devices_are_not_mixed():
    x = torch.ones(3, device=NAME)
    with pytest.raises(RuntimeError, match="same device"):
        x + torch.ones(3)
    with pytest.raises(TypeError, match="host memory"):
        x.numpy()


def step(name):
    draw = steps.steps(torch.device(NAME, 0))[name]
    draw()  # a mesh finds its neighbours once

    def once():
        out = draw()
        out.sum().backward()
        return out.detach().cpu().numpy()

    return once


@pytest.mark.parametrize("name", steps.NAMES)
def test_no_step_waits_for_the_device(name, made_up):
    once, before = step(name), made_up.counts()
    once()
    num_waits, num_brought = (after - b for after, b in zip(made_up.counts(), before, strict=True))
    assert num_waits == 1  # for the picture
    assert num_brought <= 10


@pytest.mark.parametrize("name", steps.NAMES)
def test_a_step_that_becomes_a_graph_brings_nothing_from_the_host(name, made_up, monkeypatch):
    once = step(name)
    expected = once()
    monkeypatch.setattr(framework("torch"), "is_capturing", lambda x: not x.is_cpu)
    before = made_up.counts()
    found = once()
    assert [after - b for after, b in zip(made_up.counts(), before, strict=True)] == [1, 0]
    np.testing.assert_array_equal(found, expected)


def test_a_graph_is_not_given_much_of_the_host(monkeypatch):
    monkeypatch.setattr(framework("torch"), "is_capturing", lambda x: not x.is_cpu)
    like = torch.zeros(1, device=NAME)
    assert framework("torch").constant(np.eye(20), like).device.type == NAME
    with pytest.raises(RuntimeError, match=r"a CUDA graph cannot be given a NumPy array of \[64, 64, 2\]: bring it to"):
        framework("torch").constant(np.ones((64, 64, 2)), like)


@pytest.mark.parametrize(
    "arguments",
    [
        "render teapot -o {}.gif --size 32",
        "fit texture -o {}.gif --size 32 --steps 3",
        "fit camera -o {}.gif --size 32 --steps 3",
        *(f"fit shape -o {{}}.gif --size 32 --steps 3 --visibility {v}" for v in VISIBILITIES),
    ],
)
def test_a_program_does_there_what_it_does_on_the_cpu(arguments, tmp_path, capfd):
    said = []
    for device in ("cpu", "cuda"):
        command = arguments.format(tmp_path / device).split()
        assert main([*command, "--framework", "torch", "--device", device]) == 0
        said.append(re.sub(r"[0-9.]+ (it/s|frames/s)", "", capfd.readouterr().out).replace(str(tmp_path / device), ""))
        assert (tmp_path / f"{device}.gif").exists()
    assert said[0] == said[1]
