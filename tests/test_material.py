# SPDX-License-Identifier: MIT
"""Materials in pictures: what a surface of each kind shows of each light."""

import re

import numpy as np
import pytest
import torch

from intaglio import (
    AmbientLight,
    BlinnPhong,
    Camera,
    DirectionalLight,
    EnvironmentLight,
    Material,
    Mesh,
    PointLight,
    SphericalHarmonicsLight,
    SpotLight,
    Unlit,
    render,
    shapes,
)

# Looks at the square from -1 to 1, which fills its picture.
FRONT = Camera.orthographic(eye=(0, 0, 2), near=1, far=3)
SIZE = (4, 4)
RED = (0.8, 0.2, 0.1)
HEAD_ON = DirectionalLight((0, 0, 1), intensity=0.5)


def square(material=None, **arrays):
    return shapes.plane().replace(material=material, **arrays)


def test_one_camera_sees_a_batch_of_meshes_with_a_material():
    sphere = shapes.icosphere(1)
    both = Mesh(np.stack([sphere.vertices, 0.5 * sphere.vertices]), sphere.triangles, material=Material())
    for k, color in enumerate(render(both, FRONT, (16, 16)).color):
        alone = render(both.replace(vertices=both.vertices[k]), FRONT, (16, 16))
        np.testing.assert_allclose(color, alone.color[0], atol=1e-6)


def shown(mesh, lights=(), **options):
    return render(mesh, FRONT, SIZE, lights=lights, **options).color[0]


def test_an_unlit_surface_shows_its_colour_in_any_light():
    for lights in ((), (HEAD_ON,), (AmbientLight(intensity=3.0),)):
        assert shown(square(Unlit(base_color=RED)), lights) == pytest.approx(np.broadcast_to(RED, (4, 4, 3)))


def test_colours_of_mesh_and_material_multiply():
    texture = np.full((2, 2, 3), 0.5, np.float32)
    mesh = square(Unlit(base_color=RED), texture=texture, vertex_colors=np.full((4, 3), 0.5, np.float32))
    assert shown(mesh) == pytest.approx(np.broadcast_to(np.array(RED) / 4, (4, 4, 3)))


def test_a_white_dielectric_in_light_from_everywhere_alike_is_as_bright_as_the_light():
    for roughness in (0.0, 0.3, 1.0):
        material = Material(metallic=0.0, roughness=roughness)
        assert shown(square(material), [AmbientLight(intensity=0.7)]) == pytest.approx(0.7, rel=1e-6)


def test_a_rough_dielectric_head_on_is_what_appendix_b_says():
    # N = V = L = H: F = F0 = 0.04, alpha = 1: D = 1 / pi, V = 1 / 4.
    expected = np.pi * ((1 - 0.04) * np.array(RED) / np.pi + 0.04 / np.pi / 4) * 0.5
    material = Material(base_color=RED, metallic=0.0, roughness=1.0)
    assert shown(square(material), [HEAD_ON]) == pytest.approx(np.broadcast_to(expected, (4, 4, 3)), rel=1e-5)


def test_metal_reflects_in_its_own_colour_and_scatters_nothing():
    expected = np.pi * np.array(RED) / np.pi / 4 * 0.5
    assert shown(square(Material(base_color=RED)), [HEAD_ON]) == pytest.approx(
        np.broadcast_to(expected, (4, 4, 3)), rel=1e-5
    )


def test_maps_multiply_their_numbers():
    half = np.full((1, 1, 2), 0.5, np.float32)
    mapped = Material(base_color=RED, roughness=0.8, metallic=0.6, metallic_roughness_texture=half)
    plain = Material(base_color=RED, roughness=0.4, metallic=0.3)
    lights = [DirectionalLight((0.3, 0.2, 1)), AmbientLight(intensity=0.2)]
    assert shown(square(mapped), lights) == pytest.approx(shown(square(plain), lights), rel=1e-5)


def test_occlusion_darkens_light_from_all_around_alone():
    material = Material(metallic=0.0, occlusion_texture=np.full((1, 1, 1), 0.4, np.float32), occlusion_strength=0.5)
    mesh, bare = square(material), square(Material(metallic=0.0))
    assert shown(mesh, [AmbientLight()]) == pytest.approx(0.7 * shown(bare, [AmbientLight()]), rel=1e-5)
    assert shown(mesh, [HEAD_ON]) == pytest.approx(shown(bare, [HEAD_ON]), rel=1e-5)


def test_a_surface_shines_in_the_dark():
    glow = np.full((1, 1, 3), 0.5, np.float32)
    assert shown(square(Material(emissive=RED))) == pytest.approx(np.broadcast_to(RED, (4, 4, 3)))
    assert shown(square(Material(emissive=RED, emissive_texture=glow))) == pytest.approx(
        np.broadcast_to(np.array(RED) / 2, (4, 4, 3))
    )


def test_a_normal_map_tilts_the_normals_along_its_texture():
    along_u = np.array([0.6, 0.0, 0.8]) / 2 + 0.5
    material = Material(normal_texture=np.broadcast_to(along_u, (2, 2, 3)).astype(np.float32))
    normals = render(square(material), FRONT, SIZE).normals[0]
    assert normals == pytest.approx(np.broadcast_to([0.6, 0, 0.8], (4, 4, 3)), abs=1e-6)
    against_v = np.array([0.0, 0.6, 0.8]) / 2 + 0.5  # the bitangent is up where v is down
    material = Material(normal_texture=np.broadcast_to(against_v, (2, 2, 3)).astype(np.float32), normal_scale=0.5)
    tilted = np.array([0.0, 0.3, 0.8]) / np.linalg.norm([0.3, 0.8])
    normals = render(square(material), FRONT, SIZE).normals[0]
    assert normals == pytest.approx(np.broadcast_to(tilted, (4, 4, 3)), abs=1e-6)


def test_a_highlight_is_as_bright_as_specular_where_the_half_vector_is_the_normal():
    material = BlinnPhong(base_color=RED, specular=(0.5, 0.4, 0.3), shininess=20.0)
    expected = 0.5 * np.add(RED, (0.5, 0.4, 0.3))
    assert shown(square(material), [HEAD_ON]) == pytest.approx(np.broadcast_to(expected, (4, 4, 3)), rel=1e-5)
    slanted = DirectionalLight((0, 0.6, 0.8))
    half = np.array([0, 0.6, 1.8]) / np.linalg.norm([0.6, 1.8])
    expected = 0.8 * np.array(RED) + np.array([0.5, 0.4, 0.3]) * half[2] ** 20
    assert shown(square(material), [slanted]) == pytest.approx(np.broadcast_to(expected, (4, 4, 3)), rel=1e-4)


def test_a_spot_lights_a_cone():
    spot = SpotLight((0, 0, 2), (0, 0, -1), intensity=4.0, inner_degrees=5, outer_degrees=20)
    lit = render(shapes.plane(8), FRONT, (41, 41), lights=[spot], shading="smooth").color[0, 20, :, 0]
    tangent = np.abs(np.linspace(-1, 1, 41) * 40 / 41) / 2
    assert (lit[tangent > np.tan(np.radians(20))] == 0).all()
    inside = tangent < np.tan(np.radians(5))
    point = render(shapes.plane(8), FRONT, (41, 41), lights=[PointLight((0, 0, 2), intensity=4.0)], shading="smooth")
    assert lit[inside] == pytest.approx(point.color[0, 20, :, 0][inside], rel=1e-4)
    assert (np.diff(lit[20:]) <= 1e-6).all()


def test_the_background_shows_through_what_is_not_opaque():
    faint = Unlit(base_color=(*RED, 0.25), alpha_mode="blend")
    rendering = render(square(faint), FRONT, SIZE, background=(0.0, 0.0, 1.0))
    expected = 0.25 * np.array(RED) + 0.75 * np.array([0, 0, 1])
    assert rendering.color[0] == pytest.approx(np.broadcast_to(expected, (4, 4, 3)))
    assert rendering.alpha == pytest.approx(np.full((1, 4, 4), 0.25))
    assert render(square(Unlit(base_color=(*RED, 0.25))), FRONT, SIZE).alpha == pytest.approx(np.ones((1, 4, 4)))


def test_alpha_of_a_texture_blends_by_itself_and_is_cut_off_by_a_mask():
    texture = np.concatenate([np.ones((1, 2, 3)), [[[0.2], [0.9]]]], axis=-1).astype(np.float32)
    plain = render(square(texture=texture), FRONT, SIZE, lights=[AmbientLight()], texture_filter="nearest")
    assert plain.alpha[0, 0] == pytest.approx([0.2, 0.2, 0.9, 0.9])
    masked = square(Unlit(alpha_mode="mask"), texture=texture)
    assert render(masked, FRONT, SIZE, texture_filter="nearest").alpha[0, 0].tolist() == [0, 0, 1, 1]


def test_a_picture_is_the_background():
    picture = np.random.default_rng(0).uniform(0, 1, (4, 4, 3)).astype(np.float32)
    mesh = shapes.plane()
    half = mesh.replace(vertices=mesh.vertices * np.float32([0.5, 1, 1]))
    for supersample in (1, 2):
        color = render(half, FRONT, SIZE, background=picture, supersample=supersample).color[0]
        assert color[:, [0, 3]] == pytest.approx(picture[:, [0, 3]])
        assert color[:, 1:3] == pytest.approx(np.full((4, 2, 3), color[1, 1]))


def vertical_gradient():
    """Radiance that grows with height, the same all around: [32, 64, 3]."""
    up = np.cos((np.arange(32) + 0.5) / 32 * np.pi)
    return np.broadcast_to((1 + up)[:, None, None] * [1.0, 0.5, 0.25], (32, 64, 3)).astype(np.float32)


def test_a_mirror_shows_the_environment_that_it_faces():
    ball = shapes.icosphere(4).replace(material=Material(roughness=0.0))
    camera = Camera.look_at((0, 0, 3), fov_y_degrees=45)
    rendering = render(ball, camera, (64, 64), lights=[EnvironmentLight(vertical_gradient())])
    eye, ids = np.array([0, 0, 3.0]), rendering.triangle_id[0]
    rays = camera.rays((64, 64))[0]
    normals = rendering.normals[0]
    mirrored = rays - 2 * (rays * normals).sum(-1, keepdims=True) * normals
    expected = (1 + mirrored[..., 1]) * 1.0
    inner = (ids >= 0) & ((normals * (eye / 3)).sum(-1) > 0.5)  # where a mirror reflects all colours alike
    # The environment's texels are 5.6 degrees, the cube's less: 0.03 on the way from texel to texel.
    assert rendering.color[0, ..., 0][inner] == pytest.approx(expected[inner], abs=0.04)


def test_a_matt_surface_gathers_the_environment_by_its_spherical_harmonics():
    light = EnvironmentLight(vertical_gradient())
    ball = shapes.icosphere(4)
    rendering = render(ball, Camera.look_at((0, 0, 3), fov_y_degrees=45), (32, 32), lights=[light], shading="smooth")
    shown = rendering.triangle_id[0] >= 0
    # The cosine lobe keeps 2/3 of a function of degree 1, and all of a constant.
    expected = 1 + 2 / 3 * rendering.normals[0, ..., 1]
    assert rendering.color[0, ..., 0][shown] == pytest.approx(expected[shown], abs=0.01)
    coefficients = np.zeros((9, 3))
    coefficients[0], coefficients[1] = np.sqrt(4 * np.pi), np.sqrt(4 * np.pi / 3)
    harmonic = render(ball, Camera.look_at((0, 0, 3), fov_y_degrees=45), (32, 32), shading="smooth",
                      lights=[SphericalHarmonicsLight(coefficients)])  # fmt: skip
    assert harmonic.color[0, ..., 0][shown] == pytest.approx(expected[shown], abs=1e-5)


def test_the_environment_stands_behind_the_mesh():
    light = EnvironmentLight(vertical_gradient())
    camera = Camera.look_at((0, 0, 3), fov_y_degrees=90)
    color = render(shapes.icosphere(1), camera, (32, 32), lights=[light], background=light).color[0]
    rays = camera.rays((32, 32))[0]
    assert color[0, :, 0] == pytest.approx(1 + rays[0, :, 1], abs=0.01)
    assert color[-1, :, 0] == pytest.approx(1 + rays[-1, :, 1], abs=0.01)


def everything():
    """A small scene in which all that a material and a light have takes part, as float64 tensors."""
    rng = np.random.default_rng(4)
    sphere = shapes.sphere(12, 8)
    numbers = {
        "vertices": sphere.vertices,
        "texture": rng.uniform(0.2, 0.9, (8, 8, 3)),
        "rough": rng.uniform(0.3, 0.9, (8, 8, 2)),
        "bumps": np.concatenate([rng.uniform(0.3, 0.7, (8, 8, 2)), np.ones((8, 8, 1))], axis=-1),
        "occlusion": rng.uniform(0.3, 0.9, (8, 8, 1)),
        "glow": rng.uniform(0, 0.2, (8, 8, 3)),
        "base_color": np.array([0.9, 0.8, 0.7]),
        "numbers": np.array([0.6, 0.7, 0.8, 0.9]),
        "direction": np.array([0.3, 0.8, 0.5]),
        "place": np.array([1.5, 1.0, 2.0]),
        "aim": np.array([-1.5, -1.0, -2.0]),
        "angles": np.array([10.0, 40.0]),
        "strength": np.array([0.8, 0.9, 1.0]),
        "sky": rng.uniform(0.2, 1.0, (8, 16, 3)),
        "harmonics": rng.normal(0, 0.2, (9, 3)),
        "eye": np.array([0.5, 0.8, 2.6]),
    }
    return {name: torch.tensor(np.asarray(x, np.float64), requires_grad=True) for name, x in numbers.items()}


def scene(x):
    sphere = shapes.sphere(12, 8)
    metallic, roughness, scale, occlusion = x["numbers"]
    material = Material(
        base_color=x["base_color"], metallic=metallic, roughness=roughness, normal_scale=scale,
        occlusion_strength=occlusion, metallic_roughness_texture=x["rough"], normal_texture=x["bumps"],
        occlusion_texture=x["occlusion"], emissive=x["strength"], emissive_texture=x["glow"],
    )  # fmt: skip
    mesh = Mesh(x["vertices"], sphere.triangles, uv=sphere.uv.astype(np.float64), uv_triangles=sphere.uv_triangles,
                texture=x["texture"], material=material)  # fmt: skip
    lights = [
        DirectionalLight(x["direction"], x["strength"]),
        PointLight(x["place"], x["strength"]),
        SpotLight(x["place"], x["aim"], x["strength"], 2.0, x["angles"][0], x["angles"][1]),
        EnvironmentLight(x["sky"]),
        SphericalHarmonicsLight(x["harmonics"]),
    ]
    camera = Camera.look_at(x["eye"], fov_y_degrees=45)
    weights = torch.tensor(np.random.default_rng(1).normal(size=(24, 24, 3)))
    color = render(mesh, camera, (24, 24), lights=lights, visibility=None).color
    return (color[0] * weights).sum()


@pytest.mark.parametrize("name", sorted(everything()))
def test_gradients_of_all_that_a_scene_has_are_those_of_central_differences(name):
    x = everything()
    (grad,) = torch.autograd.grad(scene(x), x[name])
    rng = np.random.default_rng(2)
    direction = torch.tensor(rng.normal(size=tuple(x[name].shape)))
    if name in ("vertices", "eye"):
        direction = direction * 1e-2  # who covers which pixel must not change
    # Kinks (texel borders, faces of the cube) lie everywhere: the step is small, and float64 leaves it 9 digits.
    step = 1e-6
    with torch.no_grad():
        ends = [scene({**x, name: x[name] + sign * step * direction}) for sign in (1, -1)]
    expected = float(ends[0] - ends[1]) / (2 * step)
    assert float((grad * direction).sum()) == pytest.approx(expected, rel=2e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Material(base_color=(1, 1)), "Material: base_color must be [3] or [B, 3] or [4] or [B, 4]; got [2]"),
        (lambda: Material(roughness=np.zeros((2, 2))), "Material: roughness must be a number or [B]; got [2, 2]"),
        (
            lambda: Material(normal_texture=np.zeros((4, 4))),
            "Material: normal_texture must be [H, W, 3] or [B, H, W, 3]; got [4, 4]",
        ),
        (
            lambda: Material(alpha_mode="clip"),
            "Material: alpha_mode must be one of 'opaque', 'mask', 'blend'; got 'clip'",
        ),
        (
            lambda: square("gold"),
            "Mesh: material must be a Material, BlinnPhong or Unlit; got str (see intaglio.Material)",
        ),
        (
            lambda: shapes.icosphere(1).replace(material=Material(occlusion_texture=np.ones((1, 1, 1)))),
            "Mesh: material must come with uv for its maps; got none",
        ),
    ],
)
def test_bad_materials_are_named(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def test_whole_numbers_of_a_framework_are_numbers():
    def picture(metallic):
        ball = shapes.icosphere(2).to("torch").replace(material=Material(metallic=metallic, roughness=0.5))
        return render(ball, Camera.look_at((0, 0, 3)), (24, 32), lights=[DirectionalLight((1, 1, 1))]).color

    assert torch.equal(picture(torch.tensor(1)), picture(torch.tensor(1.0)))
