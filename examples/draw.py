# SPDX-License-Identifier: MIT
"""Draw the teapot from all sides: a mesh, a camera, an image. NumPy is enough.

python examples/draw.py [out.gif [size [frames]]]
"""

import sys

from intaglio import Camera, orbit, render, save_animation, shapes


def main(output: str = "draw.gif", size: int = 256, num_frames: int = 90) -> None:
    teapot = shapes.teapot().normalized()
    cameras = [Camera.look_at(orbit(2.732, 30, 360 * k / num_frames)) for k in range(num_frames)]
    save_animation(output, (render(teapot, camera, (size, size), supersample=2).color[0] for camera in cameras))


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:]))
