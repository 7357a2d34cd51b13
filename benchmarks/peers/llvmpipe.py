# SPDX-License-Identifier: MIT
"""Mesa's llvmpipe, OpenGL on the CPU, through moderngl: vertices up, triangle ids and depth down.

Ids and depth leave the fragment shader as one two-channel float image: one read-back of it was faster here than a
read-back of an id image and of the depth buffer. The index buffer stays uploaded. LP_NUM_THREADS=0 makes llvmpipe
work in the calling thread alone (1 adds a worker to it, and was slower).
"""

import os
from functools import cache
from typing import Any

import numpy as np

from . import IdsAndDepth

_VERTEX_SHADER = """
#version 330
in vec4 pos_clip;
void main() { gl_Position = pos_clip; }
"""
_FRAGMENT_SHADER = """
#version 330
out vec2 id_and_depth;
void main() { id_and_depth = vec2(float(gl_PrimitiveID), gl_FragCoord.z); }
"""
MISSING = "llvmpipe: needs moderngl (pip) and Mesa's software driver (Debian: apt install libegl1 libgl1-mesa-dri)"


@cache
def context() -> Any:
    """An off-screen context of llvmpipe, one per process. Raises RuntimeError if the driver is another or missing."""
    os.environ["LP_NUM_THREADS"] = "0"
    os.environ["LIBGL_ALWAYS_SOFTWARE"] = "1"
    try:
        import moderngl

        created = moderngl.create_context(standalone=True, backend="egl", require=330)
    except Exception as error:  # moderngl raises bare Exception when EGL has no driver
        raise RuntimeError(f"{MISSING}; {error}") from error
    if "llvmpipe" not in created.info["GL_RENDERER"]:
        raise RuntimeError(f"{MISSING}; the driver found is {created.info['GL_RENDERER']}")
    created.enable(moderngl.DEPTH_TEST)
    return created


def check() -> None:
    """Raises RuntimeError where llvmpipe or moderngl is missing."""
    context()


def version() -> str:
    return f"{context().info['GL_RENDERER']}, OpenGL {context().info['GL_VERSION']}"


def forward(pos_clip: np.ndarray, triangles: np.ndarray, size: tuple[int, int]) -> IdsAndDepth:
    """Renders pos_clip [V,4], triangles [F,3]; ids are floats, depth is in [0,1], the bottom row comes first."""
    gl = context()
    height, width = size
    pos_clip = np.ascontiguousarray(pos_clip, np.float32)
    positions = gl.buffer(pos_clip, dynamic=True)
    program = gl.program(vertex_shader=_VERTEX_SHADER, fragment_shader=_FRAGMENT_SHADER)
    indices = gl.buffer(np.ascontiguousarray(triangles, np.int32))
    mesh = gl.vertex_array(program, [(positions, "4f", "pos_clip")], indices, index_element_size=4)
    image = gl.texture((width, height), 2, dtype="f4")
    framebuffer = gl.framebuffer([image], gl.depth_renderbuffer((width, height)))
    id_and_depth = np.empty((height, width, 2), np.float32)

    def render() -> tuple[np.ndarray, np.ndarray]:
        positions.write(pos_clip)
        framebuffer.use()
        framebuffer.clear(-1.0, 1.0, 0.0, 0.0, depth=1.0)
        mesh.render()
        image.read_into(id_and_depth)
        return id_and_depth[..., 0], id_and_depth[..., 1]

    return render
