# SPDX-License-Identifier: MIT
"""Find where a silhouette was seen from: gradients at silhouettes move the camera, from six times as far away.

python examples/fit_camera.py [size [steps]]
"""

import sys

import numpy as np

from intaglio import Camera, orbit, render_silhouette, shapes
from intaglio.fit import fit_camera


def main(size: int = 256, num_steps: int = 200) -> float:
    teapot = shapes.teapot().normalized()
    goal = orbit(2.732, 30, 195)
    silhouette = render_silhouette(teapot, Camera.look_at(goal), (size, size), supersample=2)[0]

    for number, step in zip(range(num_steps), fit_camera(teapot, silhouette, eye=(6, 10, -14)), strict=False):
        if number % 10 == 0:
            print(f"step {number}: loss {step.loss:.0f}, eye {step.eye.tolist()}")
        if step.loss < 1e-4 * silhouette.size:
            break

    miss = float(np.linalg.norm(step.eye.numpy() - goal))
    print(f"after {number} steps the eye is {miss:.3f} from where it was")
    return miss


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
