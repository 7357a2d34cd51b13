# SPDX-License-Identifier: MIT
"""Textures."""

from __future__ import annotations

from .op import Call, Op, Run


def _sample_face_texture_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not needs[0]:
        return None, None, None
    (grad_textures,) = run(_SAMPLE_FACE_TEXTURE_VJP, *inputs, grads[0])
    return grad_textures, None, None


_SAMPLE_FACE_TEXTURE = Call(
    "sample_face_texture",
    "Tensor textures, Tensor triangle_id, Tensor barycentrics",
    lambda textures, triangle_id, _: (((*triangle_id.shape, textures.shape[-1]), "value"),),
)

_SAMPLE_FACE_TEXTURE_VJP = Call(
    "sample_face_texture_vjp",
    "Tensor textures, Tensor triangle_id, Tensor barycentrics, Tensor grad_out",
    lambda textures, *_: ((tuple(textures.shape), "value"),),
)

SAMPLE_FACE_TEXTURE = Op("sample_face_texture", _SAMPLE_FACE_TEXTURE, _sample_face_texture_vjp)

OPS = (SAMPLE_FACE_TEXTURE,)
CALLS = (
    (_SAMPLE_FACE_TEXTURE, 1),
    (_SAMPLE_FACE_TEXTURE_VJP, 1),
)
