# SPDX-License-Identifier: MIT
"""Paint the teapot in stripes: gradients of colours reach the texels of every face that is seen.

python examples/fit_texture.py [out.obj [size [steps]]]
"""

import itertools
import sys

import numpy as np

from intaglio import Camera, orbit, save_obj, shapes
from intaglio.fit import fit_texture


def main(output: str = "fit_texture.obj", size: int = 256, num_steps: int = 100) -> list[float]:
    stripes = np.zeros((size, size, 3), dtype=np.float32)
    stripes[:, :, 0] = np.linspace(1, 0, size)[:, None]  # red above
    stripes[np.arange(size) % 16 < 8, :, 2] = 1  # blue in every other band of 8 rows

    around = (Camera.orthographic(orbit(2.732, 0, 37 * k)) for k in itertools.count())
    found = []
    for step in itertools.islice(fit_texture(shapes.teapot().normalized(), stripes, around), num_steps):
        found.append(step.loss)
        if len(found) % 10 == 1:
            print(f"step {len(found) - 1}: loss {step.loss:.0f}")

    save_obj(output, step.mesh)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:]))
