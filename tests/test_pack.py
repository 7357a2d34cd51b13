# SPDX-License-Identifier: MIT
"""Meshes of any sizes in one call: each image is that of its mesh alone, bit for bit."""

import pickle
from dataclasses import replace

import jax
import numpy as np
import pytest
import torch
from reference import scenes

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
    compare_silhouette,
    ops,
    orbit,
    pack,
    render,
    render_normals,
    render_silhouette,
    save,
    shapes,
)

SIZE = (20, 28)
SHAPES = [
    scenes.icosphere(1),
    scenes.cube(),
    scenes.Shape(np.zeros((0, 3)), np.zeros((0, 3), np.int32)),
    scenes.grid(4),
]
R = len(SHAPES)


def cameras(count):
    steps = np.arange(count)
    return Camera.look_at(orbit(3.0 + 0.2 * steps, 20.0 + 10 * steps, 37.0 * steps), fov_y_degrees=45)


def bare(k, dtype=np.float64):
    shape = SHAPES[k]
    return Mesh((shape.vertices * (0.6 + 0.1 * k) + [0.1 * k - 0.2, 0.05 * k, 0]).astype(dtype), shape.triangles)


def random_of(k):
    return np.random.default_rng(k)


def colored(k):
    return bare(k).replace(vertex_colors=random_of(k).uniform(0.2, 1, (len(SHAPES[k].vertices), 3)))


def with_faces(k):
    return bare(k).replace(face_textures=random_of(k).uniform(0.2, 1, (len(SHAPES[k].triangles), 2, 2, 2, 3)))


def textured(k, size=8):
    """Every other has corners of their own in the texture."""
    mesh, rng = bare(k), random_of(k)
    count = len(mesh.triangles)
    corners = {"uv_triangles": np.arange(3 * count).reshape(-1, 3)} if k % 2 else {}
    uv = rng.uniform(0, 2, (3 * count if corners else len(mesh.vertices), 2))
    return mesh.replace(uv=uv, texture=rng.uniform(0.2, 1, (size, size, 3)), **corners)


def metallic(k):
    rng = random_of(k)
    material = Material(
        base_color=tuple(rng.uniform(0.3, 1, 3)),
        metallic=0.2 * k,
        roughness=np.array(0.3 + 0.1 * k),
        metallic_roughness_texture=rng.uniform(0.3, 1, (4, 4, 2)),
        normal_texture=rng.uniform([0.3, 0.3, 0.9], [0.7, 0.7, 1], (4, 4, 3)),
        normal_scale=0.5 + 0.1 * k,
        emissive=(0.1, 0.1 * k, 0),
    )
    return textured(k).replace(material=material)


def shining(k):
    return colored(k).replace(material=BlinnPhong(shininess=10.0 + k))


def glassy(k):
    return bare(k).replace(material=Unlit(base_color=(0.2 * k, 0.5, 0.5, 0.4 + 0.1 * k), alpha_mode="blend"))


def mixed(k):
    return [colored, textured, bare, textured][k](k)


KINDS = (bare, colored, with_faces, textured, metallic, shining, glassy, mixed)
SKY = EnvironmentLight(random_of(0).uniform(0, 1, (8, 16, 3)))
LIGHTS = (AmbientLight((0.1, 0.2, 0.1)), DirectionalLight((0.5, 1, 0.7), intensity=0.7), PointLight((1, 2, 2)))
OPTIONS = (
    {"lights": LIGHTS, "background": random_of(1).uniform(0, 1, (*SIZE, 3))},
    {"shading": "smooth", "lights": (*LIGHTS, SKY), "texture_filter": "trilinear", "supersample": 2, "background": SKY},
    {"shading": "flat", "texture_filter": "anisotropic", "layers": 3, "background": (0.1, 0.2, 0.3)},
    {"visibility": "antialias", "texture_filter": "nearest"},
    {"visibility": "soft", "background": random_of(2).uniform(0, 1, (*SIZE, 3))},
)


def meshes_of(kind):
    return [kind(k) for k in range(R)]


def assert_same(found, expected):
    for got, alone in zip(found, expected, strict=True):
        np.testing.assert_array_equal(got, alone)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options)))
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_image_is_that_of_its_mesh_alone(kind, options):
    meshes = meshes_of(kind)
    packed = pack(meshes)
    own, all_see = cameras(R), cameras(3)
    each = render(packed, own, SIZE, **options)
    one = render(packed, own[1], SIZE, **options)
    product = render(packed, all_see, SIZE, product=True, **options)
    assert each.color.shape == one.color.shape == (R, *SIZE, 3)
    assert product.color.shape == (3, R, *SIZE, 3)
    for r, mesh in enumerate(meshes):
        assert_same([x[r : r + 1] for x in each], render(mesh, own[r], SIZE, **options))
        assert_same([x[r : r + 1] for x in one], render(mesh, own[1], SIZE, **options))
        assert_same([x[:, r] for x in product], render(mesh, all_see, SIZE, **options))


@pytest.mark.parametrize("visibility", ["edge", "antialias", "sweep", "soft", None])
def test_silhouettes_are_those_of_each_mesh(visibility):
    meshes = meshes_of(mixed)
    own, all_see = cameras(R), cameras(3)
    each = render_silhouette(pack(meshes), own, SIZE, visibility=visibility, supersample=2)
    product = render_silhouette(pack(meshes), all_see, SIZE, visibility=visibility, product=True)
    for r, mesh in enumerate(meshes):
        assert_same([each[r]], render_silhouette(mesh, own[r], SIZE, visibility=visibility, supersample=2))
        assert_same([product[:, r]], [render_silhouette(mesh, all_see, SIZE, visibility=visibility)])


def test_silhouettes_of_all_looks_are_drawn_in_one_go(monkeypatch):
    calls, original = [], ops.rasterize
    monkeypatch.setattr(ops, "rasterize", lambda *args, **options: calls.append(1) or original(*args, **options))
    packed = pack(meshes_of(mixed))
    render_silhouette(packed, cameras(R), SIZE, visibility=None)
    assert (len(packed.looks), len(calls)) == (3, 1)


def test_targets_are_compared_with_each_mesh():
    meshes, packed = meshes_of(mixed), pack(meshes_of(mixed))
    targets, own, all_see = random_of(0).uniform(0, 1, (3, R, *SIZE)), cameras(R), cameras(3)
    each = compare_silhouette(packed, own, targets[0], supersample=2)
    one = compare_silhouette(packed, own[0], targets[0, 0])
    product = compare_silhouette(packed, all_see, targets, product=True)
    shared = compare_silhouette(packed, all_see, targets[0], product=True)
    assert each.shape == one.shape == (R,)
    assert product.shape == (3, R)
    for r, mesh in enumerate(meshes):
        assert each[r] == compare_silhouette(mesh, own[r], targets[0, r], supersample=2)[0]
        assert one[r] == compare_silhouette(mesh, own[0], targets[0, 0])[0]
        assert_same([product[:, r]], [compare_silhouette(mesh, all_see, targets[:, r])])
        assert_same([shared[:, r]], [compare_silhouette(mesh, all_see, targets[0, r])])


@pytest.mark.parametrize("space", ["world", "view"])
def test_normals_are_those_of_each_mesh(space):
    meshes, own, all_see = meshes_of(metallic), cameras(R), cameras(3)
    each = render_normals(pack(meshes), own, SIZE, space=space, supersample=2)
    product = render_normals(pack(meshes), all_see, SIZE, space=space, shading="flat", product=True)
    for r, mesh in enumerate(meshes):
        assert_same([each[r]], render_normals(mesh, own[r], SIZE, space=space, supersample=2))
        assert_same([product[:, r]], [render_normals(mesh, all_see, SIZE, space=space, shading="flat")])


def wide(name, count):
    rng = random_of(count)
    if name == "panorama":
        return Camera.panorama(rng.normal(size=(count, 3)) * 2)
    K = np.array([[10.0, 0, 13.5], [0, 10, 9.5], [0, 0, 1]]) * rng.uniform(0.9, 1.1, (count, 3, 1))
    K[:, 2, 2] = 1
    camera = Camera.fisheye(K, np.diag([1.0, -1, -1]), [0.1, 0, 2.5], SIZE, fov_degrees=170)
    return replace(camera, projection=replace(camera.projection, face_size=24))


@pytest.mark.parametrize("name", ["panorama", "fisheye"])
def test_wide_cameras_see_packs(name):
    meshes, own, all_see = meshes_of(mixed), wide(name, R), wide(name, 2)
    options = {"texture_filter": "trilinear", "background": SKY}
    each = render(pack(meshes), own, SIZE, **options)
    product = render(pack(meshes), all_see, SIZE, product=True, **options)
    errors = compare_silhouette(pack(meshes), all_see, product.alpha * 0.5, product=True)
    for r, mesh in enumerate(meshes):
        assert_same([x[r : r + 1] for x in each], render(mesh, own[r], SIZE, **options))
        assert_same([x[:, r] for x in product], render(mesh, all_see, SIZE, **options))
        assert_same([errors[:, r]], [compare_silhouette(mesh, all_see, product.alpha[:, r] * 0.5)])


@pytest.mark.parametrize("shading", ["flat", "smooth"])
@pytest.mark.parametrize("kind", [bare, mixed, metallic], ids=lambda kind: kind.__name__)
def test_every_image_may_have_lights_and_a_background_of_its_own(kind, shading):
    meshes, all_see, count = meshes_of(kind), cameras(2), 2 * R
    rng = random_of(4)
    colors, places, skies = (rng.uniform(0.2, 2, (count, *shape)) for shape in ((3,), (3,), (8, 16, 3)))

    def lit(index, more):
        lights = [AmbientLight(colors[index], 0.2), DirectionalLight(places[index], intensity=colors[index, 0])]
        lights.append(PointLight(places[index], colors[index]))
        if more:
            lights += [SpotLight(places[index], -places[index], inner_degrees=5.0, outer_degrees=40.0)]
            lights += [EnvironmentLight(skies[index]), SphericalHarmonicsLight(0.1 * skies[index, 0, :9])]
        backgrounds = (colors[index], np.tile(skies, (1, 3, 2, 1))[index, :20, :28], EnvironmentLight(skies[index]))
        return {"lights": lights, "background": backgrounds[1 if more else 0 if shading == "flat" else 2]}

    for more in (False, True):
        found = render(pack(meshes), all_see, SIZE, shading=shading, product=True, **lit(slice(None), more))
        for r, mesh in enumerate(meshes):
            images = np.arange(2) * R + r  # camera by camera
            assert_same([x[:, r] for x in found], render(mesh, all_see, SIZE, shading=shading, **lit(images, more)))


# --- gradients


def leaves_of(mesh):
    """A copy in torch with every array a leaf."""
    mesh = mesh.to("torch")
    names = ("vertices", "vertex_colors", "face_textures", "texture", "uv")
    arrays = {name: x.clone().requires_grad_() for name in names if (x := getattr(mesh, name)) is not None}
    if mesh.material is not None:
        given = {name: x for name, x in mesh.material.arrays().items() if x is not None}
        of_material = {name: torch.tensor(np.asarray(x, np.float64), requires_grad=True) for name, x in given.items()}
        return mesh.replace(**arrays, material=replace(mesh.material, **of_material)), {**arrays, **of_material}
    return mesh.replace(**arrays), arrays


def weighted(pictures, weights):
    """A loss in which every image and element counts differently."""
    total = 0
    for x in pictures:
        if x.is_floating_point():
            ramp = torch.linspace(0.5, 1.5, x[0].numel(), dtype=x.dtype).reshape(x.shape[1:])
            total = total + (weights.reshape(-1, *(1,) * (x.ndim - 1)) * ramp * x * (x + 1)).sum()
    return total


@pytest.mark.parametrize("options", [OPTIONS[0], OPTIONS[1], OPTIONS[2]], ids=["edge", "smooth", "layers"])
@pytest.mark.parametrize("is_product", [False, True], ids=["each", "product"])
@pytest.mark.parametrize("kind", [with_faces, metallic, mixed], ids=lambda kind: kind.__name__)
def test_gradients_are_those_of_each_mesh_alone(kind, is_product, options):
    count = 2 if is_product else R
    view = torch.tensor(np.asarray(cameras(count).view_from_world), requires_grad=True)
    direction = torch.tensor([0.5, 1.0, 0.7], dtype=torch.float64, requires_grad=True)
    options = options | {"lights": (AmbientLight(intensity=0.2), DirectionalLight(direction))}
    camera = replace(cameras(count), view_from_world=view)
    weights = torch.arange(1.0, count * R + 1 if is_product else R + 1, dtype=torch.float64)
    found, expected = ([leaves_of(mesh) for mesh in meshes_of(kind)] for _ in range(2))

    picture = render(pack([mesh for mesh, _ in found]), camera, SIZE, product=is_product, **options)
    weighted([x.flatten(0, 1) if is_product else x for x in picture], weights).backward()
    of_camera = [view.grad.clone(), direction.grad.clone()]
    view.grad = direction.grad = None
    for r, (mesh, _) in enumerate(expected):
        alone = render(mesh, camera if is_product else camera[r], SIZE, **options)
        weighted(alone, weights[r::R] if is_product else weights[r : r + 1]).backward()

    def assert_close(got, alone):  # sums of a thousand terms, of either sign, ten times their sum, in another order
        got, alone = (torch.zeros(1) if x is None else x for x in (got, alone))
        scale = max(alone.abs().max() if alone.numel() else 0, 1e-3)
        np.testing.assert_allclose(got, alone, rtol=0, atol=1e4 * 2.0**-52 * scale)

    for (_, packed), (_, single) in zip(found, expected, strict=True):
        for name, x in packed.items():
            assert_close(x.grad, single[name].grad)
    assert any(x.grad is not None and x.grad.any() for _, packed in found for x in packed.values())
    for got, alone in zip(of_camera, (view.grad, direction.grad), strict=True):
        assert_close(got, alone)


def test_meshes_that_touch_are_not_joined():
    # Two halves of a square, one mesh each: their diagonal is a border of both, and moves.
    square = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    halves = [Mesh(square, [[0, 1, 2]]), Mesh(square, [[0, 2, 3]])]
    assert (pack(halves).geometry.neighbours == -1).all()
    both = Mesh(square, [[0, 1, 2], [0, 2, 3]])
    assert pack([both, both]).geometry.neighbours.tolist() == [[-1, -1, 1], [0, -1, -1], [-1, -1, 3], [2, -1, -1]]


# --- packs


def arrays_of(mesh):
    names = ("vertices", "triangles", "vertex_colors", "face_textures", "texture", "uv", "uv_triangles")
    return {name: getattr(mesh, name) for name in names} | ({} if mesh.material is None else mesh.material.arrays())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_pack_gives_its_meshes_back(kind):
    meshes = meshes_of(kind)
    packed = pack(meshes)
    assert len(packed) == R
    for other in (packed, pickle.loads(pickle.dumps(packed)), packed.to("torch").to("numpy")):
        for mesh, back in zip(meshes, other, strict=True):
            before, after = arrays_of(mesh), arrays_of(back)
            for name, x in before.items():
                assert (x is None) == (after[name] is None)
                np.testing.assert_array_equal(x, after[name])
    assert packed[1].vertices.tolist() == meshes[1].vertices.tolist()
    assert repr(pack([shapes.cube(), shapes.cube()])) == "Pack(2 meshes, 24 triangles, numpy)"


def test_meshes_of_one_texture_share_it():
    texture = random_of(0).uniform(0, 1, (8, 8, 3)).astype(np.float32)
    cube = shapes.cube().replace(texture=texture)
    packed = pack([cube, cube.replace(vertices=0.5 * cube.vertices)])
    assert packed.geometry.texture is cube.texture
    for camera in (cameras(1), cameras(2)):
        found = render(packed, camera, SIZE, product=True)
        assert_same([x[:, 0] for x in found], render(cube, camera, SIZE))


def test_arrays_are_replaced_in_the_order_of_the_meshes():
    meshes = meshes_of(mixed)
    moved = [0.8 * mesh.vertices for mesh in meshes]
    again = pack(meshes).replace(vertices=moved, texture=[None if m.texture is None else 1 - m.texture for m in meshes])
    for back, vertices, mesh in zip(again, moved, meshes, strict=True):
        np.testing.assert_array_equal(back.vertices, vertices)
        if mesh.texture is not None:
            np.testing.assert_array_equal(back.texture, 1 - mesh.texture)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vertices": 3}, r"vertices must be a list of 4, one for each mesh; got int"),
        ({"vertices": []}, r"vertices must be a list of 4, one for each mesh; got 0"),
        ({"uv": [None] * 4}, r"uv must be \[.*\] in mesh 1; got None \(or pack anew\)"),
        (
            {"vertices": [np.zeros((2, 3))] * 4},
            r"vertices must be \[42, 3\] in mesh 0; got \[2, 3\] \(or pack anew\)",
        ),
        ({"vertex_colors": [np.ones((42, 3))] * 4}, r"vertex_colors must be None in mesh 1; got \[42, 3\]"),
    ],
)
def test_other_arrays_than_those_of_the_meshes_are_refused(changes, message):
    with pytest.raises(ValueError, match=f"^Pack.replace: {message}"):
        pack(meshes_of(mixed)).replace(**changes)


def test_no_other_array_is_replaced():
    with pytest.raises(TypeError, match=r"^Pack.replace: arguments must name arrays of a mesh; got triangles \("):
        pack([bare(0)]).replace(triangles=[SHAPES[0].triangles])


CUBE = shapes.cube()


@pytest.mark.parametrize(
    ("meshes", "message"),
    [
        ([], r"meshes must be at least one; got none"),
        (CUBE, r"meshes must be a list of them; got Mesh \(see intaglio.Mesh\)"),
        ([CUBE, 3], r"meshes must be a list of Mesh; got int \(mesh 1; .*"),
        (
            [CUBE, CUBE.replace(vertices=np.stack([CUBE.vertices] * 2))],
            r"meshes must be none of them a batch; got Mesh\(2 x .*\) \(mesh 1; take mesh.replace\(.* for each k\)",
        ),
        (
            [CUBE, CUBE.replace(vertices=CUBE.vertices.astype(np.float64))],
            r"meshes must have vertices of one float type; got float32 and float64 \(mesh 1; .*",
        ),
        (
            [CUBE, CUBE.to("torch"), CUBE.to("jax")],
            r"meshes must be of one framework, on one device; got torch cpu and jax .* \(mesh 2; Mesh.to\(.*",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(meshes, message):
    with pytest.raises(ValueError, match=f"^pack: {message}$"):
        pack(meshes)


def test_numpy_gives_way():
    packed = pack([CUBE, CUBE.to("torch")])
    assert repr(packed) == "Pack(2 meshes, 24 triangles, torch)"
    assert repr(pack([CUBE.to("paddle"), CUBE])) == "Pack(2 meshes, 24 triangles, paddle)"


@pytest.mark.parametrize("draw", [render, render_silhouette, render_normals])
def test_cameras_and_meshes_must_fit(draw):
    message = (
        r"camera must be one, or a batch of as many as meshes; got 3 for 2 meshes \(product=True shows every mesh by"
    )
    with pytest.raises(ValueError, match=f"^{draw.__name__}: {message}"):
        draw(pack([CUBE, CUBE]), cameras(3), SIZE)
    message = r"product must be of the meshes of a Pack; got a Mesh \(a batch of cameras sees one mesh as it is\)"
    with pytest.raises(ValueError, match=f"^{draw.__name__}: {message}"):
        draw(CUBE, cameras(3), SIZE, product=True)
    with pytest.raises(ValueError, match=f"^{draw.__name__}: mesh must be a Mesh or a Pack; got list \\(intaglio.pack"):
        draw([CUBE, CUBE], cameras(2), SIZE)


def test_a_file_holds_one_mesh(tmp_path):
    message = r"^save: mesh must be a Mesh or an Asset; got Pack \(of a Pack save each of list\(packed\)\)$"
    with pytest.raises(ValueError, match=message):
        save(tmp_path / "two.glb", pack([CUBE, CUBE]))
    assert not list(tmp_path.iterdir())


def test_targets_and_backgrounds_must_fit():
    packed = pack([CUBE, CUBE])
    message = r"compare_silhouette: target must be \[H, W\], \[2, H, W\] or \[3, 2, H, W\]; got \[3, 8, 8\]"
    with pytest.raises(ValueError, match=f"^{message}$"):
        compare_silhouette(packed, cameras(3), np.zeros((3, 8, 8)), product=True)
    with pytest.raises(ValueError, match=r"^render: background must be one of \[3\], \[6, 3\], .*; got \[2, 3\]$"):
        render(packed, cameras(3), SIZE, product=True, background=np.zeros((2, 3)))


# --- compilers


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # dynamo's own doing
def test_a_pack_survives_torch_compile():
    packed, camera = pack([mixed(k).to("torch") for k in (0, 1, 3)]), cameras(3)
    vertices = [mesh.vertices.clone().requires_grad_() for mesh in packed]
    packed.geometry.neighbours, [look.mesh.neighbours for look in packed.looks]  # which the compiler cannot build

    def draw(*vertices):
        again = packed.replace(vertices=list(vertices))
        product = render(again, camera, (16, 16), product=True)
        return product.color, product.triangle_id, render_silhouette(again, camera, (16, 16))

    compiled = torch.compile(draw, fullgraph=True, backend="eager")(*vertices)
    for got, expected in zip(compiled, draw(*vertices), strict=True):
        torch.testing.assert_close(got, expected)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # dynamo's own doing
def test_meshes_are_packed_while_torch_compiles():
    meshes, targets = [bare(k).to("torch") for k in (0, 1)], torch.zeros(2, 16, 16, dtype=torch.float64)
    for mesh in meshes:
        mesh.neighbours  # noqa: B018  (which the compiler cannot build)

    def error(*vertices):
        packed = pack([mesh.replace(vertices=v) for mesh, v in zip(meshes, vertices, strict=True)])
        return compare_silhouette(packed, cameras_of_two, targets)

    cameras_of_two, vertices = cameras(2), [1.1 * mesh.vertices for mesh in meshes]
    compiled = torch.compile(error, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(*vertices), error(*vertices))


def test_jax_takes_packs_apart_and_puts_them_together():
    meshes = [bare(k, np.float32).to("jax") for k in (0, 1)]
    meshes.append(meshes[1].replace(vertex_colors=jax.numpy.ones((len(SHAPES[1].vertices), 3))))
    targets, camera = np.zeros((3, 16, 16), np.float32), cameras(3)

    def error(packed):
        return compare_silhouette(packed, camera, targets).sum()

    def error_of(vertices):
        return error(pack([mesh.replace(vertices=v) for mesh, v in zip(meshes, vertices, strict=True)]))

    packed, step = pack(meshes), jax.jit(jax.grad(error))
    gradient, made_inside = step(packed), jax.jit(jax.grad(error_of))([mesh.vertices for mesh in meshes])
    assert repr(gradient) == "Pack(3 meshes, 104 triangles, jax)"
    for mesh, got, other, view, target in zip(meshes, gradient, made_inside, camera, targets, strict=True):
        expected = jax.grad(lambda mesh, *seen: compare_silhouette(mesh, *seen).sum())(mesh, view, target).vertices
        # Sums of some hundred terms of either sign, of positions that round in another order.
        np.testing.assert_allclose(got.vertices, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
        np.testing.assert_allclose(other, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
    step(jax.tree_util.tree_map(lambda x: 1.01 * x, packed))
    assert step._cache_size() == 1  # a pack of the same topology is no other program
