# SPDX-License-Identifier: MIT
"""Who may import whom. Each layer is a row: what it is, and the layers below it that it may see.

Python, from the bottom: trees, array and topology; what shows pictures and meshes to people (picture, atlas, page);
ops; the scene (tangents, mesh, camera, light, material, losses); shapes and io, which are NumPy only; render; fit;
cli. Native: vec.h, math, the contract ops.h, the schedulers cpu and cuda, the doors. Frameworks
are imported by their own front ends.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SCENE = {"tangents", "mesh", "camera", "light", "environment", "material", "losses"}
BASE = {"array", "topology", "trees"}
PYTHON_LAYERS = {
    "later": set(),
    "once": set(),
    "trees": set(),
    "array": {"array", "trees"},
    "topology": {"array"},
    "ops": BASE | {"ops", "_native", "later"},
    "picture": {"array"},
    "atlas": set(),
    "split_sum": {"once"},
    "page": {"array", "picture", "atlas", "light", "mesh"},
    "tangents": BASE,
    "mesh_arrays": {"array", "material"},
    "mesh": BASE | SCENE | {"mesh_arrays", "ops", "page"},
    "parts": BASE | {"material", "mesh", "mesh_arrays", "tangents"},
    "packing": BASE | {"material", "mesh", "mesh_arrays", "parts"},
    "camera": BASE | SCENE | {"ops"},
    "light": BASE | SCENE | {"ops"},
    "environment": BASE | {"ops", "once"},
    "skies": set(),
    "material": BASE,
    "losses": BASE | SCENE | {"ops"},
    "shapes": BASE | {"mesh"},
    "io": BASE | {"tangents", "mesh", "material", "camera", "picture", "atlas", "io"},
    "seen": BASE | SCENE | {"ops"},
    "shading": BASE | SCENE | {"ops", "seen", "split_sum"},
    "around": BASE | SCENE | {"ops"},
    "staging": BASE | SCENE | {"packing", "parts", "shading"},
    "drawing": BASE | SCENE | {"ops", "around", "seen", "shading", "staging"},
    "rendering": BASE | SCENE | {"ops", "around", "drawing", "packing", "picture", "seen", "shading", "staging"},
    "comparing": BASE | SCENE | {"ops", "around", "staging"},
    "filling": {"topology"},
    "projecting": BASE | SCENE | {"ops"},
    "baking": BASE | SCENE | {"ops", "seen", "drawing", "packing", "staging", "filling", "projecting"},
    "fit": BASE | SCENE | {"ops", "rendering", "shapes", "io", "fit"},
    "cli": BASE | SCENE | {"ops", "rendering", "shapes", "io", "fit", "cli", "__version__"},
    "__main__": {"cli"},
    "neural_renderer": {"array", "ops", "io", "neural_renderer"},
}
FRAMEWORKS = {"torch", "paddle", "jax", "jaxlib"}
# Everything else that is not of the standard library, and who may import it.
THIRD_PARTY = {
    "numpy": set(PYTHON_LAYERS),
    "PIL": {"picture", "io", "cli"},
    "tqdm": {"cli"},
    "imageio_ffmpeg": {"io", "cli"},
}

DOORS = {"array", "bind", "buffers", "exchange"}
NATIVE_LAYERS = {
    "vec": set(),
    "math": {"vec", "math"},
    "ops": {"ops"},
    "cpu": {"vec", "math", "ops", "cpu"},
    "cuda": {"vec", "math", "ops", "cuda"},
    "door": {"ops", "cpu", "cuda", "door", "third_party"},
}


def imported_modules(path: Path, package: str) -> list[str]:
    """Absolute dotted names of all that a file imports, wherever in it; `package` is that of the file."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, base] if base else parent)
            # `from intaglio import ops` imports intaglio.ops.
            names += [f"{base}.{alias.name}" for alias in node.names] if base == "intaglio" else [base]
    return names


def python_violations(root: Path) -> list[str]:
    found = []
    for path in sorted((root / "intaglio").rglob("*.py")):
        relative = path.relative_to(root)
        parts = relative.with_suffix("").parts
        if parts == ("intaglio", "__init__"):
            continue  # the public API shows what it likes
        layer = parts[1]
        if layer not in PYTHON_LAYERS:
            found.append(f"{relative}: is in no layer")
            continue
        for name in imported_modules(path, ".".join(parts[:-1])):
            if not may_import(layer, parts, name):
                found.append(f"{relative}: imports {name}")
    return found


def may_import(layer: str, parts: tuple[str, ...], name: str) -> bool:
    top, _, rest = name.partition(".")
    if top == "intaglio":
        return rest.split(".")[0] in PYTHON_LAYERS[layer]
    if top in FRAMEWORKS:
        return layer in {"array", "ops", "neural_renderer"} and parts[2:] == (top,)
    if top in THIRD_PARTY:
        return layer in THIRD_PARTY[top]
    return top in sys.stdlib_module_names


def native_layer(relative: Path) -> str:
    """The layer of a file given relative to native/."""
    if relative.parts[0] == "third_party":
        return "third_party"
    if relative.parent.name:
        return "vec" if relative.name == "vec.h" else relative.parts[0]
    stem = relative.stem.split("_")[0]
    return "door" if stem in DOORS else stem


def native_violations(root: Path) -> list[str]:
    found = []
    native = (root / "native").resolve()
    for path in sorted(native.rglob("*")):
        if path.suffix not in {".h", ".hpp", ".cpp", ".cu", ".cuh"} or "third_party" in path.parts:
            continue
        relative = path.relative_to(native)
        layer = native_layer(relative)
        if layer not in NATIVE_LAYERS:
            found.append(f"native/{relative}: is in no layer")
            continue
        for included in re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), flags=re.MULTILINE):
            beside, below = (path.parent / included).resolve(), (native / included).resolve()
            target = beside if beside.is_relative_to(native) and beside.exists() else below
            if native_layer(target.relative_to(native)) not in NATIVE_LAYERS[layer]:
                found.append(f"native/{relative}: includes {included}")
    return found


def test_python_files_import_only_what_lies_below_them():
    assert python_violations(ROOT) == []


def test_native_files_include_only_what_lies_below_them():
    assert native_violations(ROOT) == []


@pytest.mark.parametrize(
    ("file", "line", "report"),
    [
        ("mesh.py", "from .rendering import render", "intaglio/mesh.py: imports intaglio.rendering"),
        ("mesh.py", "from intaglio import rendering", "intaglio/mesh.py: imports intaglio.rendering"),
        ("array.py", "import intaglio.mesh", "intaglio/array.py: imports intaglio.mesh"),
        ("ops/door.py", "from ..camera import Camera", "intaglio/ops/door.py: imports intaglio.camera"),
        ("ops/calls/op.py", "from ...rendering import x", "intaglio/ops/calls/op.py: imports intaglio.rendering"),
        ("ops/numpy.py", "import torch", "intaglio/ops/numpy.py: imports torch"),
        ("rendering.py", "def f():\n    import torch.nn", "intaglio/rendering.py: imports torch.nn"),
        ("fit/shape.py", "import torch", "intaglio/fit/shape.py: imports torch"),
        ("cli/main.py", "import torch", "intaglio/cli/main.py: imports torch"),
        ("io/obj.py", "from .. import ops", "intaglio/io/obj.py: imports intaglio.ops"),
        ("shapes.py", "import scipy", "intaglio/shapes.py: imports scipy"),
        ("camera.py", "import tests.reference", "intaglio/camera.py: imports tests.reference"),
        ("helpers.py", "", "intaglio/helpers.py: is in no layer"),
    ],
)
def test_a_planted_import_is_reported(tmp_path, file, line, report):
    path = tmp_path / "intaglio" / file
    path.parent.mkdir(parents=True)
    path.write_text("import math\nimport numpy as np\n" * (file != "helpers.py") + line)
    assert python_violations(tmp_path) == [report]


@pytest.mark.parametrize(
    ("file", "line", "report"),
    [
        ("math/triangle.h", '#include "../cpu/pool.h"', "native/math/triangle.h: includes ../cpu/pool.h"),
        ("math/vec.h", '#include "triangle.h"', "native/math/vec.h: includes triangle.h"),
        ("ops.h", '#include "math/vec.h"', "native/ops.h: includes math/vec.h"),
        ("cpu/pool.h", '  #  include "../bind.h"', "native/cpu/pool.h: includes ../bind.h"),
        ("cuda/rasterize.cu", '#include "../cpu/pool.h"', "native/cuda/rasterize.cu: includes ../cpu/pool.h"),
        ("bind_soft.cpp", '#include "math/vec.h"', "native/bind_soft.cpp: includes math/vec.h"),
        ("tools/x.h", "", "native/tools/x.h: is in no layer"),
    ],
)
def test_a_planted_include_is_reported(tmp_path, file, line, report):
    native = tmp_path / "native"
    for name in ("math/vec.h", "math/triangle.h", "cpu/pool.h", "bind.h", file):
        (native / name).parent.mkdir(parents=True, exist_ok=True)
        (native / name).touch()
    (native / file).write_text("#include <cmath>\n" + line + "\n")
    assert native_violations(tmp_path) == [report]


def test_importing_intaglio_imports_no_framework():
    program = "import sys, intaglio; print(*(name for name in ('torch', 'paddle', 'jax') if name in sys.modules))"
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert output.split() == []
