# SPDX-License-Identifier: MIT
"""deodr 0.2.3 (de La Gorce): a differentiable CPU rasterizer in C++, float64, analytic antialiasing at silhouettes.

One step: from positions to pixels, which edges are silhouettes, image, squared error against a target, gradient of
the positions in pixels. Three ways: `whole_step` is its one call for all of this, as it comes
(`Scene2D.render_compare_and_backward`); `step` the two calls of its public interface that it is made of
(`Scene2D.render`, `Scene2D.render_backward`, without the copies that are its default), with a lean loss in between;
`tuned_step` calls what lies beneath, unchecked, on arrays kept from step to step, which its users would have to write
themselves. Its own detection of silhouette edges (a sparse matrix product) is replaced in all by a look-up in a table
of neighbours, which is faster.
"""

from collections.abc import Callable
from importlib import import_module

import numpy as np

MISSING = "deodr: needs deodr==0.2.3 and trimesh (pip)"


def steps(
    pos_clip: np.ndarray, triangles: np.ndarray, neighbours: np.ndarray, targets: np.ndarray, *, tuned: bool = False
) -> Callable[[], list[tuple[float, np.ndarray]]]:
    """A call that takes one step for every view of pos_clip [B,V,4], targets [B,H,W]: one after the other."""
    views = [Silhouette(view, triangles, neighbours, target) for view, target in zip(pos_clip, targets, strict=True)]
    return lambda: [view.tuned_step() if tuned else view.step() for view in views]


def check() -> None:
    """Raises RuntimeError where deodr can't be imported."""
    try:
        import_module("deodr.differentiable_renderer")
    except (ImportError, NameError) as error:  # NameError: it needs trimesh at import, without saying so
        raise RuntimeError(f"{MISSING}; {error}") from error


class Silhouette:
    """The silhouette of pos_clip [V,4], triangles [F,3], neighbours [F,3], against a target [H,W] in 0..1.

    `shown` is what else there is to see: other arguments of deodr's scene, the target being [H,W,C].
    """

    def __init__(
        self,
        pos_clip: np.ndarray,
        triangles: np.ndarray,
        neighbours: np.ndarray,
        target: np.ndarray,
        **shown: np.ndarray,
    ):
        from deodr.differentiable_renderer import Scene2D, renderScene, renderSceneB

        self._render, self._render_backward = renderScene, renderSceneB
        self.pos_clip = pos_clip.astype(np.float64)
        self.triangles, self.neighbours = triangles, neighbours
        height, width = target.shape[:2]
        self.half_size = np.array([width, -height]) / 2
        self.first_pixel_centre = np.array([width - 1, height - 1]) / 2
        self.target = target.astype(np.float64).reshape(height, width, -1)
        channels = self.target.shape[-1]
        self.image, self.grad_image = np.empty((2, height, width, channels))
        self.z_buffer = np.empty((height, width))
        num_vertices, num_triangles = len(pos_clip), len(triangles)
        faces = triangles.astype(np.uint32)
        plain = {
            "faces_uv": faces,
            "textured": np.zeros(num_triangles, bool),
            "uv": np.zeros((num_vertices, 2)),
            "shade": np.ones(num_vertices),
            "shaded": np.zeros(num_triangles, bool),
            "texture": np.zeros((0, 0)),
        }
        self.scene = Scene2D(
            faces=faces,
            ij=np.zeros((num_vertices, 2)),
            depths=np.zeros(num_vertices),
            colors=np.ones((num_vertices, channels)),
            edgeflags=np.zeros((num_triangles, 3), bool),
            height=height,
            width=width,
            nb_colors=channels,
            background_color=np.zeros(channels),
            backface_culling=True,
            **plain | shown,
        )

    def whole_step(self) -> tuple[float, np.ndarray]:
        """Loss and its gradient [V,2] to the positions in pixels, by deodr's one call for both."""
        self._place()
        *_, loss = self.scene.render_compare_and_backward(self.target)
        return loss, self.scene.ij_b

    def step(self) -> tuple[float, np.ndarray]:
        """The same by two calls of deodr's public interface."""
        self._place()
        image, _ = self.scene.render()
        difference = image - self.target
        loss = float(np.vdot(difference, difference))
        self.scene.clear_gradients()
        self.scene.render_backward(2 * difference, make_copies=False)
        return loss, self.scene.ij_b

    def tuned_step(self) -> tuple[float, np.ndarray]:
        """The same by deodr's inner calls, on arrays that are kept."""
        self._place()
        self._render(self.scene, 1.0, self.image, self.z_buffer, check_valid=False)
        np.subtract(self.image, self.target, out=self.grad_image)
        loss = float(np.vdot(self.grad_image, self.grad_image))
        self.grad_image *= 2
        self.scene.clear_gradients()
        self._render_backward(self.scene, 1.0, self.image, self.z_buffer, self.grad_image, check_valid=False)
        return loss, self.scene.ij_b

    def _place(self) -> None:
        """Puts the vertices into the scene, and says which edges part a triangle seen from one not seen."""
        w = self.pos_clip[:, 3]
        pos_pixel = self.pos_clip[:, :2] / w[:, None] * self.half_size + self.first_pixel_centre
        self.scene.ij, self.scene.depths = pos_pixel, w
        x, y = pos_pixel.T
        (xa, xb, xc), (ya, yb, yc) = x[self.triangles.T], y[self.triangles.T]
        visible = np.zeros(len(self.triangles) + 1, bool)  # the last one stands for "no neighbour"
        visible[:-1] = (xb - xa) * (yc - ya) < (xc - xa) * (yb - ya)
        self.scene.edgeflags = visible[:-1, None] & ~visible[self.neighbours]
