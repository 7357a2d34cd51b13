# SPDX-License-Identifier: MIT
"""Programs in the manner of those that were written for neural_renderer, unchanged but for `install`."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import intaglio.neural_renderer
from intaglio import shapes


@pytest.fixture(autouse=True)
def installed():
    """`neural_renderer` means the drop-in within a test, and nothing before and after."""
    before = dict(sys.modules)
    intaglio.neural_renderer.install("torch")
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "neural_renderer"]:
        del sys.modules[name]
        if name in before:
            sys.modules[name] = before[name]


def test_the_original_s_import_lines_work():
    import neural_renderer
    import neural_renderer as nr
    import neural_renderer.renderer
    from neural_renderer import get_points_from_angles, vertices_to_faces
    from neural_renderer.load_obj import load_obj
    from neural_renderer.look_at import look_at
    from neural_renderer.mesh import Mesh
    from neural_renderer.perspective import perspective
    from neural_renderer.projection import projection
    from neural_renderer.rasterize import Rasterize, rasterize_rgbad
    from neural_renderer.renderer import Renderer

    assert nr is neural_renderer
    assert nr.renderer.Renderer is Renderer is nr.Renderer
    assert nr.mesh.Mesh is Mesh is nr.Mesh
    assert (nr.look_at, nr.projection, nr.perspective, nr.load_obj) == (look_at, projection, perspective, load_obj)
    assert (nr.Rasterize, nr.rasterize_rgbad) == (Rasterize, rasterize_rgbad)
    assert callable(nr.rasterize)
    assert callable(nr.lighting)
    assert callable(nr.save_obj)
    assert (nr.get_points_from_angles, nr.vertices_to_faces) == (get_points_from_angles, vertices_to_faces)
    assert nr.__version__ == "1.1.3"


def test_the_guide_s_three_lines_lift_cuda_calls():
    guide = (Path(__file__).parent.parent / "docs/migration/neural_renderer.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    install, lift = blocks[1], blocks[2]
    program = """
import neural_renderer as nr
vertices = torch.rand(1, 4, 3).cuda()
faces = torch.cuda.IntTensor([[[0, 1, 2]]])
model = torch.nn.Linear(2, 2).cuda(0)
renderer = nr.Renderer(image_size=8, camera_mode="look_at").cuda()
assert renderer(vertices, faces, torch.ones(1, 1, 2, 2, 2, 3, dtype=torch.float32).cuda())[0].shape == (1, 3, 8, 8)
"""
    subprocess.run([sys.executable, "-c", install + lift + program], check=True)


def test_constants_of_the_original_are_where_they_were():
    from neural_renderer.rasterize import DEFAULT_EPS, DEFAULT_FAR, DEFAULT_IMAGE_SIZE, DEFAULT_NEAR

    assert (DEFAULT_IMAGE_SIZE, DEFAULT_NEAR, DEFAULT_FAR, DEFAULT_EPS) == (256, 0.1, 100, 1e-4)


def test_install_knows_two_frameworks():
    with pytest.raises(ValueError, match="install: framework must be one of torch, paddle; got 'jax'"):
        intaglio.neural_renderer.install("jax")


def test_import_imports_only_its_own_framework():
    program = (
        "import sys, intaglio.neural_renderer; assert not {'torch', 'paddle', 'jax'} & sys.modules.keys();"
        "intaglio.neural_renderer.install('torch'); import neural_renderer.renderer;"
        "assert not {'paddle', 'jax'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def the_teapot(folder):
    """A file as clients have one, and what they load of it."""
    import neural_renderer as nr

    mesh = shapes.teapot(3)
    nr.save_obj(folder / "teapot.obj", mesh.vertices, mesh.triangles)
    vertices, faces = nr.load_obj(str(folder / "teapot.obj"))
    return vertices[None, :, :], faces[None, :, :]


def test_example_1_draws_a_turntable(tmp_path):
    import neural_renderer as nr

    vertices, faces = the_teapot(tmp_path)
    textures = torch.ones(1, faces.shape[1], 2, 2, 2, 3, dtype=torch.float32)
    renderer = nr.Renderer(camera_mode="look_at", image_size=32)
    frames = []
    for azimuth in range(0, 360, 90):
        renderer.eye = nr.get_points_from_angles(2.732, 30, azimuth)
        images, _, _ = renderer(vertices, faces, textures)
        frames.append((255 * images.detach().cpu().numpy()[0].transpose((1, 2, 0))).astype(np.uint8))
    assert all(frame.shape == (32, 32, 3) and frame.max() > 100 for frame in frames)
    assert any((frame != frames[0]).any() for frame in frames[1:])


class Model(torch.nn.Module):
    """What all fitting examples look like: buffers, parameters and a renderer in one module."""

    def __init__(self, vertices, faces, target):
        super().__init__()
        import neural_renderer as nr

        self.register_buffer("vertices", vertices)
        self.register_buffer("faces", faces)
        self.register_buffer("target", target)
        self.renderer = nr.Renderer(camera_mode="look_at", image_size=target.shape[-1])


class VertexModel(Model):
    def __init__(self, vertices, faces, target):
        super().__init__(vertices, faces, target)
        self.moved = torch.nn.Parameter(vertices.clone())
        self.renderer.eye = (2.732, 0, 0.1)

    def forward(self):
        image = self.renderer(self.moved, self.faces, mode="silhouettes")
        return torch.sum((image - self.target[None, :, :]) ** 2)


class TextureModel(Model):
    def __init__(self, vertices, faces, target):
        super().__init__(vertices, faces, target)
        self.textures = torch.nn.Parameter(torch.zeros(1, faces.shape[1], 4, 4, 4, 3))
        self.renderer.perspective = False
        self.renderer.light_intensity_directional = 0.0
        self.renderer.light_intensity_ambient = 1.0

    def forward(self):
        import neural_renderer as nr

        self.renderer.eye = nr.get_points_from_angles(2.732, 0, np.random.default_rng(0).uniform(0, 360))
        image, _, _ = self.renderer(self.vertices, self.faces, torch.tanh(self.textures))
        return torch.sum((image - self.target) ** 2)


class CameraModel(Model):
    def __init__(self, vertices, faces, target):
        super().__init__(vertices, faces, target)
        self.camera_position = torch.nn.Parameter(torch.tensor([6.0, 10.0, -14.0]))
        self.renderer.eye = self.camera_position

    def forward(self):
        image = self.renderer(self.vertices, self.faces, mode="silhouettes")
        return torch.sum((image - self.target[None, :, :]) ** 2)


def descend(model, steps, **options):
    """The losses of some steps of Adam."""
    parameters = [x for x in model.parameters() if x.requires_grad]
    optimizer = torch.optim.Adam(parameters, **options)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_example_2_deforms_the_teapot_into_a_square(tmp_path):
    target = torch.zeros(64, 64)
    target[16:48, 16:48] = 1
    losses = descend(VertexModel(*the_teapot(tmp_path), target), 30, lr=0.01)
    assert losses[-1] < 0.5 * losses[0]


def test_example_3_paints_the_teapot(tmp_path):
    target = torch.tensor([1.0, 0.5, 0.0])[None, :, None, None].expand(1, 3, 32, 32) * torch.ones(1, 3, 32, 32)
    model = TextureModel(*the_teapot(tmp_path), target)
    losses = descend(model, 30, lr=0.1, betas=(0.5, 0.999))
    background = (model.target[:, :, 0, 0] ** 2).sum() * 32 * 32
    assert losses[0] == pytest.approx(background.item())  # black on black
    with torch.no_grad():
        alpha = model.renderer(model.vertices, model.faces, mode="silhouettes")
    # What is left is what no texture can paint: the background's part of each pixel.
    left = (((1 - alpha) ** 2).sum() * 1.25).item()
    assert losses[-1] < left + 0.05 * (losses[0] - left)


def test_example_4_finds_the_camera(tmp_path):
    import neural_renderer as nr

    vertices, faces = the_teapot(tmp_path)
    renderer = nr.Renderer(camera_mode="look_at", image_size=64)
    renderer.eye = nr.get_points_from_angles(2.732, 30, -15)
    target = (renderer(vertices, faces, mode="silhouettes")[0] != 0).float()
    model = CameraModel(vertices, faces, target)
    losses = descend(model, 150, lr=0.1)
    assert losses[-1] < 0.15 * losses[0]
    assert model.camera_position.norm().item() == pytest.approx(2.732, rel=0.1)


def test_poses_are_found_through_a_calibrated_camera():
    # In the manner of those who fit objects to photographs: K, R and t belong to the call.
    import neural_renderer as nr

    mesh = shapes.cube()
    vertices = torch.tensor(mesh.vertices, dtype=torch.float32)[None] * torch.tensor([1.0, 0.5, 0.3])
    faces = torch.tensor(mesh.triangles)[None]
    renderer = nr.renderer.Renderer(image_size=48, K=None, R=None, t=None, orig_size=1, anti_aliasing=False)
    camera = {"K": torch.tensor([[[1.0, 0, 0.5], [0, 1.0, 0.5], [0, 0, 1]]]), "R": torch.eye(3)[None]}
    with torch.no_grad():
        target = renderer(vertices, faces, mode="silhouettes", t=torch.tensor([[[0.4, -0.3, 6.0]]]), **camera)
    place = torch.nn.Parameter(torch.tensor([[[0.0, 0.0, 5.0]]]))
    optimizer = torch.optim.Adam([place], lr=0.05)
    losses = []
    for _ in range(60):
        image = renderer(vertices, faces, mode="silhouettes", t=place, **camera)
        loss = ((image - target) ** 2).sum()
        optimizer.zero_grad(), loss.backward(), optimizer.step()
        losses.append(loss.item())
    # The gradient grows without bound as an edge nears a pixel, so that steps overshoot: clients keep the best.
    assert losses[0] > 100
    assert min(losses) < 5


def test_symmetric_vertex_colours_in_cubes_keep_their_gradient():
    # In the manner of those who learn faces from pictures: a depth map becomes a grid, its colours T = 2 cubes.
    import neural_renderer as nr

    grid = shapes.plane(8)
    renderer = nr.Renderer(camera_mode="projection", image_size=32, light_intensity_ambient=1.0,
                           light_intensity_directional=0.0, K=torch.eye(3)[None], R=torch.eye(3)[None],
                           t=torch.zeros(1, 3), orig_size=1, background_color=[1, 1, 1], near=0.1, far=10)  # fmt: skip
    renderer.K = torch.tensor([[[0.5, 0, 0.5], [0, 0.5, 0.5], [0, 0, 1]]])
    depth = torch.full((2, grid.vertices.shape[0]), 1.2, requires_grad=True)
    points = torch.tensor(grid.vertices[:, :2], dtype=torch.float32).expand(2, -1, 2)
    vertices = torch.cat([points, depth[..., None]], dim=2)
    textures = torch.rand(2, len(grid.triangles), 2, 2, 2, 3, requires_grad=True)
    faces = torch.tensor(grid.triangles).expand(2, -1, 3)
    image = renderer.render_rgb(vertices, faces, textures).clamp(min=-1.0, max=1.0)
    drawn_depth = renderer.render_depth(vertices, faces)
    drawn_depth = drawn_depth.clamp(min=0.1, max=10)
    (image.mean() + drawn_depth.mean()).backward()
    assert torch.isfinite(depth.grad).all()
    assert depth.grad.abs().sum() > 0
    assert textures.grad.abs().sum() > 0


def test_a_module_moves_and_saves_like_others(tmp_path):
    vertices, faces = the_teapot(tmp_path)
    model = CameraModel(vertices, faces, torch.zeros(16, 16)).to("cpu").double()
    assert model().dtype == torch.float64
    state = model.state_dict()
    assert "camera_position" in state
    torch.save(model, tmp_path / "model.pt")
    again = torch.load(tmp_path / "model.pt", weights_only=False)
    assert again().item() == model().item()
