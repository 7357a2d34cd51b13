# SPDX-License-Identifier: MIT
"""How fast are drawing and fitting on a GPU? `make bench-cuda` writes the last part of RESULTS.md; needs a GPU. Where
nvdiffrast is installed beside torch, it is measured side by side.
"""

import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

import intaglio
from intaglio import _native

from . import programs, scenes
from .peers import nvdiffrast
from .report import Claim, Section, machine, ratio, table
from .timing import Timing

Step = Callable[[], object]

PART = "# On a GPU"
WARM_UP, ROUNDS = 10, 50
BYTES_PER_PIXEL = 16  # an id, two weights and a depth
FULL = "out of memory"
LEVELS, SIZES, BATCHES = (3, 5, 7), (256, 512, 1024, 2048), (1, 8, 64)
METHOD = """\
Icospheres that cover 36 % of the image. Medians of 50 calls after 10, each between two of the device's events, outputs
new at every call. Forward: `rasterize`, which makes ids, barycentrics and depth. Silhouette: `silhouette_error` and
`backward()`. Share: the bytes of the forward's outputs over its time, of the bandwidth at which the device copies,
counting bytes read and bytes written."""
PEER = """\
nvdiffrast {version}: `rasterize`, which makes the screen's derivatives besides, and `rasterize`, `antialias`, the same
loss in torch's ops and `backward()`; its topology ready."""
DENSE = 7  # the level from which on a mesh is
OVERHEAD = """\
What the host spends on one forward and backward step of the smallest mesh and image, without waiting for the device:
launched call by call, and replayed from a graph."""


def measure(
    device: str = "cuda",
    levels: Sequence[int] = LEVELS,
    sizes: Sequence[int] = SIZES,
    batches: Sequence[int] = BATCHES,
    *,
    rounds: int = ROUNDS,
) -> Section:
    """Every mesh, size and batch. Tests measure device "cpu", by the host's clock."""
    bandwidth = copy_bandwidth(device, rounds)
    peer = nvdiffrast.version()
    rows, claims = [], []
    for level in levels:
        for size in sizes:
            for batch in batches:
                row, claim = _cell(device, level, size, batch, rounds, bandwidth, peer is not None)
                rows.append(row)
                claims += claim
    header = ("triangles", "image", "views", "forward, ms", "share of copying", "silhouette step, ms")
    method = f"{METHOD}\n\nThe device copies {bandwidth / 1e9:.0f} GB/s."
    if peer is not None:
        header += ("nvdiffrast forward, ms", "nvdiffrast step, ms", "nvdiffrast / forward", "nvdiffrast / step")
        method += f"\n\n{PEER.format(version=peer)}"
    return Section("Drawing, and a step of fitting a silhouette", method, header, rows, claims)


def overhead(device: str = "cuda", *, rounds: int = ROUNDS) -> Section:
    """Microseconds of the host."""
    step = _silhouette_step(device, LEVELS[0], SIZES[0], 1)
    launched = _host_microseconds(step, device, rounds)
    rows, claims = [("call by call", f"{launched:.1f}")], []
    if device != "cpu":
        replayed = _host_microseconds(_captured(step).replay, device, rounds)
        rows.append(("replayed", f"{replayed:.1f}"))
        for what, value, must in (("call by call", launched, 60), ("replayed", replayed, 20)):
            claims.append(Claim(f"host, {what}", value, must, unit=" us", smaller_is_better=True))
    return Section("What launching costs the host", OVERHEAD, ("a step", "microseconds"), rows, claims)


def copy_bandwidth(device: str, rounds: int) -> float:
    """Bytes per second, read and written."""
    count = 1 << (28 if device != "cpu" else 16)
    source = torch.empty(count, device=device)
    target = torch.empty_like(source)
    return 8 * count / (timed(lambda: target.copy_(source), device, rounds).median_ms / 1e3)


def timed(step: Step, device: str, rounds: int) -> Timing:
    for _ in range(min(WARM_UP, rounds)):
        step()
    if device == "cpu":
        return Timing(tuple(1e3 * _seconds(step) for _ in range(rounds)))
    events = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(rounds)]
    torch.cuda.synchronize()
    for begin, end in events:
        begin.record()
        step()
        end.record()
    torch.cuda.synchronize()
    return Timing(tuple(begin.elapsed_time(end) for begin, end in events))


def _seconds(step: Step) -> float:
    begin = time.perf_counter()
    step()
    return time.perf_counter() - begin


def _cell(
    device: str, level: int, size: int, batch: int, rounds: int, bandwidth: float, has_peer: bool
) -> tuple[tuple[str, ...], list[Claim]]:
    name = (f"{20 * 4**level:,}", f"{size}²", str(batch))
    forward, silhouette = (
        _timed_if_it_fits(make, device, level, size, batch, rounds) for make in (_forward, _silhouette_step)
    )
    if forward is None or silhouette is None:
        return (*name, FULL, "", FULL, *("",) * (4 * has_peer)), []
    least_ms = 1e3 * 2 * BYTES_PER_PIXEL * batch * size**2 / bandwidth
    share = least_ms / 2 / forward.median_ms
    claim = Claim(
        f"{name[0]} triangles, {name[1]}, batch {batch}: forward / copying its outputs",
        forward.median_ms / least_ms,
        must=3,
        smaller_is_better=True,
    )
    row: tuple[str, ...] = (*name, f"{forward.median_ms:.3f}", f"{share:.0%}", f"{silhouette.median_ms:.3f}")
    claims = [claim]
    if not has_peer:
        return row, claims
    peers = [_timed_if_it_fits(make, device, level, size, batch, rounds) for make in (_peer_forward, _peer_step)]
    row += tuple(FULL if peer is None else f"{peer.median_ms:.3f}" for peer in peers)
    for what, own, peer in zip(("forward", "step"), (forward, silhouette), peers, strict=True):
        gain = None if peer is None else peer.median_ms / own.median_ms
        row += ("" if gain is None else ratio(gain),)
        if gain is not None:
            title = f"{name[0]} triangles, {name[1]}, batch {batch}, {what}: nvdiffrast / intaglio"
            claims.append(Claim(title, gain, must=1.5 if level >= DENSE else 1))
    return row, claims


def _timed_if_it_fits(
    make: Callable[..., Step], device: str, level: int, size: int, batch: int, rounds: int
) -> Timing | None:
    """None where memory runs out."""
    try:
        return timed(make(device, level, size, batch), device, rounds)
    except RuntimeError as error:
        if "out of memory" not in str(error):
            raise
        torch.cuda.empty_cache()
        return None


def _scene(device: str, level: int, batch: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    scene = scenes.icosphere(level)
    pos_clip = np.repeat(scene.pos_clip, batch, axis=0)
    return tuple(torch.from_numpy(x).to(device) for x in (pos_clip, scene.triangles, scene.neighbours))  # type: ignore[return-value]


def _forward(device: str, level: int, size: int, batch: int) -> Step:
    pos_clip, triangles, _ = _scene(device, level, batch)
    return lambda: intaglio.rasterize(pos_clip, triangles, (size, size))


def _peer_forward(device: str, level: int, size: int, batch: int) -> Step:
    pos_clip, triangles, _ = _scene(device, level, batch)
    return nvdiffrast.forward(pos_clip, triangles, size)


def _target(pos_clip: torch.Tensor, triangles: torch.Tensor, size: int) -> torch.Tensor:
    covered = intaglio.rasterize(pos_clip, triangles, (size, size)).triangle_id >= 0
    return torch.roll(covered, size // 20, dims=2).to(pos_clip.dtype)


def _peer_step(device: str, level: int, size: int, batch: int) -> Step:
    pos_clip, triangles, _ = _scene(device, level, batch)
    return nvdiffrast.silhouette_step(pos_clip, triangles, _target(pos_clip, triangles, size))


def _silhouette_step(device: str, level: int, size: int, batch: int) -> Step:
    pos_clip, triangles, neighbours = _scene(device, level, batch)
    target = _target(pos_clip, triangles, size)
    leaf = pos_clip.requires_grad_()

    def step() -> None:
        leaf.grad = None
        intaglio.silhouette_error(leaf, triangles, target, neighbours=neighbours).sum().backward()

    return step


def _host_microseconds(step: Step, device: str, rounds: int) -> float:
    """The median call, of which the device finishes one before the next begins, so that no queue fills up."""
    found = []
    for _ in range(min(WARM_UP, rounds) + rounds):
        if device != "cpu":
            torch.cuda.synchronize()
        found.append(1e6 * _seconds(step))
    return float(np.median(found[-rounds:]))


def _captured(step: Step) -> torch.cuda.CUDAGraph:
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph


def part(sections: Sequence[Section], gpu: str) -> str:
    """The last part of RESULTS.md."""
    before = table(("", ""), [("GPU", gpu), *machine()])
    return "\n\n".join([PART, "Written by `make bench-cuda`.", before, *(section.markdown for section in sections)])


def main() -> int:
    if not torch.cuda.is_available() or _native.num_gpus() == 0:
        print("bench-cuda: no GPU that torch and this build of intaglio can use; nothing was measured", file=sys.stderr)
        return 2
    from .__main__ import RESULTS, without_gpu

    demo = programs.measure(["--device", "cuda"], frameworks=("torch",), must=20)
    sections = [measure(), overhead(), demo]
    text = part(sections, torch.cuda.get_device_name())
    print(text)
    RESULTS.write_text(f"{without_gpu()}\n\n{text.rstrip()}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
