# SPDX-License-Identifier: MIT
"""The manual's Python runs page by page, and prints what the pages say."""

import contextlib
import io
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = {str(path.relative_to(ROOT / "docs")): path for path in sorted((ROOT / "docs").rglob("*.md"))}
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
# What it does to torch and to the names of modules must not reach other tests.
ALONE = "migration/neural_renderer.md"
WITH_CODE = [name for name, path in PAGES.items() if BLOCK.search(path.read_text(encoding="utf-8"))]


@pytest.mark.filterwarnings("ignore:No ccache found")  # paddle's, when it is imported
@pytest.mark.parametrize("name", [name for name in WITH_CODE if name != ALONE])
def test_a_page_prints_what_it_says(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = {}
    for code, expected in BLOCK.findall(PAGES[name].read_text(encoding="utf-8")):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, name, "exec"), known)
        assert printed.getvalue() == expected


def test_a_page_that_changes_its_process_runs_in_one_of_its_own():
    blocks = BLOCK.findall(PAGES[ALONE].read_text(encoding="utf-8"))
    program = "\n".join(code for code, _ in blocks)
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "".join(expected for _, expected in blocks)), run.stderr


def test_the_pages_with_code_are_those_of_ideas_and_of_migration():
    assert {"quickstart.md", "cameras.md", "visibility.md", "textures.md", "frameworks.md"} <= set(WITH_CODE)


def test_every_public_name_has_its_place_in_the_reference():
    import intaglio

    pages = "".join(PAGES[name].read_text(encoding="utf-8") for name in PAGES if name.startswith("reference/"))
    documented = set(re.findall(r"auto\w+:: (?:intaglio\.)?(\w+)", pages))
    assert set(intaglio.__all__) - documented == set()


def test_fields_at_the_margin_of_a_docstring_become_a_section():
    with_sections = runpy.run_path(str(ROOT / "docs" / "docstrings.py"))["with_sections"]
    lines = [
        "What comes out.",
        "",
        "image: [H, W]",
        "    more of it",
        "",
        "Other arguments:",
        "eps: small",
        "",
        "Heckbert: 1989.",
    ]
    found = [line for line in with_sections(lines, "Args") if line]
    arguments = ["Args:", "    image: [H, W]", "        more of it"]
    assert found == ["What comes out.", *arguments, "Other arguments:", "    eps: small", "Heckbert: 1989."]


def test_a_colon_within_a_paragraph_makes_no_field():
    with_sections = runpy.run_path(str(ROOT / "docs" / "docstrings.py"))["with_sections"]
    lines = ["What comes out, without anything", "between: nothing."]
    assert with_sections(lines, "Args") == lines


def test_a_docstring_with_sections_stays_as_it_is():
    with_sections = runpy.run_path(str(ROOT / "docs" / "docstrings.py"))["with_sections"]
    sections = [
        "Args:",
        "    mesh: a mesh",
        "",
        "Other arguments:",
        "    size: pixels",
        "",
        "Raises:",
        "    ValueError: x",
    ]
    lines = ["What.", "", *sections]
    assert with_sections(lines, "Args") == lines
