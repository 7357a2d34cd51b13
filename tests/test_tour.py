# SPDX-License-Identifier: MIT
"""examples/tour.ipynb runs, does what it says, and shows in the repository what it shows when it is run."""

import base64
import io
import re
import runpy
from pathlib import Path

import nbformat
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
KEPT = nbformat.read(ROOT / "examples" / "tour.ipynb", as_version=4)


@pytest.fixture(scope="module")
def tour():
    return runpy.run_path(str(ROOT / "docs" / "notebook.py"))["executed"]()


def printed(notebook):
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return "".join(output.text for output in outputs if output.output_type == "stream")


def pictures(notebook):
    """Cell, size and how many colours, of each picture."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                with Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))) as picture:
                    found.append((cell.id, picture.size, len(picture.convert("RGB").getcolors(1 << 20))))
    return found


def test_the_tour_fits_and_finds_what_it_says(tour):
    shape, texture, camera = re.findall(r"(?:loss|after) (\d+) (?:->|steps the eye is) ([\d.]+)", printed(tour))
    assert float(shape[1]) < 0.02 * float(shape[0])
    assert float(texture[1]) < 0.9 * float(texture[0]), "most of it is the background's, which has no texels"
    assert float(camera[1]) < 0.03


def test_every_program_shows_pictures_and_a_mesh_turns(tour):
    assert len(pictures(tour)) == 10
    assert min(colors for _, _, colors in pictures(tour)) > 1
    kinds = [kind for cell in tour.cells for output in cell.get("outputs", []) for kind in output.get("data", {})]
    assert kinds.count("text/html") == 1


def test_the_tour_in_the_repository_is_the_one_that_runs(tour):
    kept, now = ([found[:2] for found in pictures(notebook)] for notebook in (KEPT, tour))
    assert kept == now
    kept, now = (re.sub(r"\d[\d.]*", "#", printed(notebook)) for notebook in (KEPT, tour))
    assert kept == now


def test_the_tour_is_small_and_without_leftovers():
    text = (ROOT / "examples" / "tour.ipynb").read_text()
    assert len(text) < 1_500_000
    assert "Traceback" not in text
    assert "stderr" not in text
    assert [cell.metadata for cell in KEPT.cells if cell.metadata] == []
    assert set(KEPT.metadata) == {"kernelspec", "language_info"}
