# SPDX-License-Identifier: MIT
"""What happens when triangles are smaller than pixels: icospheres of up to 1.3 million triangles at 512²?"""

from collections.abc import Sequence
from functools import partial

from . import ours, scenes
from .report import Claim, Section, milliseconds, ratio
from .timing import in_turns

METHOD = """\
One thread, one view, as in the two sections above, on icospheres that cover 36 % of the image. A step is
silhouette, loss and backward."""


def measure(levels: Sequence[int] = (5, 7, 8), size: int = 512, *, rounds: int = 5, peers: bool = True) -> Section:
    """Forward beside llvmpipe and the bare loop, forward and backward beside deodr."""
    rows, claims = [], []
    for level in levels:
        scene = scenes.icosphere(level)
        target = ours.shifted_silhouette(scene, size)
        contestants = {
            "forward": partial(ours.forward, scene, size),
            "step": partial(ours.silhouette_step, scene, target),
        }
        if peers:
            from .peers import bare_loop, deodr_silhouette, llvmpipe

            arguments = (scene.pos_clip[0], scene.triangles, (size, size))
            contestants["llvmpipe"] = partial(llvmpipe.forward, *arguments)
            contestants["bare loop"] = partial(bare_loop.forward, *arguments)
            arguments = (scene.pos_clip, scene.triangles, scene.neighbours, target)
            contestants["deodr"] = partial(deodr_silhouette.steps, *arguments)
            contestants["deodr tuned"] = partial(deodr_silhouette.steps, *arguments, tuned=True)
        timings = in_turns(contestants, rounds=rounds)
        row = (f"{len(scene.triangles):,}", *(milliseconds(timing) for timing in timings.values()))
        if peers:
            forward_gain = timings["llvmpipe"].times(timings["forward"])
            step_gain = timings["deodr"].times(timings["step"])
            row += (ratio(forward_gain), ratio(step_gain))
            what = f"{len(scene.triangles):,} triangles"
            claims.append(Claim(f"{what}, forward: llvmpipe / intaglio", forward_gain, must=3))
            claims.append(Claim(f"{what}, forward and backward: deodr / intaglio", step_gain, must=3))
        rows.append(row)
    header = ("triangles", "intaglio forward, ms", "intaglio step, ms")
    if peers:
        header += (
            "llvmpipe, ms",
            "bare loop, ms",
            "deodr, ms",
            "deodr tuned, ms",
            "llvmpipe / forward",
            "deodr / step",
        )
    return Section("Dense meshes", METHOD, header, rows, claims)


if __name__ == "__main__":
    print(measure().markdown)
