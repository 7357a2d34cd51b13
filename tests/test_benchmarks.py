# SPDX-License-Identifier: MIT
"""Every benchmark runs, at toy sizes and without the renderers it compares with; its numbers mean nothing here."""

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import ModuleType

import pytest
import torch

import benchmarks.__main__
from benchmarks import (
    dense,
    forward,
    gpu,
    growth,
    imports,
    neural_renderer,
    overhead,
    packs,
    pbr,
    programs,
    silhouette,
    textured,
    threads,
    timing,
)
from benchmarks.peers import nvdiffrast
from benchmarks.report import Claim, Section
from intaglio import ops

TOYS = {
    "forward": lambda: forward.measure(sizes=(16,), rounds=1, peers=False),
    "silhouette": lambda: silhouette.measure(sizes=(16,), batches=(1, 2), rounds=1, peers=False),
    "textured": lambda: textured.measure(scales=(1.0,), batches=(1, 2), size=16, texels=8, rounds=1, peers=False),
    "pbr": lambda: pbr.measure(segments=6, size=16, rounds=1, peers=False),
    "dense": lambda: dense.measure(levels=(1,), size=16, rounds=1, peers=False),
    "packs": lambda: packs.measure(counts=(2,), sizes=(8,), rounds=1),
    "threads": lambda: threads.measure(big=32, small=16, rounds=1),
    "growth": lambda: growth.measure(levels=(1, 2), sizes=(16, 32), rounds=1),
    "gpu": lambda: gpu.measure("cpu", levels=(1,), sizes=(16,), batches=(1, 2), rounds=1),
    "gpu overhead": lambda: gpu.overhead("cpu", rounds=1),
    "overhead": lambda: overhead.measure(rounds=1),
    "imports": lambda: imports.measure(rounds=1),
    "neural_renderer": lambda: neural_renderer.measure(size=16, num_faces=100, rounds=1),
    "programs": lambda: programs.measure(
        ["--size", "32", "--steps", "1", "--frames", "2"], rounds=1, frameworks=("torch", "paddle")
    ),
}


@pytest.fixture
def _in_this_process(monkeypatch):
    """A process per contestant would import torch for each."""
    monkeypatch.setattr(timing, "process", lambda: ThreadPoolExecutor(1))


@pytest.mark.usefixtures("_in_this_process")
@pytest.mark.parametrize("name", TOYS)
def test_every_benchmark_answers_with_a_table(name):
    section = TOYS[name]()
    assert section.markdown.startswith(f"## {section.title}\n")
    assert section.rows
    assert all(len(row) == len(section.header) for row in section.rows)


def test_timings_of_two_contestants_compare_round_by_round():
    slow, fast = timing.Timing((4.0, 40.0, 4.0)), timing.Timing((2.0, 20.0, 1.0))
    assert slow.times(fast) == 2.0
    assert fast.median_ms == 2.0


@pytest.mark.usefixtures("_in_this_process")
def test_contestants_take_turns_in_every_round():
    turns = []
    makers = {name: partial(partial, turns.append, name) for name in "ab"}
    timing.in_turns(makers, rounds=3, burst_ms=0)
    assert turns == ["a", "a", "a", "b", "b", "b"] * 3  # one call to begin, one to warm up, one that counts


def test_a_goal_says_whether_it_is_reached():
    assert Claim("faster", 2.5, must=2, aim=5).verdict == "reached"
    assert Claim("faster", 6, must=2, aim=5).verdict == "aim reached"
    assert Claim("faster", 1.9, must=2, aim=5).verdict == "**missed**"
    assert Claim("cheaper", 1.2, must=1.3, smaller_is_better=True).verdict == "reached"


def test_a_section_is_written_as_markdown():
    section = Section("Title", "Method.", ("a", "b"), [("1", "2")])
    assert section.markdown == "## Title\n\nMethod.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"


def test_the_part_of_a_gpu_is_written_beside_the_others(tmp_path, monkeypatch):
    results = tmp_path / "RESULTS.md"
    results.write_text(f"# Speed\n\nof the CPU\n\n{gpu.PART}\n\nold\n", encoding="utf-8")
    monkeypatch.setattr(benchmarks.__main__, "RESULTS", results)
    assert benchmarks.__main__.without_gpu() == "# Speed\n\nof the CPU"
    assert benchmarks.__main__.of_gpu() == f"{gpu.PART}\n\nold"
    assert gpu.part([Section("Title", "Method.", ("a",), [("1",)])], "a GPU").startswith(f"{gpu.PART}\n\nWritten by")


class NvdiffrastByItsOutputs(ModuleType):
    """As much of its interface as the benchmark takes, on the CPU: [B, H, W, 4] of u, v, z / w and id + 1."""

    @staticmethod
    def RasterizeCudaContext(device):
        return device

    @staticmethod
    def rasterize(context, pos, tri, resolution):
        assert context == pos.device
        seen = ops.rasterize(pos.detach(), tri, tuple(resolution))
        parts = (seen.barycentrics[..., :2], seen.depth[..., None], seen.triangle_id[..., None] + 1)
        return torch.cat(parts, dim=-1).flip(1), torch.zeros(())

    @staticmethod
    def antialias_construct_topology_hash(tri):
        return len(tri)

    @staticmethod
    def antialias(color, rast, pos, tri, topology_hash):
        assert topology_hash == len(tri)
        return color + 0 * pos.sum()


def test_nvdiffrast_is_measured_where_somebody_has_installed_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "nvdiffrast", ModuleType("nvdiffrast"))
    monkeypatch.setitem(sys.modules, "nvdiffrast.torch", NvdiffrastByItsOutputs("nvdiffrast.torch"))
    monkeypatch.setattr(nvdiffrast, "version", lambda: "0.4.0")
    section = gpu.measure("cpu", levels=(1,), sizes=(16,), batches=(1, 2), rounds=1)
    assert section.header[-2:] == ("nvdiffrast / forward", "nvdiffrast / step")
    assert all(len(row) == len(section.header) and all(row) for row in section.rows)
    assert "nvdiffrast 0.4.0: " in section.method
    assert [claim.what for claim in section.claims[1:3]] == [
        f"80 triangles, 16², batch 1, {what}: nvdiffrast / intaglio" for what in ("forward", "step")
    ]
    assert {claim.must for claim in section.claims if "nvdiffrast" in claim.what} == {1}


def test_without_a_gpu_nothing_is_measured(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main() == 2
    assert "nothing was measured" in capsys.readouterr().err
