# SPDX-License-Identifier: MIT
"""The native ops of the 2018 renderer against its published formulas, pixel by pixel (reference.classic).

Faces in float32 are drawn with the kernels' own rounding, so that indices agree everywhere, also where an edge passes
through a pixel centre. Gradients are sums of up to a thousand terms of one sign per edge, good to a few units of 1e-6
of the largest in float32; the tolerance is what users of the original were promised.
"""

import numpy as np
import pytest
import torch
from reference import classic

from intaglio import ops
from intaglio.neural_renderer.rasterizing import draw, rasterize_maps

RELATIVE, OF_LARGEST = 1e-3, 1e-4
SIZES = [(16, 16), (20, 20), (17, 33), (48, 32)]


def anywhere(rng, count, size):
    """Triangles large and small, some behind the camera, beyond far or off the picture."""
    scale = rng.choice([0.05, 0.3, 1.0], (count, 1, 1))
    faces = rng.uniform(-1.2, 1.2, (count, 1, 3)) + rng.normal(0, 1, (count, 3, 3)) * scale
    faces[..., 2] = rng.uniform(-1, 12, (count, 3))
    faces[: count // 5, :, 2] += 99
    return faces


def on_the_grid(rng, count, size):
    """Corners at pixel centres and between them: edges that pass exactly through centres, shared corners, slivers."""
    height, width = size
    faces = anywhere(rng, count, size)
    pixels = rng.integers(-4, 2 * np.array([width, height]) + 4, (count, 3, 2)) / 2
    faces[..., :2] = (2 * pixels + 1 - [width, height]) / [width, height]
    faces[..., 2] = rng.integers(1, 4, (count, 1))  # equal depths
    return faces


def close_together(rng, count, size):
    faces = anywhere(rng, count, size)
    faces[..., 2] = rng.uniform(1, 1.001, (count, 3))
    return faces


SCENES = [anywhere, on_the_grid, close_together]


def agree(got, expected):
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    return (np.abs(got - expected) <= RELATIVE * np.abs(expected) + OF_LARGEST * np.abs(expected).max()).all()


def upright(x):
    """A raster of the kernels as a picture, or back."""
    return np.ascontiguousarray(x[::-1])


class Scene:
    """A batch of scenes and what the reference makes of them."""

    def __init__(self, seed, make, dtype, *, batch=1, resolution=2, fill_back=True, eps=1e-3):
        rng = np.random.default_rng(seed)
        self.size, self.eps, self.fill_back = SIZES[seed % len(SIZES)], eps, fill_back
        count = int(rng.integers(3, 30))
        self.faces = np.stack([make(rng, count, self.size) for _ in range(batch)]).astype(dtype)
        self.textures = rng.uniform(0, 1, (batch, count, *(resolution,) * 3, 3)).astype(dtype)
        self.background = rng.uniform(0, 1, (batch, 3)).astype(dtype)
        shapes = {"rgb": (batch, *self.size, 3), "alpha": (batch, *self.size), "depth": (batch, *self.size)}
        self.grads = {name: rng.normal(0, 1, shape).astype(dtype) for name, shape in shapes.items()}
        turned = (classic.turned_around, classic.turned_textures) if fill_back else (np.copy, np.copy)
        self.drawn = [turned[0](faces) for faces in self.faces]
        self.cubes = [turned[1](textures) for textures in self.textures]
        self.maps = [classic.face_maps(faces, self.size) for faces in self.drawn]
        self.alpha = [(index >= 0).astype(float) for index, _, _ in self.maps]

    def colors(self, b):
        return classic.colors(self.drawn[b], self.cubes[b], self.maps[b], self.background[b], self.eps)

    def leaves(self):
        return torch.tensor(self.faces, requires_grad=True), torch.tensor(self.textures, requires_grad=True)

    def draw(self, faces, textures, **options):
        options = {"fill_back": self.fill_back, "anti_aliasing": False, "eps": self.eps} | options
        return draw(faces, textures, self.size, background_color=self.background, **options)

    def grad(self, name, b):
        """The cotangent of a picture as the kernels see it."""
        return self.grads[name][b]

    def torch_grad(self, name):
        pictures = np.stack([upright(x) for x in self.grads[name]])
        return torch.tensor(pictures.transpose(0, 3, 1, 2) if name == "rgb" else pictures)

    def folded(self, grad):
        """The cotangent of the stored faces: what their copies got goes back to them, last corner first."""
        count = self.faces.shape[1]
        return grad[:count] + grad[count:, ::-1] if self.fill_back else grad

    def folded_textures(self, grad):
        count = self.faces.shape[1]
        return grad[:count] + grad[count:].transpose(0, 3, 2, 1, 4) if self.fill_back else grad


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", SCENES)
@pytest.mark.parametrize("seed", range(4))
def test_every_pixel_shows_the_face_of_the_original(seed, make, dtype):
    scene = Scene(seed, make, dtype, fill_back=seed % 2 == 0)
    maps = rasterize_maps(torch.tensor(scene.faces), scene.size, fill_back=scene.fill_back)
    index, weights, depth = scene.maps[0]
    assert (index >= 0).any()
    np.testing.assert_array_equal(maps.face_index[0].numpy(), index[::-1])
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(maps.weights[0].numpy(), weights[::-1], atol=tolerance)
    np.testing.assert_allclose(maps.depth[0].numpy(), depth[::-1], rtol=tolerance)


@pytest.mark.parametrize("resolution", [1, 2, 3, 5])
@pytest.mark.parametrize("make", SCENES)
def test_every_pixel_has_the_colour_of_the_original(make, resolution):
    scene = Scene(resolution, make, np.float32, batch=3, resolution=resolution)
    faces, textures = scene.leaves()
    with torch.no_grad():
        rgb = scene.draw(faces, textures)["rgb"]
    for b in range(3):
        # Eight products and sums of numbers up to 1.
        np.testing.assert_allclose(rgb[b].permute(1, 2, 0).numpy(), scene.colors(b)[::-1], atol=2e-6)


@pytest.mark.parametrize("eps", [1e-3, 1e-4])
@pytest.mark.parametrize("make", SCENES)
@pytest.mark.parametrize("seed", range(4))
def test_silhouettes_have_the_gradient_of_the_original(seed, make, eps):
    scene = Scene(seed, make, np.float32, eps=eps, fill_back=seed % 2 == 1)
    faces, _ = scene.leaves()
    alpha = scene.draw(faces, None, return_depth=False)["alpha"]
    alpha.backward(scene.torch_grad("alpha"))
    image, grad = scene.alpha[0][..., None], scene.grad("alpha", 0)[..., None]
    expected = scene.folded(classic.pixel_map_gradient(scene.drawn[0], scene.maps[0][0], image, grad, eps))
    assert np.abs(expected).max() > 0
    assert agree(faces.grad[0], expected)


@pytest.mark.parametrize("axis", [0, 1])
def test_an_edge_a_hair_beside_a_pixel_pulls_by_that_hair(axis):
    # The pixel's distance is 6e-8, beside an eps of 1e-4: what rounds it to a step of 15 pixels loses 1e-3 of the pull.
    rows = np.nextafter(np.float32([2.0, 2.0, 6.0]), np.float32(9))
    ndc = (2 * np.stack([np.float32([1, 6, 3.5]), rows], axis=1) + 1 - 8) / 8
    ndc = ndc if axis == 0 else ndc[::-1, ::-1]
    face = np.concatenate([ndc, np.ones((3, 1))], axis=1).astype(np.float32)[None]
    index = classic.face_maps(face, (8, 8))[0]
    alpha = (index >= 0).astype(float)
    leaf = torch.tensor(face[None], requires_grad=True)
    ((draw(leaf, None, 8, anti_aliasing=False, return_depth=False)["alpha"] - 1) ** 2).sum().backward()
    grad = 2 * (alpha - 1)
    expected = classic.pixel_map_gradient(face, index, alpha[..., None], grad[..., None], 1e-4)
    np.testing.assert_allclose(leaf.grad[0].numpy(), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    assert np.abs(expected).max() > 1e4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", SCENES)
def test_colour_alpha_and_depth_together_have_the_gradient_of_the_original(make, dtype):
    scene = Scene(5, make, dtype, batch=3)
    faces, textures = scene.leaves()
    pictures = scene.draw(faces, textures)
    torch.autograd.backward([pictures[name] for name in scene.grads], [scene.torch_grad(name) for name in scene.grads])
    for b in range(3):
        image = np.concatenate([scene.colors(b), scene.alpha[b][..., None]], axis=-1)
        grad = np.concatenate([scene.grad("rgb", b), scene.grad("alpha", b)[..., None]], axis=-1)
        swept = classic.pixel_map_gradient(scene.drawn[b], scene.maps[b][0], image, grad, scene.eps)
        slid = classic.depth_gradient(scene.drawn[b], scene.maps[b], scene.grad("depth", b))
        assert agree(faces.grad[b], scene.folded(swept + slid))
        texels = classic.texture_gradient(
            scene.drawn[b], scene.cubes[b], scene.maps[b], scene.grad("rgb", b), scene.eps
        )
        assert agree(textures.grad[b], scene.folded_textures(texels))


def test_light_multiplies_colours_and_gets_their_gradient():
    scene = Scene(1, anywhere, np.float64)
    faces, textures = scene.leaves()
    light = torch.rand(1, 2 * faces.shape[1], 3, dtype=torch.float64, requires_grad=True)
    grad = scene.torch_grad("rgb")
    rgb = scene.draw(faces, textures, light=light)["rgb"]
    rgb.backward(grad)
    # The original multiplies the textures themselves.
    cubes = torch.tensor(np.stack(scene.cubes), requires_grad=True)
    other_light = light.detach().clone().requires_grad_()
    copies = torch.cat([faces.detach(), faces.detach().flip(2)], dim=1)
    lit = cubes * other_light[:, :, None, None, None, :]
    other = scene.draw(copies, lit, fill_back=False)["rgb"]
    other.backward(grad)
    torch.testing.assert_close(rgb, other)
    torch.testing.assert_close(light.grad, other_light.grad)
    count = faces.shape[1]
    torch.testing.assert_close(textures.grad, cubes.grad[:, :count] + cubes.grad[:, count:].permute(0, 1, 4, 3, 2, 5))


def test_depth_has_the_gradient_of_central_differences():
    # Inside one large face depth is smooth; the corners' motion on the screen and in depth both count.
    faces = torch.tensor([[[[-2.9, -1.7, 2.0], [3.2, -1.5, 3.0], [0.1, 3.6, 5.0]]]], dtype=torch.float64)

    def depth(corners):
        return draw(corners, None, (6, 5), anti_aliasing=False, return_alpha=False)["depth"]

    assert depth(faces).max() < 100
    torch.autograd.gradcheck(depth, faces.requires_grad_())


def test_near_and_far_are_honoured_per_pixel():
    face = torch.tensor([[[[-1.0, -3.0, 1.0], [3.0, 1.0, 3.0], [-1.0, 1.0, 2.0]]]])
    whole = rasterize_maps(face, 16, fill_back=True)
    cut = rasterize_maps(face, 16, near=1.5, far=2.5, fill_back=True)
    kept = (whole.depth > 1.5) & (whole.depth < 2.5)
    assert kept.any()
    assert (whole.face_index >= 0).sum() > kept.sum()
    torch.testing.assert_close(cut.face_index >= 0, kept)
    assert (cut.depth[~kept] == 2.5).all()


def test_of_two_faces_at_the_same_place_the_first_is_seen():
    face = torch.tensor([[[-1.0, -1.0, 2.0], [1.0, -1.0, 2.0], [0.0, 1.0, 2.0]]])
    maps = rasterize_maps(torch.stack([face, face], dim=1).reshape(1, 2, 3, 3), 8)
    assert set(maps.face_index.unique().tolist()) == {-1, 0}


def test_a_face_is_seen_before_the_back_of_another_at_the_same_depth():
    face = torch.tensor([[-1.0, -1.0, 2.0], [1.0, -1.0, 2.0], [0.0, 1.0, 2.0]])
    maps = rasterize_maps(torch.stack([face.flip(0), face])[None], 8, fill_back=True)
    assert set(maps.face_index.unique().tolist()) == {-1, 1}


@pytest.mark.parametrize(
    "corners",
    [
        [[0, 0, 2]] * 3,
        [[0, 0, 2], [0.5, 0.5, 2], [0.5, 0.5, 2]],
        [[-0.5, -0.5, 2], [0, 0, 2], [0.5, 0.5, 2]],
        [[0, 0, 0]] * 3,
        [[float("nan"), 0, 2], [1, 0, 2], [0, 1, 2]],
        [[0, 0, 2], [float("inf"), 0, 2], [0, 1, 2]],
        [[0, 0, float("nan")], [1, 0, 2], [0, 1, 2]],
    ],
)
def test_faces_without_area_or_place_are_never_drawn(corners):
    maps = rasterize_maps(torch.tensor([[corners]], dtype=torch.float32), 8, fill_back=True)
    assert (maps.face_index == -1).all()
    assert (maps.depth == 100).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_number_of_threads_changes_no_bit(dtype):
    scene = Scene(7, anywhere, dtype, batch=2, resolution=3)
    results = []
    for threads in (1, 2, 3):
        ops.set_num_threads(threads)
        faces, textures = scene.leaves()
        light = torch.ones(2, 2 * faces.shape[1], 3, dtype=faces.dtype, requires_grad=True)
        pictures = scene.draw(faces, textures, light=light)
        alpha = scene.draw(faces, None, return_depth=False)["alpha"]
        sum((picture.double() ** 2).sum() for picture in (*pictures.values(), alpha)).backward()
        results.append([*pictures.values(), alpha, faces.grad, textures.grad, light.grad])
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_an_empty_mesh_is_background():
    pictures = draw(torch.zeros(2, 0, 3, 3), torch.zeros(2, 0, 2, 2, 2, 3), 4, background_color=[1, 0.5, 0])
    assert pictures["alpha"].abs().sum() == 0
    assert (pictures["depth"] == 100).all()
    assert pictures["rgb"][1, :, 2, 3].tolist() == [1, 0.5, 0]
