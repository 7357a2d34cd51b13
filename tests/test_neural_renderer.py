# SPDX-License-Identifier: MIT
"""The drop-in for neural_renderer, function by function, and the original's defects that it mends."""

import math

import numpy as np
import pytest
import torch
from reference import classic

import intaglio.neural_renderer.torch as nr
from intaglio import shapes

CUBE = shapes.cube()


def cube(batch=1, dtype=torch.float32):
    vertices = torch.tensor(CUBE.vertices, dtype=dtype).repeat(batch, 1, 1)
    return vertices * 0.5, torch.tensor(CUBE.triangles).repeat(batch, 1, 1)


def a_renderer(**options):
    renderer = nr.Renderer(**{"camera_mode": "look_at", "image_size": 16} | options)
    renderer.eye = nr.get_points_from_angles(2.732, 20, 35)
    return renderer


def unit(v):
    return v / max(np.linalg.norm(v), 1e-5)


def seen_from(vertices, eye):
    """look_at and perspective of 30 degrees, in NumPy."""
    z = unit(-eye)
    x = unit(np.cross([0, 1, 0], z))
    placed = (vertices - eye) @ np.stack([x, unit(np.cross(z, x)), z]).T
    return np.concatenate([placed[:, :2] / placed[:, 2:] / math.tan(math.radians(30)), placed[:, 2:]], axis=1)


def lit(faces, ambient, directional, direction):
    normals = np.stack([unit(np.cross(a - b, c - b)) for a, b, c in faces])
    return ambient + directional * np.maximum(normals @ direction, 0)


class TestTheWholePipeline:
    """Against the reference's kernels, with copies of faces and textures as the original makes them."""

    def pictures(self, renderer, vertices, triangles, textures):
        eye = np.array(renderer.eye)
        faces = classic.turned_around(vertices[triangles])
        light = lit(faces, 0.4, 0.6, np.array([0.6, 0.8, 0.0]))
        cubes = classic.turned_textures(textures) * light[:, None, None, None, None]
        placed = classic.turned_around(seen_from(vertices, eye)[triangles])
        size = (2 * renderer.image_size,) * 2
        maps = classic.face_maps(placed, size, renderer.near, renderer.far)
        rgb = classic.colors(placed, cubes, maps, np.array(renderer.background_color), renderer.rasterizer_eps)
        pooled = [x[::-1].reshape(16, 2, 16, 2, -1).mean(axis=(1, 3)) for x in (rgb, maps[2], maps[0] >= 0)]
        return pooled[0].transpose(2, 0, 1), pooled[1][..., 0], pooled[2][..., 0]

    def test_rgb_depth_and_alpha_are_those_of_the_original(self):
        renderer = a_renderer(
            background_color=[0.1, 0.2, 0.3],
            light_intensity_ambient=0.4,
            light_intensity_directional=0.6,
            light_direction=[0.6, 0.8, 0.0],
            far=10,
        )
        vertices, faces = cube(dtype=torch.float64)
        textures = torch.rand(1, 12, 3, 3, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        got = renderer(vertices, faces, textures)
        expected = self.pictures(renderer, vertices[0].numpy(), faces[0].numpy(), textures[0].numpy())
        assert 0.1 < expected[2].mean() < 0.9
        for picture, wanted in zip(got, expected, strict=True):
            np.testing.assert_allclose(picture[0].numpy(), wanted, atol=1e-12 * wanted.max())

    def test_the_modes_are_the_methods(self):
        renderer = a_renderer()
        vertices, faces = cube(2)
        textures = torch.rand(2, 12, 2, 2, 2, 3)
        rgb, depth, alpha = renderer(vertices, faces, textures)
        assert (rgb.shape, depth.shape, alpha.shape) == ((2, 3, 16, 16), (2, 16, 16), (2, 16, 16))
        assert rgb.is_contiguous()
        assert alpha.is_contiguous()
        assert torch.equal(renderer(vertices, faces, textures, mode="rgb"), rgb)
        assert torch.equal(renderer(vertices, faces, mode="depth"), depth)
        assert torch.equal(renderer(vertices, faces, mode="silhouettes"), alpha)
        assert torch.equal(renderer.render_rgb(vertices, faces, textures), rgb)
        assert torch.equal(renderer.render_depth(vertices, faces), depth)
        assert torch.equal(renderer.render_silhouettes(vertices, faces), alpha)
        with pytest.raises(ValueError, match="mode must be None, 'rgb', 'silhouettes' or 'depth'; got 'normal'"):
            renderer(vertices, faces, textures, mode="normal")

    def test_the_gradient_of_rgb_reaches_vertices_textures_light_and_camera(self):
        renderer = a_renderer()
        vertices, faces = (x if x.dtype == torch.int32 else x.requires_grad_() for x in cube())
        textures = torch.rand(1, 12, 2, 2, 2, 3, requires_grad=True)
        renderer.eye = torch.nn.Parameter(torch.tensor([0.5, 1.0, -2.5]))
        renderer.light_direction = torch.tensor([0.0, 1.0, 0.0], requires_grad=True)
        ((renderer(vertices, faces, textures, mode="rgb") - 1) ** 2).sum().backward()
        for leaf in (vertices, textures, renderer.eye, renderer.light_direction):
            assert leaf.grad is not None
            assert torch.isfinite(leaf.grad).all()
            assert leaf.grad.abs().sum() > 0

    def test_silhouettes_have_eps_1e_4_whatever_rasterizer_eps_is(self):
        vertices, faces = cube()
        grads = []
        for eps in (1e-3, 0.5):
            renderer = a_renderer()
            renderer.rasterizer_eps = eps
            leaf = vertices.clone().requires_grad_()
            ((1 - renderer(leaf, faces, mode="silhouettes")) ** 2).sum().backward()
            grads.append(leaf.grad)
        assert torch.equal(*grads)


class TestNumbersOfTheOriginalsTests:
    """Gradients that the original's own tests expect of one triangle, which hold to the tolerance given there."""

    @pytest.mark.parametrize(("mode", "tolerance"), [("silhouettes", 1e-4), ("rgb", 1e-2)])
    @pytest.mark.parametrize(
        ("vertices", "pixel", "wanted", "expected"),
        [
            (
                [[0.8, 0.8, 1.0], [0.0, -0.5, 1.0], [0.2, -0.4, 1.0]],
                (25, 35),
                1,
                [[1.6725862, -0.26021874, 0], [1.41986704, -1.64284933, 0], [0, 0, 0]],
            ),
            (
                [[0.8, 0.8, 1.0], [-0.5, -0.8, 1.0], [0.8, -0.8, 1.0]],
                (40, 50),
                0,
                [[0.98646867, 1.04628897, 0], [-1.03415668, -0.10403691, 0], [3.00094461, -1.55173182, 0]],
            ),
        ],
    )
    def test_a_pixel_beside_a_triangle_and_one_inside(self, vertices, pixel, wanted, expected, mode, tolerance):
        batch = torch.zeros(4, 3, 3)
        batch[2] = torch.tensor(vertices)
        faces = torch.zeros(4, 1, 3, dtype=torch.int32)
        faces[2, 0] = torch.tensor([0, 1, 2])
        renderer = nr.Renderer(64, anti_aliasing=False, camera_mode="look_at", perspective=False)
        renderer.light_intensity_ambient, renderer.light_intensity_directional = 1.0, 0.0
        image = renderer(batch.requires_grad_(), faces, torch.ones(4, 1, 4, 4, 4, 3), mode=mode)
        image = image.mean(dim=1) if mode == "rgb" else image
        (image[:, pixel[0], pixel[1]] - wanted).abs().sum().backward()
        np.testing.assert_allclose(batch.grad[2].numpy(), expected, rtol=tolerance)
        assert batch.grad[[0, 1, 3]].abs().sum() == 0


class TestRenderer:
    def test_defaults_are_those_of_the_original(self):
        renderer = nr.Renderer()
        expected = {
            "image_size": 256,
            "anti_aliasing": True,
            "background_color": [0, 0, 0],
            "fill_back": True,
            "camera_mode": "projection",
            "K": None,
            "R": None,
            "t": None,
            "orig_size": 1024,
            "perspective": True,
            "viewing_angle": 30,
            "camera_direction": [0, 0, 1],
            "near": 0.1,
            "far": 100,
            "light_intensity_ambient": 0.5,
            "light_intensity_directional": 0.5,
            "light_color_ambient": [1, 1, 1],
            "light_color_directional": [1, 1, 1],
            "light_direction": [0, 1, 0],
            "rasterizer_eps": 1e-3,
            "dist_coeffs": [[0.0] * 5],
        }
        assert {name: getattr(renderer, name) for name in expected} == expected
        assert renderer.eye == pytest.approx([0, 0, -2.7320508])
        assert isinstance(renderer, torch.nn.Module)

    def test_an_unknown_camera_mode_means_that_vertices_are_on_the_screen(self):
        with pytest.raises(ValueError, match="camera_mode must be one of projection, look, look_at; got 'none'"):
            nr.Renderer(camera_mode="none")
        renderer = a_renderer(anti_aliasing=False, image_size=4)
        renderer.camera_mode = "none"
        vertices = torch.tensor([[[-1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [-1.0, 1.0, 1.0]]])
        alpha = renderer(vertices, torch.tensor([[[0, 1, 2], [0, 2, 3]]]), mode="silhouettes")
        # x to the right, y upwards: the upper left quarter.
        assert alpha[0].tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]

    def test_without_fill_back_only_fronts_are_drawn(self):
        renderer = a_renderer(fill_back=False)
        vertices, faces = cube()
        # The picture is mirrored, so that what turns counter-clockwise seen from outside turns clockwise in it.
        front, back = (renderer(vertices, x, mode="depth") for x in (faces, faces.flip(2)))
        assert front.min() > back.min()
        both = a_renderer()(vertices, faces, mode="depth")
        torch.testing.assert_close(both, torch.minimum(front, back), atol=20, rtol=0)
        assert both.min() == back.min()

    def test_every_attribute_may_be_a_list_an_array_or_a_tensor(self):
        vertices, faces = cube()
        pictures = []
        for made in (list, np.array, torch.tensor, lambda x: torch.nn.Parameter(torch.tensor(x))):
            renderer = a_renderer(camera_mode="look")
            renderer.eye = made([0.2, 0.1, -3.0])
            renderer.camera_direction = made([0.0, 0.1, 1.0])
            renderer.background_color = made([0.0, 0.5, 1.0])
            pictures.append(renderer(vertices, faces, torch.ones(1, 12, 2, 2, 2, 3), mode="rgb"))
        for picture in pictures[1:]:
            torch.testing.assert_close(picture, pictures[0])

    def test_a_parameter_may_be_replaced_by_a_list(self):
        renderer = a_renderer()
        renderer.eye = torch.nn.Parameter(torch.tensor([6.0, 10.0, -14.0]))
        assert [name for name, _ in renderer.named_parameters()] == ["eye"]
        renderer.eye = [0, 0, -2]
        assert renderer.eye == [0, 0, -2]
        assert list(renderer.parameters()) == []

    def test_a_background_may_differ_from_image_to_image(self):
        renderer = a_renderer(background_color=torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
        rgb = renderer(*cube(2), torch.ones(2, 12, 1, 1, 1, 3), mode="rgb")
        assert rgb[:, :, 0, 0].tolist() == [[1, 0, 0], [0, 0, 1]]

    def test_int32_and_int64_faces_give_the_same_picture(self):
        vertices, faces = cube()
        first, second = (a_renderer()(vertices, faces.to(kind), mode="depth") for kind in (torch.int32, torch.int64))
        assert torch.equal(first, second)


class TestProjection:
    K = torch.tensor([[[50.0, 0.0, 48.0], [0.0, 50.0, 32.0], [0.0, 0.0, 1.0]]])
    R = torch.eye(3)[None]
    t = torch.tensor([[[0.0, 0.0, 2.0]]])

    def test_u_runs_from_the_left_border_and_v_from_the_top(self):
        point = torch.tensor([[[0.0, 0.0, 0.0], [0.96, 0.64, 0.0]]])
        placed = nr.projection(point, self.K, self.R, self.t, torch.zeros(1, 5), 96)
        # (48, 32) of 96 x 96, and 24, 16 further: right and down.
        np.testing.assert_allclose(placed[0].numpy(), [[0, 1 / 3, 2], [0.5, 0, 2]], atol=1e-6)

    def test_distortion_is_opencv_s(self):
        k1, k2, p1, p2, k3 = 0.1, -0.05, 0.01, 0.02, 0.03
        x, y = 0.3, -0.4
        r2 = 0.25
        radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
        u = 48 + 50 * (x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x))
        v = 32 + 50 * (y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y)
        dist = torch.tensor([[k1, k2, p1, p2, k3]])
        placed = nr.projection(torch.tensor([[[2 * x, 2 * y, 0.0]]]), self.K, self.R, self.t, dist, 96)
        np.testing.assert_allclose(placed[0, 0].numpy(), [2 * u / 96 - 1, 1 - 2 * v / 96, 2], rtol=1e-5)

    def test_arguments_of_the_call_come_before_attributes(self):
        vertices, faces = cube()
        renderer = nr.Renderer(16, K=self.K.numpy(), R=self.R, t=self.t, orig_size=96)
        other = nr.Renderer(16, K=self.K * 2, R=self.R, t=self.t, dist_coeffs=torch.ones(1, 5), orig_size=50)
        call = {"K": self.K, "t": self.t[0], "dist_coeffs": torch.zeros(1, 5), "orig_size": 96}
        expected = renderer(vertices, faces, mode="silhouettes")
        assert 0 < expected.mean() < 1
        assert torch.equal(other(vertices, faces, mode="silhouettes", **call), expected)

    def test_a_projecting_renderer_without_a_camera_says_so(self):
        with pytest.raises(ValueError, match=r"Renderer: K must be given for camera_mode 'projection'; got None \("):
            nr.Renderer(16)(*cube(), mode="depth")


class TestCameras:
    def test_azimuth_0_stands_on_minus_z(self):
        assert nr.get_points_from_angles(2, 0, 0) == pytest.approx((0, 0, -2))
        assert nr.get_points_from_angles(2, 90, 0) == pytest.approx((0, 2, 0), abs=1e-12)
        assert nr.get_points_from_angles(2, 0, math.pi / 2, degrees=False) == pytest.approx((2, 0, 0), abs=1e-12)
        points = nr.get_points_from_angles(torch.tensor([2.0, 1.0]), torch.tensor([0.0, 90]), torch.tensor([90.0, 0]))
        np.testing.assert_allclose(points.numpy(), [[2, 0, 0], [0, 1, 0]], atol=1e-6)

    def test_look_at_mirrors_the_world(self):
        vertices = torch.tensor([[[1.0, 2.0, 3.0]]])
        placed = nr.look_at(vertices, [0, 0, -4])
        assert placed[0, 0].tolist() == pytest.approx([1, 2, 7])
        assert nr.look_at(vertices, np.array([0, 0, 4.0]))[0, 0].tolist() == pytest.approx([-1, 2, 1])

    def test_look_and_look_at_agree_on_a_direction(self):
        vertices = torch.rand(2, 5, 3)
        eye, at = torch.tensor([[0.0, 1.0, -3.0], [2.0, 0.5, 1.0]]), torch.tensor([0.1, 0.2, 0.3])
        torch.testing.assert_close(nr.look(vertices, eye, at - eye), nr.look_at(vertices, eye, at), atol=1e-6, rtol=0)

    def test_the_angle_of_perspective_is_half_of_the_view(self):
        placed = nr.perspective(torch.tensor([[[3.0, 1.0, 2.0]]]), 45)
        assert placed[0, 0].tolist() == pytest.approx([1.5, 0.5, 2])
        angles = torch.tensor([45.0, 30.0], requires_grad=True)
        both = nr.perspective(torch.ones(2, 1, 3), angles)
        assert both[:, 0, 0].tolist() == pytest.approx([1, math.sqrt(3)])
        both.sum().backward()
        assert (angles.grad < 0).all()

    def test_wrong_shapes_are_named(self):
        vertices, faces = cube()
        with pytest.raises(ValueError, match=r"look_at: vertices must be \[B, N, 3\]; got \[8, 3\] \(a single mesh"):
            nr.look_at(vertices[0], [0, 0, -2])
        with pytest.raises(ValueError, match=r"look: direction must be \[1, 3\] or \[3\]; got \[2, 3\]"):
            nr.look(vertices, [0, 0, -2], torch.ones(2, 3))
        with pytest.raises(ValueError, match=r"faces must be \[1, F, 3\] or \[F, 3\]; got \[2, 12, 3\]"):
            nr.vertices_to_faces(vertices, faces.repeat(2, 1, 1))
        with pytest.raises(ValueError, match=r"faces must be in \[0, 8\); got 8 \(indices count from 0"):
            nr.vertices_to_faces(vertices, faces + 1)
        with pytest.raises(ValueError, match="faces must be integers; got float32"):
            nr.vertices_to_faces(vertices, faces.float())

    def test_faces_may_be_shared_by_a_batch(self):
        vertices, faces = torch.rand(3, 8, 3), cube()[1][0]
        expected = nr.vertices_to_faces(vertices, faces.repeat(3, 1, 1))
        assert torch.equal(nr.vertices_to_faces(vertices, faces), expected)
        assert expected[2, 5, 1].tolist() == vertices[2, faces[5, 1]].tolist()


class TestLighting:
    def test_a_face_towards_the_light_is_brightest(self):
        corners = torch.tensor([[[[0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]]])  # (v0 - v1) x (v2 - v1) is +y
        lights = [(0, 1, 0), (0, -1, 0), (0.6, 0.8, 0.0)]
        bright = [nr.lighting(corners, torch.ones(1, 1, 2, 2, 2, 3), direction=way)[0, 0, 0, 0, 0] for way in lights]
        assert [x.tolist() for x in bright] == [
            pytest.approx([1] * 3),
            pytest.approx([0.5] * 3),
            pytest.approx([0.9] * 3),
        ]

    def test_colours_may_differ_from_image_to_image(self):
        corners = torch.rand(2, 4, 3, 3)
        colors = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        out = nr.lighting(corners, torch.ones(2, 4, 1, 1, 1, 3), 0.25, 0, color_ambient=colors)
        assert torch.equal(out[:, 0, 0, 0, 0], 0.25 * colors)


class TestRasterizing:
    faces = torch.tensor([[[[-1.0, -1.0, 2.0], [1.0, -1.0, 2.0], [0.0, 1.0, 2.0]]]])

    def test_rasterize_rgbad_gives_what_is_asked_for(self):
        textures = torch.ones(1, 1, 2, 2, 2, 3)
        whole = nr.rasterize_rgbad(self.faces, textures, 8)
        assert {name: tuple(x.shape) for name, x in whole.items()} == {
            "rgb": (1, 3, 8, 8),
            "alpha": (1, 8, 8),
            "depth": (1, 8, 8),
        }
        some = nr.rasterize_rgbad(self.faces, None, 8, return_rgb=False, return_depth=False)
        assert some["rgb"] is None
        assert some["depth"] is None
        assert torch.equal(some["alpha"], whole["alpha"])
        assert torch.equal(nr.rasterize(self.faces, textures, 8), whole["rgb"])
        assert torch.equal(nr.rasterize_silhouettes(self.faces, 8), whole["alpha"])
        assert torch.equal(nr.rasterize_depth(self.faces, 8), whole["depth"])

    def test_row_0_is_the_top(self):
        alpha = nr.rasterize_silhouettes(self.faces, 8, anti_aliasing=False)[0]
        assert alpha[0].sum() < alpha[-1].sum()

    def test_antialiasing_is_the_mean_of_twice_the_size_depth_of_the_background_included(self):
        small, large = nr.rasterize_depth(self.faces, 8), nr.rasterize_depth(self.faces, 16, anti_aliasing=False)
        torch.testing.assert_close(small, large.reshape(1, 8, 2, 8, 2).mean(dim=(2, 4)))
        assert 2 < small.unique()[1] < 100

    def test_the_module_has_the_raw_maps_upside_down(self):
        module = nr.Rasterize(8, 0.1, 100, 1e-3, [0, 0.5, 1], return_rgb=True, return_depth=True)
        rgb, alpha, depth = module(self.faces, torch.ones(1, 1, 2, 2, 2, 3))
        assert (rgb.shape, alpha.shape, depth.shape) == ((1, 8, 8, 3), (0,), (1, 8, 8))
        assert torch.equal(depth.flip(1), nr.rasterize_depth(self.faces, 8, anti_aliasing=False))
        assert rgb[0, -1, 0].tolist() == [0, 0.5, 1]

    def test_wrong_arguments_are_named(self):
        with pytest.raises(ValueError, match=r"rasterize: faces must be \[B, F, 3, 3\]; got \[1, 3, 3\] \(see vert"):
            nr.rasterize_silhouettes(self.faces[0], 8)
        with pytest.raises(ValueError, match=r"rasterize: faces must be float32 or float64; got torch\.float16"):
            nr.rasterize_silhouettes(self.faces.half(), 8)
        with pytest.raises(
            ValueError, match=r"textures must be \[B, F, T, T, T, 3\] with B = 1 .*; got \[2, 1, 2, 2, 2, 3"
        ):
            nr.rasterize(self.faces, torch.ones(2, 1, 2, 2, 2, 3), 8)
        with pytest.raises(ValueError, match=r"image_size must be a whole number from 1 to 8192, .*; got 8193"):
            nr.rasterize_silhouettes(self.faces, 8193)
        with pytest.raises(ValueError, match="textures must be given for rgb; got None"):
            nr.rasterize_rgbad(self.faces)
        with pytest.raises(ValueError, match="eps must be a number, 0 or more; got -1"):
            nr.rasterize_silhouettes(self.faces, 8, eps=-1)
        with pytest.raises(ValueError, match=r"background_color must be \[3\] or \[1, 3\]; got \[4\]"):
            nr.rasterize(self.faces, torch.ones(1, 1, 1, 1, 1, 3), 8, background_color=[0, 0, 0, 0])

    def test_arrays_on_another_device_are_told_what_to_do(self):
        with pytest.raises(ValueError, match=r"faces must be on the CPU; got device meta \(move it with .cpu\(\)"):
            nr.rasterize_silhouettes(self.faces.to("meta"), 8)


class TestExtensions:
    def test_pictures_need_not_be_square(self):
        renderer = a_renderer(image_size=(12, 20), anti_aliasing=False)
        renderer.camera_mode = "none"
        faces = torch.tensor([[[-3.0, -1.0, 1.0], [3.0, -1.0, 1.0], [0.0, 1.0, 1.0]]])
        rgb, depth, alpha = renderer(faces, torch.tensor([[[0, 1, 2]]]), torch.ones(1, 1, 2, 2, 2, 3))
        assert (rgb.shape, depth.shape, alpha.shape) == ((1, 3, 12, 20), (1, 12, 20), (1, 12, 20))
        assert alpha[0, -1].all()

    def test_float64_works_throughout(self):
        vertices, faces = cube(dtype=torch.float64)
        vertices.requires_grad_()
        rgb, depth, alpha = a_renderer()(vertices, faces, torch.rand(1, 12, 2, 2, 2, 3, dtype=torch.float64))
        assert {x.dtype for x in (rgb, depth, alpha)} == {torch.float64}
        (rgb.sum() + depth.sum() + (alpha - 1).square().sum()).backward()
        assert vertices.grad.dtype == torch.float64

    def test_maps_say_which_face_a_pixel_shows_and_where(self):
        renderer = a_renderer()
        vertices, faces = cube()
        maps = renderer.render_maps(vertices, faces)
        assert maps.face_index.shape == (1, 16, 16)
        shown = maps.face_index[maps.face_index >= 0]
        assert shown.max() < 24
        weights = maps.weights[maps.face_index >= 0]
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones(len(weights)))

    def test_colours_of_vertices_are_blended_linearly(self):
        renderer = a_renderer(anti_aliasing=False, fill_back=False, light_intensity_directional=0)
        renderer.camera_mode, renderer.light_intensity_ambient = "none", 1
        vertices = torch.tensor([[[-1.0, -1.0, 1.0], [3.0, -1.0, 1.0], [-1.0, 3.0, 1.0]]])
        colors = torch.eye(3)[None].requires_grad_()
        rgb = renderer(vertices, torch.tensor([[[0, 1, 2]]]), colors, mode="rgb")
        maps = renderer.render_maps(vertices, torch.tensor([[[0, 1, 2]]]))
        torch.testing.assert_close(rgb[0].permute(1, 2, 0), maps.weights[0], atol=2e-3, rtol=0)  # eps of the textures
        rgb.sum().backward()
        assert (colors.grad.sum(dim=-1) > 0).all()


class TestMended:
    def test_batch_size_3_gives_each_image_its_own_camera(self):
        # A cross product without an axis takes the first of length 3: the batch.
        vertices = torch.rand(3, 5, 3)
        eyes = torch.tensor([[0.0, 1.0, -3.0], [2.0, 0.5, 1.0], [1.0, -2.0, 1.5]])
        for transform in (nr.look_at, nr.look):
            aims = (eyes,) if transform is nr.look_at else (eyes, -eyes)
            together = transform(vertices, *aims)
            for k in range(3):
                alone = transform(vertices[k : k + 1], *(x[k : k + 1] for x in aims))
                torch.testing.assert_close(together[k : k + 1], alone)

    def test_three_faces_are_lit_like_one(self):
        corners = torch.rand(1, 3, 3, 3)
        together = nr.lighting(corners, torch.ones(1, 3, 1, 1, 1, 3))
        for k in range(3):
            alone = nr.lighting(corners[:, k : k + 1], torch.ones(1, 1, 1, 1, 1, 3))
            torch.testing.assert_close(together[:, k : k + 1], alone)

    @pytest.mark.parametrize("fill_back", [True, False])
    def test_lighting_leaves_the_textures_of_the_caller_alone(self, fill_back):
        vertices, faces = cube()
        textures = torch.ones(1, 12, 2, 2, 2, 3, requires_grad=True)
        a_renderer(fill_back=fill_back)(vertices, faces.flip(2), textures, mode="rgb").sum().backward()
        assert (textures == 1).all()
        assert textures.grad.abs().sum() > 0

    def test_textures_of_size_1_are_one_colour_per_face(self):
        faces = torch.tensor([[[[-3.0, -3.0, 2.0], [3.0, -3.0, 2.0], [0.0, 4.0, 2.0]]] * 2])
        faces[:, 1, :, 2] = 3.0
        textures = torch.tensor([1.0, 100.0]).reshape(1, 2, 1, 1, 1, 1).repeat(1, 1, 1, 1, 1, 3).requires_grad_()
        rgb = nr.rasterize(faces, textures, 8)
        assert (rgb == 1).all()
        rgb.sum().backward()
        assert textures.grad.reshape(2, 3)[0].tolist() == pytest.approx([64] * 3)
        assert textures.grad.reshape(2, 3)[1].tolist() == [0] * 3

    @pytest.mark.parametrize("mode", ["rgb", "silhouettes", "depth", None])
    def test_near_and_far_are_honoured_by_every_kind_of_picture(self, mode):
        renderer = a_renderer()
        vertices, faces = cube()
        textures = torch.ones(1, 12, 2, 2, 2, 3)

        def shown():
            picture = renderer(vertices, faces, textures, mode=mode)
            picture = picture[2] if mode is None else picture
            return (picture != (renderer.far if mode == "depth" else 0)).any()

        assert shown()
        renderer.far = 1.0
        assert not shown()
        renderer.near, renderer.far = 10.0, 20.0
        assert not shown()

    def test_a_vertex_on_the_optical_axis_has_a_finite_gradient(self):
        vertices = torch.tensor([[[0.0, 0.0, 1.0], [0.5, 0.2, 1.0]]], requires_grad=True)
        camera = TestProjection
        nr.projection(vertices, camera.K, camera.R, camera.t, torch.full((1, 5), 0.1), 96).sum().backward()
        assert torch.isfinite(vertices.grad).all()
        assert vertices.grad[0, 0].abs().sum() > 0

    def test_a_mesh_keeps_the_textures_that_it_is_given(self):
        vertices, faces = (x[0] for x in cube())
        textures = torch.rand(12, 5, 5, 5, 3)
        mesh = nr.Mesh(vertices, faces, textures)
        assert mesh.textures is textures
        assert (mesh.texture_size, mesh.num_vertices, mesh.num_faces) == (5, 8, 12)
        new = nr.Mesh(vertices, faces, texture_size=3)
        assert isinstance(new.textures, torch.nn.Parameter)
        assert new.textures.shape == (12, 3, 3, 3, 3)
        assert 0.03 < new.textures.std() < 0.07

    def test_camera_direction_is_an_argument_too(self):
        assert nr.Renderer(camera_mode="look", camera_direction=[1, 0, 0]).camera_direction == [1, 0, 0]
