# SPDX-License-Identifier: MIT
"""The pictures of the gallery, into docs/pictures/gallery: `make gallery`. Each function is one picture."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import intaglio
from intaglio import (
    AmbientLight,
    BlinnPhong,
    Camera,
    DirectionalLight,
    EnvironmentLight,
    Material,
    Mesh,
    SpotLight,
    orbit,
    render,
    shapes,
    skies,
)

OUTPUT = Path(__file__).parent / "pictures" / "gallery"
TEAPOT = shapes.teapot(24).normalized()
VIEW = Camera.look_at(orbit(2.3, 12, 25), fov_y_degrees=45)
GOLD = Material(base_color=(1.0, 0.77, 0.34), roughness=0.2)
CHINA = Material(base_color=(0.85, 0.87, 0.9), metallic=0.0, roughness=0.08)


def main() -> None:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        path = OUTPUT / f"{picture.__name__.replace('_', '-')}.jpg"
        pixels = picture()
        Image.fromarray(pixels).save(path, quality=90, subsampling=0, optimize=True)
        print(f"{path.relative_to(Path.cwd())}: {pixels.shape[1]} x {pixels.shape[0]}")


def shown(image: np.ndarray) -> np.ndarray:
    """Linear light [H, W, 3] as bytes, highlights rolled off (Narkowicz's fit of the ACES curve, 2016)."""
    x = np.asarray(image) * 0.8
    rolled = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)
    return intaglio.Picture(rolled.clip(0, 1)).pixels


def beside(*pictures: np.ndarray) -> np.ndarray:
    return np.concatenate(pictures, axis=1)


def environments() -> np.ndarray:
    """One teapot of gold and one of china, each under three environments, which stand behind it."""
    rows = []
    for material in (GOLD, CHINA):
        row = []
        for sky in (skies.noon(), skies.sunset(), skies.studio()):
            light = EnvironmentLight(sky)
            mesh = TEAPOT.replace(material=material)
            row.append(shown(render(mesh, VIEW, (260, 320), lights=[light], background=light, supersample=2).color[0]))
        rows.append(beside(*row))
    return np.concatenate(rows)


def metal_and_roughness() -> np.ndarray:
    """Spheres: roughness from 0 to 1 to the right; a dielectric above, a metal below."""
    light = EnvironmentLight(skies.studio())
    rows = []
    for metallic, color in ((0.0, (0.6, 0.04, 0.03)), (1.0, (0.95, 0.64, 0.54))):
        row = []
        for roughness in np.linspace(0, 1, 7):
            material = Material(base_color=color, metallic=metallic, roughness=float(roughness))
            ball = shapes.icosphere(5).replace(material=material)
            view = Camera.look_at((0, 0.5, 3.6), fov_y_degrees=36)
            background = (0.18, 0.18, 0.19)
            color_image = render(ball, view, (140, 140), lights=[light], background=background, supersample=2).color[0]
            row.append(shown(color_image))
        rows.append(beside(*row))
    return np.concatenate(rows)


def textures() -> np.ndarray:
    """A floor of checks towards the horizon: bilinear, trilinear, anisotropic."""
    squares = np.kron(np.indices((2, 2)).sum(axis=0) % 2, np.ones((64, 64)))[..., None]
    checks = (squares * [0.9, 0.85, 0.75] + (1 - squares) * [0.08, 0.1, 0.2]).astype(np.float32)
    floor = shapes.plane(1)
    lying = floor.vertices[:, [0, 2, 1]] * np.float32([40, 1, -40])
    floor = floor.replace(vertices=lying, uv=floor.uv * 40, texture=checks)
    view = Camera.look_at((0.7, 1.1, 4), (0, 0.5, 0), fov_y_degrees=50)
    options = {"lights": [AmbientLight()], "background": (0.55, 0.7, 0.9)}
    pictures = [
        render(floor, view, (240, 320), texture_filter=name, **options).color[0]
        for name in ("bilinear", "trilinear", "anisotropic")
    ]
    return beside(*(shown(picture) for picture in pictures))


def normal_map() -> np.ndarray:
    """The same flat-sided shape without and with a normal map, and the normals that it makes."""
    ball = shapes.sphere(96, 48).replace(texture=brick_colors())
    view = Camera.look_at(orbit(2.6, 10, 20), fov_y_degrees=50)
    lights = [EnvironmentLight(skies.noon(), intensity=0.5), DirectionalLight((1, 1, 1), intensity=1.0)]
    matt = {"metallic": 0.0, "roughness": 0.6}
    plain = ball.replace(material=Material(**matt))
    mapped = ball.replace(material=Material(**matt, normal_texture=brick_normals(), normal_scale=1.5))
    options = {"lights": lights, "texture_filter": "trilinear", "supersample": 2, "background": (0.1, 0.1, 0.12)}
    before, after = (render(mesh, view, (300, 300), **options) for mesh in (plain, mapped))
    normals = np.where(after.alpha[0, ..., None] > 0.5, after.normals[0] / 2 + 0.5, 0)
    return beside(shown(before.color[0]), shown(after.color[0]), (normals * 255).astype(np.uint8))


def layers() -> np.ndarray:
    """A teapot of tinted glass around a red ball: one layer, two, eight."""
    glass = np.full((len(TEAPOT.vertices), 4), [0.1, 0.45, 0.5, 0.4], np.float32)
    ball = shapes.sphere(48, 24)
    ball = ball.replace(vertices=ball.vertices * np.float32(0.3) - np.float32([0, 0.1, 0]))
    red = np.full((len(ball.vertices), 4), [0.8, 0.1, 0.06, 1.0], np.float32)
    material = Material(metallic=0.0, roughness=0.15, alpha_mode="blend")
    mesh = joined(TEAPOT, ball).replace(vertex_colors=np.concatenate([glass, red]), material=material)
    sky = EnvironmentLight(skies.noon())
    options = {"lights": [sky], "background": (0.9, 0.88, 0.8), "supersample": 2, "visibility": None}
    return beside(*(shown(render(mesh, VIEW, (260, 320), layers=count, **options).color[0]) for count in (1, 2, 8)))


def lights() -> np.ndarray:
    """Two spots of two colours on a shiny teapot: Blinn and Phong's highlights, then those of GGX."""
    floor = shapes.plane(40)
    floor = floor.replace(vertices=floor.vertices[:, [0, 2, 1]] * np.float32([3, 1, -3]) - np.float32([0, 0.5, 0]))
    lamps = [
        SpotLight((2, 2.5, 1.5), (-2, -2.6, -1.5), (1.0, 0.55, 0.25), 12.0, 10, 24),
        SpotLight((-2, 2.5, 1.5), (2, -2.6, -1.5), (0.25, 0.5, 1.0), 12.0, 10, 24),
        AmbientLight(intensity=0.03),
    ]
    pictures = []
    dark = (0.22, 0.2, 0.18)
    for material in (
        BlinnPhong(base_color=dark, specular=(0.5, 0.5, 0.5), shininess=60.0),
        Material(base_color=dark, metallic=0.0, roughness=0.35),
    ):
        mesh = joined(TEAPOT, floor).replace(material=material)
        pictures.append(
            shown(
                render(
                    mesh, Camera.look_at(orbit(2.5, 25, 25), fov_y_degrees=45), (300, 420), lights=lamps, supersample=2
                ).color[0]
            )
        )
    return beside(*pictures)


def room() -> Mesh:
    """A ring of columns on a checked floor around the origin; each face has its colour."""
    floor = shapes.plane(48)
    floor = floor.replace(vertices=floor.vertices[:, [0, 2, 1]] * np.float32([12, 1, -12]) - np.float32([0, 1.5, 0]))
    column = shapes.sphere(24, 12)
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    middles = np.stack([4 * np.cos(angles), 0.2 + 0 * angles, 4 * np.sin(angles)], axis=-1).astype(np.float32)
    columns = [column.replace(vertices=column.vertices * np.float32([0.35, 2.2, 0.35]) + middle) for middle in middles]
    mesh = joined(floor, *columns)
    tones = np.random.default_rng(3).uniform(0.1, 0.9, (12, 3))
    cells = np.floor(mesh.vertices[floor.triangles].mean(axis=1)[:, [0, 2]]).sum(axis=-1)
    checks = np.repeat(0.1 + 0.7 * (cells[:, None] % 2), 3, axis=-1)
    colors = np.concatenate([checks, np.repeat(tones, len(column.triangles), axis=0)]).astype(np.float32)
    return mesh.replace(face_textures=colors[:, None, None, None])


def fisheye() -> np.ndarray:
    """A hall through a fisheye of 200 degrees, and as a panorama of all directions."""
    sky = EnvironmentLight(skies.noon(), intensity=0.6)
    K = [[100, 0, 149.5], [0, 100, 149.5], [0, 0, 1]]
    turn = np.diag([1.0, -1.0, -1.0])
    lens = Camera.fisheye(K, turn, np.zeros(3), (300, 300), fov_degrees=170)
    around = Camera.panorama((0.0, 0, 0), at=(0, 0, -1))
    options = {"lights": [sky, DirectionalLight((1, 2, 1), intensity=0.5)], "shading": "smooth", "background": sky}
    options |= {"supersample": 2}
    return beside(*(shown(render(room(), camera, size, **options).color[0])
                    for camera, size in ((lens, (300, 300)), (around, (300, 600)))))  # fmt: skip


def wide() -> np.ndarray:
    """A picture 8192 pixels wide, shown at a tenth, and three hundred columns of it as they are."""
    light = EnvironmentLight(skies.studio())
    mesh = shapes.teapot(80).normalized().replace(material=GOLD)
    view = Camera.look_at(orbit(1.9, 20, 25), fov_y_degrees=34)
    color = render(mesh, view, (4096, 8192), lights=[light], background=light, visibility=None).color[0]
    small = color.reshape(256, 16, 512, 16, 3).mean(axis=(1, 3))
    return beside(shown(small), shown(color[670:926, 4140:4440]))


def joined(*meshes: Mesh) -> Mesh:
    """Shapes alone, in one mesh."""
    first = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
    vertices = np.concatenate([mesh.vertices for mesh in meshes])
    return Mesh(vertices, np.concatenate([mesh.triangles + k for mesh, k in zip(meshes, first, strict=False)]))


def bricks() -> np.ndarray:
    """[256, 512] heights: eight rows of bricks."""
    row, column = np.indices((256, 512))
    x = (column + 32 * (row // 32 % 2)) % 64 - 31.5
    y = row % 32 - 15.5
    edge = np.maximum(np.abs(x) - 29, np.abs(y) - 13)
    return np.clip(1 - np.maximum(edge, 0) / 2.5, 0, 1) + 0.1 * np.random.default_rng(0).uniform(size=(256, 512))


def brick_normals() -> np.ndarray:
    height = bricks()
    along_u = np.roll(height, -1, axis=1) - np.roll(height, 1, axis=1)
    along_v = np.roll(height, 1, axis=0) - np.roll(height, -1, axis=0)  # v runs down, the bitangent up
    normals = np.stack([-along_u, -along_v, np.ones_like(height)], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return (normals / 2 + 0.5).astype(np.float32)


def brick_colors() -> np.ndarray:
    height = bricks()[..., None]
    row, column = np.indices((256, 512))
    tone = np.random.default_rng(1).uniform(0.6, 1.1, (8, 9))[row // 32, (column + 32 * (row // 32 % 2)) // 64]
    return np.where(height > 0.5, tone[..., None] * [0.5, 0.16, 0.1], [0.5, 0.48, 0.44]).astype(np.float32)


PICTURES: tuple[Callable[[], np.ndarray], ...] = (
    environments,
    metal_and_roughness,
    textures,
    normal_map,
    layers,
    lights,
    fisheye,
    wide,
)

if __name__ == "__main__":
    main()
