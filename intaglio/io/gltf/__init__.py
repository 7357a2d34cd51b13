# SPDX-License-Identifier: MIT
"""glTF 2.0, as text and as GLB: container, checked JSON, accessors, then the things of an asset; and all of it back.

Khronos, glTF 2.0 Specification, https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
"""

from .reader import read_gltf
from .writer import write_gltf

__all__ = ["read_gltf", "write_gltf"]
