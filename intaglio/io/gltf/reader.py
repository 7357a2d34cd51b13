# SPDX-License-Identifier: MIT
"""glTF in: an asset whose every reference leads somewhere, and whose nodes are trees."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..asset import Animation, Asset, AssetCamera, Channel, Node, SceneRoots, Skin
from ..limits import Limits, Total
from .accessors import Buffers
from .container import read_container
from .fields import Fields
from .geometry import read_geometry
from .materials import STRENGTH, TRANSFORM, UNLIT, described, read_image, read_material, read_texture

__all__ = ["KNOWN_EXTENSIONS", "read_gltf"]

# Those whose meaning is kept; KHR_mesh_quantization only allows more types of numbers, which are read anyway.
KNOWN_EXTENSIONS = (TRANSFORM, UNLIT, STRENGTH, "KHR_mesh_quantization")
INTERPOLATIONS = ("LINEAR", "STEP", "CUBICSPLINE")
PATHS = {"translation": 3, "rotation": 4, "scale": 3, "weights": 0}
ANGLE, LENGTH = 3.1416, 1e30


def read_gltf(path: str | Path, *, limits: Limits | None = None) -> Asset:
    """Everything in a .gltf or .glb file.

    Raises:
        InputError: a file is missing, damaged, too large, refers to what does not exist, or needs an extension that is
            not known here.
    """
    path, limits = Path(path), limits or Limits()
    root, chunk, size = read_container(path, limits)
    head = root.object("asset")
    if head is None or not head.text("version").startswith("2."):
        root.fail("is no glTF 2.0: asset.version must be 2.0", remedy="convert it")
    if (least := head.text("minVersion", "2.0")) != "2.0":
        root.fail(f"needs glTF {least[:20]}", remedy="export it as 2.0")
    required = root.texts("extensionsRequired")
    for name in required:
        if name not in KNOWN_EXTENSIONS:
            root.fail(f"needs the extension {name[:60]!r}", remedy="export it without, such as without compression")
    buffers = Buffers(root, chunk, size, limits)
    lists = {key: root.objects(key) for key in ("nodes", "meshes", "materials", "textures", "images", "skins",
                                                "cameras", "animations", "scenes", "samplers")}  # fmt: skip
    num = {key: len(found) for key, found in lists.items()}
    textures = tuple(read_texture(texture, lists["samplers"], num["images"]) for texture in lists["textures"])
    seen = {texture.image for texture in textures}
    total = Total(path, limits)
    heads: dict[bytes, tuple[int, int, str]] = {}  # of pictures
    sound = set[int]()  # accessors of times that were looked through
    asset = Asset(
        nodes=tuple(_read_node(node, num) for node in lists["nodes"]),
        geometries=tuple(read_geometry(mesh, buffers, num["materials"], total) for mesh in lists["meshes"]),
        materials=tuple(read_material(material, num["textures"]) for material in lists["materials"]),
        textures=textures,
        images=tuple(read_image(image, buffers, heads, is_seen=k in seen) for k, image in enumerate(lists["images"])),
        skins=tuple(_read_skin(skin, buffers, num["nodes"]) for skin in lists["skins"]),
        cameras=tuple(_read_camera(camera) for camera in lists["cameras"]),
        animations=tuple(_read_animation(animation, buffers, num["nodes"], sound) for animation in lists["animations"]),
        scenes=tuple(SceneRoots(nodes=s.places("nodes", num["nodes"]), **described(s)) for s in lists["scenes"]),
        scene=root.place("scene", num["scenes"]),
        extensions_used=root.texts("extensionsUsed"),
        extensions_required=required,
        copyright=head.text("copyright"),
        generator=head.text("generator"),
        **(described(root, asset=head) | {"name": path.name}),
    )
    _check_trees(asset, lists)
    _check_fit(asset, lists)
    return asset


def _read_node(fields: Fields, num: dict[str, int]) -> Node:
    matrix = fields.numbers("matrix", 16)
    return Node(
        children=fields.places("children", num["nodes"]),
        matrix=np.array(matrix).reshape(4, 4).T if matrix else None,
        translation=fields.numbers("translation", 3, (0.0, 0.0, 0.0)),
        rotation=fields.numbers("rotation", 4, (0.0, 0.0, 0.0, 1.0), -1.01, 1.01),
        scale=fields.numbers("scale", 3, (1.0, 1.0, 1.0)),
        geometry=fields.place("mesh", num["meshes"]),
        skin=fields.place("skin", num["skins"]),
        camera=fields.place("camera", num["cameras"]),
        weights=fields.numbers("weights", None),
        **described(fields),
    )


def _read_skin(fields: Fields, buffers: Buffers, num_nodes: int) -> Skin:
    joints = fields.places("joints", num_nodes)
    if not joints:
        fields.fail("has no joints")
    inverse_bind = None
    index = fields.place("inverseBindMatrices", len(buffers.accessors))
    if index is not None:
        values = buffers.decode(index)
        if values.shape[1] != 16 or values.dtype != np.float32 or len(values) < len(joints):
            fields.fail(f"inverseBindMatrices must be {len(joints)} matrices of floats; got {list(values.shape)}")
        inverse_bind = values[: len(joints)].reshape(-1, 4, 4).transpose(0, 2, 1)
    skeleton = fields.place("skeleton", num_nodes)
    return Skin(joints=joints, inverse_bind=inverse_bind, skeleton=skeleton, **described(fields))


def _read_camera(fields: Fields) -> AssetCamera:
    kind = fields.choice("type", ("perspective", "orthographic"))
    lens = fields.object(str(kind))
    if lens is None:
        fields.fail("must have a type, and an object of that name")
    far = lens.number("zfar", low=0, high=LENGTH) if "zfar" in lens.raw else None
    near = lens.number("znear", low=0, high=LENGTH)
    if far is not None and far <= near:
        lens.fail(f"zfar must be beyond znear, {near:g}; got {far:g}")
    if kind == "perspective":
        aspect = lens.number("aspectRatio", low=1e-6, high=1e6) if "aspectRatio" in lens.raw else None
        fov_y = lens.number("yfov", low=1e-6, high=ANGLE)
        return AssetCamera(fov_y=fov_y, aspect=aspect, near=near, far=far, **described(fields, perspective=lens))
    x_half, y_half = (lens.number(key, low=-LENGTH, high=LENGTH) for key in ("xmag", "ymag"))
    return AssetCamera(x_half=x_half, y_half=y_half, near=near, far=far, **described(fields, orthographic=lens))


def _read_animation(fields: Fields, buffers: Buffers, num_nodes: int, sound: set[int]) -> Animation:
    samplers = fields.objects("samplers")
    channels = []
    for channel in fields.objects("channels"):
        target = channel.object("target")
        if target is None or "path" not in target.raw:
            channel.fail("has no target with a path")
        path = target.text("path")
        if path not in PATHS and path != "pointer":
            target.fail(f"path must be one of {', '.join(PATHS)}; got {path[:60]!r}")
        if path == "pointer":
            continue  # KHR_animation_pointer, which is optional
        sampler = samplers[channel.whole("sampler", below=len(samplers))]
        inputs, output = (sampler.whole(key, below=len(buffers.accessors)) for key in ("input", "output"))
        times, values = buffers.decode(inputs), buffers.decode(output)
        interpolation = sampler.choice("interpolation", INTERPOLATIONS, "LINEAR")
        if inputs not in sound:
            _check_times(sampler, times)
            sound.add(inputs)
        _check_values(sampler, len(times), values, path, interpolation)
        node, moved = target.place("node", num_nodes), buffers.converted(output, "f4")
        about = described(channel, target=target, sampler=sampler)
        channels.append(Channel(node, path, times[:, 0], moved, interpolation, **about))
    return Animation(channels=tuple(channels), **described(fields))


def _check_times(sampler: Fields, times: np.ndarray) -> None:
    if times.shape[1] != 1 or times.dtype != np.float32 or (np.diff(times[:, 0]) <= 0).any() or times[0, 0] < 0:
        sampler.fail("input must hold times as floats, from 0 on and rising")


def _check_values(sampler: Fields, num_times: int, values: np.ndarray, path: str, interpolation: str) -> None:
    rows = num_times * (3 if interpolation == "CUBICSPLINE" else 1)
    width = PATHS[path] or 1
    if values.shape[1] != width or (len(values) % rows if path == "weights" else len(values) != rows):
        sampler.fail(f"output must hold {rows} values of {width} for a {path}; got {list(values.shape)}")


def _check_trees(asset: Asset, lists: dict[str, list[Fields]]) -> None:
    """Every node has at most one parent, and none is above itself."""
    parent: dict[int, int] = {}
    for k, node in enumerate(asset.nodes):
        for child in node.children:
            if child in parent:
                lists["nodes"][k].fail(f"is the second parent of node {child}")
            parent[child] = k
    rooted = {k for k in range(len(asset.nodes)) if k not in parent}
    ahead = list(rooted)
    while ahead:
        children = asset.nodes[ahead.pop()].children
        rooted |= set(children)
        ahead += children
    if len(rooted) < len(asset.nodes):
        circle = min(set(range(len(asset.nodes))) - rooted)
        lists["nodes"][circle].fail("stands below itself")
    for scene, fields in zip(asset.scenes, lists["scenes"], strict=True):
        below = [node for node in scene.nodes if node in parent]
        if below:
            fields.fail(f"begins with node {below[0]}, which has a parent")


def _check_fit(asset: Asset, lists: dict[str, list[Fields]]) -> None:
    """Joints that vertices name exist in the skins they are bent by; weights are as many as morph targets.

    What thousands of nodes show is looked at once.
    """
    shown: dict[tuple[int, int, int | None], Fields] = {}
    for node, fields in zip(asset.nodes, lists["nodes"], strict=True):
        if node.geometry is not None:
            shown.setdefault((node.geometry, len(node.weights), node.skin), fields)
    largest: dict[int, int] = {}
    for (geometry, num_weights, skin), fields in shown.items():
        primitives = asset.geometries[geometry].primitives
        if num_weights and num_weights != len(primitives[0].targets):
            fields.fail(f"has {num_weights} weights for {len(primitives[0].targets)} morph targets")
        if skin is None:
            continue
        num_joints = len(asset.skins[skin].joints)
        for name, joints in (item for p in primitives for item in p.attributes.items()):
            if not name.startswith("JOINTS"):
                continue
            if id(joints) not in largest:  # the arrays stay as long as the asset
                largest[id(joints)] = int(joints.max())
            if largest[id(joints)] >= num_joints:
                fields.fail(f"{name} names joint {largest[id(joints)]} of {num_joints}, from 0")
