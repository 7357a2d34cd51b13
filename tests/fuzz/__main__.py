# SPDX-License-Identifier: MIT
"""`make fuzz`: FUZZ_COUNT mutated inputs for each reader and FUZZ_SCENES scenes (FUZZ_TARGETS chooses some of them).

An input that breaks a reader is kept; a scene is made again by FUZZ_SEED and its number.
"""

import os
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

from . import scenes
from .mutating import generator, mutated
from .readers import TARGETS, read, seeds

SLOW_S = 5.0


def fuzz(target, count, seed, folder, kept):
    """How many inputs were read, and how many broke the reader or took too long."""
    sound = seeds(folder)[target]
    num_read = num_broken = 0
    slowest = 0.0
    start = time.perf_counter()
    for number in range(count):
        rng = generator(f"{seed} {target}", number)
        data = mutated(rng.choice(sound), sound, rng)
        began = time.perf_counter()
        try:
            num_read += read(target, data, folder)
        except Exception:
            num_broken += 1
            keep(kept / f"{target}-{number}", data)
            traceback.print_exc(limit=-3)
        took = time.perf_counter() - began
        slowest = max(slowest, took)
        if took > SLOW_S:
            num_broken += 1
            keep(kept / f"{target}-{number}-slow", data)
    elapsed = time.perf_counter() - start
    print(f"{target}: {count} inputs, {num_read} read, {count - num_read - num_broken} refused, {num_broken} broke it; "
          f"slowest {slowest * 1000:.0f} ms; {count / elapsed:.0f}/s", flush=True)  # fmt: skip
    return num_broken


def draw(count, seed):
    """How many scenes broke an op."""
    num_drawn = num_broken = 0
    slowest = 0.0
    start = time.perf_counter()
    for number in range(count):
        began = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", ".*gave up after", RuntimeWarning)  # in tangles it may
                num_drawn += scenes.check(seed, number)
        except Exception:
            num_broken += 1
            print(f"scene {number} of seed {seed}:", file=sys.stderr)
            traceback.print_exc(limit=-3)
        slowest = max(slowest, time.perf_counter() - began)
    elapsed = time.perf_counter() - start
    num_refused = count - num_drawn - num_broken
    print(f"scenes: {count} scenes, {num_drawn} drawn, {num_refused} refused, {num_broken} broke an op; "
          f"slowest {slowest * 1000:.0f} ms; {count / elapsed:.0f}/s", flush=True)  # fmt: skip
    return num_broken


def keep(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def main():
    count = int(os.environ.get("FUZZ_COUNT", "1000000"))
    seed = os.environ.get("FUZZ_SEED", "0")
    num_scenes = int(os.environ.get("FUZZ_SCENES", "100000"))
    names = os.environ.get("FUZZ_TARGETS", f"{' '.join(TARGETS)} scenes").split()
    readers = [name for name in names if name != "scenes"]
    if unknown := set(readers) - set(TARGETS):
        sys.exit(f"FUZZ_TARGETS: {' '.join(sorted(unknown))}: none of {' '.join(TARGETS)} scenes")
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        broken = sum(fuzz(name, count, seed, Path(folder), Path("build/fuzz")) for name in readers)
    print(f"{count * len(readers)} inputs, {broken} broke a reader" + (" (kept in build/fuzz)" if broken else ""))
    broken_scenes = draw(num_scenes, int(seed)) if "scenes" in names else 0
    return 1 if broken or broken_scenes else 0


sys.exit(main())
