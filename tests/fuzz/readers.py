# SPDX-License-Identifier: MIT
"""What is fuzzed: each reader, and the sound files that its inputs are made of."""

import base64
import contextlib
import json
import warnings
from typing import NamedTuple

import numpy as np
from assets import SQUARE, awkward_gltf, rich_asset
from PIL import Image

from intaglio import InputError, Limits, load_asset, load_image, shapes
from intaglio.io import load_obj, load_ply, load_stl, save_image, save_obj, save_ply, save_stl
from intaglio.io.describing import described_asset, faults, oddities
from intaglio.io.gltf import write_gltf
from intaglio.io.gltf.container import join_glb
from intaglio.io.gltf.packing import Packing
from intaglio.io.gltf.writer import json_of_asset
from intaglio.io.obj import read_obj
from intaglio.mesh import Mesh

from .cameras import CAMERA_FILES, camera_seeds, read_cameras

__all__ = ["TARGETS", "read", "seeds"]

LIMITS = Limits(max_bytes=1 << 16, max_vertices=1 << 12, max_pixels=1 << 14)

OBJ = b"""mtllib m.mtl
o two words
g a b
v 0 0 0 1 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 0.2 0.1 0
vt 0 0
vt 1.5 0
vt 1 1
vn 0 0 1
usemtl red one
f 1/1/1 2/2/1 3/3/1
s off
f -1 -2 -3 -4 1
usemtl pictured
f 1//1 2//1 3//1 4//1
f 1/1 2/2 \\
3/3
"""
MTL = b"""newmtl red one
Kd 1 0 0.5
Pr 0.5
Pm 1
newmtl pictured
Kd 1 1 1
map_Kd -s 1 2 1 -o 0 0.5 0 -clamp on p.png
map_Pr p.png
map_Pm p.png
norm -bm 0.5 p.png
Ke 0 0.5 1
Ns 30
d 0.5
"""
SHINY_MTL = b"""# exported
newmtl pictured
Ka 0 0 0
Ks 1 1 1
illum 2
Ns 10
bump -bm 2 -blendu off p.png
map_Ke .\\p.png
newmtl red one
map_Kd p.png
map_Bump p.png
"""
PLY = b"""ply
format ascii 1.0
comment TextureFile p.png
element vertex 4
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
property float s
property float t
element face 2
property list uchar int vertex_indices
property list uchar float texcoord
element edge 0
property int a
end_header
0 0 0 255 0 0 0 0
1 0 0 255 0 0 1 0
1 1 0 255 0 0 1 1
0 1 0 255 0 9 0 1
4 0 1 2 3 8 0 0 1 0 1 1 0 1
3 0 1 2 6 0 0 1 0 1 1
"""
STRIPS = b"""ply
format ascii 1.0
element vertex 4
property double x
property double y
property double z
property uchar red
property uchar green
property uchar blue
property uchar alpha
element tristrips 2
property list int int vertex_indices
end_header
0 0 0 255 0 0 9
1 0 0 255 0 0 255
1 1 0 255 0 0 128
0 1 0 255 0 9 0
8 0 1 2 3 -1 2 1 0
3 3 2 1
"""
# Two columns from the right, each with an old run.
HDR = (
    b"#?RGBE\n# by hand\nFORMAT=32-bit_rle_rgbe\nEXPOSURE= 2.0\nCOLORCORR= 1 1 0.5\n\n-X 2 +Y 4\n"
    b"\x80\x40\x20\x81\1\1\1\3\x80\x80\x80\x7f\x81\x80\x80\x80\1\1\1\2"
)


class Target(NamedTuple):
    """file: what the input is called. run: what reads it."""

    file: str
    run: object


def _asset(path):
    """Read, looked through, drawn together, and what could be read can be written and read again."""
    asset = load_asset(path, limits=LIMITS)
    for image in asset.images:
        image.pixels()
    "\n".join([*described_asset(asset), *faults(asset), *oddities(asset)]).encode()
    packing = Packing()
    json.dumps(json_of_asset(asset, packing), allow_nan=False, ensure_ascii=False).encode()
    if asset.cameras:
        with contextlib.suppress(InputError):
            asset.views()
    return asset.mesh(limits=LIMITS)


def _obj(path):
    load_obj(path, limits=LIMITS)
    with contextlib.suppress(InputError):  # whose rules are others
        read_obj(path)
    return _asset(path)


TARGETS = {
    "obj": Target("a.obj", _obj),
    "mtl": Target("m.mtl", lambda path: load_obj(path.with_name("sound.obj"), limits=LIMITS)),
    "ply": Target("a.ply", lambda path: load_ply(path, limits=LIMITS)),
    "stl": Target("a.stl", lambda path: load_stl(path, limits=LIMITS)),
    "gltf": Target("a.gltf", _asset),
    "glb": Target("a.glb", _asset),
    "light": Target("a.hdr", lambda path: load_image(path, max_pixels=LIMITS.max_pixels)),
    "image": Target("a.png", lambda path: load_image(path, max_pixels=LIMITS.max_pixels)),
    **{name: Target(file, lambda path: read_cameras(path, LIMITS)) for name, file in CAMERA_FILES.items()},
}


def seeds(folder):
    """The sound files by target; what they refer to is left in `folder`."""
    cube, triangle = shapes.cube(), Mesh(SQUARE, [[0, 1, 2]], vertex_colors=SQUARE)
    save_image(folder / "p.png", np.random.default_rng(0).random((3, 2, 3)))
    (folder / "sound.obj").write_bytes(OBJ)
    (folder / "m.mtl").write_bytes(MTL)
    for form in ("ascii", "binary_little_endian", "binary_big_endian"):
        save_ply(folder / f"{form}.ply", triangle, form=form)
    binary = (folder / "binary_little_endian.ply").read_bytes()
    mixed = binary.replace(b"element face 1", b"element face 2") + b"\4" + np.array([0, 1, 2, 3], "<i4").tobytes()
    save_stl(folder / "text.stl", triangle, text=True)
    save_stl(folder / "binary.stl", triangle)
    save_obj(folder / "cube.obj", cube)
    write_gltf(folder / "rich.glb", rich_asset())
    write_gltf(folder / "rich.gltf", rich_asset())
    light = np.exp(np.random.default_rng(1).normal(size=(3, 9, 3)))
    light[1] = 0.25
    for name in ("runs.hdr", "floats.pfm"):
        save_image(folder / name, light)
    save_image(folder / "flat.hdr", light[:, :7])
    Image.new("RGB", (4, 4), (9, 8, 7)).save(folder / "a.jpg")
    Image.new("P", (4, 4), 3).save(folder / "p8.png")
    Image.new("I;16", (4, 4), 999).save(folder / "grey.png")

    def of(*names):
        return [(folder / name).read_bytes() for name in names]

    return {
        "obj": [OBJ, *of("cube.obj")],
        "mtl": [MTL, SHINY_MTL],
        "ply": [PLY, STRIPS, mixed, *of("ascii.ply", "binary_little_endian.ply", "binary_big_endian.ply")],
        "stl": of("text.stl", "binary.stl"),
        "gltf": [json.dumps(awkward_gltf()).encode(), *of("rich.gltf")],
        "glb": [*of("rich.glb"), _as_glb(awkward_gltf())],
        "light": [HDR, *of("runs.hdr", "flat.hdr", "floats.pfm")],
        "image": of("p.png", "a.jpg", "p8.png", "grey.png"),
        **camera_seeds(folder),
    }


def _as_glb(root):
    """With the first of its buffers as the binary chunk."""
    chunk = base64.b64decode(root["buffers"][0].pop("uri").partition(",")[2])
    return join_glb(json.dumps(root).encode(), chunk)


def read(target, data, folder):
    """Whether the input was read rather than refused. Anything but InputError escapes, warnings too."""
    path = folder / TARGETS[target].file
    path.write_bytes(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            TARGETS[target].run(path)
    except InputError:
        return False
    return True
