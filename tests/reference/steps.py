# SPDX-License-Identifier: MIT
"""What programs do over and over with a scene: draw it, or compare it."""

from collections.abc import Callable

import torch

from intaglio import (
    AmbientLight,
    BlinnPhong,
    Camera,
    EnvironmentLight,
    Material,
    PointLight,
    SpotLight,
    compare_silhouette,
    compare_textured,
    render,
    render_silhouette,
    shapes,
)

NAMES = ["silhouette", "soft", "the eye", "compare_silhouette", "compare_textured", "colours", "texture", "smooth"]
NAMES += ["material", "Blinn and Phong", "sky", "wide sky", "layers"]


def steps(device: torch.device) -> dict[str, Callable[[], torch.Tensor]]:
    """Each draws or compares a scene that lies there, many by cameras and lights of numbers."""
    size, camera = (24, 32), Camera.look_at((0.5, 1.0, 3.0))
    sphere = shapes.sphere(12, 8).to("torch", device)
    mesh = sphere.replace(vertices=sphere.vertices.requires_grad_())
    texture = torch.rand(8, 8, 3).to(device)
    material = Material(base_color=(0.5, 0.6, 0.7), metallic=0.3, roughness=torch.tensor(0.4, device=device))
    lamps = [AmbientLight(intensity=0.1), PointLight((1, 2, 3), intensity=9), SpotLight((0, 0, 3), (0, 0, -1))]
    sky = EnvironmentLight(torch.rand(64, 128, 3).to(device))
    eye = torch.tensor([0.5, 1.0, 3.0], device=device, requires_grad=True)
    target, picture = torch.zeros(size, device=device), torch.zeros(*size, 3, device=device)
    return {
        "silhouette": lambda: render_silhouette(mesh, camera, size),
        "soft": lambda: render_silhouette(mesh, camera, size, visibility="soft"),
        "the eye": lambda: render_silhouette(mesh, Camera.look_at(eye), size),
        "compare_silhouette": lambda: compare_silhouette(mesh, camera, target),
        "compare_textured": lambda: compare_textured(mesh.replace(texture=texture), camera, picture),
        "colours": lambda: render(mesh, camera, size).color,
        "texture": lambda: render(mesh.replace(texture=texture), camera, size, background=(1, 1, 1)).color,
        "smooth": lambda: render(mesh, camera, size, shading="smooth").color,
        "material": lambda: render(mesh.replace(material=material), camera, size, lights=lamps).color,
        "Blinn and Phong": lambda: render(mesh.replace(material=BlinnPhong()), camera, size, lights=lamps[:2]).color,
        "sky": lambda: (
            render(mesh.replace(material=material), Camera.look_at(eye), size, lights=[sky], background=sky).color
        ),
        "wide sky": lambda: render(mesh, camera, (8, 600), background=sky).color,
        "layers": lambda: render(mesh, camera, size, layers=2).color,
    }
