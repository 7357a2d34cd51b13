# SPDX-License-Identifier: MIT
"""The Neural 3D Mesh Renderer of 2018 by its own names, without a GPU: what `neural_renderer` (PyTorch) and
`neural_renderer_paddle` (PaddlePaddle) offered, pixel by pixel and gradient by gradient, its defects mended.

    import intaglio.neural_renderer.torch as nr
    import intaglio.neural_renderer.paddle as nr

or, for code that says `import neural_renderer` and shall stay as it is:

    import intaglio.neural_renderer
    intaglio.neural_renderer.install("torch")
"""

from __future__ import annotations

from importlib import import_module

from .modules import alias

__all__ = ["install"]

# Under which names each framework's module was known.
NAMES = {"torch": ("neural_renderer",), "paddle": ("neural_renderer", "neural_renderer_paddle")}


def install(framework: str) -> None:
    """From now on, in this process, `import neural_renderer` means this one; of several calls the last decides.

    With "paddle" that holds for `neural_renderer_paddle` too.

    Raises:
        ValueError: `framework` is neither "torch" nor "paddle".
    """
    if framework not in NAMES:
        raise ValueError(f"install: framework must be one of {', '.join(NAMES)}; got {framework!r}")
    package = f"{__name__}.{framework}"
    import_module(package)
    for name in NAMES[framework]:
        alias(package, name)
