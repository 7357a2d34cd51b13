# SPDX-License-Identifier: MIT
"""Recover what a ring is made of, and the light around it, from pictures.

python examples/recover_material.py [size [steps [views]]]
"""

import sys

import numpy as np
import torch

from intaglio import Camera, EnvironmentLight, Material, losses, orbit, render, shapes, skies


def main(size: int = 64, num_steps: int = 500, num_views: int = 24) -> float:
    tiles = np.random.default_rng(0).uniform(0.1, 0.9, (4, 8, 5)).repeat(size // 8, axis=0).repeat(size // 8, axis=1)
    true_maps, true_light = torch.from_numpy(tiles.astype(np.float32)), torch.from_numpy(skies.sunset(size // 2))
    ring = shapes.torus().normalized().to("torch")

    def drawn(maps, light, views):
        eyes = np.stack([orbit(2.4, 60 * np.sin(2.4 * k), 137.5 * k) for k in views])  # from above and below
        mesh = ring.replace(texture=maps[..., :3], material=Material(metallic_roughness_texture=maps[..., 3:]))
        return render(mesh, Camera.look_at(eyes), (size, size), lights=[EnvironmentLight(light)], visibility=None).color

    seen, unseen = drawn(true_maps, true_light, range(num_views + 8)).split([num_views, 8])
    maps, light = (torch.zeros(shape, requires_grad=True) for shape in (true_maps.shape, true_light.shape))
    optimizer = torch.optim.Adam([maps, light], lr=0.1)
    for step in range(num_steps):
        optimizer.param_groups[0]["lr"] = 0.1 * np.cos(step / num_steps * np.pi / 2) ** 2
        batch = [(4 * step + k) % num_views for k in range(4)]
        optimizer.zero_grad()
        image = drawn(maps.sigmoid(), light.exp(), batch).log1p()  # highlights are far above 1
        losses.squared_error(image, seen[batch].log1p()).sum().backward()
        optimizer.step()
    error = drawn(maps.sigmoid(), light.exp(), range(num_views, num_views + 8)).detach().clip(0, 1) - unseen.clip(0, 1)
    return float(-10 * (error[unseen.sum(dim=-1) > 0] ** 2).mean().log10())  # black around the ring is no merit


if __name__ == "__main__":
    print(f"{main(*map(int, sys.argv[1:])):.1f} dB on views not seen")
