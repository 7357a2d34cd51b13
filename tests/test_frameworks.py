# SPDX-License-Identifier: MIT
"""One table of all ops, and one of the scene layer, each run in every framework: the type decides, the numbers are one.

Ops give the same bits everywhere. What lies above them is made of a framework's own sums and products, which round each
in their own way: values agree to float32, and who covers a pixel agrees.
"""

import functools
import inspect

import numpy as np
import pytest
from frameworks import DIFFERENTIATING, evaluate
from reference import chains, scenes

import intaglio
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
    camera_path,
    losses,
    ops,
    orbit,
    turntable,
)
from intaglio.array import like, namespace
from intaglio.neural_renderer.rasterizing import draw
from intaglio.ops import door
from intaglio.ops.calls import everything
from intaglio.tangents import tangent_groups, tangents
from intaglio.topology import edges

EPSILON = np.finfo(np.float32).eps
OP_INPUTS = chains.numpy_inputs(batch=2, level=1)
_random = np.random.default_rng(3)
OP_INPUTS |= {
    "faces": _random.uniform([-1, -1, 2], [1, 1, 4], (2, 12, 3, 3)),
    "face_texels": _random.uniform(0, 1, (2, 12, 2, 2, 2, 3)),
    "face_light": _random.uniform(0.5, 1, (2, 24, 3)),
}
OP_FLOATS = [name for name, x in OP_INPUTS.items() if x.dtype.kind == "f"]


def classic_draw(x):
    pictures = draw(x["faces"], x["face_texels"], (20, 28), light=x["face_light"], fill_back=True)
    return tuple(pictures.values())


def classic_silhouettes(x):
    return (draw(x["faces"], None, (20, 28), return_depth=False)["alpha"],)


OPS = {**chains.CHAINS, "classic draw": classic_draw, "classic silhouettes": classic_silhouettes}

SPHERE = scenes.icosphere(1)
SIZE = (20, 28)
CAMERA = Camera.look_at((0.3, 0.9, 2.8), fov_y_degrees=50)


def scene_inputs():
    rng = np.random.default_rng(5)
    num_vertices, num_faces = len(SPHERE.vertices), len(SPHERE.triangles)
    return {
        "vertices": SPHERE.vertices * (1 + 0.1 * rng.normal(size=(num_vertices, 1))),
        "vertex_colors": rng.uniform(0.2, 1, (num_vertices, 3)),
        "face_textures": rng.uniform(0.2, 1, (num_faces, 2, 2, 2, 3)),
        "texture": rng.uniform(0.2, 1, (8, 8, 3)),
        "uv": rng.uniform(0.1, 0.9, (num_vertices, 2)),
        "eye": np.array([0.3, 0.9, 2.8]),
        "up": np.array([0.1, 1.0, 0.0]),
        "at": np.array([0.05, 0.0, -0.1]),
        "fov": np.array(50.0),
        "half_height": np.array(1.5),
        "direction": np.array([0.5, 1.0, 0.7]),
        "place": np.array([1.0, 2.0, 2.0]),
        "color": np.array([1.0, 0.8, 0.6]),
        "intensity": np.array(0.8),
        "background": np.array([0.1, 0.2, 0.3]),
        "K": np.array([[30.0, 0, 14.2], [0, 31.0, 9.7], [0, 0, 1]]),
        "R": np.diag([1.0, -1.0, -1.0]),
        "t": np.array([0.1, -0.2, 3.0]),
        "distortion": np.array([0.05, -0.02, 0.01, -0.01, 0.003]),
        "P": np.array([[90.0, 31, 12, 70], [-8, -70, 25, 66], [0.3, -0.2, -0.9, 2.5]]),
        "lens": np.array([0.05, -0.02, 0.01, -0.001]),
        "matrix": CAMERA.projection.clip_from_view(SIZE) @ CAMERA.view_from_world,
        "alpha": rng.uniform(0.1, 0.9, (2, *SIZE)),
        "target": rng.uniform(0.1, 0.9, (2, *SIZE)),
        "picture": rng.uniform(0.1, 0.9, (1, *SIZE, 3)),
        "distance": np.array([2.0, 3.0]),
        "elevation": np.array([20.0, -30.0]),
        "azimuth": np.array([40.0, 130.0]),
        "inner_degrees": np.array(5.0),
        "outer_degrees": np.array(35.0),
        "sky": rng.uniform(0.2, 1, (8, 16, 3)),
        "harmonics": rng.normal(0, 0.2, (9, 3)),
        "metallic": np.array(0.6),
        "roughness": np.array(0.5),
        "shininess": np.array(20.0),
        "rgba": np.array([0.9, 0.8, 0.7, 0.6]),
        "photograph": rng.uniform(0, 1, (*SIZE, 3)),
        "rough_texels": rng.uniform(0.3, 1, (4, 4, 2)),
        "normal_texels": rng.uniform([0.3, 0.3, 0.9], [0.7, 0.7, 1], (4, 4, 3)),
        "occlusion_texels": rng.uniform(0.3, 1, (4, 4, 1)),
        "triangles": SPHERE.triangles,
    }


INPUTS = scene_inputs()


def mesh_of(x, *names):
    """The sphere with these of the inputs as its arrays."""
    return MESH.replace(**{name: x[name] for name in ("vertices", *names)})


MESH = Mesh(np.float32(INPUTS["vertices"]), SPHERE.triangles)
TANGENT_GROUPS = tangent_groups(
    INPUTS["vertices"], SPHERE.triangles, INPUTS["uv"], SPHERE.triangles, INPUTS["vertices"], SPHERE.triangles
)


def rendered(mesh, camera=CAMERA, **options):
    return intaglio.render(mesh, camera, SIZE, **options)


HALF = Mesh(np.float32(INPUTS["vertices"]), SPHERE.triangles[:40])


def packed_of(x):
    """Meshes of two sizes; what they look like differs in a number."""
    half = HALF.replace(vertices=0.7 * x["vertices"], material=Unlit(base_color=x["color"]))
    return intaglio.pack([mesh_of(x).replace(material=Unlit(base_color=(0.5, 0.4, 0.3))), half])


def textured_pack_of(x):
    half = HALF.replace(vertices=x["vertices"], uv=x["uv"], texture=1 - x["texture"])
    return intaglio.pack([mesh_of(x, "texture", "uv"), half])


def lights_of(x):
    return (
        AmbientLight(x["color"], 0.2),
        DirectionalLight(x["direction"], x["color"], x["intensity"]),
        PointLight(x["place"], x["color"], 2.0),
        SpotLight(x["place"], -x["place"], x["color"], 2.0, x["inner_degrees"], x["outer_degrees"]),
        EnvironmentLight(x["sky"], x["intensity"]),
        SphericalHarmonicsLight(x["harmonics"]),
    )


def material_of(x):
    return Material(
        base_color=x["color"],
        metallic=x["metallic"],
        roughness=x["roughness"],
        metallic_roughness_texture=x["rough_texels"],
        normal_texture=x["normal_texels"],
        normal_scale=x["roughness"],
        occlusion_texture=x["occlusion_texels"],
        occlusion_strength=x["metallic"],
        emissive=x["color"],
        emissive_texture=x["texture"],
    )


def seen(x, ask):
    """What `ask` says of one camera of each kind, in one precision: NumPy's numbers are of two."""
    return tuple(
        like(ask(camera), x["vertices"])
        for camera in (
            Camera.look_at(x["eye"], x["at"], fov_y_degrees=x["fov"]),
            Camera.orthographic(x["eye"], x["at"], half_height=x["half_height"]),
            Camera.opencv(x["K"], x["R"], x["t"], SIZE, distortion=x["distortion"]),
            Camera.from_matrix(x["matrix"]),
        )
    )


def two_eyes(x):
    return namespace(x["eye"]).stack([x["eye"], x["place"]])


def fisheye_of(x):
    return Camera.fisheye(x["K"], x["R"], x["t"], SIZE, distortion=x["lens"], fov_degrees=170)


def mirrored_of(x):
    return Camera.opencv(x["K"] * like(np.array([-1.0, 1, 1]), x["K"]), x["R"], x["t"], SIZE)


def looked_around(camera, x):
    return tuple(like(found, x["vertices"]) for found in (camera.project(x["vertices"], SIZE), camera.rays(SIZE)))


# Name, beginning with that of a function: what is called, and the inputs that it is differentiated to.
SCENE = {
    "orbit": (lambda x: (orbit(x["distance"], x["elevation"], x["azimuth"]),), ("distance", "elevation", "azimuth")),
    "look_at": (
        lambda x: (Camera.look_at(x["eye"], x["at"], x["up"], fov_y_degrees=x["fov"]).clip(x["vertices"], SIZE),),
        ("eye", "at", "up", "fov", "vertices"),
    ),
    "look_at numbers": (lambda x: (CAMERA.clip(x["vertices"], SIZE),), ("vertices",)),
    "orthographic": (
        lambda x: (Camera.orthographic(x["eye"], half_height=x["half_height"]).clip(x["vertices"], SIZE),),
        ("eye", "half_height", "vertices"),
    ),
    "opencv": (
        lambda x: (Camera.opencv(x["K"], x["R"], x["t"], SIZE, distortion=x["distortion"]).clip(x["vertices"], SIZE),),
        ("K", "R", "t", "distortion", "vertices"),
    ),
    "from_matrix": (lambda x: (Camera.from_matrix(x["matrix"]).clip(x["vertices"], SIZE),), ("matrix", "vertices")),
    "fisheye": (lambda x: looked_around(fisheye_of(x), x), ("K", "R", "t", "lens", "vertices")),
    "panorama": (
        lambda x: looked_around(Camera.panorama(x["eye"], x["at"], x["up"]), x),
        ("eye", "at", "up", "vertices"),
    ),
    "viewer": (lambda x: seen(x, lambda camera: camera.viewer(SIZE)), ("eye", "at", "R", "t", "matrix")),
    "rays": (lambda x: seen(x, lambda camera: camera.rays(SIZE)), ("eye", "fov", "K", "R", "distortion", "matrix")),
    "handedness": (
        lambda x: tuple(
            like(camera.handedness(SIZE), x["vertices"]) for camera in (mirrored_of(x), Camera.from_matrix(x["matrix"]))
        ),
        (),
    ),
    "project": (
        lambda x: seen(x, lambda camera: camera.project(x["vertices"], SIZE)),
        ("eye", "fov", "half_height", "K", "R", "t", "distortion", "matrix", "vertices"),
    ),
    "turntable": (
        lambda x: (turntable(2, x["distance"], x["elevation"], fov_y_degrees=x["fov"]).clip(x["vertices"], SIZE),),
        ("distance", "fov", "vertices"),
    ),
    "stack": (
        lambda x: (Camera.stack([Camera.look_at(x["eye"]), Camera.look_at(x["at"])])[1:].clip(x["vertices"], SIZE),),
        ("at", "vertices"),
    ),
    "camera_path": (
        lambda x: (camera_path(Camera.look_at(two_eyes(x)), 3).clip(x["vertices"], SIZE),),
        ("eye", "vertices"),
    ),
    "from_projection": (
        lambda x: (Camera.from_projection(x["P"], SIZE, in_front=(0, 0, 0)).clip(x["vertices"], SIZE),),
        ("P", "vertices"),
    ),
    "neighbours": (lambda x: (intaglio.neighbours(x["triangles"]), edges(x["triangles"])), ()),
    "tangents": (lambda x: (tangents(x["vertices"], x["uv"], x["vertices"], TANGENT_GROUPS),), ("vertices", "uv")),
    "normalized": (lambda x: (mesh_of(x).normalized().vertices,), ("vertices",)),
    "face_normals": (lambda x: (mesh_of(x).face_normals(),), ("vertices",)),
    "vertex_normals": (lambda x: (mesh_of(x).vertex_normals(),), ("vertices",)),
    "render": (lambda x: rendered(mesh_of(x)), ("vertices",)),
    "render by a mirrored camera": (
        lambda x: rendered(mesh_of(x).replace(double_sided=False), mirrored_of(x)),
        ("vertices", "K", "t"),
    ),
    "render colours of vertices": (
        lambda x: rendered(mesh_of(x, "vertex_colors"), background=x["background"], supersample=2),
        ("vertices", "vertex_colors", "background"),
    ),
    "render a texture": (
        lambda x: rendered(mesh_of(x, "texture", "uv"), visibility="antialias"),
        ("vertices", "texture", "uv"),
    ),
    "render face textures": (
        lambda x: rendered(mesh_of(x, "face_textures"), visibility="sweep", lights=(AmbientLight(),))[:1],
        ("vertices", "face_textures"),
    ),
    "render one side": (
        lambda x: rendered(HALF.replace(vertices=x["vertices"], double_sided=False)),
        ("vertices",),
    ),
    "render unlit": (
        lambda x: rendered(
            mesh_of(x, "vertex_colors"), lights=(AmbientLight(),), visibility=None, background=(1, 1, 1)
        ),
        ("vertices", "vertex_colors"),
    ),
    "render lights": (
        lambda x: rendered(mesh_of(x), lights=lights_of(x)[:3]),
        ("vertices", "direction", "place", "color", "intensity"),
    ),
    "render smooth": (
        lambda x: rendered(mesh_of(x), lights=lights_of(x)[:3], shading="smooth", visibility=None),
        ("vertices", "direction", "place", "color", "intensity"),
    ),
    "render lights beyond Lambert's": (
        lambda x: rendered(mesh_of(x), lights=lights_of(x), visibility=None),
        ("vertices", "direction", "place", "color", "intensity", "inner_degrees", "outer_degrees", "sky", "harmonics"),
    ),
    "render a material": (
        lambda x: rendered(
            mesh_of(x, "texture", "uv").replace(material=material_of(x)),
            lights=lights_of(x),
            visibility=None,
            texture_filter="anisotropic",
        ),
        (
            *("vertices", "texture", "color", "metallic", "roughness", "rough_texels", "normal_texels"),
            *("occlusion_texels", "sky", "harmonics", "place"),
        ),
    ),
    "render a highlight": (
        lambda x: rendered(
            mesh_of(x).replace(material=BlinnPhong(specular=x["color"], shininess=x["shininess"])), lights=lights_of(x)
        ),
        ("vertices", "color", "shininess", "place"),
    ),
    "render what blends": (
        lambda x: rendered(
            mesh_of(x, "vertex_colors").replace(material=Unlit(base_color=x["rgba"], alpha_mode="blend")),
            background=x["photograph"],
        ),
        ("vertices", "vertex_colors", "rgba", "photograph"),
    ),
    "render layers": (
        lambda x: rendered(
            mesh_of(x, "vertex_colors").replace(material=Unlit(base_color=x["rgba"], alpha_mode="blend")),
            background=x["background"],
            layers=3,
        ),
        ("vertices", "vertex_colors", "rgba", "background"),
    ),
    "render soft": (
        lambda x: rendered(mesh_of(x, "vertex_colors"), visibility="soft", background=x["background"]),
        ("vertices", "vertex_colors", "background"),
    ),
    "render by a camera": (
        lambda x: rendered(mesh_of(x), Camera.look_at(x["eye"], x["at"], x["up"], fov_y_degrees=x["fov"])),
        ("vertices", "eye", "at", "up", "fov"),
    ),
    "render by a fisheye": (
        lambda x: rendered(mesh_of(x, "vertex_colors"), fisheye_of(x), background=x["background"])[:2],
        ("vertices", "vertex_colors", "K", "R", "t", "lens", "background"),
    ),
    "render a panorama": (
        lambda x: rendered(mesh_of(x), Camera.panorama(x["eye"], x["at"], x["up"]))[:2],
        ("vertices", "eye"),
    ),
    "pack": (
        lambda x: rendered(packed_of(x), Camera.look_at(two_eyes(x), fov_y_degrees=x["fov"])),
        ("vertices", "color", "eye", "fov"),
    ),
    "pack a product": (
        lambda x: rendered(
            textured_pack_of(x),
            Camera.look_at(two_eyes(x)),
            product=True,
            lights=(AmbientLight(),),
            texture_filter="trilinear",
        )[:1],
        ("vertices", "texture", "uv", "eye"),
    ),
    "pack again": (
        lambda x: (packed_of(x).replace(vertices=[x["vertices"], 1.1 * x["vertices"]]).geometry.vertices,),
        ("vertices",),
    ),
    "render_silhouette of a pack": (
        lambda x: (intaglio.render_silhouette(packed_of(x), Camera.look_at(two_eyes(x)), SIZE),),
        ("vertices", "eye"),
    ),
    "compare_silhouette of a pack": (
        lambda x: (
            intaglio.compare_silhouette(packed_of(x), Camera.look_at(two_eyes(x)), x["target"][0], product=True),
        ),
        ("vertices", "eye"),
    ),
    "compare_silhouette of a pack of one side and of two": (
        lambda x: (
            intaglio.compare_silhouette(
                intaglio.pack([mesh.replace(double_sided=k > 0) for k, mesh in enumerate(packed_of(x))]),
                Camera.look_at(two_eyes(x)),
                x["target"][0],
                product=True,
            ),
        ),
        ("vertices", "eye"),
    ),
    "render_normals of a pack": (
        lambda x: (intaglio.render_normals(packed_of(x), CAMERA, SIZE, shading="flat", space="view"),),
        ("vertices",),
    ),
    **{
        f"render_silhouette {visibility}": (
            lambda x, visibility=visibility: (
                intaglio.render_silhouette(mesh_of(x), CAMERA, SIZE, visibility=visibility, supersample=2),
            ),
            ("vertices",),
        )
        for visibility in ("edge", "antialias", "sweep", "soft", None)
    },
    "render_normals": (lambda x: (intaglio.render_normals(mesh_of(x), CAMERA, SIZE, space="view"),), ("vertices",)),
    "visible_triangles": (lambda x: (intaglio.visible_triangles(mesh_of(x), CAMERA, SIZE),), ()),
    "bake_texture": (
        lambda x: intaglio.bake_texture(mesh_of(x, "uv"), x["picture"], CAMERA, masks=x["alpha"][:1], size=(16, 16)),
        (),
    ),
    "compare_textured": (
        lambda x: (intaglio.compare_textured(mesh_of(x, "texture", "uv"), CAMERA, np.zeros((*SIZE, 3), np.float32)),),
        ("vertices", "texture", "uv"),
    ),
    "compare_silhouette": (
        lambda x: (intaglio.compare_silhouette(mesh_of(x), CAMERA, np.zeros(SIZE, np.float32), supersample=2),),
        ("vertices",),
    ),
    "squared_error": (lambda x: (losses.squared_error(x["alpha"], x["target"]),), ("alpha", "target")),
    "silhouette_iou": (lambda x: (losses.silhouette_iou(x["alpha"], x["target"]),), ("alpha", "target")),
    "laplacian": (lambda x: (losses.laplacian(x["vertices"], SPHERE.triangles),), ("vertices",)),
    "normal_consistency": (lambda x: (losses.normal_consistency(x["vertices"], SPHERE.triangles),), ("vertices",)),
    "edge_length": (
        lambda x: (
            losses.edge_length(x["vertices"], SPHERE.triangles),
            losses.edge_length(x["vertices"], SPHERE.triangles, 0.3),
        ),
        ("vertices",),
    ),
}


# A soft picture weighs its layers by exp(depth / gamma), and gamma is 1e-4. Pictures of wide cameras are looked up in
# cubes of some 30 texels, at places that are right to a few roundings of the cube.
ULPS = {"render soft": 1e4, "render by a fisheye": 128, "render a panorama": 128}


def assert_close(got, expected, ulps):
    """To so many roundings of the largest number in it: sums cancel."""
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=0, atol=ulps * EPSILON * max(np.abs(expected).max(initial=0), 1e-3))


# --- the tables are whole


def test_every_op_has_a_row(monkeypatch):
    reached = set()
    numpy_front = door.front_end("test", "x", np.zeros(1))
    apply = numpy_front.apply
    monkeypatch.setattr(numpy_front, "apply", lambda op, *inputs: reached.add(op.name) or apply(op, *inputs))
    for chain in OPS.values():
        evaluate("numpy", chain, OP_INPUTS)
    assert reached == {op.name for op in everything.OPS}


def test_every_function_of_the_scene_has_a_row():
    functions = {name for name in intaglio.__all__ if inspect.isfunction(getattr(intaglio, name))} - {*ops.__all__}
    of_files = {name for name in functions if name.startswith(("load", "save"))}
    made_by = {name for name, member in vars(Camera).items() if isinstance(member, staticmethod)}
    of_cameras = {name for name, member in vars(Camera).items() if inspect.isfunction(member) and name[0] != "_"}
    of_meshes = {name for name, member in vars(Mesh).items() if inspect.isfunction(member) and name[0] != "_"}
    named = {
        *functions - of_files,
        *losses.__all__,
        *made_by,
        *of_cameras - {"clip"},
        *of_meshes - {"replace", "to", "to_html"},
    }
    assert named <= {row.partition(" ")[0] for row in SCENE}
    lights = {name for name in intaglio.__all__ if name.endswith("Light")}
    assert lights == {type(light).__name__ for light in lights_of(INPUTS)}


# --- the same in every framework


@functools.cache
def op_in(framework, name):
    return evaluate(framework, OPS[name], OP_INPUTS, OP_FLOATS if framework in DIFFERENTIATING else ())


@functools.cache
def scene_in(framework, name):
    function, wanted = SCENE[name]
    return evaluate(framework, function, INPUTS, wanted if framework in DIFFERENTIATING else ())


@pytest.mark.parametrize("framework", DIFFERENTIATING)
@pytest.mark.parametrize("name", OPS)
def test_an_op_gives_the_same_bits_and_gradients(name, framework):
    expected, found = op_in("torch", name), op_in(framework, name)
    for got, same in zip(found.outputs, op_in("numpy", name).outputs, strict=True):
        np.testing.assert_array_equal(got, same)
    for key, gradient in expected.gradients.items():
        assert_close(found.gradients[key], gradient, 16)


@pytest.mark.parametrize("framework", DIFFERENTIATING)
@pytest.mark.parametrize("name", SCENE)
def test_the_scene_gives_the_same_values_and_gradients(name, framework):
    expected, found = scene_in("torch", name), scene_in(framework, name)
    for got, same in zip(found.outputs, scene_in("numpy", name).outputs, strict=True):
        assert_close(got, same, ULPS.get(name, 16))
    for key, gradient in expected.gradients.items():
        assert_close(found.gradients[key], gradient, 256)  # sums over pixels and faces, of either sign


@pytest.mark.parametrize("framework", ["torch", "paddle"])  # JAX follows each input through one program
@pytest.mark.parametrize("name", SCENE)
def test_each_input_alone_receives_the_same_gradient(name, framework):
    function, wanted = SCENE[name]
    together = scene_in(framework, name).gradients
    for key in wanted if len(wanted) > 1 else ():
        alone = evaluate(framework, function, INPUTS, [key]).gradients[key]
        assert np.abs(alone).max() > 0
        assert_close(alone, together[key], 16)
