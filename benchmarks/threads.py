# SPDX-License-Identifier: MIT
"""What does a second thread bring?"""

from functools import partial

from . import ours, scenes
from .report import Claim, Section, milliseconds, ratio
from .timing import in_turns

METHOD = "The teapot; the calls of the sections above with 1 and with 2 threads, for intaglio and for torch's own loss."


def measure(big: int = 1024, small: int = 256, *, rounds: int = 7) -> Section:
    """One image of `big`², batches of 8 at `small`² and `big`²; forward, and forward with backward."""
    rows, claims = [], []
    for batch, size in ((1, big), (8, small), (8, big)):
        scene = scenes.teapot(batch)
        target = ours.shifted_silhouette(scene, size)
        calls = {
            "forward": partial(ours.forward, scene, size),
            "forward and backward": partial(ours.silhouette_step, scene, target),
        }
        for name, call in calls.items():
            timings = in_turns({"one": partial(call, threads=1), "two": partial(call, threads=2)}, rounds=rounds)
            gain = timings["one"].times(timings["two"])
            rows.append((name, str(batch), f"{size}²", *(milliseconds(t) for t in timings.values()), ratio(gain)))
            claims.append(Claim(f"{name}, {batch} x {size}²: one thread / two", gain, must=1.7))
    header = ("call", "views", "image", "1 thread, ms", "2 threads, ms", "ratio")
    return Section("Threads", METHOD, header, rows, claims)


if __name__ == "__main__":
    print(measure().markdown)
