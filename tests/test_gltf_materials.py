# SPDX-License-Identifier: MIT
"""Materials of files in meshes: written and read, and those of several parts in one."""

import dataclasses

import numpy as np
import pytest
from assets import CORNERS, SQUARE, SQUARE_UV, picture

from intaglio import Camera, Material, Unlit, load, load_asset, render, save, shapes
from intaglio.io.asset import Asset, AssetMaterial, Geometry, Node, Primitive, Texture, TextureUse


def bytes_as_floats(channels, seed, size=8):
    return (np.random.default_rng(seed).integers(0, 256, (size, size, channels)) / 255).astype(np.float32)


def round_trip(tmp_path, mesh):
    save(tmp_path / "mesh.glb", mesh)
    return load(tmp_path / "mesh.glb")


def test_a_material_and_its_maps_survive_writing_and_reading(tmp_path):
    maps = {
        "metallic_roughness_texture": bytes_as_floats(2, 1),
        "normal_texture": bytes_as_floats(3, 2),
        "occlusion_texture": bytes_as_floats(1, 3, size=4),
    }
    material = Material(base_color=(0.5, 0.25, 1.0, 0.5), alpha_mode="mask", alpha_cutoff=0.25, **maps)
    mesh = shapes.sphere(8, 6).replace(material=material, texture=bytes_as_floats(4, 0))
    found = round_trip(tmp_path, mesh)
    assert found.material.alpha_mode == "mask"
    assert found.material.alpha_cutoff == 0.25
    for name, texels in maps.items():
        assert getattr(found.material, name) == pytest.approx(texels, abs=1e-6)
    assert found.texture[..., 3] == pytest.approx(mesh.texture[..., 3] / 2, abs=1e-6)
    # Eight bits of sRGB: half a step is at most 0.5 / 255 * the slope of the curve, 2.3 at white.
    expected = mesh.texture[..., :3] * np.float32([0.5, 0.25, 1.0])
    assert found.texture[..., :3] == pytest.approx(expected, abs=0.5 / 255 * 2.3)


@pytest.mark.parametrize(
    "material",
    [
        None,
        Unlit(),
        Material(metallic=0.25, roughness=0.5),
        Material(metallic=1.0, roughness=1.0),
        Material(metallic=0.0, emissive=(0.5, 0.25, 1.0)),
    ],
)
def test_numbers_stay_numbers(tmp_path, material):
    found = round_trip(tmp_path, shapes.cube().replace(material=material)).material
    assert type(found) is type(material)
    if isinstance(material, Material):
        assert dataclasses.asdict(found) == dataclasses.asdict(material)


def two_squares(*materials, images=()):
    primitives = tuple(
        Primitive({"POSITION": SQUARE + np.float32([0, 0, k]), "TEXCOORD_0": SQUARE_UV}, CORNERS, material=k)
        for k in range(len(materials))
    )
    return Asset(
        nodes=(Node(geometry=0),),
        geometries=(Geometry(primitives=primitives),),
        materials=materials,
        textures=tuple(Texture(image=k) for k in range(len(images))),
        images=images,
    ).mesh()


def texel_at(mesh, texture, face):
    """The texel under the middle of a face."""
    triangles = mesh.uv_triangles
    column, row = mesh.uv[triangles[face]].mean(axis=0) * texture.shape[1::-1]
    return texture[int(row), int(column)].tolist()


def test_what_two_materials_differ_in_becomes_a_map_and_the_rest_stays_a_number():
    mesh = two_squares(AssetMaterial(metallic=1.0, roughness=0.25), AssetMaterial(metallic=0.0, roughness=0.25))
    rough = mesh.material.metallic_roughness_texture
    assert texel_at(mesh, rough, 0) == [0.25, 1.0]
    assert texel_at(mesh, rough, 2) == [0.25, 0.0]
    assert (mesh.material.roughness, mesh.material.metallic) == (1.0, 1.0)
    assert mesh.material.normal_texture is None
    assert two_squares(AssetMaterial(roughness=0.25), AssetMaterial(roughness=0.25)).material.roughness == 0.25


def test_maps_of_several_materials_lie_where_their_colours_lie():
    images = (picture([255, 0, 0], [0, 0, 255]), picture([0, 51, 102], [0, 153, 204], [0, 51, 255]))
    first = AssetMaterial(base_color_texture=TextureUse(0), metallic_roughness_texture=TextureUse(1), roughness=0.5)
    mesh = two_squares(first, AssetMaterial(metallic=0.0, unlit=True), images=images)
    rough = mesh.material.metallic_roughness_texture
    assert rough.shape[:2] == mesh.texture.shape[:2]
    assert texel_at(mesh, rough, 2) == [1.0, 0.0]
    assert texel_at(mesh, mesh.texture, 2) == [1.0, 1.0, 1.0]
    assert texel_at(mesh, rough, 0)[0] <= 0.5


def test_alpha_is_that_of_each_material():
    mesh = two_squares(
        AssetMaterial(base_color=(1.0, 1.0, 1.0, 0.5), alpha_mode="BLEND"),
        AssetMaterial(base_color=(1.0, 1.0, 1.0, 0.5)),
    )
    assert mesh.material.alpha_mode == "blend"
    assert texel_at(mesh, mesh.texture, 0)[3] == 0.5
    assert texel_at(mesh, mesh.texture, 2)[3] == 1.0


def test_normals_and_tangents_survive_writing_and_reading(tmp_path):
    sphere = shapes.sphere(8, 6)
    normals = sphere.vertices / np.linalg.norm(sphere.vertices, axis=-1, keepdims=True)
    tangents = np.concatenate([np.roll(normals, 1, axis=-1), np.ones((len(normals), 1))], axis=-1)
    found = round_trip(tmp_path, sphere.replace(normals=normals, tangents=tangents))
    for field, expected in (("normal", normals), ("tangent", tangents)):
        values, triangles = getattr(found, f"{field}s"), getattr(found, f"{field}_triangles")
        # Corners keep their order; float32 of numbers up to 1.
        assert values[triangles] == pytest.approx(expected[sphere.triangles], abs=1e-6)
    assert len(found.vertices) == len(sphere.vertices)
    assert round_trip(tmp_path, sphere).normals is None


def test_a_normal_map_is_written_with_the_tangents_that_it_is_drawn_with(tmp_path):
    mesh = shapes.sphere(16, 12).replace(material=Material(normal_texture=bytes_as_floats(3, 2)))
    found = round_trip(tmp_path, mesh)
    camera = Camera.look_at((0.3, 0.5, 3))
    before, after = (render(x, camera, (48, 48), visibility=None).normals for x in (mesh, found))
    # Eight bits leave the map as it is; the rest is float32 in frames of length 1.
    assert np.abs(before - after).max() < 1e-4


def test_normals_turn_with_their_node_and_stay_upright_on_what_is_stretched():
    slope = np.float32([[0, 1, 1]] * 4) / np.float32(np.sqrt(2))
    square = Primitive({"POSITION": SQUARE, "NORMAL": slope}, CORNERS)
    for scale, expected in (((1.0, 2.0, 1.0), [0, 1, 2]), ((1.0, -1.0, 1.0), [0, -1, 1])):
        asset = Asset(nodes=(Node(geometry=0, scale=scale),), geometries=(Geometry(primitives=(square,)),))
        assert asset.mesh().normals[0] == pytest.approx(np.array(expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("has_normals", [True, False])
def test_what_a_normal_map_covers_is_written_with_tangents(tmp_path, has_normals):
    sphere = shapes.sphere(16, 12)
    source = shapes.sphere(16, 12).replace(
        material=Material(normal_texture=bytes_as_floats(3, 2)), normals=sphere.vertex_normals()
    )
    save(tmp_path / "source.glb", source)
    given = load_asset(tmp_path / "source.glb")
    lacking = {"TANGENT"} if has_normals else {"TANGENT", "NORMAL"}
    (part,) = given.geometries[0].primitives
    bare = dataclasses.replace(part, attributes={n: x for n, x in part.attributes.items() if n not in lacking})
    save(tmp_path / "bare.glb", dataclasses.replace(given, geometries=(Geometry((bare,)),)))
    (found,) = load_asset(tmp_path / "bare.glb").geometries[0].primitives
    tangent, normal = found.attributes["TANGENT"], found.attributes["NORMAL"]
    # float32 of unit vectors at right angles, their sign apart.
    np.testing.assert_allclose(np.linalg.norm(tangent[:, :3], axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose((tangent[:, :3] * normal).sum(axis=-1), 0, atol=1e-6)
    assert set(np.abs(tangent[:, 3])) == {1.0}
    corners, before = (p.attributes["POSITION"][p.indices] for p in (found, part))
    np.testing.assert_array_equal(corners, before)
    if has_normals:
        again, first = (p.attributes["TANGENT"][p.indices] for p in (found, part))
        np.testing.assert_allclose(again, first, atol=1e-5)  # of a sphere in float32 and in float64


def test_the_first_of_several_tangents_stays_with_its_vertex(tmp_path):
    uv = np.float32([[0, 0], [1, 0], [1, 1], [1, 0]])  # the second face sees the picture mirrored
    flat = {"POSITION": SQUARE, "NORMAL": np.float32([[0, 0, 1]] * 4), "TEXCOORD_0": uv}
    bumpy = AssetMaterial(normal_texture=TextureUse(0))
    asset = Asset(
        nodes=(Node(geometry=0),),
        geometries=(Geometry(primitives=(Primitive(flat, CORNERS, material=0),)),),
        materials=(bumpy,),
        textures=(Texture(0),),
        images=(picture((0.5, 0.5, 1.0)),),
    )
    save(tmp_path / "a.glb", asset)
    (found,) = load_asset(tmp_path / "a.glb").geometries[0].primitives
    assert found.attributes["POSITION"][:4].tolist() == SQUARE.tolist()
    assert found.attributes["POSITION"][found.indices].tolist() == SQUARE[CORNERS].tolist()
    assert found.attributes["TANGENT"][found.indices, 3].tolist() == [-1] * 3 + [1] * 3
