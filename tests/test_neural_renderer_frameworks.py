# SPDX-License-Identifier: MIT
"""The drop-in is one program for PyTorch and PaddlePaddle: the same pictures, the same gradients, the same manners."""

from importlib import import_module

import numpy as np
import pytest
from frameworks import evaluate
from PIL import Image

import intaglio.neural_renderer
import intaglio.neural_renderer.paddle as nrp
import intaglio.neural_renderer.torch as nrt
from intaglio import shapes
from intaglio.array import framework, namespace

framework("paddle")
import paddle  # noqa: E402

MESH = shapes.icosphere(1)
_random = np.random.default_rng(0)
VALUES = {
    "vertices": MESH.vertices * _random.uniform(0.7, 1.0, (3, len(MESH.vertices), 1)),
    "faces": np.repeat(MESH.triangles[None], 3, axis=0),
    "textures": _random.uniform(0, 1, (3, len(MESH.triangles), 3, 3, 3, 3)),
    "colors": _random.uniform(0, 1, (3, len(MESH.vertices), 3)),
    "eye": np.array([0.4, 0.8, -2.6]),
    "way": np.array([-0.1, -0.3, 1.0]),
    "light": np.array([0.3, 0.9, -0.2]),
    "K": np.array([[[40.0, 1, 31], [0, 42, 33], [0, 0, 1]]]).repeat(3, axis=0),
    "R": np.eye(3)[None].repeat(3, axis=0) + 0.05,
    "t": np.array([[[0.1, -0.1, 2.7]]]).repeat(3, axis=0),
    "bends": np.array([[0.05, -0.02, 0.01, 0.02, 0.01]]),
    "distances": np.array([2.5, 3.0, 3.5]),
    "angles": np.array([10.0, 20.0, 30.0]),
    "face_corners": _random.uniform([-1, -1, 2], [1, 1, 4], (3, 8, 3, 3)),
}


def renderer_of(x, **options):
    return import_module(f"intaglio.neural_renderer.{namespace(x['vertices']).name}").Renderer(
        **{"image_size": 20, "camera_mode": "look_at"} | options
    )


def look_at(x):
    renderer = renderer_of(x)
    renderer.eye, renderer.light_direction = x["eye"], x["light"]
    return renderer(x["vertices"], x["faces"], x["textures"])


def look(x):
    renderer = renderer_of(x, camera_mode="look")
    renderer.eye, renderer.camera_direction = x["eye"], x["way"]
    return (renderer(x["vertices"], x["faces"], x["colors"], mode="rgb"),)


def project(x):
    renderer = renderer_of(x, camera_mode="projection", image_size=(16, 24), orig_size=64)
    camera = {"K": x["K"], "R": x["R"], "t": x["t"], "dist_coeffs": x["bends"]}
    return tuple(renderer(x["vertices"], x["faces"], mode=mode, **camera) for mode in ("silhouettes", "depth"))


def orbit(x):
    nr = import_module(f"intaglio.neural_renderer.{namespace(x['vertices']).name}")
    points = nr.get_points_from_angles(x["distances"], x["angles"], x["angles"])
    return (nr.perspective(nr.look_at(x["vertices"], points), x["angles"]),)


def raw_maps(x):
    nr = import_module(f"intaglio.neural_renderer.{namespace(x['vertices']).name}")
    module = nr.Rasterize(12, 0.1, 100, 1e-3, [0.2, 0.4, 0.6], return_rgb=True, return_alpha=True, return_depth=True)
    return module(x["face_corners"], x["textures"][:, :8])


PROGRAMS = {
    look_at: ("vertices", "textures", "eye", "light"),
    look: ("vertices", "colors", "eye", "way"),
    project: ("vertices", "K", "R", "t", "bends"),
    orbit: ("vertices", "distances", "angles"),
    raw_maps: ("face_corners", "textures"),
}


def assert_close(got, expected):
    # Sums in another order, of numbers whose largest may be a thousand times the result.
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9 * max(np.abs(expected).max(), 1))


@pytest.mark.parametrize("program", PROGRAMS)
def test_both_frameworks_give_the_same_pictures_and_gradients(program):
    in_torch, in_paddle = (
        evaluate(name, program, VALUES, PROGRAMS[program], dtype=np.float64) for name in ("torch", "paddle")
    )
    for got, expected in zip(in_paddle.outputs, in_torch.outputs, strict=True):
        assert_close(got, expected)
    for name, expected in in_torch.gradients.items():
        assert np.abs(expected).max() > 0
        assert_close(in_paddle.gradients[name], expected)


@pytest.mark.parametrize(("program", "wanted"), [(p, name) for p, names in PROGRAMS.items() for name in names])
def test_paddle_survives_when_one_input_alone_wants_a_gradient(program, wanted):
    alone = evaluate("paddle", program, VALUES, [wanted], dtype=np.float64).gradients
    together = evaluate("paddle", program, VALUES, PROGRAMS[program], dtype=np.float64).gradients
    assert_close(alone[wanted], together[wanted])


@pytest.mark.parametrize("program", PROGRAMS)
def test_paddle_s_float32_is_torch_s(program):
    in_torch, in_paddle = (evaluate(name, program, VALUES) for name in ("torch", "paddle"))
    for got, expected in zip(in_paddle.outputs, in_torch.outputs, strict=True):
        # Who covers a pixel may change where an edge passes within rounding of its centre: a few samples of thousands.
        far_off = np.abs(got - expected) > 1e-4 * np.abs(expected).max()
        assert far_off.mean() < 2e-3


def test_both_modules_offer_the_same_names():
    assert nrp.__all__ == nrt.__all__
    assert (nrt.__version__, nrp.__version__) == ("1.1.3", "1.1.3.4")


def test_install_makes_both_names_paddle_s(monkeypatch):
    import sys

    for name in [name for name in sys.modules if name.split(".")[0].startswith("neural_renderer")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    intaglio.neural_renderer.install("paddle")
    assert sys.modules["neural_renderer_paddle"] is nrp
    assert sys.modules["neural_renderer_paddle.renderer"].Renderer is nrp.Renderer
    assert sys.modules["neural_renderer"] is nrp


def test_unmodified_code_for_paddle_runs(tmp_path):
    import subprocess
    import sys

    program = """
import intaglio.neural_renderer
intaglio.neural_renderer.install("paddle")
import neural_renderer_paddle as nr
import neural_renderer_paddle
from neural_renderer_paddle.renderer import Renderer
import paddle
renderer = Renderer(image_size=16, camera_mode="look_at")
renderer.eye = neural_renderer_paddle.get_points_from_angles(2.732, 30, 0)
vertices, faces = paddle.rand([1, 4, 3]), paddle.to_tensor([[[0, 1, 2], [1, 2, 3]]])
assert renderer(vertices, faces, mode="silhouettes").shape == [1, 16, 16]
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


class TestManners:
    def test_a_renderer_is_a_layer_that_trains_its_camera(self):
        vertices, faces = paddle.to_tensor(VALUES["vertices"][:1], "float32"), paddle.to_tensor(VALUES["faces"][:1])
        renderer = nrp.Renderer(camera_mode="look_at", image_size=32)
        assert isinstance(renderer, paddle.nn.Layer)
        target = renderer(vertices, faces, mode="silhouettes")
        eye = paddle.nn.initializer.Assign(np.float32([1.0, 0.5, -3.5]))
        renderer.eye = renderer.create_parameter([3], default_initializer=eye)
        adam = paddle.optimizer.Adam(0.05, parameters=renderer.parameters())
        losses = []
        for _ in range(40):
            loss = ((renderer(vertices, faces, mode="silhouettes") - target) ** 2).sum()
            adam.clear_grad()
            loss.backward()
            adam.step()
            losses.append(float(loss))
        assert min(losses) < 0.2 * losses[0]

    def test_attributes_may_change_their_kind(self):
        renderer = nrp.Renderer(camera_mode="look_at")
        for eye in (paddle.to_tensor([1.0, 2, 3]), [0, 0, -2], np.ones(3), renderer.create_parameter([3]), (0, 0, -1)):
            renderer.eye = eye
            assert renderer.eye is eye
        assert renderer.parameters() == []

    def test_a_mesh_has_textures_to_fit(self):
        vertices, faces = paddle.to_tensor(MESH.vertices), paddle.to_tensor(MESH.triangles)
        mesh = nrp.Mesh(vertices, faces, texture_size=3)
        assert not mesh.textures.stop_gradient
        assert mesh.textures.shape == [80, 3, 3, 3, 3]
        textures = paddle.ones([80, 2, 2, 2, 3])
        assert nrp.Mesh(vertices, faces, textures).textures is textures

    def test_files_are_the_same_for_both(self, tmp_path):
        textures = paddle.rand([80, 2, 2, 2, 3])
        nrp.save_obj(tmp_path / "a.obj", paddle.to_tensor(MESH.vertices), paddle.to_tensor(MESH.triangles), textures)
        first, second = (nr.load_obj(tmp_path / "a.obj", load_texture=True) for nr in (nrt, nrp))
        for got, expected in zip(second, first, strict=True):
            assert isinstance(got, paddle.Tensor)
            np.testing.assert_array_equal(got.numpy(), expected.numpy())
        with Image.open(tmp_path / "a.png") as picture:
            assert picture.size == (144, 144)

    def test_wrong_arguments_are_named(self):
        with pytest.raises(ValueError, match=r"rasterize: faces must be \[B, F, 3, 3\]; got \[1, 3, 3\]"):
            nrp.rasterize_silhouettes(paddle.ones([1, 3, 3]), 8)
        with pytest.raises(ValueError, match=r"vertices_to_faces: faces must be in \[0, 4\); got 4"):
            nrp.vertices_to_faces(paddle.ones([1, 4, 3]), paddle.to_tensor([[[0, 1, 4]]]))
