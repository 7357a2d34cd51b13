# SPDX-License-Identifier: MIT
"""`intaglio doctor` tells what is there, and how to mend what is not, whatever state that is in."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from intaglio import ops
from intaglio.cli import doctor, main

ADVICE = "pip install 'torch>=2.4'"


def said(capsys, title):
    """The words behind a title."""
    return re.search(rf"^  {title} +(.*(?:\n {{20,}}.*)?)$", capsys.readouterr().out, flags=re.MULTILINE)[1].split(
        None, 1
    )


@pytest.fixture
def only_torch(monkeypatch):
    """Probing all three takes seconds."""
    monkeypatch.setattr(doctor, "FRAMEWORKS", {"PyTorch": doctor.FRAMEWORKS["PyTorch"]})


@pytest.fixture
def planted(monkeypatch, tmp_path, only_torch):
    """Put a module called torch before the real one."""

    def plant(text):
        (tmp_path / "torch.py").write_text(text)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return plant


def test_doctor_finds_every_framework_at_work(capsys):
    assert main(["doctor"]) == 0
    report = capsys.readouterr().out
    assert re.search(r"^intaglio \d+\.\d+\.\d+ in /", report)
    for title in ("PyTorch", "PaddlePaddle", "JAX"):
        assert re.search(rf"^  {title} +\d+\.\d+\.\d+\S* +works$", report, flags=re.MULTILINE)
    for title in ("Python", "NumPy", "Pillow", "SIMD", "threads", "CUDA", "tqdm", "imageio-ffmpeg"):
        assert re.search(rf"^  {title} +\S", report, flags=re.MULTILINE)
    assert report.endswith("\n\nwhat is here works\n")


def test_doctor_imports_no_framework_itself():
    names = "'torch', 'paddle', 'jax'"
    program = f"import sys; from intaglio.cli import main; main(['doctor']); print(*{{{names}}} & {{*sys.modules}})"
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert run.stdout.splitlines()[-1] == ""


def test_a_missing_framework_comes_with_the_line_that_installs_it(capsys, only_torch, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["doctor"]) == 0
    assert said(capsys, "PyTorch") == ["not", f"here          {ADVICE}"]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("raise ImportError('libtorch.so: no such file')", "ImportError: libtorch.so: no such file"),
        ("import sys; print('out of order', file=sys.stderr); sys.exit(7)", "ended with code 7: out of order"),
        ("import os; os.abort()", "ended with code -6"),
        ("raise RuntimeError('line 1\\nline 2')", "RuntimeError: line 1 line 2"),
    ],
)
def test_a_broken_framework_is_a_line_and_not_a_traceback(capsys, planted, module, text):
    planted(module)
    assert main(["doctor"]) == 2
    out, err = capsys.readouterr()
    assert f"broken: {text}\n" in out
    assert ADVICE.replace("install", "install --force-reinstall") in out
    assert err.startswith("intaglio: doctor: PyTorch must work; got the errors above")
    assert "Traceback" not in out + err


def test_a_framework_that_does_not_answer_is_given_up(capsys, planted, monkeypatch):
    monkeypatch.setattr(doctor, "PATIENCE", 0.5)
    planted("import time; time.sleep(60)")
    assert main(["doctor"]) == 2
    assert "broken: ended with code -9: no answer within 0.5 s\n" in capsys.readouterr().out


def test_the_advice_is_what_the_package_itself_requires():
    pyproject = (Path(__file__).parent.parent / "pyproject.toml").read_text()
    for name in ("torch", "paddlepaddle", "jax", "tqdm", "imageio-ffmpeg"):
        wanted = re.fullmatch(r"pip install '(.*)'", doctor._pip(name))[1]
        assert wanted != name
        assert f'"{wanted}"' in pyproject


def test_the_simd_level_is_what_the_processor_says():
    flags = set(re.findall(r"\w+", re.search(r"^(?:flags|Features).*", Path("/proc/cpuinfo").read_text(), re.M)[0]))
    wide = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= flags
    expected = "x86-64-v4" if wide else "x86-64-v3" if {"avx2", "bmi2", "fma", "movbe", "f16c"} <= flags else "default"
    assert ops.simd_level() == expected
