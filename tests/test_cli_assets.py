# SPDX-License-Identifier: MIT
"""`intaglio info`, `convert` and `validate`."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
from assets import rich_asset

from intaglio import load, load_asset, save, shapes
from intaglio.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save("rich.glb", rich_asset())
    return tmp_path


def test_info_says_what_is_inside_and_what_was_converted(capsys):
    assert main(["info", "rich.glb"]) == 0
    out = capsys.readouterr().out
    for line in [
        "7 nodes, 6 shown; 2 scenes",
        'geometry 0 "square": 4 vertices, 2 triangles; POSITION, NORMAL, TANGENT, TEXCOORD_0, TEXCOORD_1, '
        "COLOR_0, _HEAT, _TURN, _BEND; material 0",
        "geometry 1: 4 vertices, 2 triangles; POSITION, JOINTS_0, WEIGHTS_0; 1 morph target",
        "together: 16 vertices, 6 triangles; before transforms x 0 to 2, y 0 to 2, z 0 to 1",
        'skin 0 "bones": 2 joints',
        'camera 0 "lens": perspective, 43.0 degrees high',
        'animation 0 "step": 2 channels',
        "copyright: nobody\n  author: somebody\n  license: CC0",
        "conversions:\n  axes, place and size: none, they are the file's own\n  winding: none",
    ]:
        assert line in out


def test_who_reads_no_more_of_the_output_sees_no_traceback(folder):
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [sys.executable, "-m", "intaglio", "info", "rich.glb"], stdout=writes, stderr=subprocess.PIPE, cwd=folder
    )
    os.close(writes)
    assert (done.returncode, done.stderr) == (141, b"")


def test_info_shows_no_control_characters_of_a_stranger(capsys):
    asset = rich_asset()
    save("a.glb", dataclasses.replace(asset, materials=(dataclasses.replace(asset.materials[0], name="\x1b[2J"),) * 2))
    assert main(["info", "a.glb"]) == 0
    assert 'material 0 "?[2J"' in capsys.readouterr().out


@pytest.mark.parametrize("ending", ["obj", "ply", "stl", "glb", "gltf"])
def test_convert_writes_every_kind(capsys, ending):
    assert main(["convert", "rich.glb", f"out.{ending}"]) == 0
    assert capsys.readouterr().out.startswith(f"written: out.{ending}, ")
    assert len(load(f"out.{ending}").triangles) == 6


def test_convert_keeps_everything_where_both_can(capsys):
    assert main(["convert", "rich.glb", "out.gltf"]) == 0
    assert load_asset("out.gltf").skins[0].name == "bones"


def test_convert_overwrites_no_source(capsys):
    assert main(["convert", "rich.glb", "./rich.glb"]) == 2
    assert capsys.readouterr().err == "intaglio: rich.glb: is the file to convert (name another)\n"


def test_validate_finds_nothing_wrong(capsys):
    save("pot.ply", shapes.cube())
    assert main(["validate", "pot.ply"]) == 0
    assert capsys.readouterr().out == "sound: pot.ply, 1 primitive, 12 triangles\n"


def test_validate_names_faults_and_oddities(capsys):
    asset = rich_asset()
    square = asset.geometries[0].primitives[0]
    attributes = {k: v for k, v in square.attributes.items() if k != "TEXCOORD_1"}
    attributes["NORMAL"] = attributes["NORMAL"] * np.float32(2)
    broken = dataclasses.replace(square, attributes=attributes, indices=np.uint32([0, 1, 2, 3, 3]))
    geometry = dataclasses.replace(asset.geometries[0], primitives=(broken,))
    save("a.glb", dataclasses.replace(asset, geometries=(geometry, *asset.geometries[1:])))
    assert main(["validate", "a.glb"]) == 2
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        'fault: geometry 0 "square", primitive 0: 4 of 4 NORMAL are not of length 1',
        'fault: geometry 0 "square", primitive 0: 5 corners make no whole triangles',
        'fault: geometry 0 "square", primitive 0: its material needs TEXCOORD_1',
        'note: geometry 0 "square", primitive 0: 1 vertices belong to no triangle',
    ]
    assert captured.err == "intaglio: a.glb: breaks 3 rules of glTF (export it again)\n"


def test_limits_are_flags(capsys, monkeypatch):
    monkeypatch.setattr("intaglio.io.gltf.accessors.FREE_BYTES", -200_000)
    for flag, message in [
        ("--max-bytes=100", "is too large: "),
        ("--max-vertices=3", "has too many vertices: 4 (max_vertices is 3)"),
        ("--max-ratio=1", "unpacks to too many bytes (max_ratio is 1, "),
        ("--max-pixels=1", "images[0]: is too large a picture (1 pixels at most)"),
    ]:
        assert main(["info", "rich.glb", flag]) == 2
        assert message in capsys.readouterr().err


def test_programs_take_every_kind_of_file():
    save("cube.stl", shapes.cube())
    assert main(["render", "cube.stl", "-o", "a.png", "--frames", "1", "--size", "16", "--supersample", "1"]) == 0
