# SPDX-License-Identifier: MIT
"""Pages in a real browser, headless: `make test-browser`. Not a part of `make test`, since pip cannot install Chromium.

What a page shows is held against what `render` draws through the same camera.
"""

import os
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from intaglio import AmbientLight, Camera, Mesh, orbit, render, shapes
from intaglio.page import FOV_Y_DEGREES, framed
from intaglio.picture import linear_from_srgb, srgb_bytes

SIZE = 400
BACKGROUND = linear_from_srgb(np.array([24, 26, 30]) / 255)  # the page's own
DISTANCE = 2.3  # at first, of a mesh of radius 1
BAR = 40  # rows at the bottom, where buttons stand
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def screenshot(tmp_path):
    """The pixels [400, 400, 3] of the upper left corner of a window that shows a page."""
    assert CHROMIUM, "no Chromium on the path: apt-get install chromium"

    def shot(page):
        path, picture = tmp_path / "page.html", tmp_path / "page.png"
        path.write_text(page, encoding="utf-8")
        options = ["--headless=new", "--hide-scrollbars", "--force-device-scale-factor=1", "--enable-logging=stderr"]
        # The processor draws; time runs ahead until nothing happens any more.
        options += ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--virtual-time-budget=3000"]
        options += [f"--user-data-dir={tmp_path}", f"--window-size={SIZE},{SIZE}", f"--screenshot={picture}"]
        options += ["--no-sandbox"] if os.getuid() == 0 else []
        run = subprocess.run([CHROMIUM, *options, path.as_uri()], capture_output=True, text=True, timeout=120)
        assert run.returncode == 0, run.stderr
        assert re.findall(r".*CONSOLE.*", run.stderr) == []
        with Image.open(picture) as image:
            return np.asarray(image.convert("RGB"))

    return shot


@pytest.fixture
def shown(screenshot):
    """What a notebook shows of a mesh in a frame of 400 x 400 pixels, after a script has done something to it."""

    def frame(mesh, script=""):
        later = f"<script>setTimeout(() => {{ {script} }}, 500);</script></html>"
        size = f"width: {SIZE}px; height: {SIZE}px"
        inside = framed(mesh.to_html().replace("</html>", later)).replace("width: 100%; height: 400px", size)
        return screenshot(f"<!DOCTYPE html><html><body style='margin: 0'>{inside}</body></html>")

    return frame


def drawn(mesh, azimuth=30.0, elevation=30.0, distance=DISTANCE, **how):
    """The bytes that `render` draws of a mesh of radius 1 about the origin, as the page shows it at first."""
    camera = Camera.look_at(orbit(distance, elevation, azimuth), fov_y_degrees=FOV_Y_DEGREES)
    image = render(mesh, camera, (SIZE, SIZE), supersample=2, background=BACKGROUND, **how).color[0]
    return srgb_bytes(image, "")


def assert_alike(seen, expected):
    """Apart from a pixel's width along edges, which are smoothed differently, colours differ by rounding."""
    differences = np.abs(seen.astype(int) - expected)[:-BAR].max(axis=-1)
    assert (differences > 3).mean() < 0.03
    assert differences.mean() < 1
    assert (expected != srgb_bytes(BACKGROUND[None, None], "")).any(axis=-1).mean() > 0.1, "there is something to see"


def click(title):
    return f"[...document.querySelectorAll('button')].find(b => b.textContent === '{title}').click();"


def drag(dx, dy, options=""):
    """Press in the middle and move."""
    return f"""
      const canvas = document.querySelector("canvas"), init = {{ pointerId: 1, buttons: 1, {options} }};
      canvas.setPointerCapture = () => {{}};
      for (const [name, clientX, clientY] of [["pointerdown", 200, 200], ["pointermove", {200 + dx}, {200 + dy}]])
        canvas.dispatchEvent(new PointerEvent(name, {{ ...init, clientX, clientY }}));
    """


def ball(mesh):
    """The mesh, its ball moved to the origin and made of radius 1."""
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    vertices = mesh.vertices - (low + high) / 2
    return mesh.replace(vertices=vertices / np.linalg.norm(vertices, axis=-1).max())


def noise(*shape):
    return np.random.default_rng(0).random(shape).astype(np.float32)


def test_a_mesh_looks_as_render_draws_it(shown):
    teapot = ball(shapes.teapot())
    assert_alike(shown(teapot), drawn(teapot))


def test_vertex_colours_and_smooth_normals_do_so_too(shown):
    torus = ball(shapes.torus())
    torus = torus.replace(vertex_colors=noise(len(torus.vertices), 3))
    assert_alike(shown(torus, click("smooth")), drawn(torus, shading="smooth"))


def test_a_texture_without_light_does_so_too(shown):
    cube = ball(shapes.cube())
    cube = cube.replace(texture=noise(5, 7, 3))
    assert_alike(shown(cube, click("unlit")), drawn(cube, lights=(AmbientLight(),)))


def test_face_textures_do_so_too(shown):
    ico = ball(shapes.icosphere(1))
    ico = ico.replace(face_textures=noise(len(ico.triangles), 1, 1, 1, 3))
    assert_alike(shown(ico), drawn(ico))


def test_a_place_and_a_size_far_from_those_of_others_change_nothing(shown):
    cube = ball(shapes.cube())
    moved = cube.replace(vertices=cube.vertices * np.float32(1000) + np.float32([5000, 0, -3000]))
    assert_alike(shown(moved), drawn(cube))


def test_a_drag_turns_by_half_a_degree_a_pixel(shown):
    teapot = ball(shapes.teapot())
    assert_alike(shown(teapot, drag(80, -40)), drawn(teapot, azimuth=30 - 40, elevation=30 - 20))


def test_a_drag_with_shift_moves_what_lies_under_the_pointer_along(shown):
    teapot = ball(shapes.teapot())
    seen = shown(teapot, drag(60, 30, "shiftKey: true"))
    right, up, _ = Camera.look_at(orbit(DISTANCE, 30, 30)).view_from_world[:3, :3]
    pixel = 2 * DISTANCE * np.tan(np.radians(FOV_Y_DEGREES / 2)) / SIZE  # in the plane through the middle
    assert_alike(seen, drawn(teapot.replace(vertices=teapot.vertices + np.float32(pixel * (60 * right - 30 * up)))))


def test_keys_zoom_and_so_does_the_wheel_of_a_mesh_that_has_been_clicked(shown):
    teapot = ball(shapes.teapot())
    canvas = 'document.querySelector("canvas")'
    wheel = f'{canvas}.dispatchEvent(new WheelEvent("wheel", {{ deltaY: -100 }}));'
    assert_alike(shown(teapot, wheel), drawn(teapot))  # so that a notebook can be scrolled
    assert_alike(shown(teapot, f"{canvas}.focus(); {wheel}"), drawn(teapot, distance=DISTANCE * np.exp(-0.15)))
    key = f'{canvas}.dispatchEvent(new KeyboardEvent("keydown", {{ key: "-" }}));'
    assert_alike(shown(teapot, key), drawn(teapot, distance=DISTANCE * 1.25))


def test_of_a_mesh_of_one_side_the_front_alone_is_drawn(shown):
    whole = ball(shapes.icosphere(2))
    half = Mesh(whole.vertices, whole.triangles[::2].copy(), double_sided=False)
    seen, both_sides = shown(half), drawn(half.replace(double_sided=True))
    assert_alike(seen, drawn(half))
    assert (np.abs(seen.astype(int) - both_sides)[:-BAR].max(axis=-1) > 3).mean() > 0.05


def test_edges_are_drawn_dark(shown):
    cube = ball(shapes.cube())
    plain, lined = shown(cube), shown(cube, click("edges"))
    darker = (plain[:-BAR].astype(int) - lined[:-BAR]).max(axis=-1) > 60
    assert 0.005 < darker.mean() < 0.05


def test_a_page_of_its_own_shows_the_mesh(screenshot):
    teapot = ball(shapes.teapot())  # drawn anew in the very moment: the window is resized for the picture
    assert_alike(screenshot(teapot.to_html()), drawn(teapot))


def test_a_drawing_that_the_browser_gave_up_comes_back_on_a_click(shown):
    teapot = ball(shapes.teapot())
    lose = 'document.querySelector("canvas").getContext("webgl2").getExtension("WEBGL_lose_context").loseContext();'
    wake = 'setTimeout(() => document.getElementById("notice").click(), 500);'
    assert_alike(shown(teapot, lose + wake), drawn(teapot))


def test_a_browser_without_webgl_says_so(screenshot):
    page = shapes.cube().to_html()
    blind = page.replace('getContext("webgl2"', 'getContext("no such thing"')
    said = screenshot(blind)[:-BAR]
    assert 0.005 < (said.max(axis=-1) > 100).mean() < 0.05, "a line of text in an empty window"
