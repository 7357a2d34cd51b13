# SPDX-License-Identifier: MIT
"""intaglio's side of every comparison: the torch API as a user calls it, outputs new at every call."""

from collections.abc import Callable

import numpy as np
import torch

import intaglio
from intaglio.losses import squared_error

from .scenes import Scene


def use_threads(count: int) -> None:
    """For intaglio, and for what torch does around it."""
    intaglio.set_num_threads(count)
    torch.set_num_threads(count)


def forward(scene: Scene, size: int, *, threads: int = 1) -> Callable[[], intaglio.Fragments]:
    """A call that rasterizes the scene's views: ids, depth and, which the others do not make, barycentrics."""
    use_threads(threads)
    pos_clip, triangles = torch.from_numpy(scene.pos_clip), torch.from_numpy(scene.triangles)
    return lambda: intaglio.rasterize(pos_clip, triangles, (size, size))


def shifted_silhouette(scene: Scene, size: int) -> np.ndarray:
    """[B,H,W] float32: the scene's own mask, a twentieth of the image further right; what the loss compares with."""
    covered = forward(scene, size)().triangle_id.numpy() >= 0
    return np.roll(covered, size // 20, axis=2).astype(np.float32)


class Silhouette:
    """The scene's silhouette against a target [B,H,W], with the `edge` gradient."""

    def __init__(self, scene: Scene, target: np.ndarray):
        self.size = target.shape[1:]
        self.target = torch.from_numpy(target)
        self.pos_clip = torch.from_numpy(scene.pos_clip).clone().requires_grad_()
        self.triangles, self.neighbours = torch.from_numpy(scene.triangles), torch.from_numpy(scene.neighbours)

    def step(self) -> float:
        """The loss; its gradient is added to `pos_clip.grad`."""
        return self._descend(self._error)

    def step_by_step(self) -> float:
        """The same through an op for the silhouette and one for the loss, as one composes any other loss."""
        return self._descend(self._composed_error)

    def _descend(self, error: Callable[[], torch.Tensor]) -> float:
        self.pos_clip.grad = None
        loss = error()
        loss.backward()
        return loss.item()

    def _error(self) -> torch.Tensor:
        error = intaglio.silhouette_error(self.pos_clip, self.triangles, self.target, neighbours=self.neighbours)
        return error if len(error) == 1 else error.sum()

    def _composed_error(self) -> torch.Tensor:
        silhouette = intaglio.silhouette(self.pos_clip, self.triangles, self.size, neighbours=self.neighbours)
        return squared_error(silhouette, self.target[..., None])

    def grad_pixel(self) -> np.ndarray:
        """The gradient of the last step to the positions in pixels (x right, y down), [B,V,2]."""
        height, width = self.size
        pixels_per_ndc = np.array([width, -height]) / 2
        return self.pos_clip.grad.numpy()[..., :2] * self.pos_clip.detach().numpy()[..., 3:] / pixels_per_ndc


def silhouette_step(
    scene: Scene, target: np.ndarray, *, threads: int = 1, composed: bool = False
) -> Callable[[], float]:
    """A call that takes one step."""
    use_threads(threads)
    silhouette = Silhouette(scene, target)
    return silhouette.step_by_step if composed else silhouette.step
