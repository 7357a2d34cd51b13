# SPDX-License-Identifier: MIT
"""The command line: what it writes, and what it says when it cannot."""

import hashlib
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from intaglio import array, load_obj, ops, save_image
from intaglio.array import frameworks_with_gradients
from intaglio.cli import main, pictures
from intaglio.cli.progress import Stop, watch

SMALL = ("--size", "24", "--supersample", "1")
FIT = (*SMALL, "--steps", "2")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    import torch

    threads = torch.get_num_threads()
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    torch.set_num_threads(threads)


def files():
    return sorted(os.listdir())


def num_frames(path):
    with Image.open(path) as picture:
        return picture.n_frames


def digests():
    return {name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in files()}


def written_at(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_render_draws_a_turntable(capsys):
    assert main(["render", "teapot", "-o", "pot.gif", "--frames", "5", *SMALL]) == 0
    assert files() == ["pot.gif"]
    assert num_frames("pot.gif") == 5
    assert re.fullmatch(r"drawn: pot\.gif, 5 frames, \d+ frames/s\n", capsys.readouterr().out)


def test_render_takes_an_obj_file(folder):
    (folder / "tri.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    assert main(["render", "tri.obj", "-o", "tri.png", "--frames", "1", *SMALL]) == 0
    with Image.open("tri.png") as picture:
        assert picture.size == (24, 24)
        assert np.asarray(picture).max() > 0


def test_render_needs_neither_torch_nor_tqdm(monkeypatch):
    for name in ("torch", "tqdm"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["render", "cube", "-o", "cube.gif", "--frames", "2", *SMALL]) == 0


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_fit_shape_writes_its_steps_its_result_and_the_mesh(capsys, ending):
    assert main(["fit", "shape", "-o", f"square.{ending}", *FIT]) == 0
    assert set(files()) == {"square-reference.png", f"square-result.{ending}", f"square.{ending}", "square.obj"}
    assert num_frames(f"square.{ending}") == 3, "the start and two steps"
    assert num_frames(f"square-result.{ending}") == 90
    assert load_obj("square.obj").vertices.shape == (1177, 3)
    line = r"shape, edge: loss \d+ -> \d+ in 2 steps \(IoU 0\.\d{4}\), \d+ it/s\n"
    assert re.fullmatch(line, capsys.readouterr().out)


def test_fit_texture_writes_its_steps_its_result_and_the_painted_mesh(capsys):
    assert main(["fit", "texture", "-o", "sunset.gif", *FIT]) == 0
    assert files() == [
        "sunset-reference.png", "sunset-result.gif", "sunset.gif", "sunset.mtl", "sunset.obj", "sunset.png",
    ]  # fmt: skip
    assert num_frames("sunset.gif") == 2, "the start and every other step"
    assert num_frames("sunset-result.gif") == 90
    line = r"texture: loss \d+ -> \d+ in 2 steps \(mean of the last 3 sides\), \d+ it/s\n"
    assert re.fullmatch(line, capsys.readouterr().out)


def test_fit_camera_ends_when_it_has_found_the_eye(capsys):
    assert main(["fit", "camera", "-o", "eye.gif", "--size", "64"]) == 0
    assert files() == ["eye-reference.png", "eye.gif"]
    found = re.fullmatch(
        r"camera, edge: loss \d+ -> \d in (\d+) steps \(eye -?\d\.\d+, -?\d\.\d+, -?\d\.\d+: (\d+\.\d+) degrees and "
        r"(\d+\.\d+) % of the distance off, within 1 of both after \d+ steps\), \d+ it/s\n",
        capsys.readouterr().out,
    )
    assert num_frames("eye.gif") == int(found[1]) + 1
    assert float(found[2]) < 1
    assert float(found[3]) < 1


def test_a_fit_takes_a_reference_of_any_size(folder):
    disc = np.hypot(*np.meshgrid(np.arange(30) - 14.5, np.arange(20) - 9.5)) < 8
    save_image("disc.png", disc.astype(np.float32))
    for fit in ("shape", "camera", "texture"):
        assert main(["fit", fit, "cube", "--reference", "disc.png", "-o", f"{fit}.gif", *FIT]) == 0
    with Image.open("shape.gif") as shape, Image.open("camera.gif") as camera:
        assert shape.size == camera.size == (30, 20)


def test_a_seed_makes_all_files_equal_bit_for_bit_and_another_makes_others(folder, monkeypatch):
    found = []
    for number, seed in enumerate(("1", "1", "2")):
        (folder / str(number)).mkdir()
        monkeypatch.chdir(folder / str(number))
        assert main(["fit", "texture", "--seed", seed, *FIT]) == 0
        found.append(digests())
    assert found[0] == found[1]
    assert found[0]["texture.gif"] != found[2]["texture.gif"]


def test_demo_runs_all_four_and_prints_what_it_runs(capsys):
    assert main(["demo", "-o", "all/of/it", "--frames", "3", *FIT]) == 0
    found = set(os.listdir("all/of/it"))
    assert found >= {f"{name}.gif" for name in ("draw", "shape", "shape-sweep", "texture", "camera", "camera-sweep")}
    assert found >= {"shape.obj", "shape-reference.png", "shape-result.gif", "texture-result.gif"}
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "$ intaglio render teapot --size 24 --supersample 1 --frames 3 -o all/of/it/draw.gif"
    closing = lines[lines.index("all/of/it:") + 1 :]
    titles = ["drawn", "shape, edge", "shape, sweep", "texture", "camera, edge", "camera, sweep"]
    assert [line.strip().partition(":")[0] for line in closing] == titles


SHAPES = "shapes are cube, icosphere, plane, sphere, teapot, torus"
WHOLE = "must be a whole number from"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", "the following arguments are required: PROGRAM (see intaglio --help)"),
        ("fit", "the following arguments are required: shape|texture|camera (see intaglio fit --help)"),
        ("render", "the following arguments are required: MESH (see intaglio render --help)"),
        ("render cup", f"cup: is neither a mesh's file nor a shape ({SHAPES})"),
        ("render cup.obj", "cup.obj: there is no such file"),
        ("render empty.obj", "empty.obj: holds no faces (is it a whole OBJ file?)"),
        ("render cube -o cube.avi", "cube.avi: is no animation's name (end it in .gif, .webp, .png, .mp4)"),
        (
            "render cube -o no/cube.gif",
            "no/cube.gif: cannot be written: there is no such folder (mkdir -p no)",
        ),
        ("render cube -o folder.gif", "folder.gif: cannot be written: it is a folder (name a file in it)"),
        ("render cube --size 0", f"argument --size: {WHOLE} 1 to 4096; got '0' (see intaglio render --help)"),
        ("render cube --size -3", f"argument --size: {WHOLE} 1 to 4096; got '-3' (see intaglio render --help)"),
        ("render cube --frames 1e3", f"argument --frames: {WHOLE} 1 to 10000; got '1e3' (see intaglio render --help)"),
        ("render cube --distance 0", "render: --distance must be above 0; got 0.0"),
        (
            "render cube --elevation nan",
            "argument --elevation: must be a finite number; got 'nan' (see intaglio render --help)",
        ),
        (
            "render cube --elevation 90",
            "Camera: up must not point along the view; got parallel directions (take (0, 0, 1) from above)",
        ),
        (
            "fit shape --device gpu",
            "argument --device: must be cpu, cuda or cuda and a number, as cuda:1; got 'gpu' "
            "(see intaglio fit shape --help)",
        ),
        (
            "fit shape --device cuda:1",
            "--device must be cpu; got cuda:1 (this intaglio is built without kernels for GPUs: build it where nvcc "
            "is)",
        ),
        ("fit shape --steps 0", f"argument --steps: {WHOLE} 1 to 1000000; got '0' (see intaglio fit shape --help)"),
        ("fit shape --seed x", f"argument --seed: {WHOLE} 0 to 4294967295; got 'x' (see intaglio fit shape --help)"),
        ("fit shape cup", f"cup: is neither a mesh's file nor a shape ({SHAPES})"),
        ("fit shape --reference no.png", "no.png: there is no such file"),
        ("fit camera --reference empty.obj", "empty.obj: is not a PNG or JPEG picture (convert it to PNG)"),
        (
            "fit camera --reference black.png",
            "black.png: shows nothing (the silhouette must be bright on black, or opaque)",
        ),
        ("fit texture --visibility edge", "unrecognized arguments: --visibility (see intaglio --help)"),
        ("demo -o empty.obj", "empty.obj: cannot be made: File exists (choose another folder)"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_nothing_is_written(folder, capsys, arguments, text):
    (folder / "empty.obj").touch()
    (folder / "folder.gif").mkdir()
    save_image("black.png", np.zeros((4, 4)))
    before = written_at(folder)
    assert main(arguments.split()) == 2
    assert capsys.readouterr().err == f"intaglio: {text}\n"
    assert written_at(folder) == before


def test_an_unknown_visibility_is_refused_with_those_there_are(capsys):
    assert main(["fit", "shape", "--visibility", "magic"]) == 2
    line = capsys.readouterr().err
    assert line.startswith("intaglio: argument --visibility: invalid choice: 'magic' (choose from ")
    assert all(kind in line for kind in ("edge", "antialias", "sweep", "soft"))
    assert line.count("\n") == 1


def test_a_fit_without_its_framework_names_the_package(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "paddle", None)
    assert main(["fit", "shape", "--framework", "paddle", *FIT]) == 2
    assert capsys.readouterr().err == (
        "intaglio: array: paddle must be installed; got none (pip install 'intaglio[paddle]')\n"
    )
    assert files() == []


def test_a_fit_takes_the_first_framework_there_is_and_names_the_packages_where_there_is_none(capsys, monkeypatch):
    there = set(frameworks_with_gradients())
    monkeypatch.setattr(array, "find_spec", there.__contains__)
    for name in frameworks_with_gradients():
        assert array.default_framework() == name
        there.remove(name)
    assert main(["fit", "shape", *FIT]) == 2
    names = ", ".join(frameworks_with_gradients())
    text = f"array: one of {names} must be installed; got none (pip install 'intaglio[torch]' or another)"
    assert capsys.readouterr().err == f"intaglio: {text}\n"
    assert files() == []


@pytest.mark.parametrize("name", frameworks_with_gradients()[1:])
def test_the_programs_do_the_same_in_every_framework(folder, name):
    for framework in ("torch", name):
        assert main(["demo", "-o", framework, "--frames", "2", "--framework", framework, *FIT]) == 0
    for path in sorted(Path("torch").glob("*.gif")):
        with Image.open(path) as expected, Image.open(Path(name) / path.name) as found:
            assert expected.n_frames == found.n_frames
            for frame in range(expected.n_frames):
                expected.seek(frame), found.seek(frame)
                differ = np.abs(np.asarray(expected.convert("RGB"), int) - np.asarray(found.convert("RGB"), int))
                assert differ.mean() < 0.5, "of 255 steps"


@pytest.mark.parametrize("name", frameworks_with_gradients())
def test_what_is_drawn_on_a_gpu_stays_in_the_framework(monkeypatch, name):
    """The framework's CPU stands for a GPU."""
    xp, asked_for = array.framework(name), []
    words = ("--framework", name, "-o")
    programs = [
        ("render", "cube", "--frames", "2", *SMALL),
        *(("fit", *of, *FIT) for of in (["shape"], ["texture"], ["camera"])),
    ]
    for number, program in enumerate(programs):
        assert main([*program, *words, f"cpu-{number}.png"]) == 0
    monkeypatch.setattr(ops, "num_gpus", lambda: 1)
    monkeypatch.setattr(
        xp, "gpu", lambda index: asked_for.append(index) or xp.zeros_like(xp.from_numpy(np.ones(1))).device
    )
    for number, program in enumerate(programs):
        assert main([*program, "--device", f"cuda:{number}", *words, f"gpu-{number}.png"]) == 0
    assert asked_for == [0, 1, 2, 3]
    drawn = sorted(Path().glob("cpu-*.png"))
    assert len(drawn) > 10
    for path in drawn:
        pixels = [np.int16(Image.open(x)) for x in (path, path.name.replace("cpu", "gpu"))]
        assert abs(pixels[0] - pixels[1]).max() <= 1


def test_help_and_version_are_printed(capsys):
    for arguments in (["--help"], ["fit", "shape", "--help"], ["--version"]):
        with pytest.raises(SystemExit) as exit:
            main(arguments)
        assert exit.value.code == 0
    assert re.search(r"^intaglio \d+\.\d+\.\d+$", capsys.readouterr().out, flags=re.MULTILINE)


def test_the_bar_shows_the_rate_and_the_loss(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(["fit", "shape", *FIT]) == 0
    assert re.search(r"shape, edge: 100%.*2/2 .*it/s, loss \d+\]", terminal.getvalue())


def test_a_stop_ends_what_is_watched_after_the_item_at_hand():
    stop, seen = Stop(), []
    for item in watch("abc", "letters", 3, stop):
        seen.append(item)
        stop.requested = item == "b"
    assert seen == ["a", "b"]


def test_the_first_ctrl_c_asks_for_a_stop_and_the_second_interrupts(capsys):
    before = signal.getsignal(signal.SIGINT)
    with Stop() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert "stopping: what there is will be written" in capsys.readouterr().err


def test_programs_run_beside_the_main_thread():
    codes = []
    arguments = ["render", "cube", "-o", "cube.gif", "--frames", "2", *SMALL]
    thread = threading.Thread(target=lambda: codes.append(main(arguments)))
    thread.start()
    thread.join()
    assert codes == [0]


def test_ctrl_c_keeps_what_there_is(folder):
    command = [sys.executable, "-m", "intaglio", "fit", "shape", "--steps", "1000000", "--size", "32"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list(folder.glob(".shape-*.gif")):  # the animation, before it has its name
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert files() == ["shape-reference.png", "shape.gif", "shape.obj"]
    assert num_frames("shape.gif") == int(re.search(r"in (\d+) steps", out)[1]) + 1
    assert load_obj("shape.obj").triangles.shape == (2256, 3)


def test_the_square_is_that_of_2018():
    inside = pictures.square(256)
    assert inside[64:192, 64:192].min() == 1
    assert inside.sum() == 128**2


def test_the_sunset_lies_between_rows_32_and_223_over_all_columns():
    image = pictures.sunset(256)
    assert image[32:224].max(axis=-1).min() > 0
    assert image[:32].max() == image[224:].max() == 0
    assert 0 <= image.min() <= image.max() <= 1


def test_compared_silhouettes_are_white_orange_and_blue():
    alpha, target = np.float32([[1, 1, 0, 0]]), np.float32([[1, 0, 1, 0]])
    image = pictures.compared(alpha, target)
    np.testing.assert_allclose(image, [[pictures.WHITE, pictures.ORANGE, pictures.BLUE, [0, 0, 0]]], atol=1e-6)
