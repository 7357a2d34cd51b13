# SPDX-License-Identifier: MIT
"""The renderer of 2018, by its own rules of coverage, depth and texture."""

from __future__ import annotations

from typing import Any

from .op import Array, Call, Op, Run


def _pixels(faces: Array, height: int, width: int) -> tuple[int, int, int]:
    return faces.shape[0], height, width


def _rasterize_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if not needs[0] or grads[2] is None:
        return (None,) * 6
    (grad_faces,) = run(_RASTERIZE_VJP, inputs[0], *outputs, inputs[5], grads[2])
    return grad_faces, None, None, None, None, None


_RASTERIZE = Call(
    "classic_rasterize",
    "Tensor faces, float near, float far, int height, int width, bool fill_back",
    lambda faces, near, far, height, width, fill_back: (
        (_pixels(faces, height, width), "index"),
        ((*_pixels(faces, height, width), 3), "value"),
        (_pixels(faces, height, width), "value"),
    ),
)
_RASTERIZE_VJP = Call(
    "classic_rasterize_vjp",
    "Tensor faces, Tensor face_index, Tensor weights, Tensor depth, bool fill_back, Tensor grad_depth",
    lambda faces, *_: ((tuple(faces.shape), "value"),),
)
# face_index, weights on the screen, depth. Only depth is differentiated.
CLASSIC_RASTERIZE = Op("classic_rasterize", _RASTERIZE, _rasterize_vjp, saved=(0, 1, 2), discrete=(0, 1))


def _silhouette_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if not needs[0] or grads[1] is None:
        return (None,) * 7
    faces, _, _, eps, _, _, fill_back = inputs
    face_index, alpha = outputs
    (grad_faces,) = run(_SWEEP_VJP, alpha, face_index, faces, eps, fill_back, grads[1])
    return grad_faces, None, None, None, None, None, None


_SILHOUETTE = Call(
    "classic_silhouette",
    "Tensor faces, float near, float far, float eps, int height, int width, bool fill_back",
    lambda faces, near, far, eps, height, width, fill_back: (
        (_pixels(faces, height, width), "index"),
        ((*_pixels(faces, height, width), 1), "value"),
    ),
)
CLASSIC_SILHOUETTE = Op("classic_silhouette", _SILHOUETTE, _silhouette_vjp, saved=(0, 1), discrete=(0,))


def _sweep_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not needs[2]:
        return grads[0], None, None, None, None
    (grad_faces,) = run(_SWEEP_VJP, *inputs, grads[0])
    return grads[0], None, grad_faces, None, None


_SWEEP_VJP = Call(
    "classic_sweep_vjp",
    "Tensor image, Tensor face_index, Tensor faces, float eps, bool fill_back, Tensor grad_image",
    lambda image, face_index, faces, *_: ((tuple(faces.shape), "value"),),
)
CLASSIC_SWEEP = Op("classic_sweep", None, _sweep_vjp)


def _shade_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not (needs[0] or needs[1]):
        return (None,) * 9
    textures, light, _, *rest = inputs
    grad_textures, grad_light = run(_SHADE_VJP, textures, light, *rest, grads[0], needs[0], needs[1])
    return grad_textures, grad_light, None, None, None, None, None, None, None


_FRAGMENTS = "Tensor faces, Tensor face_index, Tensor weights, Tensor depth, float eps, bool fill_back"


def _shade_grads(textures: Array, light: Array, *rest: Any) -> tuple:
    return tuple(
        (tuple(x.shape) if need else None, "value") for x, need in zip((textures, light), rest[-2:], strict=True)
    )


_SHADE = Call(
    "classic_shade",
    "Tensor textures, Tensor light, Tensor background, " + _FRAGMENTS,
    lambda textures, light, background, faces, face_index, *_: (
        ((*face_index.shape, textures.shape[-1] + 1), "value"),
    ),
)
_SHADE_VJP = Call(
    "classic_shade_vjp",
    "Tensor textures, Tensor light, " + _FRAGMENTS + ", Tensor grad_out, bool needs_textures, bool needs_light",
    _shade_grads,
)
CLASSIC_SHADE = Op("classic_shade", _SHADE, _shade_vjp)

OPS = (CLASSIC_RASTERIZE, CLASSIC_SILHOUETTE, CLASSIC_SWEEP, CLASSIC_SHADE)
CALLS = (
    (_RASTERIZE, 3),
    (_RASTERIZE_VJP, 1),
    (_SILHOUETTE, 2),
    (_SWEEP_VJP, 1),
    (_SHADE, 1),
    (_SHADE_VJP, 2),
)
