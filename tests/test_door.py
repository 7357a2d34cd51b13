# SPDX-License-Identifier: MIT
"""Bad input: what each op says, word for word. Op, argument, what was expected, what came, and the remedy."""

import re

import numpy as np
import pytest
import torch

import intaglio
from intaglio import ops

# One triangle on 4 x 6 pixels.
POS = np.array([[[-1, -1, 0, 1], [1, -1, 0, 1], [0, 1, 0, 1]]], dtype=np.float32)
TRIANGLES = np.array([[0, 1, 2]], dtype=np.int32)
SIZE = (4, 6)
FRAGMENTS = ops.rasterize(POS, TRIANGLES, SIZE)
IMAGE = np.zeros((1, 4, 6, 2), dtype=np.float32)
PLANE, VIEWER, LIGHTS = (np.zeros(shape, np.float32) for shape in ((1, 4, 6, 3), (4,), (1, 12)))
LAYERS = ops.soft_rasterize(POS, TRIANGLES, SIZE, layers=2)
LAYER_COLORS = np.zeros((1, 4, 6, 2, 3), dtype=np.float32)
TEXTURE = np.ones((1, 4, 4, 3), dtype=np.float32)
UV = np.zeros((1, 2, 2, 2), dtype=np.float32)
CUBE = np.ones((6, 4, 4, 3), np.float32)
DIRECTIONS = np.ones((1, 2, 2, 3), np.float32)
ATTRIBUTES = np.zeros((3, 2), dtype=np.float32)


FRAMEWORKS = "numpy, torch, paddle, jax"


def with_value(array, value):
    changed = array.copy()
    changed[0, 1, 2] = value
    return changed


def in_torch(array):
    return torch.from_numpy(array)


STARTS, ENDS = np.array([0, 1, 2, 2], np.int32), np.array([1, 0], np.int32)  # three vertices, one edge
COLUMN = np.zeros((3, 1), np.float32)

CASES = {
    # smooth
    "starts of another mesh": (
        lambda: ops.smooth(COLUMN, STARTS[:2], ENDS, rounds=1),
        "smooth: starts must be [4]; got [2] (see topology.edge_ends)",
    ),
    "starts that fall": (
        lambda: ops.smooth(COLUMN, STARTS[::-1].copy(), ENDS, rounds=1),
        "smooth: starts must not fall; got a fall at vertex 1 (see topology.edge_ends)",
    ),
    "starts that end early": (
        lambda: ops.smooth(COLUMN, STARTS - STARTS, ENDS, rounds=1),
        "smooth: starts must run from 0 to 2; got 0 to 0 (see topology.edge_ends)",
    ),
    "ends beyond the vertices": (
        lambda: ops.smooth(COLUMN, STARTS, ENDS + np.int32(2), rounds=1),
        "smooth: ends must be in [0, 3); got 3 (were these made for this mesh?)",
    ),
    "half a round": (
        lambda: ops.smooth(COLUMN, STARTS, ENDS, rounds=0.5),
        "smooth: rounds must be a whole number from 0 on; got 0.5 (how many edges far a value is felt)",
    ),
    "the whole share": (
        lambda: ops.smooth(COLUMN, STARTS, ENDS, rounds=1, share=1),
        "smooth: share must be a number from 0 to below 1; got 1 (the default is 0.95)",
    ),
    # rasterize
    "no batch axis": (
        lambda: ops.rasterize(POS[0], TRIANGLES, SIZE),
        "rasterize: pos_clip must be [B, V, 4]; got [3, 4] (did you forget clip_from_world, or the batch axis?)",
    ),
    "three coordinates": (
        lambda: ops.rasterize(POS[..., :3], TRIANGLES, SIZE),
        "rasterize: pos_clip must be [B, V, 4]; got [1, 3, 3] (did you forget clip_from_world, or the batch axis?)",
    ),
    "float16": (
        lambda: ops.rasterize(POS.astype(np.float16), TRIANGLES, SIZE),
        "rasterize: pos_clip must be float32 or float64; got float16 "
        "(convert it first, for example x.astype(np.float32) or x.float())",
    ),
    "bfloat16": (
        lambda: ops.rasterize(in_torch(POS).bfloat16(), in_torch(TRIANGLES), SIZE),
        "rasterize: pos_clip must be float32 or float64; got torch.bfloat16 "
        "(convert it first, for example x.astype(np.float32) or x.float())",
    ),
    "integers for positions": (
        lambda: ops.rasterize(POS.astype(np.int32), TRIANGLES, SIZE),
        "rasterize: pos_clip must be float32 or float64; got int32 "
        "(convert it first, for example x.astype(np.float32) or x.float())",
    ),
    "bytes in the other order": (
        lambda: ops.rasterize(POS.astype(POS.dtype.newbyteorder()), TRIANGLES, SIZE),
        f"rasterize: pos_clip must be float32 or float64; got {POS.dtype.newbyteorder()} "
        "(convert it first, for example x.astype(np.float32) or x.float())",
    ),
    "a list": (
        lambda: ops.rasterize(POS.tolist(), TRIANGLES, SIZE),
        f"rasterize: pos_clip must be an array of {FRAMEWORKS}; got list (make it an array or tensor first)",
    ),
    "nothing": (
        lambda: ops.rasterize(None, TRIANGLES, SIZE),
        f"rasterize: pos_clip must be an array of {FRAMEWORKS}; got NoneType (make it an array or tensor first)",
    ),
    "int64 triangles": (
        lambda: ops.rasterize(POS, TRIANGLES.astype(np.int64), SIZE),
        "rasterize: triangles must be int32; got int64 "
        "(convert it first, for example x.astype(np.int32) or x.to(torch.int32))",
    ),
    "edges for triangles": (
        lambda: ops.rasterize(POS, TRIANGLES[:, :2], SIZE),
        "rasterize: triangles must be [F, 3] or [B, F, 3] with B = 1 from pos_clip; got [1, 2] "
        "(see the op's docstring for the shapes)",
    ),
    "two topologies for one image": (
        lambda: ops.rasterize(POS, np.stack([TRIANGLES, TRIANGLES]), SIZE),
        "rasterize: triangles must be [F, 3] or [B, F, 3] with B = 1 from pos_clip; got [2, 1, 3] "
        "(see the op's docstring for the shapes)",
    ),
    "an index too large": (
        lambda: ops.rasterize(POS, TRIANGLES + 1, SIZE),
        "rasterize: triangles must be in [0, 3); got 3 "
        "(indices count from 0 and must stay below the number of vertices)",
    ),
    "a negative index": (
        lambda: ops.rasterize(POS, TRIANGLES - 1, SIZE),
        "rasterize: triangles must be in [0, 3); got -1 "
        "(indices count from 0 and must stay below the number of vertices)",
    ),
    "triangles without vertices": (
        lambda: ops.rasterize(POS[:, :0], TRIANGLES, SIZE),
        "rasterize: triangles must be in [0, 0); got 2 "
        "(indices count from 0 and must stay below the number of vertices)",
    ),
    "not a number": (
        lambda: ops.rasterize(with_value(POS, np.nan), TRIANGLES, SIZE),
        "rasterize: pos_clip must be finite; got nan at flat index 6 (a camera inside the mesh, or a diverged fit?)",
    ),
    "infinite": (
        lambda: ops.rasterize(with_value(POS, -np.inf), TRIANGLES, SIZE),
        "rasterize: pos_clip must be finite; got -inf at flat index 6 (a camera inside the mesh, or a diverged fit?)",
    ),
    "no rows": (
        lambda: ops.rasterize(POS, TRIANGLES, (0, 6)),
        "rasterize: size must be (height, width), each from 1 to 16384; got (0, 6) (whole numbers of pixels)",
    ),
    "a negative width": (
        lambda: ops.rasterize(POS, TRIANGLES, (4, -1)),
        "rasterize: size must be (height, width), each from 1 to 16384; got (4, -1) (whole numbers of pixels)",
    ),
    "one number for a size": (
        lambda: ops.rasterize(POS, TRIANGLES, 4),
        "rasterize: size must be (height, width), each from 1 to 16384; got 4 (whole numbers of pixels)",
    ),
    "half a pixel": (
        lambda: ops.rasterize(POS, TRIANGLES, (4.5, 6)),
        "rasterize: size must be (height, width), each from 1 to 16384; got (4.5, 6) (whole numbers of pixels)",
    ),
    "true for a height": (
        lambda: ops.rasterize(POS, TRIANGLES, (True, 6)),
        "rasterize: size must be (height, width), each from 1 to 16384; got (True, 6) (whole numbers of pixels)",
    ),
    "an image too large": (
        lambda: ops.rasterize(POS, TRIANGLES, (4, 16385)),
        "rasterize: size must be (height, width), each from 1 to 16384; got (4, 16385) (whole numbers of pixels)",
    ),
    "tensors among arrays": (
        lambda: ops.rasterize(POS, in_torch(TRIANGLES), SIZE),
        "rasterize: triangles must be a numpy.ndarray like the others; got Tensor (convert it first)",
    ),
    "arrays among tensors": (
        lambda: ops.rasterize(in_torch(POS), TRIANGLES, SIZE),
        "rasterize: triangles must be a torch.Tensor like the others; got ndarray (convert it first)",
    ),
    "another device": (
        lambda: ops.rasterize(in_torch(POS).to("meta"), in_torch(TRIANGLES), SIZE),
        "rasterize: pos_clip must be on the CPU; got device meta (move it with .cpu(); this build draws on the CPU)",
    ),
    "two devices": (
        lambda: ops.rasterize(in_torch(POS), in_torch(TRIANGLES).to("meta"), SIZE),
        "rasterize: triangles must be on the CPU; got device meta (move it with .cpu(); this build draws on the CPU)",
    ),
    "a sparse tensor": (
        lambda: ops.rasterize(in_torch(POS).to_sparse(), in_torch(TRIANGLES), SIZE),
        "rasterize: pos_clip must be dense; got layout torch.sparse_coo (call .to_dense() first)",
    ),
    # interpolate, screen_derivatives
    "one attribute for nobody": (
        lambda: ops.interpolate(ATTRIBUTES[0], FRAGMENTS, TRIANGLES),
        "interpolate: attributes must be [V, C] or [B, V, C] with B = 1 from fragments.triangle_id; got [2] "
        "(see the op's docstring for the shapes)",
    ),
    "attributes of another batch": (
        lambda: ops.interpolate(np.stack([ATTRIBUTES] * 2), FRAGMENTS, TRIANGLES),
        "interpolate: attributes must be [V, C] or [B, V, C] with B = 1 from fragments.triangle_id; got [2, 3, 2] "
        "(see the op's docstring for the shapes)",
    ),
    "mixed precision": (
        lambda: ops.interpolate(ATTRIBUTES.astype(np.float64), FRAGMENTS, TRIANGLES),
        "interpolate: fragments.barycentrics must be float64 like attributes; got float32 (convert one of them)",
    ),
    "a tuple for fragments": (
        lambda: ops.interpolate(ATTRIBUTES, tuple(FRAGMENTS), TRIANGLES),
        "interpolate: fragments must be Fragments; got tuple (pass what rasterize returned)",
    ),
    "an attribute index too large": (
        lambda: ops.interpolate(ATTRIBUTES, FRAGMENTS, TRIANGLES + 1),
        "interpolate: triangles must be in [0, 3); got 3 (indices must stay below the number of attribute rows)",
    ),
    "fragments of another mesh": (
        lambda: ops.interpolate(ATTRIBUTES, FRAGMENTS._replace(triangle_id=FRAGMENTS.triangle_id + 5), TRIANGLES),
        "interpolate: fragments.triangle_id must be in [-1, 1); got 4 "
        "(were these fragments made from other triangles?)",
    ),
    "ids below the background": (
        lambda: ops.interpolate(ATTRIBUTES, FRAGMENTS._replace(triangle_id=FRAGMENTS.triangle_id - 5), TRIANGLES),
        "interpolate: fragments.triangle_id must be in [-1, 1); got -6 "
        "(were these fragments made from other triangles?)",
    ),
    "fragments cut apart": (
        lambda: ops.interpolate(ATTRIBUTES, FRAGMENTS._replace(barycentrics=FRAGMENTS.barycentrics[:, :3]), TRIANGLES),
        "interpolate: fragments.barycentrics must be [B, H, W, 2] with B = 1 from fragments.triangle_id, "
        "H = 4 from fragments.triangle_id, W = 6 from fragments.triangle_id; got [1, 3, 6, 2] "
        "(see the op's docstring for the shapes)",
    ),
    "as many triangles for both": (
        lambda: ops.screen_derivatives(ATTRIBUTES, FRAGMENTS, TRIANGLES, POS, np.concatenate([TRIANGLES] * 2)),
        "screen_derivatives: pos_triangles must be [F, 3] or [B, F, 3] with B = 1 from fragments.triangle_id, "
        "F = 1 from triangles; got [2, 3] (see the op's docstring for the shapes)",
    ),
    # edge_gradient, antialias, sweep_gradient
    "an image without channels": (
        lambda: ops.edge_gradient(IMAGE[..., 0], FRAGMENTS, POS, TRIANGLES),
        "edge_gradient: image must be [B, H, W, C] with B = 1 from fragments.triangle_id, "
        "H = 4 from fragments.triangle_id, W = 6 from fragments.triangle_id; got [1, 4, 6] "
        "(a single channel still has its axis: image[..., None])",
    ),
    "an image of another size": (
        lambda: ops.edge_gradient(IMAGE[:, :3], FRAGMENTS, POS, TRIANGLES),
        "edge_gradient: image must be [B, H, W, C] with B = 1 from fragments.triangle_id, "
        "H = 4 from fragments.triangle_id, W = 6 from fragments.triangle_id; got [1, 3, 6, 2] "
        "(a single channel still has its axis: image[..., None])",
    ),
    "positions of another batch": (
        lambda: ops.edge_gradient(IMAGE, FRAGMENTS, np.concatenate([POS, POS]), TRIANGLES),
        "edge_gradient: pos_clip must be [B, V, 4] with B = 1 from fragments.triangle_id; got [2, 3, 4] "
        "(see the op's docstring for the shapes)",
    ),
    "a table of another mesh": (
        lambda: ops.edge_gradient(IMAGE, FRAGMENTS, POS, TRIANGLES, neighbours=np.zeros((2, 3), np.int32)),
        "edge_gradient: neighbours must be [F, 3] with F = 1 from triangles; got [2, 3] "
        "(see the op's docstring for the shapes)",
    ),
    "a neighbour that is not there": (
        lambda: ops.antialias(IMAGE, FRAGMENTS, POS, TRIANGLES, neighbours=np.full((1, 3), 9, np.int32)),
        "antialias: neighbours must be in [-1, 1); got 9 (was this table built for these triangles?)",
    ),
    "no number in antialias": (
        lambda: ops.antialias(
            IMAGE, FRAGMENTS, with_value(POS, np.nan), TRIANGLES, neighbours=np.full((1, 3), -1, np.int32)
        ),
        "antialias: pos_clip must be finite; got nan at flat index 6 (a camera inside the mesh, or a diverged fit?)",
    ),
    "eps of nothing": (
        lambda: ops.sweep_gradient(IMAGE, FRAGMENTS, POS, TRIANGLES, eps=0),
        "sweep_gradient: eps must be a positive number; got 0 "
        "(the original has 1e-4 for silhouettes, 1e-3 for colours)",
    ),
    "eps that is none": (
        lambda: ops.sweep_gradient(IMAGE, FRAGMENTS, POS, TRIANGLES, eps=float("nan")),
        "sweep_gradient: eps must be a positive number; got nan "
        "(the original has 1e-4 for silhouettes, 1e-3 for colours)",
    ),
    "a silhouette of nothing finite": (
        lambda: ops.silhouette(with_value(POS, np.nan), TRIANGLES, SIZE, neighbours=np.full((1, 3), -1, np.int32)),
        "silhouette: pos_clip must be finite; got nan at flat index 6 (a camera inside the mesh, or a diverged fit?)",
    ),
    "a silhouette without a size": (
        lambda: ops.silhouette(POS, TRIANGLES, None),
        "silhouette: size must be (height, width), each from 1 to 16384; got None (whole numbers of pixels)",
    ),
    "a silhouette with half a table": (
        lambda: ops.silhouette(POS, TRIANGLES, SIZE, neighbours=np.full((1, 2), -1, np.int32)),
        "silhouette: neighbours must be [F, 3] with F = 1 from triangles; got [1, 2] "
        "(see the op's docstring for the shapes)",
    ),
    "a target of another precision": (
        lambda: ops.squared_error(IMAGE, IMAGE.astype(np.float64)),
        "squared_error: target must be float32 like image; got float64 (convert one of them)",
    ),
    "a target of another shape": (
        lambda: ops.squared_error(IMAGE, IMAGE[:, :3]),
        "squared_error: target must be [1, 4, 6, 2]; got [1, 3, 6, 2] (target must have the shape of image)",
    ),
    # textures
    "a texture of one row": (
        lambda: ops.sample_texture(TEXTURE[0, 0], UV),
        "sample_texture: texture must be [H, W, C] or [B, H, W, C]; got [4, 3] "
        "(a grey texture still has its axis: texture[..., None])",
    ),
    "a pyramid of one row": (
        lambda: ops.mip_pyramid(TEXTURE[0, 0]),
        "mip_pyramid: texture must be [H, W, C] or [B, H, W, C] or [B, 6, N, N, C]; got [4, 3] "
        "(a grey texture still has its axis: texture[..., None])",
    ),
    "a texture without texels": (
        lambda: ops.sample_texture(TEXTURE[:, :0], UV),
        "sample_texture: texture must be 1 to 16384 texels wide and high; got 0 x 4 (resize it)",
    ),
    "uv without v": (
        lambda: ops.sample_texture(TEXTURE, UV[..., :1]),
        "sample_texture: uv must be [B, h, w, 2] with B = 1 from texture; got [1, 2, 2, 1] "
        "(see the op's docstring for the shapes)",
    ),
    "uv of another batch": (
        lambda: ops.sample_texture(np.concatenate([TEXTURE] * 3), UV),
        "sample_texture: uv must be [B, h, w, 2] with B = 3 from texture; got [1, 2, 2, 2] "
        "(see the op's docstring for the shapes)",
    ),
    "uv of another precision": (
        lambda: ops.sample_texture(TEXTURE, UV.astype(np.float64)),
        "sample_texture: uv must be float32 like texture; got float64 (convert one of them)",
    ),
    "an unknown filter": (
        lambda: ops.sample_texture(TEXTURE, UV, filter="cubic"),
        "sample_texture: filter must be one of nearest, bilinear, trilinear; got 'cubic' (how texels are blended)",
    ),
    "an unknown wrap": (
        lambda: ops.sample_texture(TEXTURE, UV, wrap="border"),
        "sample_texture: wrap must be one of repeat, mirror, clamp; got 'border' (what lies beyond the border)",
    ),
    "trilinear without derivatives": (
        lambda: ops.sample_texture(TEXTURE, UV, filter="trilinear"),
        "sample_texture: uv_derivatives must be given for trilinear; got None (see screen_derivatives)",
    ),
    "derivatives without an axis": (
        lambda: ops.sample_texture(TEXTURE, UV, filter="trilinear", uv_derivatives=UV),
        "sample_texture: uv_derivatives must be [B, h, w, 2, 2] with B = 1 from texture, h = 2 from uv, w = 2 from uv; "
        "got [1, 2, 2, 2] (see the op's docstring for the shapes)",
    ),
    "no levels": (
        lambda: ops.sample_texture((), UV),
        "sample_texture: texture must be an array or levels; got no level (see mip_pyramid)",
    ),
    "levels that do not halve": (
        lambda: ops.sample_texture((TEXTURE, TEXTURE), UV),
        "sample_texture: texture[1] must be [1, 2, 2, 3]; got [1, 4, 4, 3] "
        "(pass the levels that mip_pyramid gave, finest first)",
    ),
    "texels that are no cube": (
        lambda: ops.sample_face_texture(np.zeros((1, 2, 2, 3, 3), np.float32), FRAGMENTS),
        "sample_face_texture: textures must be [F, T, T, T, C] or [B, F, T, T, T, C] with "
        "B = 1 from fragments.triangle_id; got [1, 2, 2, 3, 3] (one cube of T x T x T texels per triangle)",
    ),
    "cubes without texels": (
        lambda: ops.sample_face_texture(np.zeros((1, 0, 0, 0, 3), np.float32), FRAGMENTS),
        "sample_face_texture: textures must be of at least one texel; got T = 0 (T = 1 is one colour per triangle)",
    ),
    "cubes for no triangle": (
        lambda: ops.sample_face_texture(np.zeros((0, 2, 2, 2, 3), np.float32), FRAGMENTS),
        "sample_face_texture: fragments.triangle_id must be in [-1, 0); got 0 "
        "(were these fragments made from other triangles?)",
    ),
    # textured
    "uv in three dimensions": (
        lambda: ops.textured(POS, TRIANGLES, POS[0, :, :3], TEXTURE, SIZE),
        "textured: uv must be [T, 2] or [B, T, 2] with B = 1 from pos_clip; got [3, 3] "
        "(see the op's docstring for the shapes)",
    ),
    "a texture for three": (
        lambda: ops.textured(POS, TRIANGLES, POS[0, :, :2], np.concatenate([TEXTURE] * 3), SIZE),
        "textured: texture must be [H, W, C] or [B, H, W, C] with B = 1 from pos_clip; got [3, 4, 4, 3] "
        "(a grey texture still has its axis: texture[..., None])",
    ),
    "uv of another mesh": (
        lambda: ops.textured(POS, TRIANGLES, POS[0, :, :2], TEXTURE, SIZE, uv_triangles=TRIANGLES[[0, 0]]),
        "textured: uv_triangles must be [F, 3] or [B, F, 3] with B = 1 from pos_clip, F = 1 from triangles; got [2, 3] "
        "(one row for each of triangles)",
    ),
    "a uv index too large": (
        lambda: ops.textured(POS, TRIANGLES, POS[0, :2, :2], TEXTURE, SIZE),
        "textured: uv_triangles must be in [0, 2); got 2 (indices must stay below the number of uv)",
    ),
    # textured_error
    "a target of another number of channels": (
        lambda: ops.textured_error(POS, TRIANGLES, POS[0, :, :2], TEXTURE, np.zeros((1, 9, 9, 1), np.float32)),
        "textured_error: target must be [B, rows, columns, 3] with B = 1 from pos_clip; got [1, 9, 9, 1] "
        "(one picture per view, in the texture's channels)",
    ),
    "a target of textured_error without pixels": (
        lambda: ops.textured_error(POS, TRIANGLES, POS[0, :, :2], TEXTURE, np.zeros((1, 0, 9, 3), np.float32)),
        "textured_error: size must be (height, width), each from 1 to 16384; got (0, 9) (whole numbers of pixels)",
    ),
    "a target of textured_error that wants a gradient": (
        lambda: ops.textured_error(
            *map(torch.from_numpy, (POS, TRIANGLES, POS[0, :, :2].copy(), TEXTURE[0])),
            torch.zeros(1, 9, 9, 3, requires_grad=True),
        ),
        "textured_error: target must be without gradient; got one that wants it "
        "(detach it, or compose textured and squared_error)",
    ),
    "a wrap of textured that is none": (
        lambda: ops.textured(POS, TRIANGLES, POS[0, :, :2], TEXTURE, SIZE, wrap="border"),
        "textured: wrap must be one of repeat, mirror, clamp; got 'border' (what lies beyond the border)",
    ),
    # sample_cube
    "a cube of five faces": (
        lambda: ops.sample_cube(CUBE[:5], DIRECTIONS),
        "sample_cube: cube must be [6, N, N, C] or [B, 6, N, N, C]; got [5, 4, 4, 3] "
        "(six square faces; grey ones still have their axis: cube[..., None])",
    ),
    "faces that are no squares": (
        lambda: ops.sample_cube(CUBE[:, :3], DIRECTIONS),
        "sample_cube: cube must be [6, N, N, C] or [B, 6, N, N, C]; got [6, 3, 4, 3] "
        "(six square faces; grey ones still have their axis: cube[..., None])",
    ),
    "faces without texels": (
        lambda: ops.sample_cube(CUBE[:, :0, :0], DIRECTIONS),
        "sample_cube: cube must be 1 to 16384 texels wide; got 0 (resize it)",
    ),
    "no cube": (
        lambda: ops.sample_cube([], DIRECTIONS),
        "sample_cube: cube must be an array or levels; got no level (see mip_pyramid)",
    ),
    "levels of a cube that do not halve": (
        lambda: ops.sample_cube((CUBE, CUBE), DIRECTIONS),
        "sample_cube: cube[1] must be [6, 2, 2, 3]; got [6, 4, 4, 3] "
        "(pass the levels that mip_pyramid gave, finest first)",
    ),
    "levels of a cube below one texel": (
        lambda: ops.sample_cube((CUBE[:, :1, :1], CUBE[:, :1, :1]), DIRECTIONS),
        "sample_cube: cube must be at most 1 levels; got 2 (see mip_pyramid)",
    ),
    "flat directions": (
        lambda: ops.sample_cube(CUBE, DIRECTIONS[..., :2]),
        "sample_cube: directions must be [B, h, w, 3]; got [1, 2, 2, 2] (see the op's docstring for the shapes)",
    ),
    "cubes for other images": (
        lambda: ops.sample_cube(np.stack([CUBE] * 3), DIRECTIONS),
        "sample_cube: directions must be [B, h, w, 3] with B = 3 from cube; got [1, 2, 2, 3] "
        "(see the op's docstring for the shapes)",
    ),
    "a cubic filter of cubes": (
        lambda: ops.sample_cube(CUBE, DIRECTIONS, filter="cubic"),
        "sample_cube: filter must be one of nearest, bilinear, trilinear; got 'cubic' (how texels are blended)",
    ),
    "trilinear at no level": (
        lambda: ops.sample_cube(CUBE, DIRECTIONS, filter="trilinear"),
        "sample_cube: lod must be given for trilinear; got None (the level of each pixel, [B, h, w])",
    ),
    "a level that is not read": (
        lambda: ops.sample_cube(CUBE, DIRECTIONS, lod=DIRECTIONS[..., 0]),
        'sample_cube: lod must be None for bilinear; got an array (pass filter="trilinear" to read between levels)',
    ),
    "a level per channel": (
        lambda: ops.sample_cube(CUBE, DIRECTIONS, filter="trilinear", lod=DIRECTIONS),
        "sample_cube: lod must be [B, h, w] with B = 1 from directions, h = 2 from directions, w = 2 from directions; "
        "got [1, 2, 2, 3] (see the op's docstring for the shapes)",
    ),
    # soft_rasterize, soft_blend
    "a blur of nothing": (
        lambda: ops.soft_rasterize(POS, TRIANGLES, SIZE, sigma=0),
        "soft_rasterize: sigma must be a positive number; got 0 (in squared ndc; the default is 1e-4)",
    ),
    "no layers": (
        lambda: ops.soft_rasterize(POS, TRIANGLES, SIZE, layers=0),
        "soft_rasterize: layers must be a whole number from 1 to 256; got 0 (the default is 8)",
    ),
    "half a layer": (
        lambda: ops.soft_rasterize(POS, TRIANGLES, SIZE, layers=2.5),
        "soft_rasterize: layers must be a whole number from 1 to 256; got 2.5 (the default is 8)",
    ),
    "a thousand layers": (
        lambda: ops.soft_rasterize(POS, TRIANGLES, SIZE, layers=1000),
        "soft_rasterize: layers must be a whole number from 1 to 256; got 1000 (the default is 8)",
    ),
    "a soft index too large": (
        lambda: ops.soft_rasterize(POS, TRIANGLES + 1, SIZE),
        "soft_rasterize: triangles must be in [0, 3); got 3 "
        "(indices count from 0 and must stay below the number of vertices)",
    ),
    "a soft not a number": (
        lambda: ops.soft_rasterize(with_value(POS, np.nan), TRIANGLES, SIZE),
        "soft_rasterize: pos_clip must be finite; got nan at flat index 6 "
        "(a camera inside the mesh, or a diverged fit?)",
    ),
    "colours of no layer": (
        lambda: ops.soft_blend(LAYER_COLORS[..., 0, :], LAYERS, background=(0, 0, 0)),
        "soft_blend: image must be [B, H, W, K, C]; got [1, 4, 6, 3] (the colour of every layer)",
    ),
    "colours of one layer of two": (
        lambda: ops.soft_blend(LAYER_COLORS[:, :, :, :1], LAYERS, background=(0, 0, 0)),
        "soft_blend: soft_fragments.depth must be [B, H, W, K] with B = 1 from image, H = 4 from image, "
        "W = 6 from image, K = 1 from image; got [1, 4, 6, 2] (see the op's docstring for the shapes)",
    ),
    "a background of two channels": (
        lambda: ops.soft_blend(LAYER_COLORS, LAYERS, background=(0, 0)),
        "soft_blend: background must be [C] or [B, C] or [B, H, W, C] with B = 1 from image, H = 4 from image, "
        "W = 6 from image, C = 3 from image; got [2] (see the op's docstring for the shapes)",
    ),
    "gamma of nothing": (
        lambda: ops.soft_blend(LAYER_COLORS, LAYERS, gamma=0, background=(0, 0, 0)),
        "soft_blend: gamma must be a positive number; got 0 (the default is 1e-4)",
    ),
    "hard fragments": (
        lambda: ops.soft_blend(LAYER_COLORS, FRAGMENTS, background=(0, 0, 0)),
        "soft_blend: soft_fragments must be SoftFragments; got Fragments (pass what soft_rasterize returned)",
    ),
    # shading
    "a surface of another size": (
        lambda: ops.reflect(PLANE[:, :3], PLANE, VIEWER, FRAGMENTS),
        "reflect: positions must be [B, H, W, 3] with B = 1 from fragments.triangle_id, "
        "H = 4 from fragments.triangle_id, W = 6 from fragments.triangle_id; "
        "got [1, 3, 6, 3] (see the op's docstring for the shapes)",
    ),
    "a viewer in three numbers": (
        lambda: ops.reflect(PLANE, PLANE, VIEWER[:3], FRAGMENTS),
        "reflect: viewer must be [4] or [B, 4] with B = 1 from fragments.triangle_id; got [3] "
        "((x, y, z, 1), or (direction towards it, 0); see Camera.viewer)",
    ),
    "lights of seven numbers": (
        lambda: ops.shade_metallic(
            PLANE, PLANE, PLANE, PLANE[..., :2], VIEWER, np.zeros((2, 7), np.float32), FRAGMENTS
        ),
        "shade_metallic: lights must be [L, 12] or [B, L, 12] with B = 1 from fragments.triangle_id; got [2, 7] "
        "(place, colour, axis, scale and offset: see ops.shade_metallic)",
    ),
    "roughness alone": (
        lambda: ops.shade_metallic(PLANE, PLANE, PLANE, PLANE[..., :1], VIEWER, LIGHTS, FRAGMENTS),
        "shade_metallic: roughness_metallic must be [B, H, W, 2] with B = 1 from fragments.triangle_id, "
        "H = 4 from fragments.triangle_id, W = 6 from fragments.triangle_id; got [1, 4, 6, 1] "
        "(see the op's docstring for the shapes)",
    ),
    "a highlight without shininess": (
        lambda: ops.shade_blinn_phong(PLANE, PLANE, PLANE, PLANE, VIEWER, LIGHTS, FRAGMENTS),
        "shade_blinn_phong: specular must be [B, H, W, 4] with B = 1 from fragments.triangle_id, "
        "H = 4 from fragments.triangle_id, W = 6 from fragments.triangle_id; got [1, 4, 6, 3] "
        "(a colour and its shininess)",
    ),
    "a table that is not square": (
        lambda: ops.reflect_environment(
            PLANE, PLANE, PLANE, PLANE[..., :2], VIEWER, PLANE, PLANE, np.zeros((2, 3, 2), np.float32), FRAGMENTS
        ),
        "reflect_environment: table must be [n, n, 2]; got [2, 3, 2] (see split_sum_table)",
    ),
    "a table of nothing": (
        lambda: ops.reflect_environment(
            PLANE, PLANE, PLANE, PLANE[..., :2], VIEWER, PLANE, PLANE, np.zeros((0, 0, 2), np.float32), FRAGMENTS
        ),
        "reflect_environment: table must be of at least one texel; got n = 0 (see split_sum_table)",
    ),
    "harmonics of degree one": (
        lambda: ops.spherical_harmonics(PLANE, np.zeros((4, 3), np.float32), FRAGMENTS),
        "spherical_harmonics: coefficients must be [9, 3] or [B, 9, 3] with B = 1 from fragments.triangle_id; "
        "got [4, 3] (real harmonics of degrees 0, 1 and 2)",
    ),
    "tangents without a sign": (
        lambda: ops.map_normals(PLANE, PLANE, PLANE, FRAGMENTS, VIEWER[0]),
        "map_normals: tangents must be [B, H, W, 4] with B = 1 from fragments.triangle_id, "
        "H = 4 from fragments.triangle_id, W = 6 from fragments.triangle_id; got [1, 4, 6, 3] "
        "(the fourth is the bitangent's sign)",
    ),
    "a scale for two images of one": (
        lambda: ops.map_normals(PLANE, IMAGE[..., [0, 0, 0, 0]], PLANE, FRAGMENTS, VIEWER[:2]),
        "map_normals: scale must be [] or [B] with B = 1 from fragments.triangle_id; got [2] "
        "(see the op's docstring for the shapes)",
    ),
    # threads
    "no threads": (
        lambda: ops.set_num_threads(0),
        "set_num_threads: count must be an integer from 1 to 1024; got 0 (1 means no extra threads)",
    ),
    "a million threads": (
        lambda: ops.set_num_threads(10**6),
        "set_num_threads: count must be an integer from 1 to 1024; got 1000000 (1 means no extra threads)",
    ),
    "true for a number of threads": (
        lambda: ops.set_num_threads(True),
        "set_num_threads: count must be an integer from 1 to 1024; got True (1 means no extra threads)",
    ),
    "triangles counted from one, without a table": (
        lambda: ops.edge_gradient(IMAGE, FRAGMENTS, POS, TRIANGLES + 1),
        "edge_gradient: triangles must be in [0, 3); got 3 "
        "(indices count from 0 and must stay below the number of vertices)",
    ),
    "half a thread": (
        lambda: ops.set_num_threads(2.5),
        "set_num_threads: count must be an integer from 1 to 1024; got 2.5 (1 means no extra threads)",
    ),
}


@pytest.mark.parametrize(("call", "message"), CASES.values(), ids=CASES)
def test_bad_input_is_named_with_its_remedy(call, message):
    with pytest.raises(ValueError, match="^" + re.escape(message) + "$"):
        call()


@pytest.mark.parametrize("message", [message for _, message in CASES.values()])
def test_every_message_says_what_was_expected_what_came_and_what_to_do(message):
    assert re.fullmatch(r"\w+: [\w.\[\]]+ must .+; got .+ \(.+\)", message)


def test_bad_input_found_in_backward_names_the_op():
    pos = in_torch(POS).requires_grad_()
    fragments = ops.Fragments(*(in_torch(part) for part in FRAGMENTS))
    table = torch.full((1, 3), 7, dtype=torch.int32)
    image = ops.edge_gradient(in_torch(IMAGE), fragments, pos, in_torch(TRIANGLES), neighbours=table)
    message = "edge_gradient backward: neighbours must be in [-1, 1); got 7 (was this table built for these triangles?)"
    with pytest.raises(ValueError, match="^" + re.escape(message) + "$"):
        image.sum().backward()


def test_bad_input_leaves_the_next_call_unharmed():
    with pytest.raises(ValueError, match="finite"):
        ops.rasterize(with_value(POS, np.nan), TRIANGLES, SIZE)
    again = ops.rasterize(POS, TRIANGLES, SIZE)
    for got, expected in zip(again, FRAGMENTS, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_the_ops_are_importable_from_intaglio():
    names = (
        "rasterize interpolate screen_derivatives sample_texture mip_pyramid sample_cube sample_face_texture "
        "edge_gradient antialias sweep_gradient soft_rasterize soft_blend silhouette silhouette_error downsample "
        "textured textured_error neighbours set_num_threads get_num_threads"
    )
    assert [name for name in names.split() if not hasattr(intaglio, name)] == []
