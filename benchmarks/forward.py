# SPDX-License-Identifier: MIT
"""How fast are triangle ids and depth made, beside OpenGL on the CPU and beside a loop that does nothing else?"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from . import ours, scenes
from .report import Claim, Section, milliseconds, ratio
from .timing import in_turns

METHOD = """\
One thread each, one view of the teapot. intaglio: `rasterize` on torch tensors, new outputs at every call, barycentrics
included, which the others do not make. llvmpipe: vertex upload, draw, read-back of id and depth into a kept array.
Bare loop: `peers/bare_loop.cpp`, no clipping, fill rule, checks or new memory: a floor, not a renderer. Skewed:
its depths start 256 bytes further into a page than its ids, since the cache mistakes addresses that agree in their last
12 bits for one another."""


def measure(sizes: Sequence[int] = (256, 512, 1024), *, rounds: int = 7, peers: bool = True) -> Section:
    """ids and depth of the teapot: intaglio, llvmpipe, bare loop."""
    scene = scenes.teapot()
    rows, claims = [], []
    for size in sizes:
        contestants = {"intaglio": partial(ours.forward, scene, size)}
        if peers:
            from .peers import bare_loop, llvmpipe

            arguments = (scene.pos_clip[0], scene.triangles, (size, size))
            contestants["llvmpipe"] = partial(llvmpipe.forward, *arguments)
            contestants["bare loop"] = partial(bare_loop.forward, *arguments)
            contestants["bare loop, skewed"] = partial(bare_loop.forward, *arguments, skew_bytes=256)
        timings = in_turns(contestants, rounds=rounds)
        times = [milliseconds(timings[name]) for name in timings]
        if not peers:
            rows.append((f"{size}²", *times))
            continue
        gain = timings["llvmpipe"].times(timings["intaglio"])
        above_floor = timings["intaglio"].times(timings["bare loop"])
        ids, peer_ids = contestants["intaglio"]()().triangle_id[0].numpy(), contestants["llvmpipe"]()()[0][::-1]
        agreement = np.mean(ids == peer_ids)
        rows.append((f"{size}²", *times, ratio(gain), ratio(above_floor), f"{100 * agreement:.2f} %"))
        claims.append(Claim(f"forward {size}²: llvmpipe / intaglio", gain, must=2, aim=5))
        if size >= 512:
            claims.append(
                Claim(f"forward {size}²: intaglio / bare loop", above_floor, must=3, aim=1.5, smaller_is_better=True)
            )
    header = ("image", "intaglio, ms")
    if peers:
        header += ("llvmpipe, ms", "bare loop, ms", "the same, skewed, ms")
        header += ("llvmpipe / intaglio", "intaglio / bare loop", "ids as llvmpipe's")
    return Section("Triangle ids and depth", METHOD, header, rows, claims)


if __name__ == "__main__":
    print(measure().markdown)
