# SPDX-License-Identifier: MIT
"""Meshes, cameras and lights under JAX's transforms: as what they close over and as what they take."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intaglio
from intaglio import AmbientLight, Camera, DirectionalLight, Mesh, PointLight, losses, orbit, shapes
from intaglio.camera import Intrinsics

SIZE = (24, 32)
CAMERA = Camera.look_at(orbit(2.7, 30, 20))
TARGET = np.zeros((1, *SIZE), np.float32)


def sphere():
    return shapes.icosphere(1).to("jax")


def silhouette_loss(mesh, camera=CAMERA):
    return losses.squared_error(intaglio.render_silhouette(mesh, camera, SIZE), TARGET)


def assert_close(got, expected):
    # Sums of some hundred terms of either sign, in another order.
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("visibility", ["edge", "antialias", "soft"])
def test_a_jitted_picture_is_the_picture(visibility):
    mesh = sphere()

    def draw(vertices):
        return intaglio.render(mesh.replace(vertices=vertices), CAMERA, SIZE, visibility=visibility)

    for got, expected in zip(jax.jit(draw)(mesh.vertices), draw(mesh.vertices), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-6)

    def brightness(vertices):
        picture = draw(vertices)
        return (picture.color**2).sum() + picture.alpha.sum()

    assert_close(jax.jit(jax.grad(brightness))(mesh.vertices), jax.grad(brightness)(mesh.vertices))


def test_a_mesh_whose_neighbours_nobody_asked_for_is_traced():
    gradient = jax.jit(jax.grad(lambda vertices, mesh: silhouette_loss(mesh.replace(vertices=vertices))))
    mesh = sphere()
    expected = sphere()
    expected = jax.grad(lambda vertices: silhouette_loss(expected.replace(vertices=vertices)))(expected.vertices)
    assert_close(gradient(mesh.vertices, mesh), expected)
    fresh = sphere()
    assert_close(jax.jit(jax.grad(lambda v: silhouette_loss(fresh.replace(vertices=v))))(fresh.vertices), expected)


def test_a_step_downhill_is_taken_by_the_whole_mesh():
    mesh = sphere().replace(vertex_colors=jnp.full((42, 3), 0.5))

    def loss(mesh):
        return (intaglio.render(mesh, CAMERA, SIZE).color ** 2).sum()

    step = jax.jit(jax.value_and_grad(loss))
    before, gradient = step(mesh)
    assert isinstance(gradient, Mesh)
    assert gradient.vertex_colors.shape == (42, 3)
    mesh = jax.tree_util.tree_map(lambda x, g: x - 1e-4 * g, mesh, gradient)
    after, _ = step(mesh)
    assert after < before
    assert step._cache_size() == 1  # a mesh of the same topology is no other program


def test_another_topology_is_another_program():
    area = jax.jit(lambda mesh: intaglio.render_silhouette(mesh, CAMERA, SIZE, visibility=None).sum())
    mesh = sphere()
    half = Mesh(mesh.vertices, np.asarray(mesh.triangles)[:40])
    assert area(half) < area(mesh)
    again = Mesh(mesh.vertices, np.asarray(mesh.triangles))
    assert area(again) == area(mesh)
    assert area._cache_size() == 2
    few = Mesh(mesh.vertices, np.asarray(mesh.triangles)[40:])
    assert jax.tree_util.tree_structure(few) != jax.tree_util.tree_structure(half)


def test_a_mesh_of_vmap_is_drawn_as_alone():
    mesh, scales = sphere(), jnp.array([0.5, 1.0])
    many = jax.vmap(lambda s: mesh.replace(vertices=mesh.vertices * s))(scales)
    pictures = jax.vmap(lambda mesh: intaglio.render_silhouette(mesh, CAMERA, SIZE))(many)
    for scale, picture in zip(scales, pictures, strict=True):
        alone = intaglio.render_silhouette(mesh.replace(vertices=mesh.vertices * scale), CAMERA, SIZE)
        np.testing.assert_array_equal(picture, alone)


def test_cameras_and_lights_are_differentiated_as_they_are():
    mesh = sphere()
    lights = (
        AmbientLight((0.2, 0.1, 0.1)),
        DirectionalLight((0.0, 1.0, 0.5), intensity=0.4),
        PointLight(np.array([1.0, 2, 2])),
    )

    def loss(camera, lights):
        return (intaglio.render(mesh, camera, SIZE, lights=lights).color ** 2).sum()

    camera_gradient, light_gradients = jax.jit(jax.grad(loss, argnums=(0, 1)))(CAMERA, lights)
    assert isinstance(camera_gradient, Camera)
    assert camera_gradient.projection.near == CAMERA.projection.near  # which are no arrays of the camera
    assert light_gradients[0].color.shape == (3,)
    assert np.all(light_gradients[0].color > 0)
    by_hand = jax.grad(lambda fov: loss(Camera.look_at(orbit(2.7, 30, 20), fov_y_degrees=fov), lights))(60.0)
    assert_close(camera_gradient.projection.fov_y_degrees, by_hand)


def test_every_projection_goes_through_a_transform():
    lens = np.array([0.05, -0.02, 0.01, -0.01, 0.003])
    calibrated = Camera.opencv(
        np.float32([[30.0, 0, 16], [0, 30, 12], [0, 0, 1]]),
        np.diag([1.0, -1, -1]),
        np.float32([0.1, -0.2, 3]),
        [24, 32],
        distortion=lens,
    )
    positions = sphere().vertices
    for camera in (calibrated, Camera.orthographic((0, 0, 3)), Camera.from_matrix(np.eye(4)), CAMERA):
        expected = camera.clip(positions, SIZE)
        np.testing.assert_allclose(jax.jit(lambda c: c.clip(positions, SIZE))(camera), expected, atol=1e-5)
    assert jax.tree_util.tree_map(lambda x: 2 * x, calibrated.projection).image_size == (24, 32)
    assert isinstance(calibrated.projection, Intrinsics)


def test_what_needs_numbers_says_so_while_jax_traces():
    mesh = sphere()
    known = r"^array: must have known values; got .* while JAX traces \(make meshes and files outside of jit and vmap"
    with pytest.raises(ValueError, match=known):
        jax.jit(lambda triangles: Mesh(mesh.vertices, triangles).vertices)(mesh.triangles)
    with pytest.raises(ValueError, match=known):
        jax.jit(lambda vertices: Mesh(vertices, mesh.triangles).neighbours)(mesh.vertices)
    with pytest.raises(ValueError, match=r"^silhouette: neighbours must be given while jax traces; got None"):
        jax.jit(lambda pos: intaglio.silhouette(pos, mesh.triangles, SIZE))(CAMERA.clip(mesh.vertices, SIZE))


def test_a_mesh_is_made_of_traced_positions_and_known_triangles():
    mesh = sphere()
    table = mesh.neighbours

    def loss(vertices):
        return silhouette_loss(Mesh(vertices, mesh.triangles, neighbours=table))

    assert_close(jax.jit(jax.grad(loss))(mesh.vertices), jax.grad(loss)(mesh.vertices))


def test_tables_made_while_jax_traces_outlive_the_trace():
    mesh = sphere()
    jax.jit(lambda vertices: mesh.replace(vertices=vertices).vertex_normals())(mesh.vertices)
    np.testing.assert_allclose(mesh.vertex_normals(), mesh.vertices, atol=0.1)  # kept by the trace, used without it


def test_a_mesh_of_numpy_becomes_one_of_jax_where_the_camera_is():
    picture = jax.jit(lambda camera: intaglio.render(shapes.icosphere(1), camera, SIZE).alpha)(CAMERA)
    np.testing.assert_array_equal(picture, intaglio.render(shapes.icosphere(1), CAMERA, SIZE).alpha)
