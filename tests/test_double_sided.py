# SPDX-License-Identifier: MIT
"""Meshes of one side: whatever draws them leaves out the triangles that are seen from behind."""

import copy
import json
import pickle
import re
from dataclasses import replace

import jax
import numpy as np
import pytest
import torch
from assets import CORNERS, SQUARE
from reference import scenes

from intaglio import (
    AmbientLight,
    Camera,
    Material,
    Mesh,
    Unlit,
    bake_texture,
    compare_silhouette,
    compare_textured,
    load,
    load_asset,
    orbit,
    pack,
    render,
    render_normals,
    render_silhouette,
    save,
    shapes,
    visible_triangles,
)
from intaglio.fit import fit_texture
from intaglio.io.asset import Asset, AssetMaterial, Geometry, Node, Primitive

SIZE = (24, 32)
VISIBILITIES = ("edge", "antialias", "sweep", "soft", None)
FRONT, BACK = (Camera.look_at((0, 0, z)) for z in (2.5, -2.5))
OPTIONS = [
    *({"visibility": visibility} for visibility in VISIBILITIES),
    {"visibility": "edge", "supersample": 2, "shading": "smooth", "background": (0.1, 0.2, 0.3)},
    {"visibility": "edge", "layers": 4},
]


def sheet(**changes):
    """A square that faces +z, with uv and a texture."""
    grid = scenes.grid(3)
    uv = (grid.vertices[:, :2] + 1) / 2
    texture = np.random.default_rng(0).uniform(0.2, 1, (8, 8, 3))
    return Mesh(grid.vertices, grid.triangles, **{"uv": uv, "texture": texture, "double_sided": False} | changes)


def bowl(double_sided=False):
    """Two thirds of a sphere, glassy, so open that fronts are seen and backs, before one another."""
    ball = scenes.icosphere(2)
    kept = ball.triangles[ball.vertices[ball.triangles].mean(axis=1)[:, 1] < 0.3]
    colors = np.random.default_rng(1).uniform(0.3, 1, (len(ball.vertices), 4))
    surface = {"normals": ball.vertices, "material": Unlit(alpha_mode="blend"), "double_sided": double_sided}
    return Mesh(ball.vertices, kept, vertex_colors=colors, **surface)


ABOVE = Camera.look_at((0.4, 1.6, 2.6), fov_y_degrees=50)


def fronts_of(mesh, camera):
    """The mesh of the triangles that run counter-clockwise on the screen (Olano, Greer 1997, section 2), and those."""
    corners = camera.clip(mesh.vertices, SIZE)[0][mesh.triangles]
    is_front = np.linalg.det(corners[..., [0, 1, 3]]) > 0
    assert 10 < is_front.sum() < len(is_front) - 10
    return mesh.replace(triangles=mesh.triangles[is_front], double_sided=True), np.flatnonzero(is_front)


def brightness_and_gradient(mesh, camera, draw):
    vertices = torch.tensor(mesh.vertices, requires_grad=True)
    found = draw(mesh.replace(vertices=vertices), camera, SIZE)
    picture = found.color if hasattr(found, "color") else found
    weights = torch.from_numpy(np.random.default_rng(4).uniform(0.5, 1.5, tuple(picture.shape)))
    if picture.requires_grad:
        (weights * picture**2).sum().backward()
    return picture.detach().numpy(), np.zeros(1) if vertices.grad is None else vertices.grad.numpy()


# --- a mesh keeps it


def test_both_sides_are_drawn_unless_said_otherwise():
    mesh = Mesh(SQUARE, CORNERS.reshape(-1, 3))
    assert mesh.double_sided
    assert repr(mesh) == "Mesh(4 vertices, 2 triangles, numpy)"
    assert repr(mesh.replace(double_sided=False)) == "Mesh(4 vertices, 2 triangles, numpy, single-sided)"


@pytest.mark.parametrize("double_sided", [False, True])
def test_what_is_made_of_a_mesh_has_as_many_sides(double_sided):
    mesh = sheet(double_sided=double_sided)
    made = [
        mesh.replace(vertices=2 * mesh.vertices),
        mesh.replace(triangles=mesh.triangles[:4]),
        mesh.normalized(),
        mesh.to("torch"),
        copy.copy(mesh),
        copy.deepcopy(mesh),
        pickle.loads(pickle.dumps(mesh)),
        jax.tree_util.tree_map(lambda x: x, mesh.to("jax")),
        next(fit_texture(mesh, np.zeros((4, 4, 3)), [FRONT])).mesh,
    ]
    assert [other.double_sided for other in made] == [double_sided] * len(made)


def test_another_number_of_sides_keeps_the_tables():
    mesh = sheet()
    table = mesh.neighbours
    both = mesh.replace(double_sided=True)
    assert (mesh.double_sided, both.double_sided) == (False, True)
    assert both.neighbours is table
    assert both.vertices is mesh.vertices


@pytest.mark.parametrize("wrong", [1, None, "back", np.True_])
def test_it_is_true_or_false(wrong):
    message = f"^{re.escape(f'Mesh: double_sided must be True or False; got {wrong!r}')}$"
    with pytest.raises(ValueError, match=message):
        Mesh(SQUARE, CORNERS.reshape(-1, 3), double_sided=wrong)
    with pytest.raises(ValueError, match=message):
        sheet().replace(double_sided=wrong)


# --- what is drawn


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options.values())))
def test_the_front_alone_is_drawn(options):
    """As if no other triangles were there, gradients included."""
    mesh = bowl()
    fronts, places = fronts_of(mesh, ABOVE)
    got, expected = (render(x, ABOVE, SIZE, **options) for x in (mesh, fronts))
    both_sides = render(bowl(double_sided=True), ABOVE, SIZE, **options)
    assert (both_sides.color != expected.color).any()
    for name in ("color", "alpha", "depth", "normals"):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name))
    ids = expected.triangle_id
    np.testing.assert_array_equal(got.triangle_id, np.where(ids >= 0, places[ids], ids))
    found, wanted = (brightness_and_gradient(x, ABOVE, lambda *seen: render(*seen, **options)) for x in (mesh, fronts))
    # Sums of some hundred terms of either sign, in another order.
    np.testing.assert_allclose(found[1], wanted[1], rtol=0, atol=1e-10 * np.abs(wanted[1]).max())


@pytest.mark.parametrize("visibility", VISIBILITIES)
def test_the_silhouette_is_that_of_the_front_alone(visibility):
    mesh = bowl()
    fronts, _ = fronts_of(mesh, ABOVE)

    def draw(*seen):
        return render_silhouette(*seen, visibility=visibility, supersample=2)

    got, expected = (brightness_and_gradient(x, ABOVE, draw) for x in (mesh, fronts))
    np.testing.assert_array_equal(got[0], expected[0])
    assert (draw(mesh.replace(double_sided=True), ABOVE, SIZE) != expected[0]).any()
    np.testing.assert_allclose(got[1], expected[1], rtol=0, atol=1e-10 * np.abs(expected[1]).max())
    if visibility == "edge":
        target = np.random.default_rng(2).uniform(size=SIZE)
        errors = [compare_silhouette(x, ABOVE, target, supersample=2)[0] for x in (mesh, fronts)]
        assert errors[0] == pytest.approx(errors[1])
        assert errors[0] == pytest.approx(((expected[0] - target) ** 2).sum())


@pytest.mark.parametrize("visibility", ["edge", "antialias", "sweep", None])
def test_a_closed_mesh_looks_the_same(visibility):
    """Bit for bit. (A soft picture shows a little of what is behind.)"""
    both_sides = shapes.torus()
    one_side = both_sides.replace(double_sided=False)

    def draw(*seen):
        return render(*seen, visibility=visibility, background=(0.1, 0.2, 0.3))

    for got, expected in zip(draw(one_side, ABOVE, SIZE), draw(both_sides, ABOVE, SIZE), strict=True):
        np.testing.assert_array_equal(got, expected)
    got, expected = (brightness_and_gradient(mesh, ABOVE, draw)[1] for mesh in (one_side, both_sides))
    np.testing.assert_array_equal(got, expected)


EYES = {
    "perspective": lambda z: Camera.look_at((0, 0, z)),
    "orthographic": lambda z: Camera.orthographic((0, 0, z)),
    "opencv": lambda z: Camera.opencv([[30.0, 0, 15.5], [0, 30, 11.5], [0, 0, 1]], *behind_or_before(z), SIZE),
    "matrix": lambda z: Camera.from_matrix(
        FRONT.projection.clip_from_view(SIZE) @ EYES["perspective"](z).view_from_world
    ),
    "fisheye": lambda z: Camera.fisheye([[12.0, 0, 15.5], [0, 12, 11.5], [0, 0, 1]], *behind_or_before(z), SIZE),
    "panorama": lambda z: Camera.panorama((0, 0, z)),
}


def behind_or_before(z):
    """R and t of a camera at (0, 0, z) that looks at the origin: y down, z forward."""
    return np.diag([np.sign(z), -1.0, -np.sign(z)]), [0.0, 0, abs(z)]


@pytest.mark.parametrize("name", EYES)
def test_a_sheet_shows_nothing_from_behind(name):
    front, back = (EYES[name](z) for z in (2.0, -2.0))
    for visibility in VISIBILITIES:
        one, both = (render(mesh, front, SIZE, visibility=visibility) for mesh in (sheet(), sheet(double_sided=True)))
        assert one.alpha.max() > 0.9
        for got, expected in zip(one, both, strict=True):
            np.testing.assert_array_equal(got, expected)
        seen, shadow = render(sheet(), back, SIZE, visibility=visibility), render_silhouette(sheet(), back, SIZE)
        assert seen.color.max() == seen.alpha.max() == shadow.max() == 0
        assert seen.triangle_id.max() == -1
    assert compare_silhouette(sheet(), back, np.full(SIZE, 0.5)) == pytest.approx(0.25 * SIZE[0] * SIZE[1])
    assert render_silhouette(sheet(double_sided=True), back, SIZE).max() > 0.9


def test_a_room_is_seen_all_around_by_who_stands_in_it():
    """By way of all six faces of the cube of a camera that looks around; a ball around the eye is not."""
    ball = shapes.icosphere(2)
    ball = ball.replace(double_sided=False)
    room = ball.replace(triangles=ball.triangles[:, ::-1].copy())
    around = Camera.panorama((0.1, 0.2, -0.1))
    np.testing.assert_allclose(render(room, around, SIZE).alpha, 1, rtol=1e-6)
    assert (render(ball, around, SIZE).alpha == 0).all()


def test_normals_and_visible_triangles_are_those_of_the_front():
    assert (render_normals(sheet(), BACK, SIZE) == 0).all()
    assert render_normals(sheet(), FRONT, SIZE)[0, 12, 16].tolist() == [0, 0, 1]
    assert visible_triangles(sheet(), [FRONT, BACK], SIZE).sum(axis=1).tolist() == [18, 0]
    assert visible_triangles(sheet(double_sided=True), BACK, SIZE).all()


def test_a_texture_is_compared_with_the_front_and_baked_onto_it():
    target = np.full((*SIZE, 3), 0.5)
    views = {"lights": (AmbientLight(),), "texture_filter": "trilinear"}
    for camera in (FRONT, BACK):
        expected = ((render(sheet(), camera, SIZE, **views).color - target) ** 2).sum()
        assert compare_textured(sheet(), camera, target)[0] == pytest.approx(expected)
    assert compare_textured(sheet(), BACK, target)[0] == target.size / 4
    photographs = np.ones((2, *SIZE, 3)) * [[[[1, 0, 0]]], [[[0, 0, 1]]]]
    baked = [bake_texture(sheet(double_sided=x), photographs, [FRONT, BACK], size=(8, 8)) for x in (False, True)]
    np.testing.assert_allclose(baked[0].texture, np.broadcast_to([1.0, 0, 0], (8, 8, 3)), atol=1e-12)
    assert (baked[1].texture[..., 2] > 0.4).all()
    assert (bake_texture(sheet(), photographs[1:], BACK, size=(8, 8)).weight == 0).all()


def test_where_a_texture_lies_says_nothing_about_sides():
    mirrored = sheet(uv=sheet().uv * [-1, 1] + [1, 0])
    assert (bake_texture(mirrored, np.ones((*SIZE, 3)), FRONT, size=(8, 8)).weight > 0).all()


# --- packs


def of_both_kinds():
    """Meshes of three looks, of one side and of two: at least two of one look."""
    glass = bowl()
    turned = glass.replace(vertices=0.8 * glass.vertices @ scenes.rotation([1, 0, 0], 2.0).T)
    open_box = Mesh(scenes.cube().vertices * 0.6, scenes.cube().triangles[:8], material=Material(roughness=0.5))
    return [glass, turned.replace(double_sided=True), open_box, turned, open_box.replace(double_sided=False)]


def views(count):
    steps = np.arange(count)
    return Camera.look_at(orbit(3.0 + 0.2 * steps, 25.0 + 10 * steps, 70.0 * steps), fov_y_degrees=50)


def test_a_pack_gives_the_sides_back():
    expected = [mesh.double_sided for mesh in of_both_kinds()]
    packed = pack(of_both_kinds())
    leaves, tree = jax.tree_util.tree_flatten(packed.to("jax"))
    for other in (
        packed,
        packed.to("torch"),
        pickle.loads(pickle.dumps(packed)),
        jax.tree_util.tree_unflatten(tree, leaves),
    ):
        assert [mesh.double_sided for mesh in other] == expected
    assert len(packed.looks) == 4
    assert packed.geometry.double_sided
    singles = [mesh.replace(double_sided=False) for mesh in of_both_kinds()]
    assert not pack(singles).geometry.double_sided
    assert not pack(singles[:1] * 2).geometry.double_sided


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options.values())))
def test_each_of_a_pack_is_drawn_as_alone(options):
    meshes = of_both_kinds()
    own, all_see = views(len(meshes)), views(2)
    each, product = (
        render(pack(meshes), own, SIZE, **options),
        render(pack(meshes), all_see, SIZE, product=True, **options),
    )
    normals = render_normals(pack(meshes), own, SIZE)
    for r, mesh in enumerate(meshes):
        for found, alone in zip(each, render(mesh, own[r], SIZE, **options), strict=True):
            np.testing.assert_array_equal(found[r], alone[0])
        for found, alone in zip(product, render(mesh, all_see, SIZE, **options), strict=True):
            np.testing.assert_array_equal(found[:, r], alone)
        np.testing.assert_array_equal(normals[r], render_normals(mesh, own[r], SIZE)[0])


@pytest.mark.parametrize("visibility", VISIBILITIES)
@pytest.mark.parametrize("are_alike", [False, True])
def test_each_silhouette_of_a_pack_is_that_of_its_mesh_alone(visibility, are_alike):
    meshes = of_both_kinds()
    meshes = [mesh.replace(double_sided=False) for mesh in meshes] if are_alike else meshes
    own, all_see = views(len(meshes)), views(2)
    how = {"visibility": visibility, "supersample": 2}
    each = render_silhouette(pack(meshes), own, SIZE, **how)
    product = render_silhouette(pack(meshes), all_see, SIZE, product=True, **how)
    around = render_silhouette(pack(meshes), Camera.panorama((0, 1.5, 2)), SIZE, **how)
    for r, mesh in enumerate(meshes):
        np.testing.assert_array_equal(each[r], render_silhouette(mesh, own[r], SIZE, **how)[0])
        np.testing.assert_array_equal(product[:, r], render_silhouette(mesh, all_see, SIZE, **how))
        np.testing.assert_array_equal(around[r], render_silhouette(mesh, Camera.panorama((0, 1.5, 2)), SIZE, **how)[0])


@pytest.mark.parametrize("are_alike", [False, True])
def test_each_of_a_pack_is_compared_as_alone(are_alike):
    meshes = of_both_kinds()
    meshes = [mesh.replace(double_sided=False) for mesh in meshes] if are_alike else meshes
    own, all_see, packed = views(len(meshes)), views(2), pack(meshes)
    targets = np.random.default_rng(3).uniform(size=(2, len(meshes), *SIZE))
    each = compare_silhouette(packed, own, targets[0], supersample=2)
    one = compare_silhouette(packed, own[0], targets[0, 0])
    product = compare_silhouette(packed, all_see, targets, product=True)
    shared = compare_silhouette(packed, all_see, targets[0], product=True)
    for r, mesh in enumerate(meshes):
        assert each[r] == compare_silhouette(mesh, own[r], targets[0, r], supersample=2)[0]
        assert one[r] == compare_silhouette(mesh, own[0], targets[0, 0])[0]
        assert (product[:, r] == compare_silhouette(mesh, all_see, targets[:, r])).all()
        assert (shared[:, r] == compare_silhouette(mesh, all_see, targets[0, r])).all()


def test_gradients_through_a_pack_are_those_of_each_mesh_alone():
    meshes, targets = of_both_kinds(), np.random.default_rng(3).uniform(size=(5, *SIZE))
    own = views(len(meshes))

    def losses(mesh, camera, target):
        picture = render(mesh, camera, SIZE).color
        return (picture**2).sum() + compare_silhouette(mesh, camera, target).sum()

    def gradients(draw):
        vertices = [torch.tensor(mesh.vertices, requires_grad=True) for mesh in meshes]
        draw([mesh.replace(vertices=v) for mesh, v in zip(meshes, vertices, strict=True)]).backward()
        return [v.grad for v in vertices]

    found = gradients(lambda meshes: losses(pack(meshes), own, targets))
    alone = gradients(lambda meshes: sum(losses(mesh, own[r], targets[r]) for r, mesh in enumerate(meshes)))
    for got, expected in zip(found, alone, strict=True):
        assert expected.abs().max() > 0
        # Sums of some hundred terms of either sign, of positions that round in another order.
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=0, atol=1e-10 * expected.abs().max().item())


def test_targets_must_fit_a_pack_of_both_kinds():
    message = r"compare_silhouette: target must be \[H, W\] or \[5, H, W\]; got \[6, 8, 8\]"
    with pytest.raises(ValueError, match=f"^{message}$"):
        compare_silhouette(pack(of_both_kinds()), views(5), np.zeros((6, 8, 8)))


# --- compilers


def test_another_number_of_sides_is_another_program():
    mesh = sheet(uv=None, texture=None).replace(vertices=np.float32(sheet().vertices)).to("jax")
    area = jax.jit(lambda mesh: render_silhouette(mesh, BACK, SIZE).sum())
    both = mesh.replace(double_sided=True)
    assert (area(mesh), area(mesh.replace(double_sided=False))) == (0, 0)
    assert area(both) > 10
    assert area._cache_size() == 2
    packs = [pack(meshes) for meshes in ([mesh, mesh], [mesh, both], [both, both])]
    areas = jax.jit(lambda packed: render_silhouette(packed, BACK, SIZE).sum(axis=(1, 2)))
    assert [(areas(packed) > 10).tolist() for packed in packs] == [[False] * 2, [False, True], [True] * 2]
    assert areas._cache_size() == 3


# --- files


@pytest.mark.parametrize("double_sided", [False, True])
@pytest.mark.parametrize("material", [None, Material(metallic=0.5), Unlit()])
@pytest.mark.parametrize("ending", ["glb", "gltf"])
def test_a_gltf_keeps_the_sides(tmp_path, ending, material, double_sided):
    path, again = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    save(path, sheet(double_sided=double_sided, material=material))
    assert load_asset(path).materials[0].double_sided == double_sided
    assert load(path).double_sided == double_sided
    save(again, load(path))
    assert load(again).double_sided == double_sided
    image = render(load(again), BACK, SIZE).alpha
    assert (image.max() > 0) == double_sided


def asset_of_squares(*materials, node=None):
    """One above the other, facing +z; None for a square without a material."""
    known = tuple(material for material in materials if material is not None)
    primitives = tuple(
        Primitive({"POSITION": SQUARE + np.float32([0, k, 0])}, CORNERS, material=None if m is None else known.index(m))
        for k, m in enumerate(materials)
    )
    return Asset(nodes=(node or Node(geometry=0),), geometries=(Geometry(primitives=primitives),), materials=known)


def test_a_mesh_has_one_side_where_all_its_materials_do():
    one, both = AssetMaterial(), AssetMaterial(double_sided=True)
    assert not asset_of_squares(one, one).mesh().double_sided
    assert asset_of_squares(one, both).mesh().double_sided
    assert asset_of_squares(both).mesh().double_sided
    assert not asset_of_squares(None).mesh().double_sided
    assert asset_of_squares(None, both).mesh().double_sided


def test_a_material_that_nothing_shows_does_not_count():
    asset = asset_of_squares(AssetMaterial())
    asset = replace(asset, materials=(*asset.materials, AssetMaterial(double_sided=True)))
    assert not asset.mesh().double_sided


def test_a_mirrored_node_is_seen_from_its_front():
    mirrored = asset_of_squares(AssetMaterial(), node=Node(geometry=0, scale=(-1.0, 1.0, 1.0))).mesh()
    assert render(mirrored, FRONT, SIZE).alpha.max() == 1
    assert render(mirrored, BACK, SIZE).alpha.max() == 0


def test_a_gltf_that_says_nothing_has_one_side(tmp_path):
    save(tmp_path / "a.gltf", sheet(double_sided=True))
    root = json.loads((tmp_path / "a.gltf").read_text())
    assert root["materials"][0].pop("doubleSided") is True
    (tmp_path / "a.gltf").write_text(json.dumps(root))
    assert not load(tmp_path / "a.gltf").double_sided


@pytest.mark.parametrize("ending", ["obj", "ply", "stl"])
def test_other_files_know_two_sides_alone(tmp_path, ending):
    save(tmp_path / f"a.{ending}", sheet())
    assert load(tmp_path / f"a.{ending}").double_sided
    assert load_asset(tmp_path / f"a.{ending}").mesh().double_sided
    save(tmp_path / "b.obj", asset_of_squares(AssetMaterial()))
    assert load_asset(tmp_path / "b.obj").mesh().double_sided
