# SPDX-License-Identifier: MIT
"""The Khronos glTF validator over what the writer writes. It needs Node: `make validate-gltf`."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from assets import rich_asset, write_awkward

from intaglio import Material, load, load_asset, save, shapes
from intaglio.io.asset import Geometry
from intaglio.mesh import Mesh

SCRIPT = Path(__file__).parent / "validator.js"


def of_mesh(mesh):
    return lambda folder: mesh


def textured():
    rng = np.random.default_rng(0)
    sphere = shapes.sphere(16, 9)
    return sphere.replace(texture=rng.random((8, 8, 3)), vertex_colors=rng.random((len(sphere.vertices), 3)))


def painted():
    cube = shapes.cube()
    return Mesh(cube.vertices, cube.triangles, face_textures=np.random.default_rng(0).random((12, 2, 2, 2, 3)))


def shining():
    rng = np.random.default_rng(0)
    maps = {"metallic_roughness": 2, "normal": 3, "occlusion": 1, "emissive": 3}
    textures = {f"{name}_texture": rng.random((8, 8, channels)) for name, channels in maps.items()}
    return textured().replace(material=Material(alpha_mode="blend", base_color=(1, 1, 1, 0.5), **textures))


def read_again(folder):
    save(folder / "first.glb", rich_asset())
    return load_asset(folder / "first.glb")


def without_tangents(folder):
    save(folder / "first.glb", shining())
    asset = load_asset(folder / "first.glb")
    (part,) = asset.geometries[0].primitives
    bare = {name: values for name, values in part.attributes.items() if name not in ("TANGENT", "NORMAL")}
    return replace(asset, geometries=(Geometry((replace(part, attributes=bare),)),))


THINGS = {
    "teapot": of_mesh(shapes.teapot()),
    "textured": of_mesh(textured()),
    "shining": of_mesh(shining()),
    "painted": of_mesh(painted()),
    "rich": lambda folder: rich_asset(),
    "read again": read_again,
    "without tangents": without_tangents,
    "awkward": lambda folder: load_asset(write_awkward(folder / "awkward.gltf")),
    "packed": lambda folder: load(write_awkward(folder / "awkward.gltf")),
}


@pytest.mark.parametrize("ending", ["glb", "gltf"])
@pytest.mark.parametrize("name", THINGS)
def test_the_validator_finds_nothing(tmp_path, name, ending):
    save(tmp_path / f"thing.{ending}", THINGS[name](tmp_path))
    assert issues(tmp_path / f"thing.{ending}") == []


def test_the_awkward_file_is_right_too(tmp_path):
    assert issues(write_awkward(tmp_path / "a.gltf")) == []


def test_the_validator_finds_what_is_wrong(tmp_path):
    def change(root):
        del root["accessors"][0]["min"]

    assert len(issues(write_awkward(tmp_path / "a.gltf", change))) == 1


def issues(path):
    """Errors and warnings; infos and hints are the asset's own business."""
    run = subprocess.run(["node", str(SCRIPT), str(path)], capture_output=True, text=True, check=True)
    return [message for message in json.loads(run.stdout)["issues"]["messages"] if message["severity"] <= 1]
