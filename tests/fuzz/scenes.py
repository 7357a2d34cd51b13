# SPDX-License-Identifier: MIT
"""Scenes that no one would draw on purpose, through every op forward and backward, and what must hold of any scene.

Nothing crashes; NaN, infinity and wrong indices are refused, by ValueError, and nothing else is; of finite scenes all
results and all gradients are finite, of any number of threads the same bits; triangle numbers, weights and depths stay
within their bounds.
"""

import contextlib

import numpy as np

from intaglio import ops
from intaglio.ops import door
from intaglio.ops.calls.textured import TEXTURED_ERROR
from intaglio.ops.calls.visibility import SILHOUETTE_ERROR
from intaglio.topology import neighbours

from .surfaces import draw_layers, draw_light, draw_parts

__all__ = ["check", "draw"]

SMALLER, LARGER = (1, 2, 3, 5, 8, 9), (16, 17, 33, 40)  # pixels
SMALL = (-1.0, 1.0, 0.0, 0.5, -0.5, 2.0, 1e-3)
WRAPS = ("repeat", "mirror", "clamp")
# Whose gradients are found in the forward pass, if so many flags ask for them.
WITH_GRADIENT = {SILHOUETTE_ERROR: 1, TEXTURED_ERROR: 3}
NOT_FINITE = (np.nan, np.inf, -np.inf)


class Refused(Exception):
    """The scene was refused, as it should be."""


def check(seed, number):
    """Whether a scene was drawn rather than refused; whatever is wrong with it is raised."""
    found = []
    num_threads = ops.get_num_threads()
    for threads in (1, 2) if number % 8 == 0 else (1,):
        ops.set_num_threads(threads)
        with np.errstate(all="ignore"):
            found.append(draw(np.random.default_rng((seed, number))))
    ops.set_num_threads(num_threads)
    if len(found) > 1 and found[0] is not None:
        for name in found[0]:
            for one, other in zip(found[0][name], found[1][name], strict=True):
                assert one.tobytes() == other.tobytes(), f"{name} depends on the number of threads"
    return found[0] is not None


def draw(rng):
    """All results and gradients of one scene by op; None where it was refused."""
    scene = _scene(rng)
    front = door.front_end("fuzz", "x", np.zeros(1))
    plainly, found = front.apply, {}

    def apply(op, *inputs):
        outputs = plainly(op, *inputs)
        if op in WITH_GRADIENT and not inputs[-1]:
            wanted = WITH_GRADIENT[op]
            again = apply(op, *inputs[:-wanted], *(True,) * wanted)
            assert again[0].tobytes() == outputs[0].tobytes(), f"{op.name}: the gradient changes the result"
            return outputs
        gradients = _gradients(front, op, inputs, outputs, rng)
        values = [x for k, x in enumerate(outputs) if k not in op.discrete]  # the others may be gradients
        for x in (*outputs, *gradients) if scene["has_gradient"] else values:
            if x is not None and x.dtype.kind == "f" and not scene["is_wild"]:
                assert np.isfinite(x).all(), f"{op.name}: not finite"
        found.setdefault(op.name, []).extend(x for x in (*outputs, *gradients) if x is not None)
        return outputs

    front.apply = apply
    try:
        _through_all(scene, rng)
    except Refused:
        return None
    finally:
        front.apply = plainly
    return found


def _gradients(front, op, inputs, outputs, rng):
    """The op's adjoint of random cotangents, to all inputs that have one."""
    if op.vjp is None:
        return ()
    grads = tuple(
        None if k in op.discrete or x is None else rng.normal(size=x.shape).astype(x.dtype)
        for k, x in enumerate(outputs)
    )
    needs = tuple(isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in inputs)
    saved = tuple(outputs[k] for k in op.saved)
    return op.vjp(front._run, needs, inputs, saved, grads)


def _scene(rng):
    dtype = rng.choice((np.float32, np.float64))
    batch, num_vertices, num_triangles = (int(rng.integers(low, high)) for low, high in ((1, 3), (0, 12), (0, 16)))
    size = tuple(int(n) for n in rng.choice(LARGER if rng.random() < 0.05 else SMALLER, 2))
    shape = (batch, num_triangles, 3) if rng.random() < 0.2 else (num_triangles, 3)
    triangles = rng.integers(0, max(num_vertices, 1), shape).astype(np.int32)
    if rng.random() < 0.3 and num_vertices > 2:  # a strip, whose triangles share edges
        first = np.arange(max(num_vertices - 2, 0), dtype=np.int32)
        triangles = np.stack([first, first + 1, first + 2], axis=-1)
    pos_clip = _positions(rng, (batch, num_vertices), size).astype(dtype)
    is_right = True
    if rng.random() < 0.05 and pos_clip.size:
        pos_clip[tuple(rng.integers(0, n) for n in pos_clip.shape)] = rng.choice(NOT_FINITE)
    if rng.random() < 0.05 and triangles.size:
        wrong = (-1, num_vertices, 2**31 - 1, -(2**31), num_vertices + 1)
        triangles[tuple(rng.integers(0, n) for n in triangles.shape)] = rng.choice(wrong)
    # Gradients grow as the inverse of w; where that leads beyond the largest float they are what they are.
    least = np.abs(pos_clip[pos_clip != 0]).min(initial=1.0)
    has_gradient = least > (1e-12 if dtype == np.float32 else 1e-90)
    is_right = np.isfinite(pos_clip).all() and ((triangles >= 0) & (triangles < num_vertices)).all()
    return {
        "pos_clip": pos_clip,
        "triangles": triangles,
        "size": size,
        "is_right": bool(is_right),
        "is_wild": False,
        "has_gradient": has_gradient,
        "dtype": dtype,
    }


def _positions(rng, shape, size):
    """[B, V, 4] clip positions of one of several bad kinds, or some of each."""
    pos = rng.normal(size=(*shape, 4)) * [0.8, 0.8, 0.5, 1]
    pos[..., 3] = rng.uniform(0.5, 2, shape)
    for kind in rng.choice(KINDS, rng.choice((1, 1, 2))):
        affected = rng.random(shape) < rng.choice((0.3, 1.0))
        pos = np.where(affected[..., None], kind(rng, pos, size), pos)
    return pos


def _as_they_are(rng, pos, size):
    return pos


def _on_pixel_centres(rng, pos, size):
    pixel = np.stack([rng.integers(0, 2 * n + 1, pos.shape[:2]) for n in size[::-1]], axis=-1) / 2
    w = 2.0 ** rng.integers(-2, 3, pos.shape[:2])[..., None]
    ndc = (2 * pixel / np.array(size[::-1]) - 1) * [1, -1]
    return np.concatenate([ndc * w, rng.integers(-1, 2, w.shape) * w, w], axis=-1)


def _behind(rng, pos, size):
    return pos * [1, 1, 1, -1] if rng.random() < 0.5 else rng.normal(size=pos.shape)


def _at_the_eye(rng, pos, size):
    return pos * [1, 1, 1, 0]


def _huge(rng, pos, size):
    return pos * 10.0 ** rng.uniform(0, rng.choice((6, 20, 37)), (*pos.shape[:2], rng.choice((1, 4))))


def _tiny(rng, pos, size):
    return pos * 10.0 ** -rng.uniform(0, rng.choice((6, 20, 45)), (*pos.shape[:2], rng.choice((1, 4))))


def _of_few_numbers(rng, pos, size):
    return rng.choice(SMALL, pos.shape)


def _in_one_place(rng, pos, size):
    return np.zeros_like(pos) + pos[:1, :1] if pos.size else pos


def _hairs_apart(rng, pos, size):
    return pos[:, :1] * (1 + 1e-7 * rng.normal(size=pos.shape)) if pos.size else pos


def _on_the_planes(rng, pos, size):
    return np.concatenate([pos[..., 3:] * rng.choice((-1, 1), (*pos.shape[:2], 3)), pos[..., 3:]], axis=-1)


KINDS = (_as_they_are, _on_pixel_centres, _behind, _at_the_eye, _huge, _tiny, _of_few_numbers, _in_one_place,
         _hairs_apart, _on_the_planes)  # fmt: skip


def _through_all(scene, rng):
    pos_clip, triangles, size, dtype = (scene[name] for name in ("pos_clip", "triangles", "size", "dtype"))
    geometry, sides = (pos_clip, triangles), {"cull_backfaces": bool(rng.random() < 0.3)}
    try:
        fragments = ops.rasterize(*geometry, size, **sides)
    except ValueError as error:
        if scene["is_right"] or not any(word in str(error) for word in ("finite", "must be in [")):
            raise
        raise Refused from error
    assert scene["is_right"], "a wrong scene was drawn"
    _check_fragments(fragments, triangles.shape[-2])
    _check_fragments(ops.rasterize(*geometry, size, behind=fragments, **sides), triangles.shape[-2])
    table = neighbours(triangles)
    if rng.random() < 0.05:  # any table with indices in range is one
        table = rng.integers(-1, triangles.shape[-2], triangles.shape).astype(np.int32) if triangles.size else table
    attributes = rng.normal(size=(pos_clip.shape[1], 3)).astype(dtype)
    image = ops.interpolate(attributes, fragments, triangles)
    ops.screen_derivatives(attributes, fragments, triangles, *geometry)
    ops.edge_gradient(image, fragments, *geometry, neighbours=table)
    ops.antialias(image, fragments, *geometry, neighbours=table)
    ops.sweep_gradient(image, fragments, *geometry)
    ops.silhouette(*geometry, size, neighbours=table, **sides)
    target = rng.random((len(pos_clip), *size)).astype(dtype)
    supersample = int(rng.choice((1, 2, 3)))
    ops.silhouette_error(*geometry, target, neighbours=table, supersample=supersample, **sides)
    uv = (rng.normal(size=(pos_clip.shape[1], 2)) * 10.0 ** rng.integers(-3, 4)).astype(dtype)
    texture = rng.normal(size=(*rng.integers(1, 9, 2), 3)).astype(dtype)
    wrap = str(rng.choice(WRAPS))
    drawn = ops.textured(*geometry, uv, texture, size, wrap=wrap, neighbours=table, **sides)
    target = drawn if rng.random() < 0.3 else rng.random(drawn.shape).astype(dtype)
    ops.textured_error(*geometry, uv, texture, target, wrap=wrap, neighbours=table, **sides)
    ops.squared_error(image, rng.random(image.shape).astype(dtype))
    _softly(scene, sides, rng)
    _textured(scene, fragments, rng)
    draw_layers(scene, fragments, table, rng)
    draw_parts(scene, rng)
    draw_light(scene, fragments, rng)


def _check_fragments(fragments, num_triangles):
    triangle_id, weights, depth = fragments
    shown = triangle_id >= 0
    assert triangle_id.min() >= -1
    assert triangle_id.max() < max(num_triangles, 1)
    assert not weights[~shown].any()
    assert (depth[~shown] == 1).all()
    third = 1 - weights.sum(axis=-1)
    eps = 4 * np.finfo(weights.dtype).eps
    assert weights.min() >= 0
    assert third.min() >= -eps, third.min()
    assert np.abs(depth).max() <= 1, np.abs(depth).max()


def _softly(scene, sides, rng):
    geometry = (scene["pos_clip"], scene["triangles"], scene["size"])
    soft = ops.soft_rasterize(*geometry, sigma=float(10.0 ** -rng.integers(1, 6)), layers=3, **sides)
    assert soft.triangle_id.max() < max(scene["triangles"].shape[-2], 1)
    assert soft.probability.min() >= 0
    assert soft.probability.max() <= 1
    image = rng.normal(size=(*soft.triangle_id.shape, 2)).astype(scene["dtype"])
    ops.soft_blend(image, soft, background=(0.1, 0.2))


def _textured(scene, fragments, rng):
    shape, dtype = fragments.triangle_id.shape, scene["dtype"]
    textures = rng.normal(size=(scene["triangles"].shape[-2], 2, 2, 2, 3)).astype(dtype)
    if len(textures):
        ops.sample_face_texture(textures, fragments)
    texture = rng.normal(size=(*rng.integers(1, 7, 2), 2)).astype(dtype)
    uv = (rng.normal(size=(*shape, 2)) * 10.0 ** rng.uniform(-40, 37, (*shape, 1))).astype(dtype)
    derivatives = (rng.normal(size=(*shape, 2, 2)) * 10.0 ** rng.uniform(-40, 15, (*shape, 1, 1))).astype(dtype)
    directions = (rng.normal(size=(*shape, 3)) * 10.0 ** rng.uniform(-15, 15, (*shape, 1))).astype(dtype)
    with _wild(scene, rng):
        if scene["is_wild"]:
            uv.flat[rng.integers(uv.size)] = rng.choice(NOT_FINITE)
            directions.flat[rng.integers(directions.size)] = rng.choice(NOT_FINITE)
            derivatives.flat[rng.integers(derivatives.size)] = rng.choice(NOT_FINITE)
        wrap = str(rng.choice(WRAPS))
        ops.sample_texture(texture, uv, filter=str(rng.choice(("nearest", "bilinear"))), wrap=wrap)
        anisotropy = int(rng.choice((1, 1, 4)))
        options = {"uv_derivatives": derivatives, "max_anisotropy": anisotropy, "wrap": wrap}
        ops.sample_texture(ops.mip_pyramid(texture), uv, filter="trilinear", **options)
        ops.sample_cube(rng.normal(size=(6, 3, 3, 2)).astype(dtype), directions)


@contextlib.contextmanager
def _wild(scene, rng):
    """Lookups may be anywhere, and nowhere: then nothing is said of the result."""
    scene["is_wild"] = rng.random() < 0.3
    yield
    scene["is_wild"] = False
