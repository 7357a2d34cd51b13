# SPDX-License-Identifier: MIT
"""The tests of the tests: a run that skips something fails, and so does one that a framework is missing from."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from complete import FEWEST, FRAMEWORKS, missing

TESTS = Path(__file__).parent


def run(folder, text):
    (folder / "conftest.py").write_text("from complete import pytest_sessionfinish\n")
    (folder / "test_it.py").write_text(f"import pytest\n\n\n{text}\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"]
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_run_of_passing_tests_succeeds(tmp_path):
    assert run(tmp_path, "def test_x(): pass").returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "def test_x(): pytest.skip('no torch')",
        "def test_x(): pytest.importorskip('no_such_framework')",
        "@pytest.mark.skipif(True, reason='')\ndef test_x(): pass",
        "@pytest.mark.xfail\ndef test_x(): assert False",
        "pytest.skip(allow_module_level=True)",
    ],
)
def test_a_run_that_skips_a_test_fails(tmp_path, text):
    finished = run(tmp_path, text + "\n\n\ndef test_y(): pass")
    assert finished.returncode == 1
    assert "INCOMPLETE: 1 tests were skipped or expected to fail" in finished.stdout


def test_the_whole_suite_must_have_met_every_framework():
    names = [f"tests/test_x.py::test_y[{k}-{name}]" for name in FRAMEWORKS for k in range(FEWEST)]
    assert missing(0, names, True) == []
    assert missing(0, names[:-1], True) == [f"{FEWEST - 1} tests of {FRAMEWORKS[-1]} passed, fewer than {FEWEST}"]
    assert missing(0, names[:3], False) == []


def test_this_very_run_is_watched():
    import conftest

    assert conftest.pytest_sessionfinish.__module__ == "complete"
