# SPDX-License-Identifier: MIT
"""How fast is one step of fitting a silhouette, forward, loss and backward, beside deodr?"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from . import ours, scenes
from .report import Claim, Section, milliseconds, ratio
from .timing import in_turns

METHOD = """\
Sum of squared differences with a silhouette shifted by a twentieth of the image; gradient to every vertex. intaglio:
`silhouette_error`, `backward()`, float32; composed: `silhouette` and `losses.squared_error` in its place. deodr:
float64 (it has no other), positions given in pixels; `Scene2D.render` and `render_backward`, its public interface; and,
tuned, its inner calls without checks on arrays that are kept. A batch is one call here with
two threads, one view after the other there: it has neither."""


def measure(
    sizes: Sequence[int] = (256, 512, 1024), batches: Sequence[int] = (1, 8), *, rounds: int = 7, peers: bool = True
) -> Section:
    """Silhouette steps of the teapot: intaglio, deodr."""
    rows, claims = [], []
    for batch in batches:
        for size in sizes:
            row, claim = _compare(scenes.teapot(batch), size, batch, rounds, peers)
            rows.append(row)
            claims += claim
    header = ("views", "image", "threads", "intaglio, ms", "composed, ms")
    if peers:
        header += (
            "deodr, ms",
            "deodr tuned, ms",
            "deodr / intaglio",
            "deodr / composed",
            "tuned / intaglio",
            "cosine of gradients",
        )
    return Section("Silhouette loss, forward and backward", METHOD, header, rows, claims)


def _compare(scene: scenes.Scene, size: int, batch: int, rounds: int, peers: bool) -> tuple[tuple, list[Claim]]:
    threads = 1 if batch == 1 else 2
    target = ours.shifted_silhouette(scene, size)
    contestants = {
        "intaglio": partial(ours.silhouette_step, scene, target, threads=threads),
        "composed": partial(ours.silhouette_step, scene, target, threads=threads, composed=True),
    }
    if peers:
        from .peers import deodr_silhouette

        arguments = (scene.pos_clip, scene.triangles, scene.neighbours, target)
        contestants["deodr"] = partial(deodr_silhouette.steps, *arguments)
        contestants["deodr tuned"] = partial(deodr_silhouette.steps, *arguments, tuned=True)
    timings = in_turns(contestants, rounds=rounds)
    row = (str(batch), f"{size}²", str(threads), *(milliseconds(timing) for timing in timings.values()))
    if not peers:
        return row, []
    gain, tuned_gain = (timings[name].times(timings["intaglio"]) for name in ("deodr", "deodr tuned"))
    composed_gain = timings["deodr"].times(timings["composed"])
    our_silhouette = ours.Silhouette(scene, target)
    our_silhouette.step()
    cosine = _cosine(our_silhouette.grad_pixel(), np.stack([gradient for _, gradient in contestants["deodr"]()()]))
    row += (ratio(gain), ratio(composed_gain), ratio(tuned_gain), f"{cosine:.3f}")
    must, aim = (4, 10) if batch == 1 else (8, 20)
    return row, [Claim(f"silhouette step {size}², batch {batch}: deodr / intaglio", gain, must, aim)]


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.vdot(a, b) / np.sqrt(np.vdot(a, a) * np.vdot(b, b)))


if __name__ == "__main__":
    print(measure().markdown)
