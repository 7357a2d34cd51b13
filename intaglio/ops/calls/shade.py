# SPDX-License-Identifier: MIT
"""Shading. Each call is followed by its vjp, which takes the inputs, the cotangent and which inputs want one."""

from __future__ import annotations

from typing import Any

from .op import Call, Op, Run


def _shading(name: str, inputs: str, constants: tuple[str, ...]) -> tuple[Op, Call, Call]:
    """An op whose output has the shape of its first input, [B, H, W, 3], differentiable in all but the `constants`."""
    names = inputs.split()
    wanted = [i for i, argument in enumerate(names) if argument not in constants]

    def grads_of(*arguments: Any) -> tuple:
        needs = arguments[len(names) + 1 :]
        return tuple(
            (tuple(arguments[i].shape) if need else None, "value") for i, need in zip(wanted, needs, strict=True)
        )

    declared = ", ".join(f"Tensor {argument}" for argument in names)
    flags = "".join(f", bool needs_{names[i]}" for i in wanted)
    forward = Call(name, declared, lambda first, *_: ((tuple(first.shape), "value"),))
    backward = Call(f"{name}_vjp", f"{declared}, Tensor grad_out{flags}", grads_of)

    def vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
        if grads[0] is None or not any(needs[i] for i in wanted):
            return (None,) * len(names)
        found = iter(run(backward, *inputs, grads[0], *(needs[i] for i in wanted)))
        return tuple(next(found) if i in wanted else None for i in range(len(names)))

    return Op(name, forward, vjp), forward, backward


_SEEN = "positions normals viewer triangle_id"

SHADE_METALLIC, _SHADE_METALLIC, _SHADE_METALLIC_VJP = _shading(
    "shade_metallic", f"{_SEEN} lights base_color roughness_metallic", ("triangle_id",)
)
SHADE_BLINN_PHONG, _SHADE_BLINN_PHONG, _SHADE_BLINN_PHONG_VJP = _shading(
    "shade_blinn_phong", f"{_SEEN} lights diffuse specular", ("triangle_id",)
)
REFLECT, _REFLECT, _REFLECT_VJP = _shading("reflect", _SEEN, ("triangle_id",))
REFLECT_ENVIRONMENT, _REFLECT_ENVIRONMENT, _REFLECT_ENVIRONMENT_VJP = _shading(
    "reflect_environment",
    f"{_SEEN} base_color roughness_metallic irradiance radiance table",
    ("triangle_id", "table"),
)
SPHERICAL_HARMONICS, _SPHERICAL_HARMONICS, _SPHERICAL_HARMONICS_VJP = _shading(
    "spherical_harmonics", "directions coefficients triangle_id", ("triangle_id",)
)
MAP_NORMALS, _MAP_NORMALS, _MAP_NORMALS_VJP = _shading(
    "map_normals", "normals tangents texels scale triangle_id", ("triangle_id",)
)

OPS = (SHADE_METALLIC, SHADE_BLINN_PHONG, REFLECT, REFLECT_ENVIRONMENT, SPHERICAL_HARMONICS, MAP_NORMALS)
CALLS = (
    (_SHADE_METALLIC, 1),
    (_SHADE_METALLIC_VJP, 6),
    (_SHADE_BLINN_PHONG, 1),
    (_SHADE_BLINN_PHONG_VJP, 6),
    (_REFLECT, 1),
    (_REFLECT_VJP, 3),
    (_REFLECT_ENVIRONMENT, 1),
    (_REFLECT_ENVIRONMENT_VJP, 7),
    (_SPHERICAL_HARMONICS, 1),
    (_SPHERICAL_HARMONICS_VJP, 2),
    (_MAP_NORMALS, 1),
    (_MAP_NORMALS_VJP, 4),
)
