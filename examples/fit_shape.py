# SPDX-License-Identifier: MIT
"""Deform the teapot until its silhouette is a square: gradients at silhouettes move vertices.

Plain Adam of PyTorch on plain vertices. `intaglio.fit.fit_shape` takes larger steps, and keeps the surface smooth.

python examples/fit_shape.py [out.obj [size [steps]]]
"""

import sys

import torch

from intaglio import Camera, losses, orbit, render_silhouette, save_obj, shapes


def main(output: str = "fit_shape.obj", size: int = 256, num_steps: int = 150) -> float:
    teapot = shapes.teapot().normalized().to("torch")
    camera = Camera.look_at(orbit(2.732, 0, 90))
    square = torch.zeros((1, size, size))
    square[:, size // 4 : -size // 4, size // 4 : -size // 4] = 1

    vertices = teapot.vertices.clone().requires_grad_()
    adam = torch.optim.Adam([vertices], lr=0.004)
    for step in range(num_steps):
        alpha = render_silhouette(teapot.replace(vertices=vertices), camera, (size, size), supersample=2)
        loss = losses.squared_error(alpha, square)
        if step % 10 == 0:
            print(f"step {step}: loss {loss.item():.0f}")
        adam.zero_grad()
        loss.backward()
        adam.step()

    save_obj(output, teapot.replace(vertices=vertices.detach()))
    return 1 - losses.silhouette_iou(alpha.detach(), square).item()


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:]))
