# SPDX-License-Identifier: MIT
"""What every op checks of its arguments before any work, and which front end serves them.

A tensor of a framework can exist only if that framework is imported, so the type of an argument tells which front end
to load; no framework is imported speculatively. Values (index ranges, finite positions) are checked natively, where
they are read.
"""

from __future__ import annotations

from typing import Any

from intaglio import _native

Array = Any
Shape = tuple  # of names ("B") and numbers (4)

_FRONT_ENDS = ("numpy", "torch", "paddle", "jax")
_front_end_of: dict[type, Any] = {}


def _load(framework: str) -> Any:
    # Written out: torch.compile can follow an import statement, but not importlib.
    module: Any
    if framework == "torch":
        from . import torch as module
    elif framework == "paddle":
        from . import paddle as module
    elif framework == "jax":
        from . import jax as module
    else:
        from . import numpy as module
    return module


def front_end(op: str, argument: str, x: Array) -> Any:
    """The module of `intaglio.ops` that serves the type of `x`."""
    found = _front_end_of.get(type(x))
    if found is None:
        for base in type(x).__mro__:
            root = base.__module__.partition(".")[0]
            if root in _FRONT_ENDS:
                module = _load(root)
                if isinstance(x, module.ARRAY):
                    found = _front_end_of[type(x)] = module
                    break
    if found is None:
        raise ValueError(
            f"{op}: {argument} must be an array of {', '.join(_FRONT_ENDS)}; got {type(x).__name__} "
            "(make it an array or tensor first)"
        )
    return found


def _written(shape: Shape) -> str:
    return f"[{', '.join(map(str, shape))}]"


class Door:
    """Checks the arguments of one call: each `value` or `index` array against shapes whose letters must agree."""

    def __init__(self, op: str, argument: str, leading: Array):
        self.op = op
        self.front = front_end(op, argument, leading)
        self.sizes: dict[str, tuple[int, str]] = {}  # letter: (size, argument that set it)
        self.dtype: tuple[Any, str] | None = None
        self.device: tuple[str, str] | None = None

    def fail(self, argument: str, expected: str, got: str, remedy: str) -> None:
        raise ValueError(f"{self.op}: {argument} must be {expected}; got {got} ({remedy})")

    def value(
        self, argument: str, x: Array, *shapes: Shape, remedy: str = "see the op's docstring for the shapes"
    ) -> None:
        """A float32 or float64 array; all of a call have the same dtype."""
        dtype = self._array(argument, x)
        if dtype not in self.front.VALUES:
            remedy = "convert it first, for example x.astype(np.float32) or x.float()"
            self.fail(argument, "float32 or float64", str(dtype), remedy)
        if self.dtype is None:
            self.dtype = (dtype, argument)
        elif dtype != self.dtype[0]:
            self.fail(argument, f"{self.dtype[0]} like {self.dtype[1]}", str(dtype), "convert one of them")
        self._shape(argument, x, shapes, remedy)

    def index(
        self, argument: str, x: Array, *shapes: Shape, remedy: str = "see the op's docstring for the shapes"
    ) -> None:
        """An int32 array."""
        dtype = self._array(argument, x)
        if dtype != self.front.INDEX:
            remedy = "convert it first, for example x.astype(np.int32) or x.to(torch.int32)"
            self.fail(argument, "int32", str(dtype), remedy)
        self._shape(argument, x, shapes, remedy)

    def flag(self, argument: str, x: Any) -> None:
        if not isinstance(x, bool):
            self.fail(argument, "True or False", repr(x), "see the op's docstring")

    def _array(self, argument: str, x: Array) -> Any:
        if not isinstance(x, self.front.ARRAY):
            kind = self.front.ARRAY
            name = f"{kind.__module__}.{kind.__name__.rpartition('.')[2]}"
            self.fail(argument, f"a {name} like the others", type(x).__name__, "convert it first")
        device = self.front.device_of(x)
        if device != "cpu" and not (device.startswith("cuda") and _native.has_cuda()):
            self.fail(argument, "on the CPU", f"device {device}", "move it with .cpu(); this build draws on the CPU")
        if self.device is None:
            self.device = (device, argument)
        elif device != self.device[0]:
            remedy = "move one of them; all arrays of a call lie on one device"
            self.fail(argument, f"on {self.device[0]} like {self.device[1]}", f"device {device}", remedy)
        if (layout := self.front.layout_of(x)) is not None:
            self.fail(argument, "dense", f"layout {layout}", "call .to_dense() first")
        return x.dtype

    def _shape(self, argument: str, x: Array, shapes: tuple[Shape, ...], remedy: str) -> None:
        got = x.shape
        for shape in shapes:
            if len(shape) == len(got) and self._agrees(argument, shape, got):
                return
        expected = " or ".join(_written(shape) for shape in shapes)
        known = [
            f"{letter} = {size} from {source}"
            for letter, (size, source) in self.sizes.items()
            if source != argument and any(letter in shape for shape in shapes)
        ]
        if known:
            expected += f" with {', '.join(known)}"
        self.fail(argument, expected, _written(tuple(got)), remedy)

    def _agrees(self, argument: str, shape: Shape, got: Any) -> bool:
        sizes, own = self.sizes, []  # letters that this shape is the first to set
        for name, size in zip(shape, got, strict=True):
            known = sizes.get(name) if isinstance(name, str) else (name,)
            if known is None:
                sizes[name] = (size, argument)
                own.append(name)
            elif known[0] != size:
                break
        else:
            return True
        for name in own:
            del sizes[name]
        return False
